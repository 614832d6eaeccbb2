// A vat in memory whose peer is the test itself.
import { Connection, MemoryTransport } from "../../packages/vat/src/index.ts";
import { FrameReader, type LimitOptions, type RpcMessage, resolveLimits } from "../../packages/wire/src/index.ts";
import { Keeper, local } from "./pair.ts";
import { frame, type Write } from "./raw-messages.ts";

/** A vat with a peer that is this test: it sends what it likes and sees what comes back. */
export class Victim {
  readonly keeper = new Keeper();
  readonly connection: Connection;
  readonly #peer: MemoryTransport;
  readonly #own: MemoryTransport;
  readonly #reader = new FrameReader(resolveLimits(), { batched: true });
  readonly #received: RpcMessage[] = [];

  constructor(limits: LimitOptions = {}) {
    [this.#peer, this.#own] = MemoryTransport.pair({ manual: true });
    this.#peer.start({
      handleOpen: () => {},
      handleFrame: (frame) => {
        this.#reader.open(frame);
        for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) this.#received.push(next);
      },
      handleMalformed: () => {},
      handleClosed: () => {},
    });
    this.connection = new Connection(this.#own, { bootstrap: local(this.keeper), limits });
  }

  /** Sends one frame. Returns the answers. */
  send(...writes: readonly Write[]): RpcMessage[] {
    return this.sendBytes(frame(...writes));
  }

  sendBytes(bytes: Uint8Array): RpcMessage[] {
    this.#peer.send(bytes);
    this.#peer.deliver();
    return this.receive();
  }

  /** What the vat has sent since. */
  receive(): RpcMessage[] {
    this.#own.flush();
    while (this.#own.deliver());
    return this.#received.splice(0);
  }
}
