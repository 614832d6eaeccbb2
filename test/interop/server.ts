// The bootstrap object of a TypeScript server of InteropTest, on the raw interface API of @capstan/vat.
import {
  BrokenCapability,
  type Capability,
  type Connection,
  callMethod,
  forwardEncoder,
  PromiseCapability,
  RpcError,
  type ServedCall,
  type ServedMethod,
} from "../../packages/vat/src/index.ts";
import * as schema from "./gen/interop.ts";
import {
  Counts,
  callTarget,
  callTimes,
  capabilityOf,
  done,
  LIMITS,
  makeStream,
  makeTarget,
  read,
  returnTarget,
  returnTotals,
  sendNext,
  writeAll,
} from "./objects.ts";

/** What a server has for all its connections. */
export class World {
  readonly counts = new Counts();
  readonly shelf = new Map<string, Capability>();
}

/**
 * A bootstrap object. It does not count as one.
 *
 * @param connection the one that `drop` loses.
 */
export function interopMethods(world: World, connection: () => Connection): ServedMethod[] {
  const { counts, shelf } = world;
  const handlers: [ServedMethod["method"], (call: ServedCall) => void | Promise<void>][] = [
    [
      schema.INTEROP_TEST_ADD,
      (call) => {
        const { params } = call;
        const sum = params.int32(schema.INTEROP_TEST_ADD_PARAMS_A) + params.int32(schema.INTEROP_TEST_ADD_PARAMS_B);
        call.results((results) => results.setNumber("int32", schema.INTEROP_TEST_ADD_RESULTS_SUM, sum));
      },
    ],
    // Params and results have the same layout: a struct with the value.
    [schema.INTEROP_TEST_ECHO, (call) => call.resultsFrom(forwardEncoder, call.params.payload)],
    [
      schema.INTEROP_TEST_NEW_TARGET,
      (call) => {
        const name = call.params.text(schema.INTEROP_TEST_NEW_TARGET_PARAMS_NAME_POINTER);
        const number = call.params.int32(schema.INTEROP_TEST_NEW_TARGET_PARAMS_NUMBER);
        returnTarget(call, makeTarget(counts, name, number).cap);
      },
    ],
    [
      schema.INTEROP_TEST_NEW_TARGETS,
      (call) => {
        const count = call.params.uint32(schema.INTEROP_TEST_NEW_TARGETS_PARAMS_COUNT);
        const targets = Array.from({ length: count }, (_, i) => makeTarget(counts, String(i), i).cap);
        call.results((results) =>
          results.setCapabilities(schema.INTEROP_TEST_NEW_TARGETS_RESULTS_TARGETS_POINTER, targets),
        );
        for (const target of targets) target.release();
      },
    ],
    [
      schema.INTEROP_TEST_NEW_NESTED,
      (call) => {
        const name = call.params.text(schema.INTEROP_TEST_NEW_NESTED_PARAMS_NAME_POINTER);
        const { cap } = makeTarget(counts, name, call.params.int32(schema.INTEROP_TEST_NEW_NESTED_PARAMS_NUMBER));
        call.results((results) => {
          const outer = results.initStruct(
            schema.INTEROP_TEST_NESTED_OUTER_POINTER,
            schema.INTEROP_TEST_NESTED_OUTER_STRUCT_SIZE,
          );
          outer.setText(schema.INTEROP_TEST_NESTED_OUTER_NOTE_POINTER, "behind two structs");
          outer
            .initStruct(schema.INTEROP_TEST_NESTED_OUTER_INNER_POINTER, schema.TARGET_RESULT_STRUCT_SIZE)
            .setCapability(schema.TARGET_RESULT_TARGET_POINTER, cap);
        });
        cap.release();
      },
    ],
    [
      schema.INTEROP_TEST_REFLECT,
      (call) => returnTarget(call, call.params.capability(schema.INTEROP_TEST_REFLECT_PARAMS_TARGET_POINTER)),
    ],
    [
      schema.INTEROP_TEST_CALL_EACH,
      async (call) => {
        const n = call.params.int32(schema.INTEROP_TEST_CALL_EACH_PARAMS_N);
        const targets = call.params.capabilities(schema.INTEROP_TEST_CALL_EACH_PARAMS_TARGETS_POINTER);
        const calls = targets.map((target) => (target === undefined ? -1 : callTarget(target, n)));
        for (const target of targets) target?.release();
        const numbers = await Promise.all(calls);
        call.results((results) =>
          results.setNumbers(schema.INTEROP_TEST_CALL_EACH_RESULTS_RESULTS_POINTER, "int32", numbers),
        );
      },
    ],
    [
      schema.INTEROP_TEST_CALL_TIMES,
      async (call) => {
        const target = capabilityOf(call.params, schema.INTEROP_TEST_CALL_TIMES_PARAMS_TARGET_POINTER);
        try {
          const sum = await callTimes(target, call.params.uint32(schema.INTEROP_TEST_CALL_TIMES_PARAMS_TIMES));
          call.results((results) =>
            results.setNumber("int64", schema.INTEROP_TEST_CALL_TIMES_RESULTS_SUM, BigInt(sum)),
          );
        } finally {
          target.release();
        }
      },
    ],
    [
      schema.INTEROP_TEST_STATUS,
      (call) =>
        call.results((results) => {
          results.setNumber("uint32", schema.INTEROP_TEST_STATUS_OBJECTS, counts.objects);
          results.setNumber("uint32", schema.INTEROP_TEST_STATUS_HANGING, counts.hanging);
          results.setNumber("uint32", schema.INTEROP_TEST_STATUS_CANCELLED, counts.cancelled);
        }),
    ],
    [
      schema.INTEROP_TEST_PROMISE,
      (call) => {
        const promise = new PromiseCapability(LIMITS);
        const resolver = makeResolver(counts, promise);
        call.results((results) => {
          results.setCapability(schema.INTEROP_TEST_PROMISE_RESULTS_PROMISE_POINTER, promise);
          results.setCapability(schema.INTEROP_TEST_PROMISE_RESULTS_RESOLVER_POINTER, resolver);
        });
        resolver.release();
      },
    ],
    [
      schema.INTEROP_TEST_FEED,
      (call) => {
        const feeder = makeFeeder(counts, capabilityOf(call.params, schema.INTEROP_TEST_FEED_PARAMS_TARGET_POINTER));
        call.results((results) => results.setCapability(schema.INTEROP_TEST_FEED_RESULTS_FEEDER_POINTER, feeder));
        feeder.release();
      },
    ],
    [
      schema.INTEROP_TEST_ORDER_THROUGH,
      async (call) => {
        const count = call.params.uint32(schema.INTEROP_TEST_ORDER_THROUGH_PARAMS_COUNT);
        const target = capabilityOf(call.params, schema.INTEROP_TEST_ORDER_THROUGH_PARAMS_TARGET_POINTER);
        const order = makeTarget(counts, "order", 0);
        const given = callMethod(target, schema.TARGET_GIVE, (params) =>
          params.setCapability(schema.TARGET_GIVE_PARAMS_TARGET_POINTER, order.cap),
        );
        const promised = given.pipeline(schema.TARGET_RESULT_TARGET_POINTER);
        try {
          const before = sendNext(promised, 0, count);
          await done(given);
          await Promise.all([before, sendNext(promised, count, count)]);
          call.results((results) =>
            results.setNumbers(schema.INTEROP_TEST_ORDER_THROUGH_RESULTS_SEEN_POINTER, "uint32", order.numbers),
          );
        } finally {
          for (const cap of [promised, order.cap, target]) cap.release();
        }
      },
    ],
    [
      schema.INTEROP_TEST_FAIL,
      ({ params }) => {
        throw failureOf(
          params.uint16(schema.INTEROP_TEST_FAIL_PARAMS_TYPE),
          params.text(schema.INTEROP_TEST_FAIL_PARAMS_REASON_POINTER),
        );
      },
    ],
    [schema.INTEROP_TEST_OBSERVE, observe],
    [schema.INTEROP_TEST_HANG, (call) => counts.hang(call)],
    [schema.INTEROP_TEST_HANG_ON, hangOn],
    [
      schema.INTEROP_TEST_CALL_AND_CANCEL,
      async (call) => {
        const target = capabilityOf(call.params, schema.INTEROP_TEST_CALL_AND_CANCEL_PARAMS_TARGET_POINTER);
        using hanging = callMethod(target, schema.TARGET_HANG);
        const asked = callMethod(target, schema.TARGET_PATH);
        target.release();
        const path = await read(asked, (results) => results.text(schema.TARGET_PATH_RESULTS_PATH_POINTER));
        hanging.cancel();
        call.results((results) => results.setText(schema.INTEROP_TEST_CALL_AND_CANCEL_RESULTS_PATH_POINTER, path));
      },
    ],
    [
      schema.INTEROP_TEST_TAIL_CALL,
      (call) => {
        const n = call.params.int32(schema.INTEROP_TEST_TAIL_CALL_PARAMS_N);
        const target = capabilityOf(call.params, schema.INTEROP_TEST_TAIL_CALL_PARAMS_TARGET_POINTER);
        call.tailCall(target, schema.TARGET_CALL, (out) => out.setNumber("int32", schema.TARGET_CALL_PARAMS_N, n));
        target.release();
      },
    ],
    [
      schema.INTEROP_TEST_TAIL_CHILD,
      (call) => {
        const name = call.params.text(schema.INTEROP_TEST_TAIL_CHILD_PARAMS_NAME_POINTER);
        const target = capabilityOf(call.params, schema.INTEROP_TEST_TAIL_CHILD_PARAMS_TARGET_POINTER);
        call.tailCall(target, schema.TARGET_CHILD, (out) => out.setText(schema.TARGET_CHILD_PARAMS_NAME_POINTER, name));
        target.release();
      },
    ],
    [
      schema.INTEROP_TEST_OPEN_STREAM,
      (call) => {
        const stream = makeStream(counts, call.params.uint32(schema.INTEROP_TEST_OPEN_STREAM_PARAMS_FAIL_AT));
        call.results((results) =>
          results.setCapability(schema.INTEROP_TEST_OPEN_STREAM_RESULTS_STREAM_POINTER, stream),
        );
        stream.release();
      },
    ],
    [
      schema.INTEROP_TEST_STREAM_TO,
      async (call) => {
        const { params } = call;
        const stream = capabilityOf(params, schema.INTEROP_TEST_STREAM_TO_PARAMS_STREAM_POINTER);
        const writes = params.uint32(schema.INTEROP_TEST_STREAM_TO_PARAMS_WRITES);
        try {
          returnTotals(call, await writeAll(stream, writes, params.uint32(schema.INTEROP_TEST_STREAM_TO_PARAMS_SIZE)));
        } finally {
          stream.release();
        }
      },
    ],
    [
      schema.INTEROP_TEST_DROP,
      (call) => {
        if (call.params.bool(schema.INTEROP_TEST_DROP_PARAMS_ABORT_BIT)) connection().abort("dropped on request");
        else connection().close();
        return new Promise(() => {});
      },
    ],
    [
      schema.INTEROP_TEST_PUT,
      ({ params }) => {
        const name = params.text(schema.INTEROP_TEST_PUT_PARAMS_NAME_POINTER);
        shelf.get(name)?.release();
        shelf.delete(name);
        const target = params.capability(schema.INTEROP_TEST_PUT_PARAMS_TARGET_POINTER);
        if (target !== undefined) shelf.set(name, target);
      },
    ],
    [
      schema.INTEROP_TEST_GET,
      (call) => {
        const name = call.params.text(schema.INTEROP_TEST_GET_PARAMS_NAME_POINTER);
        const kept = shelf.get(name);
        if (kept === undefined) throw RpcError.failed(`nothing is kept as ${name}`);
        returnTarget(call, kept.addRef());
      },
    ],
  ];
  return handlers.map(([method, handle]) => ({ method, handle }));
}

