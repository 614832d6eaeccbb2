// Runs the script of a page's charts, without a browser.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import type { Chart } from "../../../../packages/cli/src/bench/report/charts.ts";

const SCRIPT = new URL("../../../../packages/cli/report/report.js", import.meta.url);
const AREA = { width: 300, height: 250 };
const CHARACTER = 7;

/** What was drawn where, and the texts along its axes. */
export interface Drawn {
  readonly canvas: string;
  readonly type: string;
  /** Of bars: the figures' axis has none. */
  readonly x: readonly string[];
  readonly y: readonly string[];
}

interface AxisOptions {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly afterBuildTicks?: (scale: object) => void;
  readonly ticks: { readonly callback: (value: number) => string };
}

interface Config {
  readonly type: string;
  readonly data: { readonly labels?: readonly string[] };
  readonly options: { readonly scales: { readonly x: AxisOptions; readonly y: AxisOptions } };
}

function textsOf(axis: AxisOptions, isHorizontal: boolean, labels: readonly string[] = []): string[] {
  const ticks = [...labels.keys()].map((value) => ({ value }));
  const measureText = (text: string) => ({ width: CHARACTER * text.length });
  const scale = { ...axis, ...AREA, ticks, ctx: { measureText }, isHorizontal: () => isHorizontal };
  axis.afterBuildTicks?.(scale);
  const named = { getLabelForValue: (value: number) => labels[value] };
  return scale.ticks.map(({ value }) => axis.ticks.callback.call(named, value));
}

/** Throws where the script does. */
export function drawCharts(charts: readonly Chart[]): Drawn[] {
  const drawn: Drawn[] = [];
  class FakeChart {
    static readonly defaults = { font: {} };
    static readonly helpers = { toFont: () => ({ string: "12px x" }) };
    constructor(canvas: string, { type, data, options: { scales } }: Config) {
      drawn.push({ canvas, type, x: textsOf(scales.x, true), y: textsOf(scales.y, false, data.labels) });
    }
  }
  runInNewContext(readFileSync(SCRIPT, "utf8"), {
    charts,
    Chart: FakeChart,
    document: { documentElement: {}, getElementById: (id: string) => id, addEventListener: () => {} },
    getComputedStyle: () => ({ getPropertyValue: () => "#000" }),
    matchMedia: () => ({ addEventListener: () => {} }),
  });
  return drawn;
}
