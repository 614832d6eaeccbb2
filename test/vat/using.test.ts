import { expect } from "chai";
import {
  Connection,
  callMethod,
  InterfaceServer,
  LocalCapability,
  MemoryTransport,
} from "../../packages/vat/src/index.ts";

const NOTHING = { dataWords: 0, pointers: 0 };
const PING = { interfaceId: 1n, methodId: 0, params: NOTHING, results: NOTHING };

describe("vat: using", () => {
  it("gives a capability back at the end of the block, and closes a connection", async () => {
    let released = 0;
    const [left, right] = MemoryTransport.pair();
    const server = new InterfaceServer([{ method: PING, handle: () => {} }], () => released++);
    const serving = new Connection(right, { bootstrap: new LocalCapability(server) });
    const ended = new Promise<string>((done) => serving.whenClosed(({ message }) => done(message)));
    const client = new Connection(left);
    {
      using _ = client;
      using bootstrap = client.bootstrap();
      (await callMethod(bootstrap, PING))[Symbol.dispose]();
      expect(client.tables.imports).to.equal(1);
    }
    expect(client.closedReason?.message).to.equal("The link was closed.");
    expect(await ended).to.be.a("string");
    expect(released).to.equal(1);
    expect(() => client[Symbol.dispose]()).not.to.throw();
  });

  it("gives a reference back, not the object: somebody else may hold it", () => {
    let released = 0;
    const capability = new LocalCapability(new InterfaceServer([], () => released++));
    {
      using _ = capability.addRef();
    }
    expect(released).to.equal(0);
    capability.release();
    expect(released).to.equal(1);
  });
});
