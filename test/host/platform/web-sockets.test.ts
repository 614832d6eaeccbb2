import { expect } from "chai";
import { exposeWebSocketPair, WebSocketPair } from "../../../packages/host/src/platform/web-sockets.ts";

describe("host/platform: WebSocketPair on the global object", () => {
  let before: PropertyDescriptor | undefined;

  beforeEach(() => {
    before = Object.getOwnPropertyDescriptor(globalThis, "WebSocketPair");
    Reflect.deleteProperty(globalThis, "WebSocketPair");
  });
  afterEach(() => {
    Reflect.deleteProperty(globalThis, "WebSocketPair");
    if (before !== undefined) Object.defineProperty(globalThis, "WebSocketPair", before);
  });

  it("is there as other globals are: hidden, and can be replaced", () => {
    exposeWebSocketPair();
    expect(Object.getOwnPropertyDescriptor(globalThis, "WebSocketPair")).to.deep.equal({
      value: WebSocketPair,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  });

  it("leaves one that is there alone", () => {
    const other = class {};
    Object.assign(globalThis, { WebSocketPair: other });
    exposeWebSocketPair();
    expect(Reflect.get(globalThis, "WebSocketPair")).to.equal(other);
  });
});
