import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { encode, noHost, roundTrip } from "./codec.ts";
import { shapeOf } from "./shape.ts";

class Foo {
  a = 1;
}

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function outOfBounds(make: (buffer: ArrayBuffer) => unknown): unknown {
  const buffer = new (
    ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & { resize(n: number): void }
  )(8, { maxByteLength: 8 });
  const view = make(buffer);
  buffer.resize(2);
  return view;
}

const unsupported = (name: string) =>
  `Could not serialize object of type "${name}". This type does not support serialization.`;
const increment = (a: number): number => a + 1;
const views = [new Uint8Array(8), new DataView(new ArrayBuffer(8))];
structuredClone(views, { transfer: views.map((view) => view.buffer) });

describe("value codec: what cannot be cloned", () => {
  const cases: [what: string, value: unknown, text: string][] = [
    ["a class instance", new Foo(), unsupported("Foo")],
    ["an instance of a class without a name", new (class {})(), unsupported("Object")],
    ["an object without a prototype", Object.create(null), unsupported("Object")],
    ["an object whose prototype has none", Object.create(Object.create(null) as object), unsupported("Object")],
    ["URLSearchParams", new URLSearchParams(), unsupported("URLSearchParams")],
    ["FormData", new FormData(), unsupported("FormData")],
    ["a TransformStream", new TransformStream(), unsupported("TransformStream")],
    ["an object that only inherits from Map", Object.create(Map.prototype), unsupported("Map")],
    ["an object that only inherits from Error", Object.create(Error.prototype), unsupported("Error")],
    ["a Promise", Promise.resolve(), "#<Promise> could not be cloned."],
    [
      "an instance of a subclass of Promise",
      new (class Mine extends Promise<void> {})(() => {}),
      "#<Mine> could not be cloned.",
    ],
    ["a WeakMap", new WeakMap(), "#<WeakMap> could not be cloned."],
    ["a WeakSet", new WeakSet(), "#<WeakSet> could not be cloned."],
    ["a WeakRef", new WeakRef({}), "#<WeakRef> could not be cloned."],
    ["a SharedArrayBuffer", new SharedArrayBuffer(1), "#<SharedArrayBuffer> could not be cloned."],
    [
      "a view of a SharedArrayBuffer",
      new Uint8Array(new SharedArrayBuffer(1)),
      "#<SharedArrayBuffer> could not be cloned.",
    ],
    ["a generator", (function* () {})(), "[object Generator] could not be cloned."],
    ["an iterator", new Map().keys(), "#<Map Iterator> could not be cloned."],
    ["a symbol", Symbol("q"), "Symbol(q) could not be cloned."],
    ["a boxed symbol", Object(Symbol("q")), "[object Symbol] could not be cloned."],
    ["a function", increment, `${String(increment)} could not be cloned.`],
    ["a detached buffer", detached(), "An ArrayBuffer is detached and could not be cloned."],
    ["a typed array of a detached buffer", views[0], "An ArrayBuffer is detached and could not be cloned."],
    ["a DataView of a detached buffer", views[1], "An ArrayBuffer is detached and could not be cloned."],
    [
      "a typed array that its buffer has shrunk away from",
      outOfBounds((b) => new Uint8Array(b, 4, 4)),
      "#<Uint8Array> could not be cloned.",
    ],
    [
      "a DataView that its buffer has shrunk away from",
      outOfBounds((b) => new DataView(b, 4, 4)),
      "#<DataView> could not be cloned.",
    ],
    ["a Proxy of a Map", new Proxy(new Map(), {}), unsupported("Map")],
  ];
  for (const [what, value, text] of cases) {
    it(`says so of ${what}, also deep within a value`, () => {
      for (const whole of [value, { a: [new Map([[1, value]])] }]) {
        let thrown: unknown;
        try {
          encode(whole);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).to.be.instanceOf(DOMException);
        expect(thrown).to.include({ name: "DataCloneError", code: 25, message: text });
      }
    });
  }

  it("names the class of an instance without calling its getters", () => {
    const get = (): never => {
      throw new Error("called");
    };
    class Trap {}
    Object.defineProperty(Trap, "name", { get });
    Object.defineProperty(Trap.prototype, "constructor", { get });
    expect(() => encode(new Trap())).to.throw(unsupported("Object"));
  });

  it("has a text of its own for Proxies, where the host can tell them", () => {
    const { isProxy } = process.getBuiltinModule("node:util").types;
    const host = { ...noHost, isProxy };
    for (const proxy of [new Proxy({}, {}), new Proxy([], {}), new Proxy(new Map(), {}), new Proxy(new Foo(), {})]) {
      expect(() => encode({ proxy }, host)).to.throw(
        /^Proxy could not be serialized because it is not a valid RPC receiver type\. /,
      );
    }
    expect(() => encode([{}, [], new Map()], host)).not.to.throw();
  });

  it("takes values of another realm by their kind", () => {
    const foreign: unknown = runInNewContext(
      "({ a: [1, { b: new Map([[1, new Set([2])]]) }], d: new Date(3), r: /x/g, n: new Number(4), u: new Uint8Array([5]) })",
    );
    const own = {
      a: [1, { b: new Map([[1, new Set([2])]]) }],
      d: new Date(3),
      r: /x/g,
      n: Object(4) as object,
      u: new Uint8Array([5]),
    };
    expect(shapeOf(roundTrip(foreign))).to.equal(shapeOf(own));
    const error = roundTrip(runInNewContext("new TypeError('far')")) as Error;
    expect(error).to.be.instanceOf(TypeError).with.property("message", "far");
    expect(() => encode(runInNewContext("new (class Bar {})()"))).to.throw(unsupported("Bar"));
  });
});
