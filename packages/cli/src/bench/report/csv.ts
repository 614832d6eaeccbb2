// A run as CSV: a line for each value of each round.
import type { RunResult } from "../results.ts";

type Field = string | number;

export function formatCsv(run: RunResult): string {
  const rows = run.peers.flatMap((peer) =>
    peer.metrics.flatMap(({ id, name, unit, rounds }) =>
      rounds.map((value, round): Field[] => [peer.name, id, name, unit, round + 1, value]),
    ),
  );
  return formatFields([["peer", "id", "name", "unit", "round", "value"], ...rows]);
}

/** Rows of fields as CSV; fields with commas, quotes or line ends are quoted. */
export function formatFields(rows: readonly (readonly Field[])[]): string {
  return rows.map((row) => `${row.map(quote).join(",")}\n`).join("");
}

function quote(field: Field): string {
  const text = String(field);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
