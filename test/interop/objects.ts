// The objects that either end makes, counted, and the calls on them that both ends make.
import {
  CallStream,
  type Capability,
  callMethod,
  InterfaceServer,
  LocalCapability,
  type MethodCall,
  RpcError,
  type ServedCall,
  type ServedMethod,
  type StructView,
} from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";
import * as schema from "./gen/interop.ts";

export const LIMITS = resolveLimits();

/** What lives in one end. */
export class Counts {
  objects = 0;
  hanging = 0;
  cancelled = 0;

  /** An object that counts until nobody holds it. */
  make(methods: readonly ServedMethod[], onRelease?: () => void): Capability {
    this.objects++;
    const server = new InterfaceServer(methods, () => {
      this.objects--;
      onRelease?.();
    });
    return new LocalCapability(server, LIMITS);
  }

  /** Never returns a call, and counts it while it runs and when it is cancelled. */
  hang(call: ServedCall): Promise<void> {
    this.hanging++;
    return new Promise((_resolve, reject) => {
      call.signal.addEventListener("abort", () => {
        this.hanging--;
        this.cancelled++;
        reject(RpcError.failed("cancelled"));
      });
    });
  }
}

/** Reads the results of a call, whose capabilities go back unless `reader` takes them. */
export async function read<T>(call: MethodCall, reader: (results: StructView) => T): Promise<T> {
  using results = await call;
  return reader(results.struct);
}

/** Waits for a call that returns nothing of interest. */
export function done(call: MethodCall): Promise<void> {
  return read(call, () => {});
}

/** The capability that must be there; the reference belongs to the caller. */
export function capabilityOf(struct: StructView, pointer: number): Capability {
  const cap = struct.capability(pointer);
  if (cap === undefined) throw RpcError.failed("a null was called");
  return cap;
}

/** What `Target.call` does in place of the usual. */
export type Act = (call: ServedCall, n: number) => void | Promise<void>;

/** An object of the interface `Target`, and what `next` was called with. */
export interface OwnTarget {
  readonly cap: Capability;
  readonly numbers: number[];
}

export function makeTarget(counts: Counts, path: string, number: number, act?: Act): OwnTarget {
  const numbers: number[] = [];
  function callIt(call: ServedCall): void | Promise<void> {
    const n = call.params.int32(schema.TARGET_CALL_PARAMS_N);
    if (act !== undefined) return act(call, n);
    if (n < 0) throw RpcError.failed("negative");
    call.results((results) => results.setNumber("int32", schema.CALL_RESULT_N, n + number));
  }
  const cap = counts.make([
    { method: schema.TARGET_CALL, handle: callIt },
    {
      method: schema.TARGET_PATH,
      handle: (call) => call.results((results) => results.setText(schema.TARGET_PATH_RESULTS_PATH_POINTER, path)),
    },
    {
      method: schema.TARGET_CHILD,
      handle: (call) => {
        const name = call.params.text(schema.TARGET_CHILD_PARAMS_NAME_POINTER);
        returnTarget(call, makeTarget(counts, `${path}/${name}`, number + 1).cap);
      },
    },
    {
      method: schema.TARGET_NEXT,
      handle: (call) => void numbers.push(call.params.uint32(schema.TARGET_NEXT_PARAMS_N)),
    },
    {
      method: schema.TARGET_SEEN,
      handle: (call) =>
        call.results((results) => results.setNumbers(schema.TARGET_SEEN_RESULTS_NUMBERS_POINTER, "uint32", numbers)),
    },
    {
      method: schema.TARGET_GIVE,
      handle: (call) => returnTarget(call, call.params.capability(schema.TARGET_GIVE_PARAMS_TARGET_POINTER)),
    },
    { method: schema.TARGET_HANG, handle: (call) => counts.hang(call) },
  ]);
  return { cap, numbers };
}

