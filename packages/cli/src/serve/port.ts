// The port of several processes. The primary one listens, and hands each connection to the process that has fewest: links
// stay as long as their clients, so turns alone would leave a process that starts later with hardly any.
import type { ChildProcess } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** So many connections wait for a process at most; others are closed at once. */
const MAX_WAITING = 1_024;

/** A process that takes connections. */
interface Taker {
  readonly child: ChildProcess;
  /** Those that it was given and that are not closed, `offered` among them. */
  connections: number;
  /** What it was given last, until it has it. One at a time, so that a busy process gets no others meanwhile. */
  offered: Socket | undefined;
}

/** Listens once, and for good: it is open whatever becomes of the processes. */
export class SharedPort {
  /** In the order in which they were last given something. */
  readonly #takers = new Map<ChildProcess, Taker>();
  #waiting: Socket[] = [];
  readonly #server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on("error", () => {});
    if (this.#waiting.length >= MAX_WAITING) socket.destroy();
    else this.#waiting.push(socket);
    this.#share();
  });

  /** From here on connections wait for a process. Rejects with the system's error. */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Adds a process, which answers each connection with `handleTaken` and its end with `handleClosed`. */
  add(child: ChildProcess): void {
    this.#takers.set(child, { child, connections: 0, offered: undefined });
    this.#share();
  }

  handleTaken(child: ChildProcess): void {
    const taker = this.#takers.get(child);
    // It is open in the other process alone from now on.
    taker?.offered?.destroy();
    if (taker !== undefined) taker.offered = undefined;
    this.#share();
  }

  handleClosed(child: ChildProcess): void {
    const taker = this.#takers.get(child);
    if (taker !== undefined) taker.connections--;
  }

  /** Removes a process that is gone. What it was given and did not take another one gets. */
  remove(child: ChildProcess): void {
    const offered = this.#takers.get(child)?.offered;
    this.#takers.delete(child);
    if (offered === undefined) return;
    if (this.#server.listening) this.#waiting.unshift(offered);
    else offered.destroy();
    this.#share();
  }

  /** Takes no more connections, and ends those that wait. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  #share(): void {
    while (this.#waiting.length > 0) {
      const taker = this.#next();
      if (taker === undefined) return;
      const socket = this.#waiting.shift() as Socket;
      this.#takers.delete(taker.child);
      this.#takers.set(taker.child, taker);
      taker.offered = socket;
      taker.connections++;
      // Kept open here until it is taken.
      taker.child.send({ kind: "connection" }, socket, { keepOpen: true }, () => {});
    }
  }

  /** Among those with fewest the one that was given nothing for longest. */
  #next(): Taker | undefined {
    let best: Taker | undefined;
    for (const taker of this.#takers.values()) {
      if (taker.offered !== undefined || !taker.child.connected) continue;
      if (best === undefined || taker.connections < best.connections) best = taker;
    }
    return best;
  }
}
