import { expect } from "chai";
import fc from "fast-check";
import {
  type Capability,
  type LinkEnd,
  PromiseCapability,
  type TrafficListener,
  TrafficObserver,
} from "../../../packages/vat/src/index.ts";
import { FrameReader, type RpcMessage, resolveLimits } from "../../../packages/wire/src/index.ts";
import { CAP, Keeper, local, Pair, type Started, start } from "../../support/pair.ts";

const LIMITS = resolveLimits();
const NOTHING = { questions: 0, answers: 0, imports: 0, exports: 0, embargoes: 0 };

/** Feeds an observer with what passes over a link. */
class Watch implements TrafficListener {
  readonly observer = new TrafficObserver();
  readonly remarks: string[] = [];
  readonly #frames = {
    near: new FrameReader(LIMITS, { batched: true }),
    far: new FrameReader(LIMITS, { batched: true }),
  };
  calls = 0;

  handleOpen(): void {}
  handleSent(frame: Uint8Array): void {
    this.#take("near", frame);
  }
  handleReceived(frame: Uint8Array): void {
    this.#take("far", frame);
  }
  handleClosed(): void {}

  #take(from: LinkEnd, frame: Uint8Array): void {
    const reader = this.#frames[from];
    reader.open(frame.slice());
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      const remark = this.observer.observe(from, message, message.kind === 2 ? `call ${this.calls++}` : "");
      if (remark !== undefined) this.remarks.push(remark);
    }
  }
}

/** One vat's programs: what they hold, what they were asked. All choices come as numbers. */
class Player {
  readonly bag: Capability[] = [];
  readonly keepers: Keeper[] = [];
  readonly started: Started[] = [];
  readonly promises: PromiseCapability[] = [];

  play(move: number, a: number, b: number): void {
    const held = pick(this.bag, a);
    const asked = pick(
      this.keepers.filter((keeper) => keeper.calls.length > 0),
      a,
    );
    switch (move) {
      case 0:
      case 1:
        if (held !== undefined) this.started.push(start(held, 0, { text: "call", cap: this.choose(b) }));
        break;
      case 2: {
        const call = pick(this.started, a);
        if (call !== undefined && call.outcome.result === undefined) this.bag.push(call.call.pipeline(CAP));
        break;
      }
      case 3:
      case 4:
        asked?.answer({ text: "answer", cap: this.choose(b) });
        break;
      case 5:
        asked?.fail("no");
        break;
      case 6:
        if (held !== undefined) this.bag.splice(a % this.bag.length, 1)[0]?.release();
        break;
      case 7:
        pick(this.started, a)?.call.cancel();
        break;
      case 8: {
        const target = this.bag.find((cap) => !cap.isPromise)?.addRef() ?? this.make();
        this.promises.shift()?.resolve(target);
        break;
      }
      case 9: {
        // A tail call. Not to a promise: that may stand for what this very call will return, and two vats that wait for
        // each other so pass the call on for ever.
        const target = this.bag.find((cap) => !cap.isPromise);
        const next = target === undefined ? undefined : asked?.calls.shift();
        next?.note.cap?.release();
        if (next !== undefined) target?.deliver(next.call);
        break;
      }
      default:
        this.collect(a);
    }
  }

  /** Takes what arrived: a result's capability, or a parameter's. */
  collect(a: number): void {
    const call = pick(this.started, a);
    if (call?.outcome.result?.cap !== undefined) {
      this.bag.push(call.outcome.result.cap);
      this.started.splice(this.started.indexOf(call), 1);
    }
    const param = pick(this.keepers, a)?.calls[0]?.note.cap;
    if (param !== undefined) this.bag.push(param.addRef());
  }

  /** A capability to send, or none. */
  choose(b: number): Capability | undefined {
    if (b % 4 === 0) return undefined;
    if (b % 4 === 1) this.bag.push(this.make());
    if (b % 4 === 2) {
      const promise = new PromiseCapability(LIMITS);
      this.promises.push(promise);
      this.bag.push(promise.addRef());
    }
    return b % 4 === 3 ? pick(this.bag, b >> 2) : this.bag.at(-1);
  }

