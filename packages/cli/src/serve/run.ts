// Serves until a signal: in this process, or in several that it starts.
import { ProcessGroup } from "./process-group.ts";
import { type ServeTask, serveHere } from "./serve-task.ts";
import { withholdStandardOutput } from "./standard-output.ts";

/** Rejects where it cannot serve. */
export async function serveInOne(task: ServeTask, port: number): Promise<void> {
  const releaseOutput = withholdStandardOutput();
  const host = await serveHere(task, { port });
  releaseOutput();
  console.log(`listening on ${host.url}`);
  stopOnSignal(() => host.close());
}

/** Ends this process with 1 where they cannot serve, which was told; rejects for a port that cannot be had. */
export async function serveInSeveral(task: ServeTask, port: number, count: number): Promise<void> {
  // The same file as source and as built.
  const module = new URL(`serving-process${import.meta.url.slice(-3)}`, import.meta.url);
  const group = new ProcessGroup({ module, task, count, port, host: task.host, graceMs: task.graceMs });
  let isStopping = false;
  stopOnSignal(() => {
    isStopping = true;
    return group.stop();
  });
  if (await group.start((url) => console.log(`listening on ${url}`))) await group.hopeless;
  if (!isStopping) process.exit(1);
}

/** The first signal lets `stop` do its work, the next one ends this process at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  const handle = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    void stop().then(() => process.exit(0));
  };
  process.on("SIGTERM", handle);
  process.on("SIGINT", handle);
}
