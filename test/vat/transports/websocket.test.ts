import { EventEmitter } from "node:events";
import { expect } from "chai";
import {
  CAPNP_PROTOCOL,
  CAPSTAN_PACKED_PROTOCOL,
  CAPSTAN_PROTOCOL,
  Connection,
  type TransportReceiver,
  type WebSocketLike,
  WebSocketTransport,
} from "../../../packages/vat/src/index.ts";
import {
  FrameReader,
  MessageKind,
  packFrame,
  resolveLimits,
  type SegmentWriter,
  unpackFrame,
} from "../../../packages/wire/src/index.ts";
import { Keeper, local } from "../../support/pair.ts";
import { bootstrap, call, frame } from "../../support/raw-messages.ts";

const LIMITS = resolveLimits({ maxFrameBytes: 64 * 1024 });

/** A socket as browsers have it, or with the `on` of the `ws` package, whose other end is the test. */
class FakeSocket {
  binaryType = "";
  readyState = 0;
  protocol = "";
  readonly bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  closeCode: number | undefined;
  readonly #events = new EventEmitter();
  readonly on: EventEmitter["on"] | undefined;

  constructor(kind: "browser" | "ws") {
    this.on = kind === "browser" ? undefined : (event, listener) => this.#events.on(`ws ${String(event)}`, listener);
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(code?: number): void {
    this.closeCode = code;
  }
  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#events.on(type, listener);
  }

  open(protocol: string): void {
    this.protocol = protocol;
    this.readyState = 1;
    this.#events.emit("open");
  }
  /** A frame of the other end. */
  receive(bytes: Uint8Array): void {
    if (this.on === undefined) this.#events.emit("message", { data: bytes.slice().buffer });
    else this.#events.emit("ws message", Buffer.from(bytes), true);
  }
  receiveText(text: string): void {
    if (this.on === undefined) this.#events.emit("message", { data: text });
    else this.#events.emit("ws message", Buffer.from(text), false);
  }
}

class Log implements TransportReceiver {
  readonly frames: Uint8Array[] = [];
  readonly malformed: string[] = [];
  handleOpen(): void {}
  handleFrame(bytes: Uint8Array): void {
    this.frames.push(bytes);
  }
  handleMalformed(reason: string): void {
    this.malformed.push(reason);
  }
  handleClosed(): void {}
}

function open(
  kind: "browser" | "ws",
  protocol: string,
): { socket: FakeSocket; transport: WebSocketTransport; log: Log } {
  const socket = new FakeSocket(kind);
  const transport = new WebSocketTransport(socket as unknown as WebSocketLike, queueMicrotask, LIMITS);
  const log = new Log();
  transport.start(log);
  socket.open(protocol);
  return { socket, transport, log };
}

describe("vat: a WebSocket transport", () => {
  it("knows by the subprotocol how frames are made up", () => {
    const made = [CAPSTAN_PROTOCOL, CAPSTAN_PACKED_PROTOCOL, CAPNP_PROTOCOL, ""].map((protocol) => {
      const { batched, packed } = open("ws", protocol).transport;
      return { batched, packed };
    });
    expect(made).to.deep.equal([
      { batched: true, packed: false },
      { batched: true, packed: true },
      { batched: false, packed: false },
      { batched: false, packed: false },
    ]);
  });

  for (const kind of ["browser", "ws"] as const) {
    it(`packs frames and unpacks them, over a socket like ${kind === "ws" ? "one of ws" : "a browser's"}`, () => {
      const { socket, transport, log } = open(kind, CAPSTAN_PACKED_PROTOCOL);
      const message = frame(bootstrap(7));
      transport.send(message);
      expect(socket.sent).to.deep.equal([packFrame(message)]);
      socket.receive(packFrame(message));
      expect(log.frames).to.deep.equal([message]);
      expect(log.frames[0]?.constructor).to.equal(Uint8Array);
    });

    it(`leaves frames as they are where they are not packed, over a socket like ${kind === "ws" ? "one of ws" : "a browser's"}`, () => {
      const { socket, transport, log } = open(kind, CAPSTAN_PROTOCOL);
      const message = frame(bootstrap(7));
      transport.send(message);
      expect(socket.sent[0]).to.equal(message);
      socket.receive(new Uint8Array(3));
      expect(log.frames).to.deep.equal([new Uint8Array(3)]);
    });

    it(`ends its connection at a text frame, over a socket like ${kind === "ws" ? "one of ws" : "a browser's"}`, () => {
      const socket = new FakeSocket(kind);
      const keeper = new Keeper();
      const transport = new WebSocketTransport(socket as unknown as WebSocketLike);
      const connection = new Connection(transport, { bootstrap: local(keeper) });
      socket.open(CAPSTAN_PROTOCOL);
      socket.receive(frame(bootstrap(1), call(2, { question: 1 })));
      socket.receiveText("{}");
      socket.receive(frame(call(3, { question: 1 })));
      expect(keeper.log).to.have.length(1);
      expect(connection.closedReason?.message).to.equal("Text frames are not part of the protocol.");
      expect(socket.closeCode).to.equal(kind === "ws" ? 1003 : 3003);
    });
  }

  it("tells of packed frames that are none, or that would be larger than frames may be", () => {
    const { socket, log } = open("ws", CAPSTAN_PACKED_PROTOCOL);
    socket.receive(new Uint8Array([0x51, 8]));
    socket.receive(new Uint8Array(2 * 33).map((_, at) => (at % 2 === 0 ? 0 : 0xff)));
    expect(log.frames).to.deep.equal([]);
    expect(log.malformed).to.deep.equal([
      "a packed frame that ends within a word",
      "a packed frame of more than 65536 bytes, more than is allowed",
    ]);
  });

  it("hands the messages of a frame that is mostly zeros on in memory of their own", () => {
    const { socket, log } = open("ws", CAPSTAN_PACKED_PROTOCOL);
    const filler = frame(call(2, { exported: 0 }, { content: (writer: SegmentWriter) => append(writer, 32 * 1024) }));
    const messages = [frame(bootstrap(1)), filler, frame(bootstrap(3))];
    socket.receive(packFrame(Buffer.concat(messages)));
    expect(log.frames).to.deep.equal(messages);
    for (const { buffer, length } of log.frames) expect(buffer.byteLength).to.equal(length);
  });

  it("hands nothing more on when one of them ended the connection", () => {
    const { socket, transport, log } = open("ws", CAPSTAN_PACKED_PROTOCOL);
    log.handleFrame = (bytes) => {
      log.frames.push(bytes);
      transport.close(1002, "enough");
    };
    socket.receive(packFrame(new Uint8Array(32 * 1024)));
    socket.receive(packFrame(frame(bootstrap(1))));
    expect(log.frames).to.have.length(1);
    expect(log.malformed).to.deep.equal([]);
  });

  it("carries what a connection says, packed", () => {
    const socket = new FakeSocket("ws");
    const connection = new Connection(new WebSocketTransport(socket as unknown as WebSocketLike));
    socket.open(CAPSTAN_PACKED_PROTOCOL);
    connection.abort("over");
    const [sent] = socket.sent;
    const reader = new FrameReader(LIMITS, { batched: true });
    reader.open(unpackFrame(sent as Uint8Array, LIMITS));
    expect(reader.next()?.kind).to.equal(MessageKind.abort);
    expect(socket.closeCode).to.equal(1002);
  });
});

function append(writer: SegmentWriter, count: number): void {
  writer.ensure(count);
  writer.bytes.fill(0, writer.length, writer.length + count);
  writer.length += count;
}
