import { getInterfaceClient, type Method, type Struct, type StructCtor } from "capnp-ts";
import { Bootstrap, Exception, Exception_Type } from "capnp-ts/src/std/rpc.capnp.js";
import { expect } from "chai";
import { callStruct, capabilityOf, serveStruct, setCapability } from "../../packages/vat/src/capnp-ts/index.ts";
import {
  type Capability,
  Connection,
  InterfaceServer,
  LocalCapability,
  MemoryTransport,
  RpcError,
} from "../../packages/vat/src/index.ts";
import { resolveLimits } from "../../packages/wire/src/index.ts";

function method<P extends Struct, R extends Struct>(
  methodId: number,
  ParamsClass: StructCtor<P>,
  ResultsClass: StructCtor<R>,
): Method<P, R> {
  return { interfaceId: 77n, interfaceName: "Test", methodId, methodName: "", ParamsClass, ResultsClass };
}

const SHOUT = method(0, Exception, Exception);
const ECHO = method(1, Bootstrap, Bootstrap);
const FAIL = method(2, Exception, Exception);

describe("vat: structs of capnp-ts", () => {
  let link: Connection;
  let api: Capability;

  beforeEach(() => {
    const server = new InterfaceServer([
      serveStruct(SHOUT, (params, results) => {
        results.setReason(params.getReason().toUpperCase());
        results.setType(params.getType());
      }),
      serveStruct(ECHO, (params, results) => {
        results.setQuestionId(params.getQuestionId() + 1);
        const cap = capabilityOf(getInterfaceClient(0, params)) as Capability;
        setCapability(results, 0, cap);
      }),
      serveStruct(FAIL, () => {
        throw RpcError.unimplemented("not here");
      }),
    ]);
    const [left, right] = MemoryTransport.pair();
    link = new Connection(left);
    new Connection(right, { bootstrap: new LocalCapability(server, resolveLimits()) });
    api = link.bootstrap();
  });

  afterEach(() => {
    api.release();
    link.close();
  });

  it("are parameters and results", async () => {
    using results = await callStruct(api, SHOUT, (params) => {
      params.setReason("héllo, ".repeat(2000));
      params.setType(Exception_Type.OVERLOADED);
    });
    expect(results.struct.getReason()).to.equal("HÉLLO, ".repeat(2000));
    expect(results.struct.getType()).to.equal(Exception_Type.OVERLOADED);
  });

  it("carry capabilities, which can be pipelined on", async () => {
    let released = 0;
    const own = new LocalCapability(new InterfaceServer([], () => released++), resolveLimits());
    const call = callStruct(api, ECHO, (params) => {
      params.setQuestionId(41);
      setCapability(params, 0, own.addRef());
    });
    const pipelined = call.pipeline(0);
    const results = await call;
    expect(results.struct.getQuestionId()).to.equal(42);
    const back = capabilityOf(getInterfaceClient(0, results.struct));
    expect(back?.resolved).to.equal(own);
    back?.release();
    pipelined.release();
    own.release();
    expect(released).to.equal(0);
    results[Symbol.dispose]();
    (await callStruct(api, SHOUT))[Symbol.dispose]();
    expect(released).to.equal(1);
  });

  it("read null capabilities as none", async () => {
    using results = await callStruct(api, SHOUT);
    expect(capabilityOf(getInterfaceClient(0, results.struct))).to.equal(undefined);
  });

  it("fail with the callee's exception", async () => {
    let failure: unknown;
    await callStruct(api, FAIL).then(undefined, (error: unknown) => {
      failure = error;
    });
    expect(failure).to.include({ message: "not here", type: 3 });
  });
});
