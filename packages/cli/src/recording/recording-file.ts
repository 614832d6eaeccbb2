// A file that hears what passes over links.
import { closeSync, openSync, writeSync } from "node:fs";
import type { TrafficListener, TrafficRecorder } from "@capstan/vat";
import { type LinkEvent, RECORDING_HEADER, SegmentWriter, writeRecord } from "@capstan/wire";

/** So much is written to the file at once; less, once the turn is over. */
const PIECE_BYTES = 64 * 1024;

/** Records into the file at `path`, which is emptied first; undefined for no path. Throws the system's error. */
export function recordTo(path: string | undefined): TrafficRecorder | undefined {
  if (path === undefined) return undefined;
  const file = new RecordingFile(path);
  return (peer) => file.addLink(peer);
}

/**
 * Writes without waiting, so memory stays bounded however slow the disk is, and nothing is lost when the process ends.
 * A file that cannot be written to any more is given up with a message; the links go on.
 */
class RecordingFile {
  readonly #path: string;
  readonly #start = process.hrtime.bigint();
  readonly #writer = new SegmentWriter(2 * PIECE_BYTES);
  readonly #flushAtExit = (): void => this.#flush();
  #file: number | undefined;
  #links = 0;
  #isScheduled = false;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "w");
    process.on("exit", this.#flushAtExit);
    this.#write(Buffer.from(RECORDING_HEADER));
  }

  /** Begins a link's records. */
  addLink(peer: string): TrafficListener {
    const link = ++this.#links;
    const add = (event: LinkEvent): void => this.#add(link, event);
    add({ kind: "made", peer });
    return {
      handleOpen: (batched, packed) => add({ kind: "opened", batched, packed }),
      handleSent: (frame) => add({ kind: "sent", frame }),
      handleReceived: (frame) => add({ kind: "received", frame }),
      handleClosed: (reason) => add({ kind: "closed", reason }),
    };
  }

  #add(link: number, event: LinkEvent): void {
    if (this.#file === undefined) return;
    const microseconds = Number((process.hrtime.bigint() - this.#start) / 1000n);
    const { length } = this.#writer;
    try {
      writeRecord(this.#writer, { microseconds, link, event });
    } catch (error) {
      // A frame that no record has room for. What is left without it would mislead.
      this.#writer.length = length;
      this.#flush();
      this.#giveUp(error);
      return;
    }
    if (this.#writer.pending >= PIECE_BYTES) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#writer.pending > 0) this.#write(this.#writer.take());
  }

  #write(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    process.off("exit", this.#flushAtExit);
    console.error(`The recording ${this.#path} ends here: ${error instanceof Error ? error.message : String(error)}`);
    try {
      closeSync(file);
    } catch {
      // It was broken already.
    }
  }
}