  make(): Capability {
    const keeper = new Keeper();
    this.keepers.push(keeper);
    return local(keeper);
  }

  /** Lets go of everything. */
  end(): void {
    for (const promise of this.promises.splice(0)) {
      promise.resolve(this.make());
      promise.release();
    }
    for (const cap of this.bag.splice(0)) cap.release();
    for (const keeper of this.keepers) while (keeper.calls.length > 0) keeper.fail("the end");
    for (const { outcome } of this.started.splice(0)) outcome.result?.cap?.release();
  }
}

function pick<T>(from: readonly T[], a: number): T | undefined {
  return from.length === 0 ? undefined : from[a % from.length];
}

async function rest(pair: Pair): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    pair.settle();
    await Promise.resolve();
  }
  pair.settle();
}

describe("what traffic says of the tables", () => {
  const move = fc.tuple(fc.boolean(), fc.nat({ max: 13 }), fc.nat({ max: 50 }), fc.nat({ max: 50 }));

  it("is what the connections' own tables hold, whatever they were used for", async () => {
    // So that the test cannot pass without traffic of every kind.
    const most = { ...NOTHING };
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 20, maxLength: 150 }), async (moves) => {
        const watch = new Watch();
        const pair = new Pair({ listener: watch });
        const players = { left: new Player(), right: new Player() };
        players.right.keepers.push(pair.keeper);
        players.left.bag.push(pair.left.bootstrap());
        const compare = (): void => {
          const { left, right } = pair;
          expect(watch.remarks).to.deep.equal([]);
          expect(left.closedReason).to.equal(undefined);
          expect(watch.observer.sizes("near")).to.deep.equal(left.tables);
          expect(watch.observer.sizes("far")).to.deep.equal(right.tables);
          for (const key of Object.keys(most) as (keyof typeof most)[]) {
            most[key] = Math.max(most[key], left.tables[key], right.tables[key]);
          }
        };
        for (const [isLeft, which, a, b] of moves) {
          if (which === 11) pair.toRight();
          else if (which === 12) pair.toLeft();
          else if (which === 13) {
            await rest(pair);
            compare();
          } else players[isLeft ? "left" : "right"].play(which, a, b);
        }
        await rest(pair);
        compare();
        for (let round = 0; round < 8; round++) {
          players.left.end();
          players.right.end();
          await rest(pair);
        }
        compare();
        pair.left.close();
      }),
      { numRuns: 300 },
    );
    for (const [table, size] of Object.entries(most)) {
      if (table !== "embargoes") expect(size, table).to.be.greaterThan(2);
    }
  });

  it("names what each entry is about, and what first carried a capability", () => {
    const watch = new Watch();
    const pair = new Pair({ listener: watch });
    const api = pair.left.bootstrap();
    const own = local(new Keeper());
    const first = start(api, 0, { text: "", cap: own });
    start(api, 0, { text: "", cap: own });
    pair.settle();
    const promise = new PromiseCapability(LIMITS);
    pair.keeper.answer({ text: "", cap: promise });
    pair.settle();
    const { observer } = watch;
    expect(observer.tables("near").exports).to.deep.equal([
      { id: 0, references: 2, isPromise: false, origin: "params of call 0" },
    ]);
    expect(observer.tables("near").questions).to.have.length(1);
    const asked = { method: "0000000100000002.0", label: "call 1", returned: false, finished: false };
    expect(observer.tables("near").questions[0]).to.include(asked);
    expect(observer.tables("far").answers).to.deep.equal(observer.tables("near").questions);
    expect(observer.tables("near").imports.at(-1)).to.include({ isPromise: true, origin: "results of call 0" });
    promise.resolve(local(new Keeper()));
    pair.settle();
    expect(observer.tables("near").imports.at(-1)).to.include({ isPromise: false });
    first.outcome.result?.cap?.release();
    pair.left.close();
  });

  it("shows embargoes while they last", async () => {
    const watch = new Watch();
    const pair = new Pair({ listener: watch });
    const api = pair.left.bootstrap();
    const mine = new Keeper();
    const own = local(mine);
    const first = start(api, 0, { text: "echo", cap: own });
    const promise = first.call.pipeline(CAP);
    start(promise, 0, { text: "before" });
    pair.toRight();
    pair.keeper.answer({ text: "", cap: pair.keeper.calls[0]?.note.cap });
    pair.toLeft();
    pair.toRight();
    expect(watch.observer.sizes("near").embargoes).to.equal(1);
    await rest(pair);
    expect(watch.observer.sizes("near").embargoes).to.equal(0);
    pair.left.close();
  });
});

