// Which subprotocol a link gets, and so whether its frames are packed.
import { CAPNP_PROTOCOL, CAPSTAN_PACKED_PROTOCOL, CAPSTAN_PROTOCOL } from "@capstan/vat";

/**
 * Whether a host packs the frames of its links, where the other end can:
 *
 * - "remote": of callers on other machines, and of those that ask for it. A host that it calls itself decides likewise.
 * - "always": of all links, and it asks the hosts that it calls for it.
 * - "never": of none.
 */
export type PackedPolicy = (typeof PACKED_POLICIES)[number];

export const PACKED_POLICIES = ["always", "remote", "never"] as const;

/**
 * The subprotocol for a caller that offers `offered`, what it likes best first; undefined where it offers none that is known
 * here.
 *
 * @param address the caller's IP address; undefined where it has none, as on a Unix socket.
 */
export function chooseProtocol(
  offered: Iterable<string>,
  policy: PackedPolicy,
  address: string | undefined,
): string | undefined {
  const known = new Set(offered);
  if (policy === "never") known.delete(CAPSTAN_PACKED_PROTOCOL);
  const isWanted = policy === "always" || !isLoopback(address);
  if (isWanted && known.has(CAPSTAN_PACKED_PROTOCOL)) return CAPSTAN_PACKED_PROTOCOL;
  for (const name of known) if (name === CAPSTAN_PROTOCOL || name === CAPSTAN_PACKED_PROTOCOL) return name;
  return known.has(CAPNP_PROTOCOL) ? CAPNP_PROTOCOL : undefined;
}

/** What a host with this policy asks for when it calls another one. */
export function packedOption(policy: PackedPolicy = "remote"): boolean | undefined {
  return policy === "remote" ? undefined : policy === "always";
}

/** Whether nothing but this machine is between: then bytes are cheaper than cycles. */
function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === "::1" || /^(?:::ffff:)?127\./.test(address);
}
