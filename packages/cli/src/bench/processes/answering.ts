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
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  reply({ kind: "failed", message } satisfies Failed);
}

/** Ends with the process that started this one. Ctrl-C reaches the whole process group; the starter decides what it ends. */
export function followStarter(): void {
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
}
