// A comparison as text, and as lines of CSV.
import pc from "picocolors";
import {
  type Change,
  type Comparison,
  type ErrorChange,
  type ErrorCount,
  isChanged,
  isLarge,
  type SideSummary,
} from "../compare.ts";
import { formatCount, formatValue } from "../figures.ts";
import { isDisturbed, nameVersion } from "../machine.ts";
import { formatFields } from "./csv.ts";
import { formatSpread, formatTable, USUAL_WIDTH, wrap } from "./text.ts";

const NAME_WIDTH = 28;

/**
 * What changed between two runs, dimmed below it what differs much without being proven, and how much does not. With `all`,
 * every figure stands there. Lines have at most `width` characters as far as names allow.
 */
export function formatComparison(comparison: Comparison, all = false, width = USUAL_WIDTH): string {
  const { before, after, changes, errors, unpaired, warnings } = comparison;
  const lines = [`before: ${describeSide(before)}`, `after: ${describeSide(after)}`].map((line) => wrap(line, width));
  lines.push(...warnings.map((warning) => pc.yellow(wrap(warning, width))));
  lines.push(...errors.map((change) => colorOf(change)(wrap(describeErrors(change), width))));
  const changed = changes.filter(isChanged);
  const others = changes.filter((change) => !isChanged(change) && (all || isLarge(change)));
  if (changed.length + others.length > 0) {
    const several = new Set(changes.map(({ peer }) => peer)).size > 1;
    const rows = [...changed, ...others].map((change) => formatChange(change, several));
    lines.push(formatTable(["", "before", "after", "change", "p"], rows, width));
  }
  lines.push(wrap(countChanges(changes, changes.length - changed.length - others.length), width));
  if (unpaired.length > 0) {
    const some = all ? unpaired : unpaired.slice(0, 3);
    const rest = some.length < unpaired.length ? "; …" : "";
    lines.push(pc.dim(wrap(`Only in one of the two: ${unpaired.length} (${some.join("; ")}${rest})`, width)));
  }
  return lines.join("\n");
}

/** Its name, version, machine and times. */
export function describeSide({ name, when, machine, rounds }: SideSummary): string {
  const [first = "", last = ""] = [when[0], when.at(-1)].map((time) => time?.slice(0, 16).replace("T", " "));
  const times = first === last ? first : `${first} to ${last}`;
  const busy = isDisturbed(machine) ? " (disturbed by other work)" : "";
  return `${name}, ${nameVersion(machine)}, Node ${machine.node}, ${times} UTC, ${rounds} ${rounds === 1 ? "round" : "rounds"}${busy}`;
}

/** What one peer's errors were, and are. */
export function describeErrors({ peer, before, after }: ErrorChange): string {
  return `${peer}: ${describeCount(before)} before, ${describeCount(after)} after.`;
}

function describeCount({ perRound, rate, kinds, failure }: ErrorCount): string {
  const sorted = Object.entries(kinds).toSorted(([, a], [, b]) => b - a);
  const share = rate === undefined ? "" : `, ${formatValue(rate * 100, "%")} of the calls`;
  const kind = `${sorted[0]?.[0] ?? ""}${sorted.length > 1 ? "; …" : ""}`;
  const errors = perRound === 0 ? "no errors" : `${formatCount(perRound)} errors a round${share} (${kind})`;
  return failure === undefined ? errors : `${errors} and failed (${failure})`;
}

/** How many figures changed and how many did not, of which `hidden` are not shown. */
export function countChanges(changes: readonly Change[], hidden: number): string {
  const count = (...verdicts: Change["verdict"][]): number =>
    changes.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const [better, worse, same, open] = [count("better"), count("worse"), count("same"), count("too few rounds")];
  const parts = [
    `${better} better`,
    `${worse} worse`,
    `${same} within the noise`,
    ...(open > 0 ? [`${open} with too few rounds to tell (take 5 or more)`] : []),
  ];
  return `${parts.join(", ")}.${hidden > 0 ? ` ${hidden} of them not shown: see --all.` : ""}`;
}

/** +12.3 %; a dash from 0. */
export function formatPercent({ change }: Change): string {
  if (change === undefined) return "–";
  const digits = (Math.abs(change) * 100).toFixed(1);
  return digits === "0.0" ? "0.0 %" : `${change > 0 ? "+" : "−"}${digits} %`;
}

/** What a change is called: better, worse, or why it is none. */
export function nameVerdict({ verdict }: Change): string {
  return verdict === "same" ? "noise" : verdict === "too few rounds" ? "few rounds" : verdict;
}

function colorOf({ verdict }: Change | ErrorChange): (text: string) => string {
  return verdict === "better" ? pc.green : verdict === "worse" ? pc.red : pc.dim;
}

function formatChange(change: Change, several: boolean): string[] {
  const { peer, metric, before, after, chance } = change;
  const color = colorOf(change);
  const name = wrap(`${several ? `${peer}: ` : ""}${metric.group}: ${metric.name}`, NAME_WIDTH);
  const [old, now] = [before, after].map((value) => formatSpread(value, metric.unit)) as [string, string];
  const row = [name, old, now, `${color(formatPercent(change))}\n${color(nameVerdict(change))}`, chance.toFixed(3)];
  return isChanged(change) ? row : row.map((cell) => pc.dim(cell));
}

/** A line for each figure that both runs have. */
export function formatComparisonCsv({ changes }: Comparison): string {
  const head = ["peer", "id", "name", "unit", "before", "after", "change", "chance", "verdict"];
  const rows = changes.map(({ peer, metric: { id, name, unit }, before, after, change = "", chance, verdict }) => {
    return [peer, id, name, unit, before.median, after.median, change, chance, verdict];
  });
  return formatFields([head, ...rows]);
}
