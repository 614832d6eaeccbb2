import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

class Counter extends RpcTarget {
  #value = 0;

  incrementBy(amount) {
    this.#value += amount;
    return this;
  }

  value() {
    return this.#value;
  }
}

export default class extends WorkerEntrypoint {
  add(a, b) {
    return a + b;
  }

  newCounter() {
    return new Counter();
  }

  greet(greeting) {
    this.ctx.waitUntil(
      new Promise((done) => setTimeout(done, 50)).then(() => console.error("worker-b: finished after its answer")),
    );
    return `${greeting} from worker-b`;
  }
}
