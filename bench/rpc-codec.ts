// Times the codec of plain calls: `add(1, 2)` and its return, with their values.
// Run: node --import tsx bench/rpc-codec.ts
import { FrameReader } from "../packages/wire/src/framing.ts";
import { JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW } from "../packages/wire/src/gen/js-rpc.ts";
import { readCallParams, writeCallParams } from "../packages/wire/src/js-rpc/call-params.ts";
import { readCallResults, writeCallResults } from "../packages/wire/src/js-rpc/call-results.ts";
import { type External, readJsValue } from "../packages/wire/src/js-rpc/js-value.ts";
import { DEFAULT_LIMITS } from "../packages/wire/src/limits.ts";
import { beginCall, beginReturn, finishPayload, setNoFinishNeeded } from "../packages/wire/src/rpc/encode.ts";
import type { AnswerId, QuestionId } from "../packages/wire/src/rpc/ids.ts";
import { SegmentWriter } from "../packages/wire/src/segment/writer.ts";

const ROUNDS = 15;
const BATCH = 64;
const limits = DEFAULT_LIMITS;
const writerHost = { externals: [] as External[], writeHostObject: () => false };
const readerHost = {
  readHostObject: (): object => {
    throw new Error("no host objects here");
  },
};

function encodeCall(out: SegmentWriter, i: number): void {
  const start = out.length;
  const at = beginCall(out, i as QuestionId, 0, 7, [], JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, 0, 0, 0);
  writeCallParams(out, at, "add", [1, i & 63], 0, writerHost, limits);
  finishPayload(out, start, at, []);
}

function encodeReturn(out: SegmentWriter, i: number): void {
  const start = out.length;
  const at = beginReturn(out, i as AnswerId, true);
  writeCallResults(out, at, i & 63, writerHost, limits);
  setNoFinishNeeded(out, at);
  finishPayload(out, start, at, []);
}

/** Decodes a frame of calls or returns down to their values. */
function decodeFrame(reader: FrameReader, frame: Uint8Array): number {
  let sum = 0;
  reader.open(frame);
  for (let message = reader.next(); message !== undefined; message = reader.next()) {
    if (message.kind === 2) {
      const { path, value } = readCallParams(message.params.reader, message.params.content, limits);
      if (value === undefined || path[0] !== "add") throw new Error("no arguments");
      const args = readJsValue(value, readerHost, limits) as number[];
      sum += args[1] as number;
    } else if (message.kind === 3 && message.results !== undefined) {
      const { value } = readCallResults(message.results.reader, message.results.content, limits);
      if (value === undefined) throw new Error("no result");
      sum += readJsValue(value, readerHost, limits) as number;
    }
  }
  return sum;
}

function frameOf(encode: (out: SegmentWriter, i: number) => void): Uint8Array {
  const out = new SegmentWriter();
  for (let i = 0; i < BATCH; i++) encode(out, i);
  return out.take();
}

const out = new SegmentWriter(1 << 20);
const reader = new FrameReader(limits, { batched: true });
const calls = frameOf(encodeCall);
const returns = frameOf(encodeReturn);
const runs: { readonly [name: string]: () => unknown } = {
  "encode call": () => {
    out.length = out.start;
    for (let i = 0; i < BATCH; i++) encodeCall(out, i);
  },
  "decode call": () => decodeFrame(reader, calls),
  "encode return": () => {
    out.length = out.start;
    for (let i = 0; i < BATCH; i++) encodeReturn(out, i);
  },
  "decode return": () => decodeFrame(reader, returns),
};

/** Microseconds a message. */
function time(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) run();
  return Number(process.hrtime.bigint() - start) / 1000 / count / BATCH;
}

console.log(`one call: ${calls.length / BATCH} bytes; one return: ${returns.length / BATCH} bytes`);
for (const run of Object.values(runs)) time(run, 2000);
for (const [name, run] of Object.entries(runs)) {
  const times = Array.from({ length: ROUNDS }, () => time(run, 1000)).sort((a, b) => a - b);
  console.log(`${name.padEnd(14)} ${(times[ROUNDS >> 1] as number).toFixed(3)} µs`);
}
