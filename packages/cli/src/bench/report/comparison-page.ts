// A comparison as a page: what changed first, then both sides in the same charts, and where and how each was measured.
import { type Change, type Comparison, isChanged, isLarge, type SideSummary } from "../compare.ts";
import { formatRange, formatValue } from "../figures.ts";
import type { RunResult } from "../results.ts";
import type { Spread } from "../statistics.ts";
import { type Look, makeCharts } from "./charts.ts";
import { countChanges, describeErrors, describeSide, formatPercent, nameVerdict } from "./comparison-text.ts";
import { escape, htmlPage } from "./html.ts";
import { everyFigure, formatSetting } from "./page.ts";

/** Both sides' peers, under the names that charts are to have, and how these look. */
export interface Sides extends Pick<RunResult, "peers" | "rounds"> {
  readonly looks: ReadonlyMap<string, Look>;
}

export function formatComparisonPage(comparison: Comparison, sides: Sides): string {
  const { before, after, warnings } = comparison;
  const title = `${before.name} → ${after.name}`;
  const notes = warnings.map((warning) => `<p class="worse">${escape(warning)}</p>`);
  const head = `<dl class="peers"><dt>before</dt><dd>${escape(describeSide(before))}</dd><dt>after</dt><dd>${escape(describeSide(after))}</dd></dl>
${notes.join("\n")}
${errorList(comparison)}
${changeList(comparison)}`;
  return htmlPage(title, head, makeCharts(sides.peers, sides.looks), `${everyFigure(sides)}\n${bothSides(comparison)}`);
}

function errorList({ errors }: Comparison): string {
  if (errors.length === 0) return "";
  const rows = errors.map((change) => {
    const mark = change.verdict === "same" ? "" : ` <strong class="${change.verdict}">${change.verdict}</strong>`;
    return `<li>${escape(describeErrors(change))}${mark}</li>`;
  });
  return `<section class="errors"><h2>Errors</h2><ul>${rows.join("")}</ul></section>`;
}

/** What changed or differs much, and all the rest folded. */
function changeList({ changes, unpaired }: Comparison): string {
  const several = new Set(changes.map(({ peer }) => peer)).size > 1;
  const isFirst = (change: Change): boolean => isChanged(change) || isLarge(change);
  const first = changes.filter(isFirst).toSorted((a, b) => Number(isChanged(b)) - Number(isChanged(a)));
  const rest = changes.filter((change) => !isFirst(change));
  const folded =
    rest.length === 0
      ? ""
      : `<details><summary>${rest.length} that did not change</summary>${changeTable(rest, several)}</details>`;
  const only =
    unpaired.length === 0
      ? ""
      : `<details><summary>${unpaired.length} only in one of the two</summary><p>${escape(unpaired.join("; "))}</p></details>`;
  const table = first.length === 0 ? "" : changeTable(first, several);
  return `<section class="changes"><h2>Changes</h2><p>${escape(countChanges(changes, 0))}</p>${table}${folded}${only}</section>`;
}

function changeTable(changes: readonly Change[], several: boolean): string {
  const rows = changes.map((change) => {
    const { peer, metric, before, after, chance, verdict } = change;
    const cell = (value: Spread): string => {
      const range = formatRange(value, metric.unit);
      return `<td>${formatValue(value.median, metric.unit)}${range && `<small>${range}</small>`}</td>`;
    };
    const name = escape(`${several ? `${peer}: ` : ""}${metric.group}: ${metric.name}`);
    const color = isChanged(change) ? ` class="${verdict}"` : "";
    const figures = `${cell(before)}${cell(after)}<td${color}>${formatPercent(change)}</td>`;
    const judged = `<td${color}>${nameVerdict(change)}</td><td>p ${chance.toFixed(3)}</td>`;
    return `<tr${isChanged(change) ? "" : ' class="unproven"'}><th scope="row">${name}</th>${figures}${judged}</tr>`;
  });
  const head = "<thead><tr><th></th><th>before</th><th>after</th><th>change</th><th></th><th>chance</th></tr></thead>";
  return `<div class="wide"><table>${head}<tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** Machine and settings of both. */
function bothSides({ before, after }: Comparison): string {
  const all = ({ machine, settings }: SideSummary): RunResult["settings"] => ({ ...machine, ...settings });
  const [old, now] = [all(before), all(after)];
  const rows = [...new Set([...Object.keys(old), ...Object.keys(now)])].map((key) => {
    const [one, other] = [old[key], now[key]].map((value) => escape(formatSetting(value)));
    return `<tr><th scope="row">${escape(key)}</th><td>${one}</td><td>${one === other ? "" : other}</td></tr>`;
  });
  const head = "<thead><tr><th></th><th>before</th><th>after, where it differs</th></tr></thead>";
  return `<footer><h2>How they were measured</h2><div class="wide"><table class="sides">${head}<tbody>${rows.join("\n")}</tbody></table></div></footer>`;
}
