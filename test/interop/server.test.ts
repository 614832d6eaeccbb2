// The C++ client against a TypeScript server: every scenario, over each transport.
import { expect } from "chai";
import type { TableSizes } from "../../packages/vat/src/index.ts";
import { InteropServer } from "./endpoints.ts";
import { listScenarios, needPeer, type PeerTransport, runScenarios } from "./peer.ts";

function isAtRest({ exports, ...others }: TableSizes): boolean {
  return exports <= 1 && Object.values(others).every((size) => size === 0);
}

describe("interop: the C++ client and a TypeScript server", function () {
  this.timeout(300_000);
  const binary = needPeer();

  async function holds(transport: PeerTransport, tear = false): Promise<void> {
    await using server = await InteropServer.start(transport);
    const failures: Record<string, unknown> = {};
    for (const name of await listScenarios(binary())) {
      server.leftovers.length = 0;
      const outcomes = await runScenarios(binary(), transport, server.address, { tear, names: [name] });
      const said = outcomes.get(name);
      for (let tries = 0; tries < 200 && server.connections > 0; tries++) await new Promise((go) => setTimeout(go, 5));
      const { counts, shelf } = server.world;
      const left = {
        objects: counts.objects,
        hanging: counts.hanging,
        kept: shelf.size,
        connections: server.connections,
        // The connections of the scenario and of its witness are at rest when they end, others need not be. The witness
        // still holds the bootstrap capability.
        tidy: server.leftovers.filter(isAtRest).length >= 2,
      };
      const nothing = { objects: 0, hanging: 0, kept: 0, connections: 0, tidy: true };
      if (said !== "ok" || !Object.entries(nothing).every(([key, value]) => left[key as keyof typeof left] === value)) {
        failures[name] = { said, ...left, tables: [...server.leftovers] };
      }
    }
    expect(failures).to.deep.equal({});
  }

  it("passes every scenario over TCP", () => holds("tcp"));

  it("passes every scenario over Unix sockets", () => holds("unix"));

  it("passes every scenario over WebSocket", () => holds("ws"));

  it("passes every scenario when the client tears its messages into segments, over TCP", () => holds("tcp", true));

  it("passes every scenario when the client tears its messages into segments, over WebSocket", () => holds("ws", true));
});
