// The C++ peer against itself: its scenarios hold between two ends that are Cap'n Proto's own.
import { expect } from "chai";
import { listScenarios, needPeer, PeerServer, type PeerTransport, runScenarios } from "./peer.ts";

describe("interop: the C++ peer against itself", function () {
  this.timeout(300_000);
  const binary = needPeer();

  async function holds(transport: PeerTransport, tear: boolean): Promise<void> {
    await using server = await PeerServer.start(binary(), "serve", transport, ...(tear ? ["--tear"] : []));
    const outcomes = await runScenarios(binary(), transport, server.address, { tear });
    const names = await listScenarios(binary());
    expect(Object.fromEntries(outcomes)).to.deep.equal(Object.fromEntries(names.map((name) => [name, "ok"])));
    const ended = await server.end();
    expect(ended.code, ended.stderr).to.equal(0);
  }

  it("passes every scenario over TCP", () => holds("tcp", false));

  it("passes every scenario over Unix sockets", () => holds("unix", false));

  it("passes every scenario over WebSocket", () => holds("ws", false));

  it("passes every scenario when all messages are torn into segments, over TCP", () => holds("tcp", true));

  it("passes every scenario when all messages are torn into segments, over WebSocket", () => holds("ws", true));
});
