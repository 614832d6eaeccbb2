// Expectations on entrypoints as TypeScript sees them: their handlers, and what a binding to them shows.
import type { Provider, RpcPromise, Service, Socket } from "../../packages/client/src/index.ts";
import { WorkerEntrypoint } from "../../packages/host/src/index.ts";

/** With the handlers that there are. */
export class Handling extends WorkerEntrypoint<{ readonly NAME: string }> {
  override async fetch(request: Request): Promise<Response> {
    return new Response(`${this.env.NAME} ${request.url}`);
  }
  override async connect(socket: Socket): Promise<void> {
    await socket.readable.pipeTo(socket.writable);
  }
  // @ts-expect-error: other events are methods like any others
  override queue(): void {}
}

/** At once, and with less than they are given. */
export class Brief extends WorkerEntrypoint {
  override fetch(): Response {
    return new Response();
  }
  override connect(): void {}
}

export class Wrong extends WorkerEntrypoint {
  // @ts-expect-error: a Response is wanted
  override fetch(): string {
    return "";
  }
  // @ts-expect-error: it is given a socket
  override connect(address: string): void {
    void address;
  }
}

/** Without any. */
class Plain extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
}

declare const handling: Service<Handling>;
declare const plain: Service<Plain>;
declare const members: Provider<Plain>;

export async function bindings(): Promise<void> {
  const response: Response = await handling.fetch("http://x.test/", { method: "POST", body: "b" });
  const socket: Socket = handling.connect("x:1");
  const other: Response = await plain.fetch(new URL("http://x.test/"));
  const sum: RpcPromise<number> = plain.add(1, 2);
  void [response, socket, other, sum, members.add];
  // @ts-expect-error: a request is no call
  members.fetch;
  // @ts-expect-error: nor is a socket
  members.connect;
}
