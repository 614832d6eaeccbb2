// Errors of the wire package.

/** Bytes that are not what they must be. Thrown by every decoder of this package, and by nothing else. */
export class DecodeError extends Error {
  override readonly name: string = "DecodeError";
}

/**
 * A far pointer met by the reader of flat messages: what only segment/copy.ts understands. The frame reader makes such
 * a message flat; whoever else meets one has bytes that are not what they must be.
 */
export class NotFlat extends DecodeError {
  constructor() {
    super("a far pointer in a message of one segment");
  }
}
