// The benchmark's own host, alone in its process or in several that this one starts: argv has how many. It says where it
// listens, and ends when told to.
import { ProcessGroup } from "../../serve/process-group.ts";
import { serveBenchWorker } from "../serve-worker.ts";
import { answer, followStarter, reply, replyFailed } from "./answering.ts";

let group: ProcessGroup<object> | undefined;

followStarter();
answer(
  async () => ({}),
  () => group?.stop(),
);
start(Number(process.argv[2])).then((url) => reply({ kind: "ready", url }), replyFailed);

async function start(processes: number): Promise<string> {
  if (processes === 1) return (await serveBenchWorker({ port: 0 })).url;
  // The same file as source and as built.
  const module = new URL(`host-member${import.meta.url.slice(-3)}`, import.meta.url);
  group = new ProcessGroup({ module, task: {}, count: processes, port: 0, host: "127.0.0.1", graceMs: 0 });
  let at: string | undefined;
  await group.start((url) => {
    at = url;
  });
  if (at === undefined) throw new Error("one of its processes did not start");
  return at;
}
