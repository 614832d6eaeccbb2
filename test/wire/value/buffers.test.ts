import { expect } from "chai";
import { decode, encode, roundTrip, v8Decode, v8Encode, valueBytes } from "./codec.ts";
import { shapeOf } from "./shape.ts";

type Resizable = ArrayBuffer & { resize(length: number): void };
const resizableBuffer = (length: number, maxByteLength: number) =>
  new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(length, { maxByteLength });

describe("value codec: buffers and views", () => {
  it("keeps one buffer of several views one, and their places in it", () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const value = [new Uint16Array(buffer, 2, 2), buffer, new DataView(buffer, 1), new Uint16Array(buffer, 2, 2)];
    const read = roundTrip(value) as typeof value;
    expect(shapeOf(read)).to.equal(shapeOf(value));
    expect((read[0] as Uint16Array).buffer).to.equal(read[1]);
    expect(shapeOf(v8Decode(encode(value)))).to.equal(shapeOf(value));
  });

  it("keeps one view of several mentions one", () => {
    const view = new Uint8Array(4);
    const read = roundTrip([view, view, view.buffer]) as unknown[];
    expect(read[0]).to.equal(read[1]);
    expect((read[0] as Uint8Array).buffer).to.equal(read[2]);
  });

  it("keeps resizable buffers resizable", () => {
    const buffer = resizableBuffer(4, 16);
    const value = [buffer, new Uint8Array(buffer, 1, 2)];
    for (const read of [roundTrip(value), decode(v8Encode(value)), v8Decode(encode(value))]) {
      expect(shapeOf(read)).to.equal(shapeOf(value));
      const [mine, view] = read as [Resizable, Uint8Array];
      mine.resize(16);
      expect(view.length).to.equal(2);
    }
  });

  it("reads a view that follows its buffer's end", () => {
    const [buffer, view] = decode(v8Encode([resizableBuffer(4, 16)].flatMap((b) => [b, new Uint8Array(b)]))) as [
      Resizable,
      Uint8Array,
    ];
    buffer.resize(9);
    expect(view.length).to.equal(9);
  });

  it("shares no memory with the bytes it reads", () => {
    const bytes = encode(new Uint8Array([1, 2, 3]));
    for (const frame of [bytes, Buffer.from(bytes)]) {
      const read = decode(frame) as Uint8Array;
      frame.fill(9);
      expect([...read]).to.deep.equal([1, 2, 3]);
      expect(read.buffer.byteLength).to.equal(3);
    }
  });

  it("sends of a pool of Node's only what the view shows", () => {
    const secret = Buffer.from("secret");
    const shown = Buffer.from("shown");
    expect(shown.buffer, "both lie in the pool").to.equal(secret.buffer);
    for (const view of [shown, new Uint8Array(shown.buffer, shown.byteOffset, shown.length)]) {
      const bytes = encode([view, view]);
      expect(bytes.length).to.be.lessThan(40);
      const [first, second] = decode(bytes) as [Uint8Array, Uint8Array];
      expect(first).to.equal(second);
      expect(Object.getPrototypeOf(first)).to.equal(Uint8Array.prototype);
      expect(Buffer.from(first).toString()).to.equal("shown");
      expect(first.buffer.byteLength).to.equal(5);
      expect(shapeOf(v8Decode(bytes))).to.equal(shapeOf([first, second]));
    }
  });

  it("sends the whole buffer behind a part of an application's own", () => {
    const read = roundTrip(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)) as Uint8Array;
    expect(read.byteOffset).to.equal(1);
    expect([...new Uint8Array(read.buffer)]).to.deep.equal([1, 2, 3, 4]);
  });

  it("makes no view of a reference that is not followed by one", () => {
    const buffer = new ArrayBuffer(2);
    expect(shapeOf(roundTrip([buffer, buffer, 1]))).to.equal(shapeOf([buffer, buffer, 1]));
  });

  const lies: { readonly [what: string]: string } = {
    "a buffer longer than the bytes": "B\xff\xff\xff\xff\x0f",
    "a view that starts outside of its buffer": "B\x02\0\0VB\x03\0\0",
    "a view that ends outside of its buffer": "B\x02\0\0VB\x01\x02\0",
    "a view whose end overflows": "B\x02\0\0VB\x02\xff\xff\xff\xff\x0f\0",
    "a view at a misaligned offset": "B\x04\0\0\0\0VW\x01\x02\0",
    "a view of a misaligned length": "B\x04\0\0\0\0VW\0\x03\0",
    "a view of an unknown kind": "B\x02\0\0Vz\0\x02\0",
    "a view with flags that say resizable of a fixed buffer": "B\x02\0\0VB\0\x02\x02",
    "a view that follows the end of a fixed buffer": "B\x02\0\0VB\0\x02\x01",
    "unknown flags of a view": "B\x02\0\0VB\0\x02\x04",
    "a view of nothing": "VB\0\0\0",
    "a view behind an object": "o{\0VB\0\0\0",
    "a resizable buffer over its maximum": "~\x03\x02\0\0\0",
    "a resizable buffer that may grow past the limit": "~\0\x81\x80\x80\x10",
    "resizable buffers that may grow past the limit together": `A\x04${"~\0\x80\x80\x80\x08".repeat(4)}$\0\x04`,
    "a shared buffer": "u\0",
    "a transferred buffer": "t\0",
  };
  for (const [what, text] of Object.entries(lies)) {
    it(`refuses ${what}`, () => {
      expect(() => decode(valueBytes(text)))
        .to.throw()
        .with.property("name", "DecodeError");
    });
  }
});
