// `Everything` of interop.capnp as a plain object: made, written, and read again.
import type { StructBuilder, StructView } from "../../packages/vat/src/index.ts";
import * as schema from "./gen/interop.ts";

/** The default of `withDefault`, with which its number is stored XORed. */
const DEFAULT = 12345;

/** A value without its capability. */
export interface Everything {
  readonly flag: boolean;
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly float32: number;
  readonly float64: number;
  readonly withDefault: number;
  readonly text: string;
  readonly data: Uint8Array;
  readonly bits: readonly boolean[];
  readonly int16s: readonly number[];
  readonly float64s: readonly number[];
  readonly texts: readonly string[];
  readonly lists: readonly (readonly number[])[];
  readonly self: Everything | undefined;
  readonly structs: readonly Everything[];
  /** A Text in this place. */
  readonly any: string;
  readonly choice: { readonly number: number } | { readonly words: string } | undefined;
}

/** What a sender says that says nothing. */
export const NOTHING_SET: Everything = {
  flag: false,
  int8: 0,
  int16: 0,
  int32: 0,
  int64: 0n,
  uint64: 0n,
  float32: 0,
  float64: 0,
  withDefault: DEFAULT,
  text: "",
  data: new Uint8Array(),
  bits: [],
  int16s: [],
  float64s: [],
  texts: [],
  lists: [],
  self: undefined,
  structs: [],
  any: "",
  choice: undefined,
};

/** @param depth how many structs lie within one another; there are 4 ** depth at the bottom. */
export function everything(depth: number): Everything {
  return {
    flag: true,
    int8: -128,
    int16: -32768,
    int32: -2147483648,
    int64: -(2n ** 63n),
    uint64: 2n ** 64n - 1n,
    float32: 1.5,
    float64: -0,
    withDefault: 54321,
    text: "größer ≥ 😀",
    data: Uint8Array.from([0, 255, 128, 32, 98]),
    bits: [true, false, true, true, false, true, false, true, true],
    int16s: [1, -2, 3],
    float64s: [0.5, 1e300, -1e-300],
    texts: ["", "a", "a text of more than eight bytes"],
    lists: [[1, 2, 3], [], [4294967295]],
    self: depth === 0 ? undefined : everything(depth - 1),
    structs: depth === 0 ? [] : Array.from({ length: 3 }, () => everything(depth - 1)),
    any: "anything",
    choice: [undefined, { number: 7 }, { words: "seven" }][depth % 3],
  };
}

export function writeEverything(out: StructBuilder, value: Everything): void {
  out.setBool(schema.EVERYTHING_FLAG_BIT, value.flag);
  out.setNumber("int8", schema.EVERYTHING_INT8, value.int8);
  out.setNumber("int16", schema.EVERYTHING_INT16, value.int16);
  out.setNumber("int32", schema.EVERYTHING_INT32, value.int32);
  out.setNumber("int64", schema.EVERYTHING_INT64, value.int64);
  out.setNumber("uint64", schema.EVERYTHING_UINT64, value.uint64);
  out.setNumber("float32", schema.EVERYTHING_FLOAT32, value.float32);
  out.setNumber("float64", schema.EVERYTHING_FLOAT64, value.float64);
  out.setNumber("uint32", schema.EVERYTHING_WITH_DEFAULT, value.withDefault ^ DEFAULT);
  out.setText(schema.EVERYTHING_TEXT_POINTER, value.text);
  out.setData(schema.EVERYTHING_DATA_POINTER, value.data);
  out.setBools(schema.EVERYTHING_BITS_POINTER, value.bits);
  out.setNumbers(schema.EVERYTHING_INT16S_POINTER, "int16", value.int16s);
  out.setNumbers(schema.EVERYTHING_FLOAT64S_POINTER, "float64", value.float64s);
  out.setTexts(schema.EVERYTHING_TEXTS_POINTER, value.texts);
  const lists = out.initPointerList(schema.EVERYTHING_LISTS_POINTER, value.lists.length);
  value.lists.forEach((list, i) => {
    lists.setNumbers(i, "uint32", list);
  });
  if (value.self !== undefined) {
    writeEverything(out.initStruct(schema.EVERYTHING_SELF_POINTER, schema.EVERYTHING_STRUCT_SIZE), value.self);
  }
  const { structs } = value;
  const elements = out.initStructs(schema.EVERYTHING_STRUCTS_POINTER, structs.length, schema.EVERYTHING_STRUCT_SIZE);
  elements.forEach((element, i) => {
    writeEverything(element, structs[i]!);
  });
  out.setText(schema.EVERYTHING_ANY_POINTER, value.any);
  if (value.choice === undefined) return;
  if ("number" in value.choice) {
    out.setNumber("uint16", schema.EVERYTHING_WHICH, schema.EVERYTHING_IS_NUMBER);
    out.setNumber("int32", schema.EVERYTHING_NUMBER, value.choice.number);
  } else {
    out.setNumber("uint16", schema.EVERYTHING_WHICH, schema.EVERYTHING_IS_WORDS);
    out.setText(schema.EVERYTHING_WORDS_POINTER, value.choice.words);
  }
}

export function readEverything(view: StructView): Everything {
  const lists = view.pointerList(schema.EVERYTHING_LISTS_POINTER);
  return {
    flag: view.bool(schema.EVERYTHING_FLAG_BIT),
    int8: view.int8(schema.EVERYTHING_INT8),
    int16: view.int16(schema.EVERYTHING_INT16),
    int32: view.int32(schema.EVERYTHING_INT32),
    int64: view.int64(schema.EVERYTHING_INT64),
    uint64: view.uint64(schema.EVERYTHING_UINT64),
    float32: view.float32(schema.EVERYTHING_FLOAT32),
    float64: view.float64(schema.EVERYTHING_FLOAT64),
    withDefault: view.uint32(schema.EVERYTHING_WITH_DEFAULT) ^ DEFAULT,
    text: view.text(schema.EVERYTHING_TEXT_POINTER),
    data: Uint8Array.from(view.data(schema.EVERYTHING_DATA_POINTER)),
    bits: view.bools(schema.EVERYTHING_BITS_POINTER),
    int16s: view.numbers(schema.EVERYTHING_INT16S_POINTER, "int16"),
    float64s: view.numbers(schema.EVERYTHING_FLOAT64S_POINTER, "float64"),
    texts: view.texts(schema.EVERYTHING_TEXTS_POINTER),
    lists: Array.from({ length: lists.pointerCount }, (_, i) => lists.numbers(i, "uint32")),
    self: view.isNull(schema.EVERYTHING_SELF_POINTER)
      ? undefined
      : readEverything(view.struct(schema.EVERYTHING_SELF_POINTER)),
    structs: view.structs(schema.EVERYTHING_STRUCTS_POINTER).map(readEverything),
    any: view.text(schema.EVERYTHING_ANY_POINTER),
    choice: readChoice(view),
  };
}

function readChoice(view: StructView): Everything["choice"] {
  switch (view.uint16(schema.EVERYTHING_WHICH)) {
    case schema.EVERYTHING_IS_NUMBER:
      return { number: view.int32(schema.EVERYTHING_NUMBER) };
    case schema.EVERYTHING_IS_WORDS:
      return { words: view.text(schema.EVERYTHING_WORDS_POINTER) };
    default:
      return undefined;
  }
}
