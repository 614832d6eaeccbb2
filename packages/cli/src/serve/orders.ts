// What the primary process and those that serve say to each other over IPC.

/** From the primary process to one that serves. */
export type Order<Task> =
  /** Once, to one that is here. */
  | {
      readonly kind: "serve";
      readonly task: Task;
      /** 0 takes a free one; all that are told so at the same time share it. */
      readonly port: number;
      /** 1 for the first process that was started; none has that of another. */
      readonly serial: number;
    }
  /** The first line of standard output is out: it is free for what Workers print. */
  | { readonly kind: "announced" }
  /** Let calls and tasks finish, and end. */
  | { readonly kind: "stop" };

/** From a process that serves. One that cannot says why on standard error, and ends. */
export type Note =
  /** It listens to orders; earlier ones it would not hear. */
  | { readonly kind: "here" }
  /** It accepts connections. */
  | { readonly kind: "ready"; readonly url: string; readonly port: number };
