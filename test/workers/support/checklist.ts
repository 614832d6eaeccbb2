// The behaviours of Workers RPC that Capstan matches, by section; each is shown by the tests grouped under it.
// docs/workers-compat.md is made of this list and of what the tests did: npm run compat.

export const SECTIONS = {
  a: "Entrypoints and invocations",
  b: "What is callable",
  c: "Values",
  d: "Promises, pipelining, errors",
  e: "Stubs",
  f: "fetch",
  g: "connect",
  h: "TypeScript",
} as const;

/** A star marks what is better than the original on purpose. */
export const CHECKLIST = {
  "a.1": "A call, or an awaited property, of a binding is one invocation with an instance and a ctx of its own",
  "a.2": "Default and named exports are entrypoints: classes, and plain objects of handlers",
  "a.3": "Subclasses need no constructor; env and ctx are set and not visible; a throwing constructor fails the call",
  "a.4": "Handlers of plain objects take (arg, env, ctx), of which the client sends the first",
  "a.5": "An invocation ends when it has returned, its capabilities are dropped and its tasks are done",
  "a.6": "A duplicate of a parameter that the callee leaked is given back, unless the result holds a stub",
  "a.7": "waitUntil outlives the return and the caller, within a limit; its failure is reported, not returned",
  "a.8": "waitUntil, env and exports of cloudflare:workers act on the current invocation",
  "a.9": "ctx.props, ctx.exports and ctx.abort",
  "a.10": "★ ctx.signal fires when the caller cancels or its link is lost",
  "b.1": "Of classes the prototype's members are visible, of plain objects and functions their own properties",
  "b.2": "What is not there fails with the name of the failing segment",
  "b.3": "What is no function fails with its whole path",
  "b.4": "Reserved names are refused on entrypoints and on targets",
  "b.5": "Names of other events are ordinary methods on class entrypoints",
  "b.6": "★ __proto__ is never implemented",
  "b.7": "A path leads only through plain objects, targets, functions, stubs and bindings",
  "b.8": "What is local on bindings, stubs, promises and properties",
  "b.9": "A property chain is at most 64 long",
  "c.1": "Everything that structured clone copies goes by value, with cycles and shared identity",
  "c.2": "Functions and targets become stubs, the same one in a message one stub",
  "c.3": "Headers, Request, Response, Blob, streams, bindings, AbortSignal, DOMException, ★ URL",
  "c.4": "What cannot be sent is a DataCloneError at the sender",
  "c.5": "A Proxy of a plain object, function or target becomes a stub; other Proxies are refused",
  "c.6": "Values over the limit are refused with their size",
  "c.7": "new RpcStub() wraps plain objects, functions, targets and stubs",
  "c.8": "Streams: locked ones do not transfer, lost ends fail, flow control holds the writer",
  "d.1": "A call returns a promise and never throws; a property is fetched when awaited",
  "d.2": "Calls pipeline through objects, functions and stubs, before and after they are there",
  "d.3": "A rejection reaches what is pipelined on it; promises may be passed and returned, ★ also within values",
  "d.4": "Errors keep type, message, properties, cause and errors; the callee's stack stays with it",
  "d.5": "Errors of the callee are marked remote, disconnects retryable, overload overloaded",
  "e.1": "Disposing is idempotent, and use after it fails",
  "e.2": "Object results have a disposer that disposes of every stub inside",
  "e.3": "dup() is an independent handle; bindings have neither dup nor a disposer",
  "e.4": "Parameters are lent: stubs end with the call, the sender's stay; returned stubs are handed over",
  "e.5": "The disposer of a returned object runs when the client disposes of the result",
  "e.6": "Garbage collection warns of stubs that nobody disposed of, and disposes of nothing",
  "e.7": "Calls on one stub arrive in the order in which they were made",
  "e.8": "★ onRpcBroken() runs once, after pending calls were rejected",
  "e.9": "★ Disposing of a pending promise, or aborting a call's signal, cancels it at the callee",
  "f.1": "fetch on a binding: one Request, streamed bodies, redirects through the same binding",
  "f.2": "What is no Response, and a missing handler, have errors of their own",
  "f.3": "A WebSocket upgrade through fetch",
  "g.1": "connect() on a binding is a Socket both ways",
  "g.2": "connect() of cloudflare:sockets is a TCP socket",
  "h.1": "Service<T> and RpcStub<T> type what arrives; type parameters become what they extend",
} as const;

export type ItemId = keyof typeof CHECKLIST;

export function titleOf(id: ItemId): string {
  return CHECKLIST[id];
}
