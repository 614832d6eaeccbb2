import { WorkerEntrypoint, waitUntil } from "cloudflare:workers";

// Imports what needs the current invocation, and so switches scopes on for the whole host.
export default class extends WorkerEntrypoint {
  add(a, b) {
    return a + b;
  }
  later(promise) {
    waitUntil(promise);
  }
}
