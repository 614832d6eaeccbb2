// Figures as people read them: three digits and a unit.
import type { Metric } from "./results.ts";
import type { Spread } from "./statistics.ts";

const KIB = 1024;
const MIB = KIB * KIB;

/** Three digits, and no fewer than the whole part has. */
export function formatDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return Math.round(value).toString();
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Without the zeros behind the point. */
function formatShort(value: number): string {
  return String(Number(formatDigits(value)));
}

/** A number to three digits: 982, 31.4 k, 2.06 M. */
export function formatCount(value: number): string {
  if (value >= 1e6) return `${formatShort(value / 1e6)} M`;
  return value >= 1e4 ? `${formatShort(value / 1e3)} k` : formatShort(value);
}

/** Microseconds: 3.14 µs, 12.5 ms, 1.20 s. */
export function formatTime(microseconds: number): string {
  if (microseconds >= 1e6) return `${formatDigits(microseconds / 1e6)} s`;
  return microseconds >= 1e3 ? `${formatDigits(microseconds / 1e3)} ms` : `${formatDigits(microseconds)} µs`;
}

/** 16 B, 4 KiB, 1.5 MiB. */
export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) >= MIB) return `${formatShort(bytes / MIB)} MiB`;
  return Math.abs(bytes) >= KIB ? `${formatShort(bytes / KIB)} KiB` : `${formatShort(bytes)} B`;
}

export function formatValue(value: number, unit: Metric["unit"]): string {
  switch (unit) {
    case "µs":
      return formatTime(value);
    case "bytes":
      return `${formatDigits(value)} B`;
    case "MiB/s":
      return `${formatDigits(value)} MiB/s`;
    case "calls/s":
      return `${formatCount(value)}/s`;
    case "calls":
    case "errors":
      return formatCount(value);
    case "%":
      return `${formatDigits(value)} %`;
  }
}

/** The least and the greatest, where they differ. */
export function formatRange({ min, max }: Spread, unit: Metric["unit"]): string {
  const [low, high] = [formatValue(min, unit), formatValue(max, unit)];
  return low === high ? "" : `${low} – ${high}`;
}
