// Section c: bindings as values. What receives one has a binding, with its events.
import { expect } from "chai";
import { connect, type Socket } from "../../packages/client/src/index.ts";
import { WorkerEntrypoint } from "../../packages/host/src/index.ts";
import { deferred, eventually, item, onBothTransports, type Untyped } from "./support/transports.ts";

let gate = deferred();
const seen: unknown[] = [];

function shapeOf(binding: Untyped): unknown {
  return [
    typeof binding,
    binding.constructor.name,
    typeof binding.then,
    typeof binding.dup,
    typeof binding[Symbol.dispose],
    typeof binding.fetch,
    Object.keys(binding),
  ];
}

const SHAPE = ["object", "Object", "undefined", "undefined", "undefined", "function", []];

async function useBinding(binding: Untyped): Promise<unknown> {
  const response = await binding.fetch("http://x.test/path", { method: "POST", body: "sent" });
  const socket: Socket = binding.connect("h:1");
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("echo"));
  await writer.close();
  return [
    shapeOf(binding),
    await response.text(),
    await new Response(socket.readable).text(),
    await binding.greet("Ada"),
  ];
}

const USED = [SHAPE, "POST http://x.test/path sent", "echo", "Hello, Ada"];

export class Named extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    return new Response(`${request.method} ${request.url} ${await request.text()}`);
  }
  override async connect(socket: Socket): Promise<void> {
    await socket.readable.pipeTo(socket.writable);
  }
  greet(name: string): string {
    return `Hello, ${name}`;
  }
}

class Api extends WorkerEntrypoint<{ readonly BEYOND: Untyped }> {
  async use(binding: Untyped): Promise<unknown> {
    return await useBinding(binding);
  }
  async useNested(value: { readonly list: readonly Untyped[] }): Promise<unknown> {
    return await useBinding(value.list[0]);
  }
  /** Answers, and goes on using what it was given. */
  useLater(binding: Untyped): void {
    this.ctx.waitUntil(gate.promise.then(async () => seen.push(await binding.greet("late"))));
  }
  give(): unknown {
    return (this.ctx.exports as Untyped).Named;
  }
  giveNested(): object {
    return { service: (this.ctx.exports as Untyped).Named };
  }
  giveBeyond(): unknown {
    return this.env.BEYOND;
  }
  echo(value: unknown): unknown {
    return value;
  }
  same(a: unknown, b: unknown): boolean {
    return a === b;
  }
}

onBothTransports(
  "c. Bindings as values",
  { default: Api, Named },
  (stage) => {
    item("c.3", () => {
      it("gives the receiver of a binding its methods, fetch and connect", async () => {
        expect(await stage.api.use(stage.env.Named)).to.deep.equal(USED);
        expect(await stage.api.useNested({ list: [stage.env.Named] })).to.deep.equal(USED);
        expect(await stage.api.same(stage.env.Named, stage.env.Named)).to.equal(true);
        await stage.idle();
      });

      for (const method of ["give", "giveBeyond"]) {
        it(`gives the caller a binding: ${method}`, async () => {
          using call = stage.api[method]();
          expect(await call.greet("Ada")).to.equal("Hello, Ada");
          expect(await useBinding(await call)).to.deep.equal(USED);
          expect(await call.greet("Ada")).to.equal("Hello, Ada");
        });
      }

      it("gives a binding within a value", async () => {
        const result = await stage.api.giveNested();
        expect(await useBinding(result.service)).to.deep.equal(USED);
        result[Symbol.dispose]();
        await stage.idle();
      });

      it("stays a binding when it comes back, and the sender's stays usable", async () => {
        using call = stage.api.echo(stage.env.Named);
        expect(await useBinding(await call)).to.deep.equal(USED);
        expect(await useBinding(stage.env.Named)).to.deep.equal(USED);
      });

      it("lets the receiver use a binding until its invocation ends", async () => {
        gate = deferred();
        await stage.api.useLater(stage.env.Named);
        gate.resolve();
        await eventually(() => seen.includes("Hello, late"));
        await stage.idle();
      });

      it("gives an application a binding too, and takes its service for one", async () => {
        using link = connect(stage.host.url);
        const api: Untyped = link.service("callee");
        await api.same(1, 1);
        const before = link.tables;
        {
          using call = api.give();
          expect(await useBinding(await call)).to.deep.equal(USED);
        }
        await eventually(() => link.tables.imports === before.imports);
        using named = link.service("callee", { entrypoint: "Named" }) as Untyped;
        expect(await api.use(named)).to.deep.equal(USED);
      });
    });

    item("b.8", () => {
      it("has of a received binding what is local on bindings", async () => {
        using call = stage.api.give();
        const binding = await call;
        expect(shapeOf(binding)).to.deep.equal(SHAPE);
        expect("anything" in binding).to.equal(true);
        expect(() => binding("x")).to.throw(TypeError);
      });
    });
  },
  { beyond: { default: Named } },
);
