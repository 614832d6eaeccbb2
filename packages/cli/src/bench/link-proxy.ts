// A link of a given delay: a TCP proxy that holds every byte back for a fixed time each way. Order is kept. An optional
// bandwidth says how fast bytes leave it; they then wait behind one another. It also counts what passes.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const LOOPBACK = "127.0.0.1";
/** Timers of Node may be late by this, in milliseconds; the rest is waited for turn by turn. */
const TIMER_MS = 2;
/** Bytes held in one direction of one connection before its source is told to wait. A real link holds as much at most. */
const MAX_HELD = 64 * 1024 * 1024;

export interface LinkProxyOptions {
  /** Where the bytes go. */
  readonly host: string;
  readonly port: number;
  /** Milliseconds each way: half of a round trip. */
  readonly delay: number;
  /** Bytes per second each way. Default: no bound. */
  readonly bandwidth?: number | undefined;
}

/** Bytes that have left the proxy, of all connections so far. */
export interface PassedBytes {
  readonly toHost: number;
  readonly toClient: number;
}

interface Held {
  readonly bytes: Buffer;
  readonly due: number;
}

/** One direction of one connection. Ends its sink when its source has ended and everything is through. */
export class DelayLine {
  private readonly held: Held[] = [];
  private heldBytes = 0;
  private ended = false;
  /** When the bandwidth lets the next byte begin to leave. */
  private free = 0;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private readonly source: Socket;
  private readonly sink: Socket;
  private readonly delay: number;
  private readonly bandwidth: number;
  private readonly passed: (bytes: number) => void;

  constructor(source: Socket, sink: Socket, options: LinkProxyOptions, passed: (bytes: number) => void) {
    this.source = source;
    this.sink = sink;
    this.delay = options.delay;
    this.bandwidth = options.bandwidth ?? Number.POSITIVE_INFINITY;
    this.passed = passed;
    source.on("data", (bytes: Buffer) => this.take(bytes));
    source.on("end", () => this.end());
    sink.on("drain", () => this.run());
  }

  private take(bytes: Buffer): void {
    const now = performance.now();
    // The last byte of a piece comes out when the link has had time for all bytes up to it, and the delay is over.
    this.free = Math.max(now, this.free) + (bytes.length / this.bandwidth) * 1_000;
    this.held.push({ bytes, due: this.free + this.delay });
    this.heldBytes += bytes.length;
    if (this.heldBytes > MAX_HELD) this.source.pause();
    if (this.timer === undefined && this.immediate === undefined) this.run();
  }

  private end(): void {
    this.ended = true;
    this.run();
  }

  /** Passes on what is due, and comes back when the next piece is. */
  private run(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = this.immediate = undefined;
    while (this.held[0] !== undefined && !this.sink.writableNeedDrain) {
      const wait = this.held[0].due - performance.now();
      if (wait > 0) {
        this.comeBack(wait);
        return;
      }
      const { bytes } = this.held.shift() as Held;
      this.heldBytes -= bytes.length;
      if (this.heldBytes <= MAX_HELD) this.source.resume();
      this.passed(bytes.length);
      this.sink.write(bytes);
    }
    if (this.ended && this.held.length === 0) this.sink.end();
  }

  private comeBack(wait: number): void {
    if (wait > TIMER_MS) this.timer = setTimeout(() => this.run(), wait - TIMER_MS);
    else this.immediate = setImmediate(() => this.run());
  }

  /** Drops what is held. */
  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.held.length = 0;
  }
}

/** Listens on a free port of the loopback address, and links each connection to the host. */
export class LinkProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly live: Set<() => void>;
  private readonly counts: { toHost: number; toClient: number };

  private constructor(server: Server, live: Set<() => void>, counts: { toHost: number; toClient: number }) {
    this.server = server;
    this.live = live;
    this.counts = counts;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(options: LinkProxyOptions): Promise<LinkProxy> {
    const live = new Set<() => void>();
    const counts = { toHost: 0, toClient: 0 };
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const host = connect({ host: options.host, port: options.port, allowHalfOpen: true, noDelay: true });
      const there = new DelayLine(client, host, options, (bytes) => {
        counts.toHost += bytes;
      });
      const back = new DelayLine(host, client, options, (bytes) => {
        counts.toClient += bytes;
      });
      const sever = (): void => {
        live.delete(sever);
        there.stop();
        back.stop();
        for (const socket of [client, host]) {
          // A reset while the socket is being shut down leaves its handle open, and Node then cannot end (20.20).
          if (socket.writableEnded) socket.destroy();
          else socket.resetAndDestroy();
        }
      };
      live.add(sever);
      for (const socket of [client, host]) {
        // What breaks one side breaks the other; where both have ended in order, nothing is left to do.
        socket.on("error", sever);
        socket.on("close", () => {
          if (client.closed && host.closed) live.delete(sever);
        });
      }
    });
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    return new LinkProxy(server, live, counts);
  }

  get passed(): PassedBytes {
    return { ...this.counts };
  }

  /** Ends the proxy and every connection through it. */
  async stop(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    for (const sever of [...this.live]) sever();
    await closed;
  }
}
