// The platform's modules, as a Worker's bundle gets them.

const CLASSES = import.meta.resolve("./cloudflare-workers.js");
const SCOPED = import.meta.resolve("./cloudflare-workers-scoped.js");

/** The text of each platform module. What it imports stays outside of the bundle, and falls away where it is not used. */
export const PLATFORM_MODULES: Readonly<Record<string, string>> = {
  "cloudflare:workers": `
export { DurableObject, RpcStub, RpcTarget, WorkerEntrypoint } from ${JSON.stringify(CLASSES)};
export { env, exports, waitUntil, withEnv } from ${JSON.stringify(SCOPED)};
`,
};
