// CPU time and heap of the process that this runs in.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a process has used so far. */
export interface Usage {
  /** CPU time, user and system, in microseconds. */
  readonly cpu: number;
  /** Bytes of the JavaScript heap in use. */
  readonly heap: number;
}

let collectGarbage: (() => void) | undefined;

/** @param collect whether to collect garbage first, so that `heap` is what lives. */
export function readUsage(collect: boolean): Usage {
  if (collect) {
    if (collectGarbage === undefined) {
      setFlagsFromString("--expose-gc");
      collectGarbage = runInNewContext("gc") as () => void;
    }
    collectGarbage();
  }
  const { user, system } = process.cpuUsage();
  return { cpu: user + system, heap: process.memoryUsage().heapUsed };
}
