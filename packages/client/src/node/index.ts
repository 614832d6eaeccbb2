// What only Node has: for hosts.
export { keepAlive } from "./heartbeat.ts";
