// Times the value codec against its slow twins, alternating, as medians. Run: node --import tsx bench/value-codec.ts
import { deserialize, serialize } from "node:v8";
import { SegmentWriter } from "../packages/wire/src/segment/writer.ts";
import { DEFAULT_VALUE_LIMITS } from "../packages/wire/src/value/limits.ts";
import { readValue } from "../packages/wire/src/value/read.ts";
import { writeElements, writeValue } from "../packages/wire/src/value/write.ts";

const ROUNDS = 15;
const ROUND_MS = 8;

const writerHost = { writeHostObject: () => false };
const readerHost = {
  readHostObject: (): object => {
    throw new Error("no host objects here");
  },
};

const small = (i: number) => ({ id: i, name: `item ${i}`, tags: ["red", "blue"] });

const values: { readonly [name: string]: (i: number) => unknown } = {
  "[123, 1]": (i) => [123 + (i & 63), 1],
  "small object": small,
  "[small object]": (i) => [small(i)],
  "100 small objects": () => Array.from({ length: 100 }, (_, i) => small(i)),
  "1,000 integers": () => Array.from({ length: 1000 }, (_, i) => i * 7),
  "1,000 doubles": () => Array.from({ length: 1000 }, (_, i) => i + 0.5),
  "short string": (i) => `hello, ${i}`,
  "1,000 ASCII letters": (i) => `${i % 10}`.repeat(1000),
  "64 Ki Latin-1 letters": (i) => `é${i % 10}`.repeat(32 * 1024),
  "64 Ki UTF-16 letters": (i) => `あ${i % 10}`.repeat(32 * 1024),
  "64 KiB of bytes": () => new Uint8Array(64 * 1024),
  "Map of 20": () => new Map(Array.from({ length: 20 }, (_, i) => [`key ${i}`, i])),
  error: (i) => new TypeError(`wrong ${i}`),
};

const contestants: { readonly [name: string]: (value: unknown) => [write: () => unknown, read: () => unknown] } = {
  capstan(value) {
    const out = new SegmentWriter();
    const write = () => {
      out.length = 0;
      writeValue(out, value, writerHost, DEFAULT_VALUE_LIMITS);
    };
    write();
    const bytes = out.bytes.slice(0, out.length);
    const view = new DataView(bytes.buffer);
    return [write, () => readValue(bytes, view, 0, bytes.length, readerHost, DEFAULT_VALUE_LIMITS)];
  },
  arguments(value) {
    const out = new SegmentWriter();
    const write = () => {
      out.length = 0;
      writeElements(out, value as unknown[], writerHost, DEFAULT_VALUE_LIMITS);
    };
    return [Array.isArray(value) ? write : () => undefined, () => undefined];
  },
  json(value) {
    const text = JSON.stringify(value);
    return [() => JSON.stringify(value), () => JSON.parse(text) as unknown];
  },
  v8(value) {
    const bytes = serialize(value);
    return [() => serialize(value), () => deserialize(bytes) as unknown];
  },
};

/** Microseconds a run, over about ROUND_MS. */
function time(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) run();
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

function calibrate(run: () => unknown): number {
  let count = 16;
  while (time(run, count) * count < (ROUND_MS * 1000) / 4) count *= 2;
  return count * 4;
}

const only = process.argv[2];
const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number;
const cell = (us: number) => us.toFixed(us < 10 ? 3 : 1).padStart(10);

console.log(
  `µs, median of ${ROUNDS}`.padEnd(24),
  ...Object.keys(contestants).flatMap((c) => [`${c} w`.padStart(10), "r".padStart(10)]),
);
// Every shape passes through the codec first, so that no value is timed with code that has seen nothing else.
for (const make of Object.values(values))
  for (let i = 0; i < 500; i++) contestants.capstan?.(make(i)).forEach((run) => run());
for (const [name, make] of Object.entries(values)) {
  if (only !== undefined && !name.includes(only)) continue;
  const runs = Object.values(contestants).flatMap((contestant) => contestant(make(7)));
  const counts = runs.map(calibrate);
  const times = runs.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) times[i]?.push(time(run, counts[i] as number));
  }
  console.log(name.padEnd(24), ...times.map((t) => cell(median(t))));
}