describe("an observer of a peer that breaks the rules", () => {
  const caps = [{ kind: 1, id: 4, transform: [] }];
  const call = (questionId: number) => ({
    kind: 2,
    questionId,
    interfaceHigh: 1,
    interfaceLow: 2,
    methodId: 0,
    params: { capTable: caps },
  });
  const back = (answerId: number) => ({ kind: 3, answerId, releaseParamCaps: true, noFinishNeeded: false, which: 2 });

  /** What each message, from the near end where it has no other, makes it say. */
  function remarks(...messages: [object, LinkEnd?][]): (string | undefined)[] {
    const observer = new TrafficObserver();
    return messages.map(([message, from = "near"]) => observer.observe(from, message as RpcMessage, "x"));
  }

  it("says what is wrong, and goes on", () => {
    expect(remarks([call(1)], [call(1)])).to.deep.equal([undefined, "question 1 is still open"]);
    expect(remarks([back(1), "far"])).to.deep.equal(["question 1 is not open"]);
    expect(remarks([call(1)], [back(1), "far"], [back(1), "far"])).to.deep.equal([
      undefined,
      undefined,
      "question 1 is not open",
    ]);
    expect(remarks([{ kind: 6, id: 3, referenceCount: 1 }])).to.deep.equal(["export 3 does not exist"]);
    expect(remarks([call(1)], [{ kind: 6, id: 4, referenceCount: 3 }, "far"])).to.deep.equal([
      undefined,
      "export 4 had only 1 references",
    ]);
    expect(remarks([{ kind: 13, context: 1, embargoId: 7 }])).to.deep.equal(["embargo 7 was never set"]);
    expect(remarks([{ kind: 4, questionId: 9, releaseResultCaps: true }])).to.deep.equal([undefined]);
  });

  it("takes what params carried as given back where the Return says so", () => {
    for (const releaseParamCaps of [true, false]) {
      const observer = new TrafficObserver();
      observer.observe("near", call(1) as unknown as RpcMessage);
      observer.observe("far", { ...back(1), releaseParamCaps } as unknown as RpcMessage);
      expect(observer.sizes("near")).to.deep.equal({ ...NOTHING, questions: 1, exports: releaseParamCaps ? 0 : 1 });
    }
  });

  it("takes a call that comes back as unimplemented out of the tables, with what it carried", () => {
    const observer = new TrafficObserver();
    observer.observe("near", call(1) as unknown as RpcMessage);
    expect(observer.sizes("far")).to.deep.equal({ ...NOTHING, answers: 1, imports: 1 });
    const original = { kind: 2, questionId: 1, cap: undefined };
    expect(observer.observe("far", { kind: 0, original } as unknown as RpcMessage)).to.equal(undefined);
    expect(observer.sizes("near")).to.deep.equal(NOTHING);
    expect(observer.sizes("far")).to.deep.equal(NOTHING);
  });

  it("counts results that cross a Finish which gives them back, in either order", () => {
    const results = { ...back(1), which: 0, results: { capTable: caps } };
    const finish = { kind: 4, questionId: 1, releaseResultCaps: true };
    for (const order of [
      [results, finish],
      [finish, results],
    ]) {
      const observer = new TrafficObserver();
      observer.observe("near", { kind: 8, questionId: 1 } as unknown as RpcMessage);
      for (const message of order) {
        observer.observe(message === finish ? "near" : "far", message as unknown as RpcMessage);
      }
      expect(observer.sizes("near")).to.deep.equal(NOTHING);
    }
  });
});