/** By the schema's `ExceptionType`, which is the protocol's. */
function failureOf(type: number, reason: string): RpcError {
  return new RpcError(type as RpcError["type"], reason);
}

async function observe(call: ServedCall): Promise<void> {
  const target = capabilityOf(call.params, schema.INTEROP_TEST_OBSERVE_PARAMS_TARGET_POINTER);
  const calling = callTarget(target, call.params.int32(schema.INTEROP_TEST_OBSERVE_PARAMS_N));
  target.release();
  const failure = await calling.then(
    () => undefined,
    (error: RpcError) => error,
  );
  call.results((results) => {
    if (failure === undefined) return;
    results.setBool(schema.INTEROP_TEST_OBSERVE_RESULTS_FAILED_BIT, true);
    results.setNumber("uint16", schema.INTEROP_TEST_OBSERVE_RESULTS_TYPE, failure.type);
    results.setText(schema.INTEROP_TEST_OBSERVE_RESULTS_REASON_POINTER, failure.message);
  });
}

async function hangOn(call: ServedCall): Promise<void> {
  const target = capabilityOf(call.params, schema.INTEROP_TEST_HANG_ON_PARAMS_TARGET_POINTER);
  try {
    if (call.params.bool(schema.INTEROP_TEST_HANG_ON_PARAMS_TAIL_BIT)) {
      call.tailCall(target, schema.TARGET_HANG, () => {});
      return;
    }
    const hanging = callMethod(target, schema.TARGET_HANG);
    const cancelled = new Promise<never>((_resolve, reject) => {
      call.signal.addEventListener("abort", () => {
        hanging.cancel();
        reject(call.signal.reason);
      });
    });
    await Promise.race([done(hanging), cancelled]);
  } finally {
    target.release();
  }
}

