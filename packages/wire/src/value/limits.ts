// Bounds on one serialized value.

/** Bounds on one value, kept both by the writer and by the reader. */
export interface ValueLimits {
  /** Bytes of the whole value, its header included. Default 32 MiB. */
  readonly maxBytes: number;
  /** Containers within one another. The codec recurses, so the stack must bear it. Default 512. */
  readonly maxDepth: number;
  /**
   * Objects in one value; those that cost an engine far more than their bytes (all but plain objects and arrays)
   * count for eight. Default 4 Mi: an eighth of the bytes, so only what was made to waste memory meets it.
   */
  readonly maxObjects: number;
  /** Bytes of digits of one bigint. Default 64 KiB. */
  readonly maxBigIntBytes: number;
  /** UTF-16 code units in a regular expression's source. Default 64 Ki. */
  readonly maxRegExpLength: number;
}

/** What holds where nothing else was asked for. */
export const DEFAULT_VALUE_LIMITS: ValueLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxDepth: 512,
  maxObjects: 4 * 1024 * 1024,
  maxBigIntBytes: 64 * 1024,
  maxRegExpLength: 64 * 1024,
};

/** What an object other than a plain one or an array counts for in `maxObjects`. */
export const HEAVY_OBJECT = 8;
