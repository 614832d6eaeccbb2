// Bytes to BigInts: a sign, a length, and digits with the lowest first.
import type { ValueReader } from "./read.ts";

/** Reads sign, length and digits behind a BigInt's tag. */
export function readBigInt(input: ValueReader): bigint {
  const header = input.readVarint();
  const byteLength = header >>> 1;
  if (byteLength > input.limits.maxBigIntBytes) throw input.failure(`a BigInt of ${byteLength} bytes`);
  const at = input.need(byteLength);
  const magnitude = byteLength === 8 ? input.view.getBigUint64(at, true) : readMagnitude(input.bytes, at, byteLength);
  return (header & 1) === 1 ? -magnitude : magnitude;
}

function readMagnitude(bytes: Uint8Array, at: number, byteLength: number): bigint {
  if (byteLength === 0) return 0n;
  let hex = "0x";
  for (let i = at + byteLength - 1; i >= at; i--) hex += (bytes[i] as number).toString(16).padStart(2, "0");
  return BigInt(hex);
}
