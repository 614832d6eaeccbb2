// Two honest vats and a hostile one, stepped message by message, beside a model of who holds what.
import {
  type Capability,
  Connection,
  type IncomingCall,
  MemoryTransport,
  type PendingCall,
  PromiseCapability,
  type ReceivedPayload,
  RpcError,
  type Server,
} from "../../../packages/vat/src/index.ts";
import { resolveLimits } from "../../../packages/wire/src/index.ts";
import { local, type Note, noteEncoder, readNote } from "../../support/pair.ts";
import { hostileMessage } from "./hostile-message.ts";
import { Random } from "./random.ts";
import { type GraphObject, Order, Place } from "./reference-graph.ts";

const LIMITS = resolveLimits();
const CAP: readonly number[] = [1];
const VATS = ["alice", "bob", "mallory"] as const;
type VatName = (typeof VATS)[number];

/** One thing that happens. The numbers choose among what there is at that time, so that any part of a run is a run. */
export type Step = readonly [kind: number, a: number, b: number, c: number];

/** A reference that a program in some vat holds. */
interface Handle {
  readonly id: number;
  readonly vat: VatName;
  readonly cap: Capability;
  readonly place: Place;
  /** What settles it, where it is a promise that the program has not settled yet. */
  promise: PromiseCapability | undefined;
  /** Calls made through it. */
  calls: number;
}

/** A call that a program made, or passed on. */
interface Call {
  readonly vat: VatName;
  readonly target: Place;
  readonly result: Place;
  readonly param: Place | undefined;
  pending: PendingCall | undefined;
  state: "made" | "arrived" | "settled";
  /** Nobody waits for its outcome. */
  isUnwanted: boolean;
}

/** A call that waits to be answered, and what it brought. */
interface Incoming {
  readonly vat: VatName;
  readonly object: GraphObject;
  readonly incoming: IncomingCall;
  /** Undefined where Mallory may have made it. */
  readonly call: Call | undefined;
  readonly param: Handle | undefined;
}

interface Link {
  readonly between: readonly [VatName, VatName];
  readonly ends: readonly [MemoryTransport, MemoryTransport];
  readonly connections: readonly [Connection, Connection];
}

const AS_WANTED = "as the program wants";
/** Why calls may fail that have nothing to do with Mallory. */
const WANTED = /^(as the program wants|The promise was broken\.|The call was cancelled\.)$/;

export class ThreeVats {
  /** What was found to be wrong. */
  readonly failures: string[] = [];
  readonly #links: readonly Link[];
  readonly #objects: GraphObject[] = [];
  readonly #handles: Handle[] = [];
  readonly #places: Place[] = [];
  readonly #calls: Call[] = [];
  readonly #incoming: Incoming[] = [];
  /** What Mallory may have got hold of. */
  readonly #exposed: Place[] = [];
  readonly #order = new Order();
  /** Whether Mallory may have made calls go in a circle: nothing comes to rest then, or all of them wait for one another. */
  #mayCircle = false;
  #isRestless = false;

