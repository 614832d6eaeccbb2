// What only Node has: for hosts.
export { keepAlive } from "./heartbeat.ts";
export { endOfTurn } from "./platform.ts";