function makeResolver(counts: Counts, promise: PromiseCapability): Capability {
  let decided = false;
  function decide(target: Capability): void {
    if (decided) {
      target.release();
      throw RpcError.failed("decided already");
    }
    decided = true;
    promise.resolve(target);
  }
  return counts.make(
    [
      {
        method: schema.RESOLVER_RESOLVE,
        handle: ({ params }) => decide(capabilityOf(params, schema.RESOLVER_RESOLVE_PARAMS_TARGET_POINTER)),
      },
      {
        method: schema.RESOLVER_REJECT,
        handle: ({ params }) => {
          const reason = params.text(schema.RESOLVER_REJECT_PARAMS_REASON_POINTER);
          decide(new BrokenCapability(failureOf(params.uint16(schema.RESOLVER_REJECT_PARAMS_TYPE), reason)));
        },
      },
    ],
    () => {
      if (!decided) promise.resolve(new BrokenCapability(RpcError.failed("nobody decided")));
      promise.release();
    },
  );
}

/** Takes over the reference to `target`. */
function makeFeeder(counts: Counts, target: Capability): Capability {
  let sent = 0;
  let pending: Promise<void>[] = [];
  return counts.make(
    [
      {
        method: schema.FEEDER_SEND,
        handle: ({ params }) => {
          const count = params.uint32(schema.FEEDER_SEND_PARAMS_COUNT);
          const sending = sendNext(target, sent, count);
          sending.catch(() => {});
          pending.push(sending);
          sent += count;
        },
      },
      {
        method: schema.FEEDER_FINISH,
        handle: async (call) => {
          const all = pending;
          pending = [];
          await Promise.all(all);
          call.results((results) => results.setNumber("uint32", schema.FEEDER_FINISH_RESULTS_SENT, sent));
        },
      },
    ],
    () => target.release(),
  );
}
