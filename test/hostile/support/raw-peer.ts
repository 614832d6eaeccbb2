// The attacker's end of a link: a WebSocket, and messages by hand.
import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { CAPSTAN_PACKED_PROTOCOL, CAPSTAN_PROTOCOL } from "../../../packages/vat/src/index.ts";
import {
  FrameReader,
  LINK_ID_HIGH,
  LINK_ID_LOW,
  LINK_SERVICE_METHOD,
  MessageKind,
  packFrame,
  type ReleaseMessage,
  type ReturnMessage,
  type RpcMessage,
  resolveLimits,
  unpackFrame,
  writeServiceParams,
} from "../../../packages/wire/src/index.ts";
import { bootstrap, call, finish, frame, type Write } from "../../support/raw-messages.ts";

const LIMITS = resolveLimits();
/** Far longer than anything here takes; an answer that never comes is a failure with a text of its own. */
const PATIENCE_MS = 15_000;

export class RawPeer {
  readonly socket: WebSocket;
  readonly #received: RpcMessage[] = [];
  #wake: () => void = () => {};
  #closed: { readonly code: number; readonly reason: string } | undefined;
  /** Questions of the checks lie far from those of the tests. */
  #nextQuestion = 100_000;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    const reader = new FrameReader(LIMITS, { batched: true });
    socket.on("message", (data: Buffer) => {
      reader.open(this.#isPacked ? unpackFrame(data, LIMITS) : new Uint8Array(data));
      for (let next = reader.next(); next !== undefined; next = reader.next()) this.#received.push(next);
      this.#wake();
    });
    socket.on("close", (code, reason) => {
      this.#closed = { code, reason: String(reason) };
      this.#wake();
    });
    socket.on("error", () => {});
  }

  static async open(url: string, protocols = [CAPSTAN_PROTOCOL]): Promise<RawPeer> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/_capstan`, protocols, { perMessageDeflate: false });
    const peer = new RawPeer(socket);
    await once(socket, "open");
    return peer;
  }

  get #isPacked(): boolean {
    return this.socket.protocol === CAPSTAN_PACKED_PROTOCOL;
  }

  /** Another link to the same host. */
  another(protocols?: string[]): Promise<RawPeer> {
    return RawPeer.open(this.socket.url.replace("ws", "http").replace("/_capstan", ""), protocols);
  }

  /** Sends one frame. */
  send(...writes: readonly (Write | Uint8Array)[]): void {
    const bytes = Buffer.concat(writes.map((write) => (write instanceof Uint8Array ? write : frame(write))));
    this.socket.send(this.#isPacked ? packFrame(bytes) : bytes);
  }

  /** The next message that came, whatever it is. */
  async next(): Promise<RpcMessage> {
    await this.#until(() => this.#received.length > 0 || this.#closed !== undefined, "No message came.");
    const message = this.#received.shift();
    if (message === undefined) throw new Error(`The link was closed: ${JSON.stringify(this.#closed)}`);
    return message;
  }

  /** The next message of a kind; what comes before it is dropped. */
  async nextOf<K extends RpcMessage["kind"]>(kind: K): Promise<Extract<RpcMessage, { kind: K }>> {
    for (;;) {
      const message = await this.next();
      if (message.kind === kind) return message as Extract<RpcMessage, { kind: K }>;
      if (message.kind === MessageKind.abort) throw new Error(`The link was aborted: ${message.exception.reason}`);
    }
  }

  /** The Return of question `id`. */
  async returned(id: number): Promise<ReturnMessage> {
    for (;;) {
      const message = await this.nextOf(MessageKind.return);
      if ((message.answerId as number) === id) return message;
    }
  }

  /** Asks for the Worker's entrypoint. Returns the id by which calls reach it. */
  async service(): Promise<number> {
    const id = this.#takeQuestions(2);
    const content = (writer: Parameters<Write>[0], at: number): void =>
      writeServiceParams(writer, at, { name: "", entrypoint: "" });
    const interfaceId = [LINK_ID_HIGH, LINK_ID_LOW] as const;
    const options = { interfaceId, methodId: LINK_SERVICE_METHOD, content };
    this.send(bootstrap(id), call(id + 1, { question: id }, options));
    const { results } = await this.returned(id + 1);
    this.send(finish(id), finish(id + 1, false));
    return results?.capTable[0]?.id ?? -1;
  }

  /** The host says why, and closes. */
  async expectAbort(reason: RegExp): Promise<void> {
    for (;;) {
      const message = await this.next();
      if (message.kind !== MessageKind.abort) continue;
      expect(message.exception.reason).to.match(reason);
      break;
    }
    expect(await this.closed()).to.include({ code: 1002 });
  }

  /** Question `id` gets an exception, and the link goes on. */
  async expectException(id: number, reason: RegExp): Promise<void> {
    const message = await this.returned(id);
    expect(message.exception?.reason).to.match(reason);
    this.send(finish(id));
    await this.expectAlive();
  }

  /** What was sent is answered with nothing, and the link goes on. */
  async expectNothing(): Promise<void> {
    const id = this.#takeQuestions(1);
    this.send(bootstrap(id));
    expect(await this.next()).to.deep.include({ kind: MessageKind.return, answerId: id });
    this.send(finish(id));
  }

  /** The host still answers on this link. */
  async expectAlive(): Promise<void> {
    const id = this.#takeQuestions(1);
    this.send(bootstrap(id));
    expect((await this.returned(id)).results?.capTable).to.have.length(1);
    this.send(finish(id));
  }

  /** What the host gave back of references `id`. */
  async expectRelease(id: number): Promise<void> {
    const message: ReleaseMessage = await this.nextOf(MessageKind.release);
    expect(message).to.deep.include({ id, referenceCount: 1 });
  }

  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.#until(() => this.#closed !== undefined, "The link was not closed.");
    return this.#closed ?? { code: 0, reason: "" };
  }

  async close(): Promise<void> {
    this.socket.resume();
    this.socket.terminate();
    await this.closed();
  }

  #takeQuestions(count: number): number {
    const id = this.#nextQuestion;
    this.#nextQuestion += count;
    return id;
  }

  async #until(isSo: () => boolean, otherwise: string): Promise<void> {
    const deadline = setTimeout(() => this.#wake(), PATIENCE_MS);
    const end = Date.now() + PATIENCE_MS;
    while (!isSo()) {
      if (Date.now() >= end) throw new Error(otherwise);
      await new Promise<void>((wake) => (this.#wake = wake));
    }
    clearTimeout(deadline);
  }
}
