// A run as CSV: a line for each value of each round.
import type { RunResult } from "../results.ts";

export function formatCsv(run: RunResult): string {
  const lines = ["peer,id,name,unit,round,value"];
  for (const peer of run.peers) {
    for (const { id, name, unit, rounds } of peer.metrics) {
      for (const [round, value] of rounds.entries()) {
        lines.push([peer.name, id, name, unit, round + 1, value].map(quote).join(","));
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

function quote(field: string | number): string {
  const text = String(field);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
