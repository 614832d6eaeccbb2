// One of several processes behind one port: the other end of process-group.ts.
import type { Host } from "@capstan/host";
import { thrownText } from "../print.ts";
import type { Note, Order } from "./orders.ts";
import { withholdStandardOutput } from "./serve-task.ts";

/** How a process serves: its share of what the group was told. */
export type Serve<Task> = (task: Task, place: { readonly port: number; readonly serial: number }) => Promise<Host>;

/** Serves when the primary process says so, and ends when that says so or is gone. */
export function joinGroup<Task>(serve: Serve<Task>): void {
  // Ctrl-C and service managers signal whole groups of processes; the primary one decides what ends.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  const releaseOutput = withholdStandardOutput();
  let host: Host | undefined;
  const start = async ({ task, port, serial }: Order<Task> & { kind: "serve" }): Promise<void> => {
    host = await serve(task, { port, serial });
    tell({ kind: "ready", url: host.url, port: host.port });
  };
  process.on("message", (order: Order<Task>) => {
    if (order.kind === "announced") releaseOutput();
    else if (order.kind === "serve") start(order).catch(fail);
    else if (host === undefined) endWhileLoading();
    else void host.close().then(() => process.exit(0));
  });
  // Node ends the process when the primary one is gone; while a Worker loads, that takes no words either.
  process.prependListener("disconnect", () => {
    if (host === undefined) endWhileLoading();
  });
  tell({ kind: "here" });
}

function tell(note: Note): void {
  process.send?.(note);
}

function fail(error: unknown): void {
  console.error(thrownText(error));
  process.exit(1);
}

/** The loader takes an end of the process for the Worker's own doing, and would report it. */
function endWhileLoading(): void {
  process.stderr.write = () => true;
  process.exit(0);
}
