// The benchmark's own host, alone in its process. It says where it listens, and ends when told to.
import { serveBenchWorker } from "../serve-worker.ts";
import { answer, followStarter, reply, replyFailed } from "./answering.ts";

followStarter();
answer(async () => ({}));
serveBenchWorker({ port: 0 }).then(({ url }) => reply({ kind: "ready", url }), replyFailed);
