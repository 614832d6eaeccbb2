// Messages of any type as trees, laid out over segments in every way that the format allows, and read back naively.
import fc from "fast-check";

export interface StructTree {
  readonly kind: "struct";
  /** Whole words. */
  readonly data: readonly number[];
  readonly pointers: readonly Tree[];
}

export type Tree =
  | { readonly kind: "null" }
  | { readonly kind: "capability"; readonly index: number }
  | StructTree
  /** `size` is of ElementSize, up to eight bytes; `bytes` are those of all elements. */
  | { readonly kind: "data"; readonly size: number; readonly count: number; readonly bytes: readonly number[] }
  | { readonly kind: "pointers"; readonly items: readonly Tree[] }
  | {
      readonly kind: "structs";
      readonly dataWords: number;
      readonly pointerCount: number;
      readonly items: readonly StructTree[];
    };

const BITS = [0, 1, 8, 16, 32, 64];
const NULL: Tree = { kind: "null" };

/** Any content of a message. */
export const anyTree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; struct: Tree; structs: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(NULL),
    fc.integer({ min: 0, max: 0xffff_ffff }).map((index): Tree => ({ kind: "capability", index })),
    fc.record({ size: fc.integer({ min: 0, max: 5 }), count: fc.nat(40) }).chain(({ size, count }) => {
      const bits = count * (BITS[size] as number);
      const length = Math.ceil(bits / 8);
      return fc
        .array(fc.nat(255), { minLength: length, maxLength: length })
        .map((bytes): Tree => ({ kind: "data", size, count, bytes: maskLast(bytes, bits) }));
    }),
    tie("struct"),
    fc.array(tie("tree"), { maxLength: 4 }).map((items): Tree => ({ kind: "pointers", items })),
    tie("structs"),
  ),
  struct: fc
    .record({ words: fc.nat(3), fill: fc.nat(255), pointers: fc.array(tie("tree"), { maxLength: 4 }) })
    .map(({ words, fill, pointers }): Tree => struct(words, fill, pointers)),
  structs: fc
    .record({
      dataWords: fc.nat(2),
      pointerCount: fc.nat(2),
      rows: fc.array(fc.tuple(fc.nat(255), tie("tree"), tie("tree")), { maxLength: 4 }),
    })
    .map(({ dataWords, pointerCount, rows }): Tree => {
      const items = rows.map(([fill, ...trees]) => struct(dataWords, fill, trees.slice(0, pointerCount)));
      return { kind: "structs", dataWords, pointerCount, items };
    }),
})).tree;

export function struct(words: number, fill: number, pointers: readonly Tree[]): StructTree {
  return { kind: "struct", data: Array.from({ length: 8 * words }, (_, i) => (fill + i) & 0xff), pointers };
}

function maskLast(bytes: readonly number[], bits: number): number[] {
  const spare = 8 * bytes.length - bits;
  return bytes.map((byte, i) => (i === bytes.length - 1 ? byte & (0xff >> spare) : byte));
}

/** Numbers below a bound, one after the other: where things go. */
export type Choose = (below: number) => number;

/** Choices that repeat `numbers` over and over. */
export function chooser(numbers: readonly number[]): Choose {
  let at = 0;
  return (below) => (numbers.length === 0 ? 0 : (numbers[at++ % numbers.length] as number) % below);
}

/** Segments that grow. Places are pairs of segment and byte. */
class Arena {
  readonly segments: Uint8Array[] = [];
  readonly #choose: Choose;

  constructor(count: number, choose: Choose) {
    this.#choose = choose;
    for (let i = 0; i < count; i++) this.segments.push(new Uint8Array(0));
  }

  allocate(size: number, segment = this.#choose(this.segments.length)): [number, number] {
    const old = this.segments[segment] as Uint8Array;
    const grown = new Uint8Array(old.length + Math.ceil(size / 8) * 8);
    grown.set(old);
    this.segments[segment] = grown;
    return [segment, old.length];
  }

  word([segment, at]: readonly [number, number], low: number, high: number): void {
    const bytes = this.segments[segment] as Uint8Array;
    const view = new DataView(bytes.buffer);
    view.setInt32(at, low, true);
    view.setUint32(at + 4, high, true);
  }

  /** Points `from` to `to`, in one of the ways that there are. */
  point(from: readonly [number, number], to: readonly [number, number], low: number, high: number): void {
    const way = from[0] === to[0] ? this.#choose(4) : 1 + this.#choose(2);
    if (from[0] === to[0] && way !== 1 && way !== 2) {
      this.word(from, ((to[1] - from[1] - 8) / 2) | low, high);
    } else if (way === 1) {
      const pad = this.allocate(8, to[0]);
      this.word(pad, ((to[1] - pad[1] - 8) / 2) | low, high);
      this.word(from, pad[1] | 2, pad[0]);
    } else {
      const pad = this.allocate(16);
      this.word(pad, to[1] | 2, to[0]);
      this.word([pad[0], pad[1] + 8], low, high);
      this.word(from, pad[1] | 6, pad[0]);
    }
  }

