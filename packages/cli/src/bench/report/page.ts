// A run as a page: its figures first, charts, tables, and where it ran.
import { formatCount, formatDigits, formatRange, formatTime, formatValue } from "../figures.ts";
import { isDisturbed, nameVersion } from "../machine.ts";
import type { PeerResult, RunResult } from "../results.ts";
import { spread } from "../statistics.ts";
import { makeCharts } from "./charts.ts";
import { escape, htmlPage } from "./html.ts";
import { nameErrors } from "./table.ts";

/** One figure at the head of the page. */
interface Headline {
  readonly figure: string;
  readonly text: string;
}

export function formatPage(run: RunResult): string {
  const head = `<p class="place">${escape(describe(run))}</p>
${run.peers.length === 1 ? headlineList(run.peers[0] as PeerResult) : peerList(run.peers)}
${targetList(run)}
${errorList(run.peers)}
${noteList(run.peers)}`;
  const settings = Object.entries(run.settings).map(
    ([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(formatSetting(value))}</dd>`,
  );
  const foot = `${everyFigure(run)}
<footer>
<h2>How it was measured</h2>
<dl>${settings.join("")}</dl>
</footer>`;
  return htmlPage(titleOf(run.peers), head, makeCharts(run.peers), foot);
}

/** One of a run's settings, for people. */
export function formatSetting(value: RunResult["settings"][string] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : String(value ?? "–");
}

/** All figures of all peers, folded. */
export function everyFigure({ peers, rounds }: Pick<RunResult, "peers" | "rounds">): string {
  return `<section>
<h2>Every figure</h2>
<p>${rounds === 1 ? "One round." : `Medians of ${rounds} rounds, with the least and the greatest.`}</p>
${peers.map((peer) => table(peer, peers.length > 1)).join("\n")}
</section>`;
}

/** The peers' names, unless they are too many for a title. */
function titleOf(peers: readonly PeerResult[]): string {
  if (peers.length === 1) return "capstan bench";
  return peers.length > 4 ? "Benchmarks" : peers.map(({ name }) => name).join(", ");
}

function describe({ machine, when, rounds }: RunResult): string {
  const place = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`;
  const busy = isDisturbed(machine) ? " (other work on this machine disturbs the figures)" : "";
  const load = `load before the run ${machine.loadBefore.toFixed(2)}${busy}`;
  return `${place} · Node ${machine.node} · ${nameVersion(machine)} · ${when.slice(0, 16).replace("T", " ")} UTC · ${rounds} ${rounds === 1 ? "round" : "rounds"} · ${load}`;
}

/** What people look for first, as far as it was measured. */
export function headlines(peer: PeerResult): Headline[] {
  const found: Headline[] = [];
  const add = (id: string, text: string, format: (median: number) => string): void => {
    const value = spread(peer.metrics.find((metric) => metric.id === id)?.rounds ?? []);
    if (value !== undefined) found.push({ figure: format(value.median), text });
  };
  add("latency/p50", "one call, median", formatTime);
  add("latency/p99", "one call, p99", formatTime);
  const loads = peer.metrics.filter(({ group, unit }) => group === "throughput" && unit === "calls/s");
  const best = loads.toSorted((a, b) => (spread(b.rounds)?.median ?? 0) - (spread(a.rounds)?.median ?? 0))[0];
  if (best !== undefined) add(best.id, `calls per second, ${best.x} in flight`, formatCount);
  const chains = peer.metrics.filter(({ group, id }) => group === "chains" && id.includes("/pipelined/"));
  const trips = chains.map(({ id }) => Number(id.split("/")[1])).filter((trip) => trip > 0);
  const trip = trips.includes(50) ? 50 : Math.max(0, ...trips);
  const longest = Math.max(0, ...chains.map(({ x }) => x));
  if (trip > 0) {
    add(`chain/${trip}/pipelined/${longest}`, `round trips for ${longest} dependent calls at ${trip} ms`, (time) =>
      formatDigits(time / (trip * 1_000)),
    );
  }
  const widest = Math.max(0, ...peer.metrics.filter(({ group }) => group === "cpu").map(({ x }) => x));
  add(`cpu/client/${widest}`, `client CPU per call, ${widest} in flight`, formatTime);
  add(`cpu/host/${widest}`, `host CPU per call, ${widest} in flight`, formatTime);
  add("heap/client", "client heap per held stub", (bytes) => `${formatDigits(bytes)} B`);
  return found;
}

function headlineList(peer: PeerResult): string {
  const items = headlines(peer).map(
    ({ figure, text }) => `<li><strong>${escape(figure)}</strong><span>${escape(text)}</span></li>`,
  );
  return items.length === 0 ? "" : `<ul class="headlines">${items.join("")}</ul>`;
}

function peerList(peers: readonly PeerResult[]): string {
  const items = peers.map(({ name, about, failure, leftOut, versions }) => {
    const known = Object.entries(versions).map(([of, version]) => `${of} ${version}`);
    const why = [failure && `failed: ${failure}`, leftOut && `left out: ${leftOut}`];
    const rest = [about, known.join(", "), ...why].filter(Boolean).join(" · ");
    return `<dt>${escape(name)}</dt><dd>${escape(rest)}</dd>`;
  });
  return `<dl class="peers">${items.join("")}</dl>`;
}

function targetList({ targets = [] }: RunResult): string {
  if (targets.length === 0) return "";
  const rows = targets.map(({ text, figure, reached }) => {
    const mark = reached === undefined ? "–" : reached ? "✓" : "✗";
    return `<tr><td>${mark}</td><td>${escape(text)}</td><td>${escape(figure)}</td></tr>`;
  });
  return `<section class="targets"><h2>Targets</h2><div class="wide"><table><tbody>${rows.join("")}</tbody></table></div></section>`;
}

/** What must be known beside the figures. */
function noteList(peers: readonly PeerResult[]): string {
  const notes = peers.flatMap(({ name, notes = [] }) =>
    notes.map((note) => `<p>${escape(peers.length > 1 ? `${name}: ${note}` : note)}</p>`),
  );
  return notes.join("\n");
}

/** Errors by kind, and why a peer did not run to its end. */
function errorList(peers: readonly PeerResult[]): string {
  const failures = peers.flatMap(({ name, failure }) =>
    failure === undefined ? [] : `<p>${escape(peers.length > 1 ? `${name} failed` : "Failed")}: ${escape(failure)}</p>`,
  );
  const rows = peers.flatMap(({ name, errors }) =>
    Object.entries(errors)
      .toSorted(([, a], [, b]) => b - a)
      .map(([kind, times]) => `<tr><td>${escape(name)}</td><td>${escape(kind)}</td><td>${times}</td></tr>`),
  );
  if (rows.length + failures.length === 0) return "";
  const [only] = peers.length === 1 ? peers : [];
  const table = rows.length === 0 ? "" : `<div class="wide"><table><tbody>${rows.join("")}</tbody></table></div>`;
  return `<section class="errors"><h2>${nameErrors(only?.calls)}</h2>${failures.join("")}${table}</section>`;
}

function table(peer: PeerResult, named: boolean): string {
  const rows = peer.metrics.map((metric, index) => {
    const value = spread(metric.rounds);
    if (value === undefined) return "";
    const first = index === 0 || peer.metrics[index - 1]?.group !== metric.group;
    const group = first ? escape(metric.group) : "";
    const { unit } = metric;
    return `<tr${first ? ' class="first"' : ""}><th scope="row">${group}</th><td>${escape(metric.name)}</td><td>${formatValue(value.median, unit)}</td><td>${formatRange(value, unit)}</td></tr>`;
  });
  const head = "<thead><tr><th></th><th></th><th>median</th><th>rounds</th></tr></thead>";
  const summary = `<summary>${escape(named ? peer.name : "all metrics")}</summary>`;
  return `<details>${summary}<div class="wide"><table>${head}<tbody>${rows.join("\n")}</tbody></table></div></details>`;
}
