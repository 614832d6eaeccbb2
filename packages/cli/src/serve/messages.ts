// What the primary process and those that serve say to each other over IPC.
import type { AddressInfo } from "node:net";

/** From the primary process. */
export type Order<Task> =
  /** Load what is to be served. The first, and once. */
  | {
      readonly kind: "load";
      readonly task: Task;
      /** 1 for the first process that was started; none has that of another. */
      readonly serial: number;
    }
  /** Connections come, and standard output is free for what Workers print: its first line is out. */
  | { readonly kind: "open"; readonly address: AddressInfo }
  /** The socket beside it is one of yours. There is none where it was closed on the way. */
  | { readonly kind: "connection" }
  /** Let calls and tasks finish, and end. */
  | { readonly kind: "stop" };

/** From a process that serves. One that cannot says why on standard error, and ends. */
export interface Note {
  readonly kind:
    | "loaded"
    /** The connection that was sent last is here. */
    | "taken"
    /** One of its connections is closed. */
    | "closed";
}
