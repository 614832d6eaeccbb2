// What is wrong within values. Each `describe` is a row of the table of what a hostile peer may send.
import { serialize } from "node:v8";
import { expect } from "chai";
import {
  encodeReturnException,
  MessageKind,
  Operation,
  type ReturnMessage,
  readCallResults,
  readJsValue,
  resolveLimits,
} from "../../packages/wire/src/index.ts";
import { finish, senderHosted } from "../support/raw-messages.ts";
import { attackedHost } from "./support/attacked-host.ts";
import { callWithBytes, jsCall, StubAt } from "./support/js-calls.ts";
import type { RawPeer } from "./support/raw-peer.ts";

const LIMITS = resolveLimits();

function resultOf(message: ReturnMessage): unknown {
  const results = message.results;
  if (results === undefined) throw new Error(message.exception?.reason ?? "no results came");
  const { value } = readCallResults(results.reader, results.content, LIMITS);
  return value === undefined ? undefined : readJsValue(value, { readHostObject: () => ({}) }, LIMITS);
}

async function callFor(peer: RawPeer, service: number, id: number, method: string, args: readonly unknown[] = []) {
  peer.send(jsCall(id, { exported: service }, method, args));
  const message = await peer.returned(id);
  peer.send(finish(id));
  return message;
}

describe("hostile peer: __proto__, constructor, toString, then as method, property or error name", () => {
  const host = attackedHost();
  const names = ["__proto__", "constructor", "toString", "then", "hasOwnProperty", "valueOf", "__defineGetter__"];

  for (const name of names) {
    it(`treats ${name} like any missing name`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        // As a method, as a property, on the way to another, of a result, and of a function.
        const paths = [[name], [name, "apply"], ["add", name], [name, name, name]];
        let id = 0;
        for (const path of paths) {
          for (const operation of [Operation.call, Operation.get]) {
            peer.send(jsCall(++id, { exported: service }, path, [], {}, operation));
            const { exception } = await peer.returned(id);
            expect(exception?.reason, path.join(".")).to.match(/does not implement|not a function|reserved|is not/);
            peer.send(finish(id));
          }
        }
        peer.send(jsCall(50, { exported: service }, "counter"), jsCall(51, { question: 50, transform: [1] }, name));
        await peer.expectException(51, /does not implement|reserved/);
        peer.send(finish(50));
        expect(resultOf(await callFor(peer, service, 60, "pollution"))).to.equal(undefined);
      }));

    it(`keeps ${name} as a key of a value what it is in any object`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        const value = JSON.parse(`{ "${name}": { "polluted": true } }`) as object;
        peer.send(callWithBytes(1, { exported: service }, "echo", serialize([value])));
        const echoed = resultOf(await peer.returned(1)) as object;
        expect(Object.keys(echoed)).to.deep.equal([name]);
        expect(Object.getPrototypeOf(echoed)).to.equal(Object.prototype);
        peer.send(finish(1));
        expect(resultOf(await callFor(peer, service, 2, "pollution"))).to.equal(undefined);
      }));

    it(`makes an error of the name ${name} an Error`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        peer.send(jsCall(1, { exported: service }, "nameOfFailure", [new StubAt(0)], { caps: [senderHosted(9)] }));
        const { questionId } = await peer.nextOf(MessageKind.call);
        const reason = `jsg.${name}: it failed`;
        peer.send((writer) =>
          encodeReturnException(writer, questionId as never, false, { type: 0, reason, trace: "", details: [] }),
        );
        const [, constructor, isError] = resultOf(await peer.returned(1)) as unknown[];
        expect([constructor, isError]).to.deep.equal(["Error", true]);
        peer.send(finish(1));
      }));
  }
});

