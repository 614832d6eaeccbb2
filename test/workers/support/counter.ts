// An object that is handed out, and what happened to those there were.
import { RpcTarget } from "../../../packages/host/src/index.ts";

/** What tests of invocations note down; emptied before each. */
export const events: string[] = [];

export class Counter extends RpcTarget {
  #count = 0;
  increment(): number {
    return ++this.#count;
  }
  [Symbol.dispose](): void {
    events.push("counter disposed");
  }
}
