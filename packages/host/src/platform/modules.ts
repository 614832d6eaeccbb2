// The platform's modules, as a Worker's bundle gets them.

const CLASSES = JSON.stringify(import.meta.resolve("./cloudflare-workers.js"));
const SCOPED = JSON.stringify(import.meta.resolve("./cloudflare-workers-scoped.js"));
const SOCKETS = JSON.stringify(import.meta.resolve("./cloudflare-sockets.js"));
const WEB_SOCKETS = JSON.stringify(import.meta.resolve("./web-sockets.js"));

/** The module whose exports stand for globals of the same names. */
export const GLOBALS = "capstan:globals";

/**
 * The text of each platform module, by name. What it imports stays outside of the bundle, and falls away where it is not
 * used.
 *
 * @param worker the id under which the Worker's `env` was registered.
 */
export function platformModules(worker: number): Readonly<Record<string, string>> {
  return {
    "cloudflare:workers": `
import { environmentOf } from ${SCOPED};
export { DurableObject, RpcPromise, RpcProperty, RpcStub, RpcTarget, WorkerEntrypoint } from ${CLASSES};
export { exports, waitUntil, withEnv } from ${SCOPED};
export const env = /* @__PURE__ */ environmentOf(${worker});
`,
    "cloudflare:sockets": `export { connect } from ${SOCKETS};\n`,
    [GLOBALS]: `export { WebSocketPair, WorkerResponse as Response } from ${WEB_SOCKETS};\n`,
  };
}
