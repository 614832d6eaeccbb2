// What the value codec asks of its host: the objects that it cannot carry itself.
import type { ValueReader } from "./read.ts";
import type { ValueWriter } from "./value-writer.ts";

/** Called for what the codec cannot carry itself. */
export interface HostObjectWriter {
  /**
   * Writes `object` as a host object (`out.writeHostTag(tag)` and what follows it) and returns true, or returns
   * false: the codec then throws its DataCloneError. Called once per object and value: repeats are back references.
   */
  writeHostObject(out: ValueWriter, object: object): boolean;
  /** Whether errors carry their `stack`. Default false. */
  readonly sendStack?: boolean;
  /**
   * Whether `object` is a Proxy: if it is, the host has its say on it. Asked of each plain object and each array.
   * Without it a Proxy of a plain object or an array is written by value, through its traps.
   */
  isProxy?(object: object): boolean;
  /** Any state of the host that `rollback` can return to. Asked for before each property of an error. */
  checkpoint?(): number;
  /** Forgets the host objects written since `checkpoint`: their bytes were dropped. */
  rollback?(checkpoint: number): void;
}

/** Reads what a HostObjectWriter wrote. */
export interface HostObjectReader {
  /** Reads what follows the host tag; throws DecodeError for a tag it does not know. */
  readHostObject(input: ValueReader, tag: number): object;
}
