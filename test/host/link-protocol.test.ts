import { expect } from "chai";
import { chooseProtocol, type PackedPolicy } from "../../packages/host/src/link-protocol.ts";

const LOOPBACK = "127.0.0.1";
const ELSEWHERE = "192.0.2.7";
const EITHER = ["capstan.1", "capstan.1.packed", "capnp"];
const RATHER_PACKED = ["capstan.1.packed", "capstan.1", "capnp"];
const UNPACKED = ["capstan.1", "capnp"];

describe("host: the subprotocol of a link", () => {
  const chosen: readonly [offered: readonly string[], ...by: [PackedPolicy, from: string | undefined, string?][]][] = [
    [
      EITHER,
      ["remote", LOOPBACK, "capstan.1"],
      ["remote", "127.8.9.10", "capstan.1"],
      ["remote", "::1", "capstan.1"],
      ["remote", "::ffff:127.0.0.1", "capstan.1"],
      ["remote", undefined, "capstan.1"],
      ["remote", ELSEWHERE, "capstan.1.packed"],
      ["remote", "::ffff:192.0.2.7", "capstan.1.packed"],
      ["remote", "fe80::127.0.0.1", "capstan.1.packed"],
      ["always", LOOPBACK, "capstan.1.packed"],
      ["always", ELSEWHERE, "capstan.1.packed"],
      ["never", LOOPBACK, "capstan.1"],
      ["never", ELSEWHERE, "capstan.1"],
    ],
    [
      RATHER_PACKED,
      ["remote", LOOPBACK, "capstan.1.packed"],
      ["remote", ELSEWHERE, "capstan.1.packed"],
      ["always", LOOPBACK, "capstan.1.packed"],
      ["never", LOOPBACK, "capstan.1"],
      ["never", ELSEWHERE, "capstan.1"],
    ],
    [
      UNPACKED,
      ["remote", ELSEWHERE, "capstan.1"],
      ["always", ELSEWHERE, "capstan.1"],
      ["never", LOOPBACK, "capstan.1"],
    ],
    [["capstan.1.packed"], ["remote", LOOPBACK, "capstan.1.packed"], ["never", LOOPBACK]],
    [
      ["capnp", "capstan.1.packed", "capstan.1"],
      ["remote", LOOPBACK, "capstan.1.packed"],
      ["never", ELSEWHERE, "capstan.1"],
    ],
    [
      ["x", "capnp"],
      ["always", ELSEWHERE, "capnp"],
      ["never", LOOPBACK, "capnp"],
    ],
    [
      ["x", "toString"],
      ["always", ELSEWHERE],
    ],
    [[], ["always", ELSEWHERE]],
  ];
  for (const [offered, ...cases] of chosen) {
    for (const [policy, address, protocol] of cases) {
      const who = `to a caller at ${address ?? "no address"} that offers ${offered.join(", ") || "nothing"}`;
      it(`is ${protocol ?? "none"} where frames are packed "${policy}", ${who}`, () => {
        expect(chooseProtocol(offered, policy, address)).to.equal(protocol);
      });
    }
  }
});
