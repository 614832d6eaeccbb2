// Bounds on one serialized value.

/** Bounds on one value, kept both by the writer and by the reader. */
export interface ValueLimits {
  /** Bytes of the whole value, its header included. Default 32 MiB. */
  readonly maxBytes: number;
  /** Containers within one another. The codec recurses, so the stack must bear it. Default 512. */
  readonly maxDepth: number;
  /**
   * Objects in one value. Those that cost an engine far more than their bytes (all but plain objects and arrays) count for
   * eight, an entry of a Map or Set and each of an object's properties beyond a thousand for two, an element of an array for
   * an eighth. Default 1 Mi: eight million numbers in an array, half a million entries in a Map.
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
  maxObjects: 1024 * 1024,
  maxBigIntBytes: 64 * 1024,
  maxRegExpLength: 64 * 1024,
};

/** What an object other than a plain one or an array counts for in `maxObjects`. */
export const HEAVY_OBJECT = 8;

/** Costs are counted in these parts of an object: each is what an element of an array costs. */
export const COST_OF_OBJECT = 8;
export const COST_OF_ENTRY = 16;
/** The same for a property, in an object that has more than `FEW_PROPERTIES`: engines keep those in tables. */
export const COST_OF_PROPERTY = 16;
export const FEW_PROPERTIES = 1024;