/** Answers with a `TargetResult`. Takes over the reference. */
export function returnTarget(call: ServedCall, target: Capability | undefined): void {
  call.results((results) => {
    if (target !== undefined) results.setCapability(schema.TARGET_RESULT_TARGET_POINTER, target);
  });
  target?.release();
}

/** What a stream was written. */
export interface Totals {
  readonly writes: number;
  readonly bytes: bigint;
  readonly sum: bigint;
}

/** @param failAt the write that fails, from 1; 0: none. */
export function makeStream(counts: Counts, failAt: number): Capability {
  let writes = 0;
  let bytes = 0n;
  let sum = 0n;
  let failure: RpcError | undefined;
  return counts.make([
    {
      method: schema.STREAM_WRITE,
      handle: ({ params }) => {
        if (params.uint32(schema.STREAM_WRITE_PARAMS_SEQUENCE) !== writes) failure ??= RpcError.failed("out of order");
        if (writes + 1 === failAt) failure ??= RpcError.failed(`stream failed at ${failAt}`);
        if (failure !== undefined) throw failure;
        const data = params.data(schema.STREAM_WRITE_PARAMS_BYTES_POINTER);
        writes++;
        bytes += BigInt(data.length);
        sum += BigInt(data.reduce((total, byte) => total + byte, 0));
      },
    },
    {
      method: schema.STREAM_END,
      handle: (call) => {
        if (failure !== undefined) throw failure;
        returnTotals(call, { writes, bytes, sum });
      },
    },
  ]);
}

export function returnTotals(call: ServedCall, totals: Totals): void {
  call.results((results) => {
    results.setNumber("uint32", schema.STREAM_TOTALS_WRITES, totals.writes);
    results.setNumber("uint64", schema.STREAM_TOTALS_BYTES, totals.bytes);
    results.setNumber("uint64", schema.STREAM_TOTALS_SUM, totals.sum);
  });
}

export function readTotals(call: MethodCall): Promise<Totals> {
  return read(call, (results) => ({
    writes: results.uint32(schema.STREAM_TOTALS_WRITES),
    bytes: results.uint64(schema.STREAM_TOTALS_BYTES),
    sum: results.uint64(schema.STREAM_TOTALS_SUM),
  }));
}

/** Writes to a stream as `streamTo` says, and ends it. Borrows it. */
export async function writeAll(stream: Capability, writes: number, size: number): Promise<Totals> {
  const calls = new CallStream(stream);
  for (let sequence = 0; sequence < writes; sequence++) {
    await calls.call(schema.STREAM_WRITE, (params) => {
      params.setNumber("uint32", schema.STREAM_WRITE_PARAMS_SEQUENCE, sequence);
      params.setData(schema.STREAM_WRITE_PARAMS_BYTES_POINTER, new Uint8Array(size).fill(sequence));
    });
  }
  await calls.finish();
  return readTotals(callMethod(stream, schema.STREAM_END));
}

/** `Target.call(n)`. Borrows the target, as all of these do. */
export function callTarget(target: Capability, n: number): Promise<number> {
  const call = callMethod(target, schema.TARGET_CALL, (params) =>
    params.setNumber("int32", schema.TARGET_CALL_PARAMS_N, n),
  );
  return read(call, (results) => results.int32(schema.CALL_RESULT_N));
}

export function next(target: Capability, n: number): Promise<void> {
  return done(
    callMethod(target, schema.TARGET_NEXT, (params) => params.setNumber("uint32", schema.TARGET_NEXT_PARAMS_N, n)),
  );
}

/** `next` with numbers from `from` on, without waiting in between. */
export async function sendNext(target: Capability, from: number, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => next(target, from + i)));
}

/** Adds up `call(0)`, `call(1)`, …, one after the other. */
export async function callTimes(target: Capability, times: number): Promise<number> {
  let sum = 0;
  for (let n = 0; n < times; n++) sum += await callTarget(target, n);
  return sum;
}
