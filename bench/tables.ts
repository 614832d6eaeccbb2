// A run's figures as tables of text, for the terminal and for docs/benchmarks.md. No I/O.
import { formatDigits } from "../packages/cli/src/bench/figures.ts";
import type { PeerResult, RunResult } from "../packages/cli/src/bench/results.ts";
import { ratioSpread, type Spread } from "../packages/cli/src/bench/statistics.ts";
import { CALL_COLUMNS, type Column, FURTHER_COLUMNS, figure } from "./columns.ts";

/** The settings that say how long one measurement takes, and that the figures mean nothing. */
export const SECONDS = "seconds of a measurement";
export const SMOKE = "smoke run";

export interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  /** A name, then a cell for each head: a median, and from the least to the greatest where they differ. */
  readonly rows: readonly (readonly [name: string, ...cells: Cell[]])[];
}

export type Cell = readonly [median: string, range?: string];

/** The tables of all that was measured. `base` is the peer whose ratios to the others are shown. */
export function tablesOf({ peers, rounds, settings }: RunResult, base: string): Table[] {
  const measured = peers.filter((peer) => peer.metrics.length > 0);
  const seconds = settings[SECONDS];
  const how =
    rounds === 1 ? `one round of ${seconds} s` : `medians of ${rounds} rounds of ${seconds} s, with their range`;
  const tables = [
    tableOf(`Calls per second by calls in flight, and latency of one call at a time: ${how}.`, measured, CALL_COLUMNS),
    ratiosOf(measured, base),
    tableOf(
      "CPU time of both ends for each call with 256 in flight; bytes of a call both ways, with frame headers; 32 dependent " +
        "calls at 50 ms in round trips; streams in chunks of 64 KiB; calls per second with empty and with full tables.",
      measured,
      FURTHER_COLUMNS,
    ),
  ];
  return tables.filter((table): table is Table => table !== undefined && table.rows.length > 0);
}

/** What it was measured with, and what each peer is: its name, what it is, its versions. */
export function peersOf({ peers, settings }: RunResult): (readonly [name: string, about: string, versions: string])[] {
  const forAll = settings.bufferutil === true;
  return peers
    .filter((peer) => peer.metrics.length > 0)
    .map(({ name, about, versions }) => {
      const used = Object.entries(versions).map(([of, version]) => `${of} ${version}`);
      return [name, about, [...used, ...(forAll ? ["with bufferutil"] : [])].join(", ")] as const;
    });
}

/** Those peers alone that have one of the columns, and those columns alone that one of the peers has. */
function tableOf(
  title: string,
  peers: readonly PeerResult[],
  columns: readonly Column[],
  valueOf: (peer: PeerResult, column: Column) => Spread | undefined = figure,
  formatOf: (column: Column) => (value: number) => string = ({ format }) => format,
): Table {
  const shown = columns.filter((column) => peers.some((peer) => valueOf(peer, column) !== undefined));
  const rows = peers.filter((peer) => shown.some((column) => valueOf(peer, column) !== undefined));
  return {
    title,
    heads: shown.map(({ head }) => head),
    rows: rows.map((peer) => [peer.name, ...shown.map((column) => cell(valueOf(peer, column), formatOf(column)))]),
  };
}

function ratiosOf(measured: readonly PeerResult[], base: string): Table | undefined {
  const own = measured.find((peer) => peer.name === base);
  if (own === undefined) return undefined;
  return tableOf(
    `${base} in multiples of the others, round by round: calls/s (more is better) and latencies (less is better).`,
    measured.filter((peer) => peer !== own),
    CALL_COLUMNS,
    (peer, column) => ratioSpread(column.values(own), column.values(peer)),
    () => (value) => `${formatDigits(value)}×`,
  );
}

function cell(value: Spread | undefined, format: (value: number) => string): Cell {
  if (value === undefined) return ["–"];
  const [median, min, max] = [value.median, value.min, value.max].map(format) as [string, string, string];
  return min === max ? [median] : [median, `${min}–${max}`];
}
