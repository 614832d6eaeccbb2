// The other end of measured-process.ts: how such a process answers, and when it ends.
import type { Failed, Stop } from "./measured-process.ts";

/** Answers every request in order with what `handle` gives, or with its error. Waits for `stop` before the process ends. */
export function answer<Request extends { readonly kind: string }, Reply extends object>(
  handle: (request: Request) => Promise<Reply>,
  stop: () => void | Promise<void> = () => {},
): void {
  process.on("message", (request: Request | Stop) => {
    if (request.kind === "stop") {
      void Promise.resolve(stop()).then(() => process.exit(0));
      return;
    }
    handle(request as Request).then(reply, replyFailed);
  });
}

export function reply(message: object): void {
  process.send?.(message);
}

export function replyFailed(error: unknown): void {
  reply({ kind: "failed", message: textOf(error) } satisfies Failed);
}

/** The starter makes an Error of it: the name "Error" would stand there twice. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
}

/** Ends with the process that started this one. Ctrl-C reaches the whole process group; the starter decides what it ends. */
export function followStarter(): void {
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
}
