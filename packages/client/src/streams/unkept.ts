// Streams that end with their invocation, as those of its sockets do.
import type { Realm } from "../values/realm.ts";

const unkept = new WeakSet<object>();

/** Whoever sends `stream` is not kept by it. Returns it. */
export function endWithSender<T extends ReadableStream<unknown> | WritableStream<unknown>>(stream: T): T {
  unkept.add(stream);
  return stream;
}

/** Keeps `realm`, the sender of `stream`, alive as `realm.keepAlive` does; not where the two end together. */
export function keepSender(realm: Realm, stream: object, handleAbort: (reason: unknown) => void): () => void {
  return unkept.has(stream) ? () => {} : realm.keepAlive(handleAbort);
}
