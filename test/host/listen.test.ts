import { once } from "node:events";
import { Agent, get, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";
import { serve, WorkerEntrypoint } from "../../packages/host/src/index.ts";

class Api extends WorkerEntrypoint {
  add(a: number, b: number): number {
    return a + b;
  }
  override fetch(): Response {
    return new Response("answered");
  }
}

const workers = [{ name: "api", module: { default: Api } }];

describe("host: listening in a way of the caller's", () => {
  it("serves where the caller makes it listen", async () => {
    const listen = async (http: Server): Promise<AddressInfo> => {
      http.listen(0, "127.0.0.1");
      await once(http, "listening");
      return http.address() as AddressInfo;
    };
    await using host = await serve({ workers, listen });
    using link = connect(host.url);
    expect(await link.service<Api>().add(1, 2)).to.equal(3);
  });

  it("serves connections that the caller gives it, until it is closed", async () => {
    const front = createServer();
    await once(front.listen(0, "127.0.0.1"), "listening");
    const listen = async (http: Server): Promise<AddressInfo> => {
      // Idle connections stay until the host closes them.
      http.keepAliveTimeout = 0;
      front.on("connection", (socket: Socket) => http.emit("connection", socket));
      return front.address() as AddressInfo;
    };
    const host = await serve({ workers, listen });
    expect(host.port).to.equal((front.address() as AddressInfo).port);
    const link = connect(host.url);
    expect(await link.service<Api>().add(1, 2)).to.equal(3);
    const agent = new Agent({ keepAlive: true });
    const [answer] = (await once(get(host.url, { agent }), "response")) as [IncomingMessage];
    const { socket } = answer;
    expect(await text(answer)).to.equal("answered");
    const [linkBroken, idleClosed] = [new Promise((broken) => link.onBroken(broken)), once(socket, "close")];
    await host.close();
    await Promise.all([linkBroken, idleClosed]);
    front.close();
  });

  it("is not served where the caller's way fails", async () => {
    let refusal: unknown;
    await serve({ workers, listen: () => Promise.reject(new Error("no socket")) }).catch((error: unknown) => {
      refusal = error;
    });
    expect(refusal).to.include({ message: "no socket" });
  });
});