  constructor() {
    this.#links = [this.#join("alice", "bob"), this.#join("alice", "mallory"), this.#join("bob", "mallory")];
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#take(step);
      await turns(2);
      this.#check();
      if (this.failures.length > 0) return;
    }
    await this.#finish();
  }

  #join(first: VatName, second: VatName): Link {
    const ends = MemoryTransport.pair({ batched: false, manual: true });
    const roots = [this.#makeServer(first), this.#makeServer(second)] as const;
    const connections = [
      new Connection(ends[0], { bootstrap: local(roots[0].server) }),
      new Connection(ends[1], { bootstrap: local(roots[1].server) }),
    ] as const;
    const isHers = second === "mallory";
    this.#hold(first, connections[0].bootstrap(), isHers ? tainted() : roots[1].place);
    this.#hold(second, connections[1].bootstrap(), isHers ? tainted() : roots[0].place);
    return { between: [first, second], ends, connections };
  }

  #take([kind, a, b, c]: Step): void {
    switch (kind % 16) {
      case 0:
        return this.#makeObject(a);
      case 1:
        return this.#makePromise(a);
      case 2:
        return this.#resolvePromise(a, b);
      case 3:
      case 4:
      case 5:
        return this.#makeCall(a, b, c);
      case 6:
      case 7:
        return this.#answer(a, b, c);
      case 8:
        return this.#forward(a, b);
      case 9:
        return this.#drop(pick(this.#handles, a));
      case 10:
        return this.#cancel(a);
      case 11:
        // Mallory sends what no honest vat would.
        this.#links[1 + (a % 2)]?.ends[1].send(hostileMessage(new Random(b)));
        return;
      case 12:
        // Her links are seldom lost.
        if (a % 16 === 0) this.#links[1 + (b % 2)]?.connections[c % 2 === 0 ? 0 : 1].close("lost");
        return;
      default:
        for (let i = 0; i <= c % 4; i++) step(this.#links[a % 3] as Link, b % 2 === 0 ? 0 : 1);
    }
  }

  // What programs do

  #makeServer(vat: VatName): { readonly server: Server; readonly place: Place; readonly object: GraphObject } {
    const object: GraphObject = { name: `An object of ${vat}`, released: 0 };
    const server: Server = {
      dispatch: (call) => this.#arrive(vat, object, call),
      release: () => {
        object.released++;
      },
    };
    return { server, place: vat === "mallory" ? tainted() : new Place({ object }), object };
  }

  #makeObject(a: number): void {
    const vat = VATS[a % 3] as VatName;
    const { server, place, object } = this.#makeServer(vat);
    if (vat !== "mallory") this.#objects.push(object);
    this.#hold(vat, local(server), place);
  }

  #makePromise(a: number): void {
    const vat = VATS[a % 3] as VatName;
    const promise = new PromiseCapability(LIMITS);
    const place = vat === "mallory" ? tainted() : new Place();
    this.#hold(vat, promise.addRef(), place).promise = promise;
  }

  #resolvePromise(a: number, b: number): void {
    const promises = this.#handles.filter(({ promise }) => promise !== undefined);
    const handle = pick(promises, a);
    if (handle === undefined) return;
    const targets = this.#handlesOf(handle.vat).filter(
      ({ id, place }) => id !== handle.id && canLeadTo(handle.place, place),
    );
    const target = pick(targets, b);
    if (target !== undefined) this.#settlePromise(handle, target);
  }

  /** Without a target it breaks. */
  #settlePromise(handle: Handle, target: Handle | undefined): void {
    const { promise, place } = handle;
    if (promise === undefined) return;
    handle.promise = undefined;
    if (target === undefined) place.end.isBroken = true;
    else this.#lead(place, target.place);
    promise.resolve(target === undefined ? local({ dispatch: breakCall }) : target.cap.addRef());
    promise.release();
  }

  #makeCall(a: number, b: number, c: number): void {
    const handle = pick(this.#handles, a);
    if (handle === undefined) return;
    const param = c % 3 === 0 ? undefined : pick(this.#handlesOf(handle.vat), b);
    const call = this.#noteCall(handle, param);
    const content = { text: this.#label(handle, call), cap: param?.cap };
    call.pending = handle.cap.call(1, 2, 0, noteEncoder, content, {
      handleResults: (results) => this.#settled(call, results),
      handleException: (error) => this.#settled(call, error),
    });
    // Pipelined on at once or never, so that it is known what that leads to.
    if (c % 2 === 0) this.#hold(handle.vat, call.pending.pipeline(CAP), call.result);
  }

  #noteCall({ vat, place }: Handle, param: Handle | undefined): Call {
    const isHers = vat === "mallory" || place.end.isTainted;
    const result = isHers ? tainted() : new Place({ via: place });
    // What is not known yet may turn out to be hers.
    if (param !== undefined && (isHers || place.isOpen)) this.#expose(param.place);
    const call: Call = {
      vat,
      target: place,
      result,
      param: param?.place,
      pending: undefined,
      state: "made",
      isUnwanted: false,
    };
    this.#calls.push(call);
    return call;
  }

  /** What a call says of itself: through which reference it was made, as which one, and where it is noted. */
  #label(handle: Handle, call: Call): string {
    const reference = handle.vat === "mallory" ? -1 : handle.id;
    return `${reference}:${handle.calls++}:${this.#calls.indexOf(call)}`;
  }

  #arrive(vat: VatName, object: GraphObject, incoming: IncomingCall): void {
    const note = readAnything(incoming.params);
    const [reference = -1, index = -1, number = -1] = note.text === "" ? [] : note.text.split(":").map(Number);
    const noted = this.#calls[number];
    if (noted !== undefined) {
      if (noted.state === "made") noted.state = "arrived";
      if (vat === "mallory") noted.result.end.isTainted = true;
    }
    // One that may have come through Mallory's hands is hers, as is what it brings.
    const isHonest = vat !== "mallory" && reference >= 0 && noted?.target.end.object !== undefined;
    const call = isHonest ? noted : undefined;
    const place = this.#places[reference]?.end;
    if (call !== undefined && place?.object !== undefined) {
      if (place.object !== object) this.#fail(`A call to ${place.object.name} arrived at ${object.name}.`);
      const wrong = this.#order.arrive(reference, index);
      if (wrong !== undefined) this.#fail(wrong);
    }
    const param = note.cap === undefined ? undefined : this.#hold(vat, note.cap, call?.param ?? tainted());
    const waiting: Incoming = { vat, object, incoming, call, param };
    // A program may answer all the same, or at once.
    if (index % 2 === 0) incoming.onCancel = () => this.#refuse(waiting);
    this.#incoming.push(waiting);
  }

  #answer(a: number, b: number, c: number): void {
    const waiting = pick(this.#incoming, a);
    if (waiting === undefined) return;
    const { call, vat, incoming } = waiting;
    const choices = this.#handlesOf(vat).filter(({ place }) => call === undefined || canLeadTo(call.result, place));
    const result = c % 4 === 0 ? undefined : pick(choices, b);
    if (result === undefined) {
      this.#refuse(waiting);
      return;
    }
    this.#incoming.splice(this.#incoming.indexOf(waiting), 1);
    if (call === undefined) this.#expose(result.place);
    else this.#lead(call.result, result.place);
    incoming.returnResults(noteEncoder, { text: "", cap: result.cap });
    this.#drop(waiting.param);
  }

  /** Answers with an exception, unless it was answered meanwhile. */
  #refuse(waiting: Incoming): void {
    const index = this.#incoming.indexOf(waiting);
    if (index < 0) return;
    this.#incoming.splice(index, 1);
    if (waiting.call?.result.isOpen === true) waiting.call.result.end.isBroken = true;
    waiting.incoming.returnException(RpcError.failed(AS_WANTED));
    this.#drop(waiting.param);
  }

  /** Answers a call with the outcome of another one. */
  #forward(a: number, b: number): void {
    const waiting = pick(this.#incoming, a);
    // Whoever answers a call with what waits for it calls in a circle for ever, which is a fault of the program's.
    const choices = this.#handlesOf(waiting?.vat ?? "mallory").filter(
      ({ place }) => waiting?.call !== undefined && !place.end.isTainted && !place.waitsFor(waiting.call.result),
    );
    const handle = pick(choices, b);
    if (waiting?.call === undefined || handle === undefined) return;
    const { incoming, call, param } = waiting;
    this.#incoming.splice(this.#incoming.indexOf(waiting), 1);
    const onward = this.#noteCall(handle, param);
    onward.isUnwanted = true;
    this.#lead(call.result, onward.result);
    const content = { text: this.#label(handle, onward), cap: param?.cap };
    handle.cap.tailCall(incoming, 1, 2, 0, noteEncoder, content);
    this.#drop(param);
  }

  #settled(call: Call, outcome: ReceivedPayload | RpcError): void {
    if (call.state === "settled") this.#fail("A call was answered twice.");
    call.state = "settled";
    if (outcome instanceof RpcError) {
      const { object } = call.target.end;
      const isOurs =
        object !== undefined && call.vat !== "mallory" && !call.result.end.isTainted && !call.result.isOpen;
      if (isOurs && !WANTED.test(outcome.message)) this.#fail(`A call to ${object.name} failed: ${outcome.message}`);
      return;
    }
    const { cap } = readAnything(outcome);
    outcome.release();
    if (cap !== undefined) this.#hold(call.vat, cap, call.vat === "mallory" ? tainted() : call.result);
  }

  /** What Mallory had a hand in may be anything, and hold anything. */
  #lead(place: Place, target: Place): void {
    if (place.end.isTainted) this.#expose(target);
    else if (place.isOpen && canLeadTo(place, target)) place.become(target);
  }

  #expose(place: Place): void {
    this.#exposed.push(place);
    if (place.isOpen || place.end.isTainted) this.#mayCircle = true;
  }

  #cancel(a: number): void {
    const call = pick(
      this.#calls.filter(({ state, isUnwanted }) => state !== "settled" && !isUnwanted),
      a,
    );
    if (call === undefined) return;
    call.isUnwanted = true;
    call.pending?.cancel();
  }

  #hold(vat: VatName, cap: Capability, place: Place): Handle {
    const handle: Handle = { id: this.#places.length, vat, cap, place, promise: undefined, calls: 0 };
    this.#places.push(place);
    this.#handles.push(handle);
    return handle;
  }

  #drop(handle: Handle | undefined): void {
    const index = handle === undefined ? -1 : this.#handles.indexOf(handle);
    // A promise that nobody would settle any more would be a fault of the program's.
    if (handle === undefined || index < 0 || handle.promise !== undefined) return;
    this.#handles.splice(index, 1);
    handle.cap.release();
  }

  #handlesOf(vat: VatName): Handle[] {
    return this.#handles.filter((handle) => handle.vat === vat);
  }

  // What must hold

  /** At any time. */
  #check(): void {
    const reason = this.#links[0]?.connections[0].closedReason;
    if (reason !== undefined) this.#fail(`The link of the honest vats ended: ${reason.message}`);
    for (const { vat, place } of this.#handles) {
      const { object, isTainted } = place.end;
      if (vat === "mallory" || isTainted || object === undefined) continue;
      if (object.released > 0) this.#fail(`${object.name} was released while ${vat} held it.`);
    }
  }

  /** When nothing moves any more: what nobody holds was released. */
  #checkReleased(): void {
    const held = new Set<GraphObject | undefined>();
    for (const { place } of this.#handles) held.add(place.end.object);
    for (const place of this.#exposed) held.add(place.end.object);
    // A call holds what it brought until it is answered, and within a vat what it is made on.
    for (const { object } of this.#incoming) held.add(object);
    for (const { target, param, state, isUnwanted } of this.#calls) {
      if (state === "settled" && !isUnwanted) continue;
      held.add(target.end.object);
      held.add(param?.end.object);
    }
    for (const object of this.#objects) {
      if (!held.has(object) && object.released !== 1) {
        this.#fail(`${object.name}, which nobody holds, was released ${object.released} times.`);
      }
    }
  }

  /** Everybody lets go of everything. */
  async #finish(): Promise<void> {
    await this.#settle();
    this.#check();
    if (this.#isRestless || this.failures.length > 0) return;
    this.#checkReleased();
    for (const { connections } of this.#links.slice(1)) connections[0].close("the end");
    for (let rounds = 0; rounds < 200; rounds++) {
      for (const handle of this.#handles) this.#settlePromise(handle, undefined);
      for (const waiting of [...this.#incoming]) this.#refuse(waiting);
      await this.#settle();
      if (this.#incoming.length === 0) break;
    }
    for (const handle of [...this.#handles]) this.#drop(handle);
    await this.#settle();
    if (this.#isRestless) return;
    // Mallory may answer a call with what waits for it, and wait for that herself; or make others do so unawares.
    const isOpen = this.#calls.some(
      ({ vat, state, isUnwanted }) => vat !== "mallory" && state !== "settled" && !isUnwanted,
    );
    if (isOpen && this.#mayCircle) return;
    if (isOpen) this.#fail("A call was never answered.");
    for (const { name, released } of this.#objects) {
      if (released !== 1) this.#fail(`At the end: ${name} was released ${released} times.`);
    }
    for (const { between, connections } of this.#links) {
      for (const [side, { tables }] of connections.entries()) {
        if (between[side] === "mallory" || Object.values(tables).every((size) => size === 0)) continue;
        this.#fail(`At the end: ${between[side]} holds ${JSON.stringify(tables)} of ${between[1 - side]}.`);
      }
    }
  }

  async #settle(): Promise<void> {
    for (let rounds = 0, quiet = 0; rounds < 5000; rounds++) {
      await turns(6);
      let moved = false;
      for (const link of this.#links) {
        for (const side of [0, 1] as const) moved = step(link, side) || moved;
      }
      quiet = moved ? 0 : quiet + 1;
      if (quiet > 2) return;
    }
    if (!this.#mayCircle) this.#fail("The vats never come to rest.");
    this.#isRestless = true;
  }

  #fail(text: string): void {
    this.failures.push(text);
  }
}

/** One message from that side. False where there is none. */
function step({ ends }: Link, side: 0 | 1): boolean {
  ends[side].flush();
  return ends[side].deliver();
}

/** Whether a program may make `place` lead to `target`: not in a circle. */
function canLeadTo(place: Place, target: Place): boolean {
  return !target.waitsFor(place);
}

/** What Mallory sent need not be a note. */
function readAnything(payload: ReceivedPayload): Note {
  try {
    return readNote(payload);
  } catch {
    return { text: "" };
  }
}

function tainted(): Place {
  return new Place({ isTainted: true });
}

function breakCall(call: IncomingCall): void {
  call.returnException(RpcError.failed("The promise was broken."));
}

function pick<T>(choices: readonly T[], choice: number): T | undefined {
  return choices[choice % choices.length];
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}
