// BigInts as values: a sign, a length, and 64-bit digits with the lowest first.
import { cloneError } from "./clone-error.ts";
import type { ValueWriter } from "./value-writer.ts";

/** Writes `tag` and the sign, length and digits of `value`. */
export function writeBigInt(out: ValueWriter, tag: number, value: bigint): void {
  const sign = value < 0n ? 1 : 0;
  const magnitude = sign === 1 ? -value : value;
  if (BigInt.asUintN(64, magnitude) === magnitude) {
    out.ensure(14);
    out.writeByte(tag);
    const byteLength = magnitude === 0n ? 0 : 8;
    out.writeVarint((byteLength << 1) | sign);
    out.view.setBigUint64(out.position, magnitude, true);
    out.position += byteLength;
    return;
  }
  const hex = magnitude.toString(16);
  const byteLength = 8 * Math.ceil(hex.length / 16);
  if (byteLength > out.limits.maxBigIntBytes) {
    throw cloneError(`A BigInt of more than ${out.limits.maxBigIntBytes} bytes could not be cloned.`);
  }
  out.ensure(byteLength + 6);
  out.writeByte(tag);
  out.writeVarint(byteLength * 2 + sign);
  for (let end = hex.length; end > -byteLength * 2 + hex.length; end -= 8) {
    out.view.setUint32(out.position, end <= 0 ? 0 : Number.parseInt(hex.slice(Math.max(0, end - 8), end), 16), true);
    out.position += 4;
  }
}
