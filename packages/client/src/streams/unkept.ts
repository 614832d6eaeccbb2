// Streams that end with their invocation, as those of its sockets do.

const unkept = new WeakSet<object>();

/** Whoever sends `stream` is not kept by it. Returns it. */
export function endWithSender<T extends ReadableStream<unknown> | WritableStream<unknown>>(stream: T): T {
  unkept.add(stream);
  return stream;
}

/** Whether its sender must stay as long as `stream` goes on. */
export function keepsSender(stream: object): boolean {
  return !unkept.has(stream);
}
