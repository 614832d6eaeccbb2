// Generated values of every kind that the codec and node:v8 both carry.
import fc from "fast-check";

const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.array(fc.integer({ min: 0, max: 0xff }), { maxLength: 120 }).map((units) => String.fromCharCode(...units)),
  // Lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 120 }).map((units) => String.fromCharCode(...units)),
);

const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -200, max: 200 }),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53),
);

const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.constantFrom(0n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n)),
);

const primitive: fc.Arbitrary<unknown> = fc.oneof(number, text, bigint, fc.constantFrom(undefined, null, true, false));

const regExp = fc
  .tuple(
    fc.constantFrom("a", "(?:)", "é+[^/]", "\\u{1f600}", "日本|[\\/]"),
    fc.subarray(["d", "g", "i", "m", "s", "y"]),
    fc.constantFrom("", "u"),
  )
  .map(([source, flags, unicode]) => new RegExp(source, [...flags, unicode].join("")));

const date = fc.oneof(fc.date({ noInvalidDate: false }), fc.constant(new Date(NaN)));

const view = fc
  .tuple(fc.constantFrom(...views), fc.uint8Array({ maxLength: 40 }), fc.nat(3), fc.nat(5))
  .map(([View, content, from, length]) => {
    const step = (View as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    const whole = new Uint8Array(content).buffer;
    const offset = Math.min(from * step, whole.byteLength - (whole.byteLength % step));
    type MakeView = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;
    return new (View as MakeView)(whole, offset, Math.min(length, Math.floor((whole.byteLength - offset) / step)));
  });

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: primitive },
  { weight: 1, arbitrary: fc.oneof(number, text, bigint, fc.boolean()).map((value) => Object(value) as unknown) },
  { weight: 1, arbitrary: date },
  { weight: 1, arbitrary: regExp },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((content) => new Uint8Array(content).buffer) },
  { weight: 1, arbitrary: view },
);

const key = fc.oneof(
  fc.constantFrom(
    "id",
    "name",
    "length",
    "constructor",
    "toString",
    "then",
    "__proto__",
    "0",
    "7",
    "-1",
    "1.5",
    "4294967294",
    "4294967295",
  ),
  text,
);

type Node = object & { [key: string]: unknown };

interface Plan {
  readonly kind: "object" | "array" | "sparse" | "map" | "set";
  /** What the node holds: a key where its kind has them, and either a value or the number of a node. */
  readonly parts: readonly { readonly key: string; readonly to: number; readonly item: unknown }[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom("object", "array", "sparse", "map", "set"),
  parts: fc.array(fc.record({ key, to: fc.integer({ min: -6, max: 7 }), item: leaf }), { maxLength: 6 }),
});

/** Graphs of containers with shared objects and cycles, and everything else at their ends. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: leaf },
  {
    weight: 6,
    arbitrary: fc.array(plan, { minLength: 1, maxLength: 8 }).map((plans) => {
      const nodes = plans.map(
        ({ kind }) => (kind === "object" ? {} : kind === "map" ? new Map() : kind === "set" ? new Set() : []) as Node,
      );
      for (const [i, { kind, parts }] of plans.entries()) {
        for (const [n, part] of parts.entries()) {
          const item = part.to < 0 ? part.item : nodes[part.to % nodes.length];
          add(nodes[i] as Node, kind, part.key, item, n);
        }
      }
      return nodes[0];
    }),
  },
);

function add(node: Node, kind: Plan["kind"], name: string, item: unknown, n: number): void {
  if (node instanceof Map) node.set(n % 2 === 0 ? name : item, item);
  else if (node instanceof Set) node.add(item);
  else if (Array.isArray(node) && kind === "array" && n % 3 < 2) node.push(item);
  else if (Array.isArray(node) && n % 2 === 0) node[n * 5] = item;
  else if (!Array.isArray(node) || name !== "length") {
    Object.defineProperty(node, name, { value: item, writable: true, enumerable: true, configurable: true });
  }
}
