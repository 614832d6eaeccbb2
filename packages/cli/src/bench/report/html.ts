// What every page of the benchmark has: one file with its style, its script and its charts, that loads nothing from anywhere.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Chart } from "./charts.ts";

const ASSETS = new URL("../../../report/", import.meta.url);

/** Colours in report.css, and ways of dashing as report.js has them. */
const COLORS = 14;
const DASHES = ["solid", "dashed", "dotted"] as const;
/** Height of a chart of bars, in rem: of each, and of what is around them. */
const BAR = 1.5;
const BARS_FRAME = 4.5;

/**
 * A whole page. Everything but the title is HTML: below the title `head`, then the charts, then `foot`.
 */
export function htmlPage(title: string, head: string, charts: readonly Chart[], foot: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>
${asset("report.css")}
</style>
</head>
<body>
<h1>${escape(title)}</h1>
${head}
<main>
${charts.map(figure).join("\n")}
</main>
${foot}
<script>${script(chartLibrary())}</script>
<script>const charts = ${data(charts)};
${script(asset("report.js"))}</script>
</body>
</html>
`;
}

function figure(chart: Chart): string {
  const { id, title, note, kind } = chart;
  const isBars = kind === "bars";
  return `<figure${isBars ? ' class="bars"' : ""}>
<figcaption><h2>${escape(title)}</h2><p>${escape(note)}</p></figcaption>
<div class="chart"${isBars ? ` style="height: ${BARS_FRAME + BAR * chart.lines.length}rem"` : ""}><canvas id="${id}" role="img" aria-label="${escape(title)}; the figures are in the table below"></canvas></div>
${legend(chart)}</figure>`;
}

/** Buttons that hide lines and show them again. */
function legend({ legend: entries }: Chart): string {
  if (entries.length === 0) return "";
  const buttons = entries.map(({ text, color, dash, pale, lines }) => {
    const stroke = color === undefined ? "var(--faint)" : `var(--line-${color % COLORS})`;
    const style = DASHES[dash % DASHES.length];
    return `<button type="button" aria-pressed="true" data-lines="${lines.join(" ")}"><i style="border-top: 2px ${style} ${stroke}${pale ? "; opacity: 0.45" : ""}"></i>${escape(text)}</button>`;
  });
  return `<div class="legend">${buttons.join("")}</div>\n`;
}

function asset(name: string): string {
  return readFileSync(new URL(name, ASSETS), "utf8");
}

/** Chart.js, as the file that a page includes. */
function chartLibrary(): string {
  const entry = createRequire(import.meta.url).resolve("chart.js");
  return readFileSync(join(dirname(entry), "chart.umd.min.js"), "utf8").replace(/\/\/# sourceMappingURL=.*/, "");
}

/** Code within a script element must not seem to end it. */
function script(code: string): string {
  return code.replaceAll(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
}

/** JSON within a script element. */
function data(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