describe("hostile peer: lengths in values that lie; deep or huge values; bigint digits; RegExp from a peer", () => {
  const host = attackedHost();
  const HUGE = [0xff, 0xff, 0xff, 0xff, 0x0f];
  const ARRAY = [0x41, 1];
  const repeat = (count: number, ...bytes: number[]): number[] => Array.from({ length: count }, () => bytes).flat();

  const lies: [string, readonly number[]][] = [
    ["a string longer than its bytes", [0x22, ...HUGE, 0x61]],
    ["a string of UTF-16 longer than its bytes", [0x63, ...HUGE, 0x61]],
    ["a string of UTF-8 longer than its bytes", [0x53, ...HUGE, 0x61]],
    ["an ArrayBuffer longer than its bytes", [0x42, ...HUGE, 1]],
    ["a resizable ArrayBuffer that may grow without bound", [0x7e, 1, ...HUGE, 1]],
    ["a view longer than its buffer", [0x42, 4, 1, 2, 3, 4, 0x56, 0x42, 0, ...HUGE, 0]],
    ["a dense array longer than its bytes", [0x41, ...HUGE]],
    ["a sparse array of 2³² - 1 elements that claims all of them", [0x61, ...HUGE, 0x40, ...HUGE, ...HUGE]],
    ["a bigint of more digits than its bytes", [0x5a, ...HUGE]],
    ["a bigint of more digits than are allowed", [0x5a, 0x80, 0x80, 0x20, ...repeat(300_000, 1)]],
    ["a Map that ends too early", [0x3b, 0x49, 2, 0x3a, 1]],
    ["an object that says a wrong number of properties", [0x6f, 0x22, 1, 0x61, 0x30, 0x7b, 0x7f]],
    ["a reference to what is not there", [0x5e, 0x7f]],
    ["arrays 100,000 deep", repeat(100_000, 0x41, 1)],
    ["objects 100,000 deep", repeat(100_000, 0x6f, 0x22, 1, 0x61)],
    ["Maps 100,000 deep", repeat(100_000, 0x3b)],
    ["a RegExp that is none", [0x52, 0x22, 1, 0x28, 0]],
    ["a RegExp with flags that do not exist", [0x52, 0x22, 1, 0x61, ...HUGE]],
    ["a RegExp with a source longer than is allowed", [0x52, 0x22, 0xc0, 0x84, 0x3d, ...repeat(1_000_000, 0x61), 0]],
    ["a tag that does not exist", [0x01]],
    ["nothing at all", []],
  ];
  for (const [what, bytes] of lies) {
    it(`fails the call alone for ${what}`, () =>
      host.attack(async (peer) => {
        const service = await peer.service();
        peer.send(callWithBytes(1, { exported: service }, "echo", Uint8Array.from([0xff, 15, ...ARRAY, ...bytes])));
        await peer.expectException(1, /value/);
      }));
  }

  it("fails the call alone for bytes that begin as no value does", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      for (const [i, bytes] of [[], [0xff], [0xff, 12], [0xff, 16], [0x41]].entries()) {
        peer.send(callWithBytes(i, { exported: service }, "echo", Uint8Array.from(bytes)));
        await peer.expectException(i, /value/);
      }
    }));

  it("runs no RegExp of a peer's", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      // Would take years where somebody tried it on its own text.
      const source = "(a+)+".repeat(20);
      peer.send(callWithBytes(1, { exported: service }, "echo", serialize([new RegExp(source)])));
      expect(String(resultOf(await peer.returned(1)))).to.equal(`/${source}/`);
      peer.send(finish(1));
    }));

  it("fails the call alone for a value of more objects than are allowed, before it makes them", () =>
    host.attack(async (peer) => {
      const service = await peer.service();
      // A million Dates would be 8 million objects' worth.
      const bytes = Uint8Array.from([0xff, 15, 0x41, ...[0xc0, 0x84, 0x3d], ...repeat(10, 0x44, ...repeat(8, 0))]);
      peer.send(callWithBytes(1, { exported: service }, "echo", bytes));
      await peer.expectException(1, /value/);
    }));
});