  place(from: readonly [number, number], tree: Tree): void {
    switch (tree.kind) {
      case "null":
        return;
      case "capability":
        this.word(from, 3, tree.index);
        return;
      case "struct": {
        const sizes = tree.data.length / 8 + tree.pointers.length * 0x1_0000;
        if (sizes === 0) return this.word(from, -4, 0);
        const to = this.allocate(tree.data.length + 8 * tree.pointers.length);
        this.point(from, to, 0, sizes);
        return this.fill(to, tree);
      }
      case "data": {
        const to = this.allocate(tree.bytes.length);
        (this.segments[to[0]] as Uint8Array).set(tree.bytes, to[1]);
        return this.point(from, to, 1, tree.size + 8 * tree.count);
      }
      case "pointers": {
        const to = this.allocate(8 * tree.items.length);
        this.point(from, to, 1, 6 + 8 * tree.items.length);
        return tree.items.forEach((item, i) => this.place([to[0], to[1] + 8 * i], item));
      }
      case "structs": {
        const step = tree.dataWords + tree.pointerCount;
        const to = this.allocate(8 + 8 * step * tree.items.length);
        this.word(to, tree.items.length << 2, tree.dataWords + tree.pointerCount * 0x1_0000);
        this.point(from, to, 1, 7 + 8 * step * tree.items.length);
        tree.items.forEach((item, i) => this.fill([to[0], to[1] + 8 + 8 * step * i], item));
      }
    }
  }

  fill([segment, at]: readonly [number, number], tree: StructTree): void {
    (this.segments[segment] as Uint8Array).set(tree.data, at);
    tree.pointers.forEach((pointer, i) => this.place([segment, at + tree.data.length + 8 * i], pointer));
  }
}

/** A frame of one message with that root, over `segmentCount` segments. */
export function layOut(root: Tree, segmentCount: number, choose: Choose): Uint8Array {
  const arena = new Arena(segmentCount, choose);
  arena.allocate(8, 0);
  arena.place([0, 0], root);
  return frame(arena.segments);
}

/** Segments with their table in front. */
export function frame(segments: readonly Uint8Array[]): Uint8Array {
  const table = 8 * Math.ceil((1 + segments.length) / 2);
  const out = new Uint8Array(segments.reduce((sum, segment) => sum + segment.length, table));
  const view = new DataView(out.buffer);
  view.setUint32(0, segments.length - 1, true);
  let at = table;
  segments.forEach((segment, i) => {
    view.setUint32(4 + 4 * i, segment.length / 8, true);
    out.set(segment, at);
    at += segment.length;
  });
  return out;
}

/** What the pointer at `at` leads to in a flat message. Trusts its bytes. */
export function readTree(bytes: Uint8Array, at: number): Tree {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const low = view.getInt32(at, true);
  const high = view.getUint32(at + 4, true);
  if (low === 0 && high === 0) return NULL;
  if ((low & 3) === 3) return { kind: "capability", index: high };
  if ((low & 3) === 2) throw new Error("a far pointer in a flat message");
  const to = at + 8 + (low >> 2) * 8;
  if ((low & 3) === 0) return readStruct(bytes, to, high & 0xffff, high >>> 16);
  const size = high & 7;
  const count = high >>> 3;
  if (size < 6) {
    const length = Math.ceil((count * (BITS[size] as number)) / 8);
    return { kind: "data", size, count, bytes: [...bytes.subarray(to, to + length)] };
  }
  if (size === 6)
    return { kind: "pointers", items: Array.from({ length: count }, (_, i) => readTree(bytes, to + 8 * i)) };
  const items = view.getUint32(to, true) >>> 2;
  const sizes = view.getUint32(to + 4, true);
  const [dataWords, pointerCount] = [sizes & 0xffff, sizes >>> 16];
  const step = 8 * (dataWords + pointerCount);
  return {
    kind: "structs",
    dataWords,
    pointerCount,
    items: Array.from({ length: items }, (_, i) => readStruct(bytes, to + 8 + i * step, dataWords, pointerCount)),
  };
}

function readStruct(bytes: Uint8Array, at: number, dataWords: number, pointerCount: number): StructTree {
  const pointers = at + 8 * dataWords;
  return {
    kind: "struct",
    data: [...bytes.subarray(at, pointers)],
    pointers: Array.from({ length: pointerCount }, (_, i) => readTree(bytes, pointers + 8 * i)),
  };
}
