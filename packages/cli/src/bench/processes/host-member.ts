// One of several processes of the benchmark's own host.
import { joinGroup } from "../../serve/group-member.ts";
import { serveBenchWorker } from "../serve-worker.ts";

joinGroup((_task, { listen }) => serveBenchWorker({ listen }));
