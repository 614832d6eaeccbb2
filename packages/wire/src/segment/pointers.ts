// hot path (bench: npm run bench). The words that lead from one object of a message to another.

/** The two lowest bits of a pointer. */
export const PointerKind = { struct: 0, list: 1, far: 2, other: 3 } as const;

/** What a list's elements are, as its pointer says. */
export const ElementSize = {
  void: 0,
  bit: 1,
  byte: 2,
  twoBytes: 3,
  fourBytes: 4,
  eightBytes: 5,
  pointer: 6,
  composite: 7,
} as const;

/** Lower half of a capability pointer. The upper one is the index into the cap table. */
export const CAPABILITY = 3;

/** Lists count their elements in 29 bits. */
const MAX_COUNT = 2 ** 29 - 1;

/**
 * Points `at` to a struct at `target`. Both are positions within one segment. A struct of no size gets the one
 * pointer that is not null and leads nowhere.
 */
export function setStructPointer(
  view: DataView,
  at: number,
  target: number,
  dataWords: number,
  pointers: number,
): void {
  const sizes = dataWords | (pointers << 16);
  view.setInt32(at, sizes === 0 ? -4 : (target - at - 8) >> 1, true);
  view.setInt32(at + 4, sizes, true);
}

/**
 * Points `at` to a list at `target`. `count` is that of its elements; of a composite list, whose tag stands at
 * `target`, that of its words without the tag. Throws RangeError where a list cannot be as long.
 */
export function setListPointer(view: DataView, at: number, target: number, size: number, count: number): void {
  if (count > MAX_COUNT) throw new RangeError(`A list of ${count} elements is too long for a message.`);
  view.setInt32(at, ((target - at - 8) >> 1) | PointerKind.list, true);
  view.setUint32(at + 4, size + 8 * count, true);
}

/** Makes the pointer at `at` one to entry `index` of the cap table. */
export function setCapabilityPointer(view: DataView, at: number, index: number): void {
  view.setUint32(at, CAPABILITY, true);
  view.setUint32(at + 4, index, true);
}
