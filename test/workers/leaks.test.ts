// Section e, garbage collection: what is lost without being disposed of is told.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { connect, warnOfLeaks } from "../../packages/client/src/index.ts";
import { RpcTarget, WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { eventually, failure, item, onBothTransports, type Untyped } from "./support/transports.ts";

let disposed = 0;

class Target extends RpcTarget {
  method(): void {}
  [Symbol.dispose](): void {
    disposed++;
  }
}

class Api extends WorkerEntrypoint {
  target(): Target {
    return new Target();
  }
  closable(): object {
    return { [Symbol.dispose]: () => disposed++ };
  }
  plain(): object {
    return { a: 1 };
  }
}

onBothTransports(
  "e. Leaks",
  { default: Api },
  (stage) => {
    const warnings: (Error & { detail?: string })[] = [];
    const listen = (warning: Error): void => void (warning.name === "RpcLeakWarning" && warnings.push(warning));
    let collect: () => void;
    let others: readonly unknown[] = [];

    before(() => {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as () => void;
      // Node's own listener prints.
      others = process.listeners("warning");
      process.removeAllListeners("warning");
      process.on("warning", listen);
      warnOfLeaks({ trace: true });
    });

    after(async () => {
      warnOfLeaks(false);
      process.off("warning", listen);
      for (const other of others) process.on("warning", other as never);
    });

    beforeEach(() => {
      warnings.length = 0;
      disposed = 0;
    });

    /** Makes a call whose result nobody keeps, and collects it. */
    async function lose(name: "target" | "closable" | "plain"): Promise<void> {
      await (async () => void (await stage.api[name]()))();
      await collectAll();
    }

    async function collectAll(): Promise<void> {
      for (let round = 0; round < 5; round++) {
        collect();
        await new Promise((done) => setTimeout(done, 5));
      }
    }

    item("e.6", () => {
      it("warns of a stub with the place where it was made, and does not dispose of it", async () => {
        await lose("target");
        await eventually(() => warnings.length === 1);
        expect(warnings[0]!.message).to.match(/^An RPC stub was not disposed properly\. /);
        expect(warnings[0]!.detail).to.contain("leaks.test.ts");
        expect(disposed).to.equal(0);
      });

      it("warns of a result with a disposer", async () => {
        await lose("closable");
        await eventually(() => warnings.length === 1);
        expect(warnings[0]!.message).to.match(/^An RPC result was not disposed properly\. /);
      });

      it("says nothing of what was disposed of, or holds nothing", async () => {
        await (async () => {
          using _stub = await stage.api.target();
          using _result = await stage.api.closable();
        })();
        await lose("plain");
        expect(warnings).to.deep.equal([]);
      });

      it("says nothing of what has ended with its link", async () => {
        await (async () => {
          using link = connect(stage.host.url);
          const api: Untyped = link.service("callee");
          await api.target();
          await api.closable();
          void failure(api.target().method());
        })();
        await collectAll();
        expect(warnings).to.deep.equal([]);
      });

      it("says nothing of a service, which keeps nothing at the other end", async () => {
        using link = connect(stage.host.url);
        await (async () => void (await link.service("callee").plain!()))();
        await collectAll();
        expect(warnings).to.deep.equal([]);
      });
    });
  },
  { leaves: true },
);
