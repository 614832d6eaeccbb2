// Draws the charts of the benchmark's report with Chart.js. `charts` is what src/bench/report/charts.ts makes.
/* global Chart, charts */
{
  const digits = (value, count) => String(Number(value.toPrecision(count)));
  const number = (value, count) =>
    value >= 1e6
      ? `${digits(value / 1e6, count)} M`
      : value >= 1e4
        ? `${digits(value / 1e3, count)} k`
        : digits(value, count);
  const units = {
    µs: (value, count = 3) =>
      value >= 1e6
        ? `${digits(value / 1e6, count)} s`
        : value >= 1e3
          ? `${digits(value / 1e3, count)} ms`
          : `${digits(value, count)} µs`,
    "calls/s": (value, count = 3) => `${number(value, count)}/s`,
    "MiB/s": (value, count = 3) => `${digits(value, count)} MiB/s`,
    number: (value, count = 3) => number(value, count),
  };
  /** Ticks are round numbers, which differ in their last digits alone where an axis is short. */
  const TICK_DIGITS = 6;
  /** Solid, dashed, dotted. */
  const DASHES = [[], [6, 4], [2, 3]];
  /** Beyond so many lines, a list of all at one x hides the chart. */
  const MANY_LINES = 8;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  /** As `#rrggbb`, or with an alpha. */
  const lineColor = ({ color: index, pale }) => `${color(`line-${index % 14}`)}${pale ? "73" : ""}`;
  const nameOf = ({ name, detail }, isNamed) => (isNamed && detail !== undefined ? `${name}, ${detail}` : name);

  /** From the least to the greatest of the rounds, behind each point. */
  const spreads = {
    id: "spreads",
    beforeDatasetsDraw(chart) {
      const { ctx, scales } = chart;
      for (const [index, dataset] of chart.data.datasets.entries()) {
        if (!chart.isDatasetVisible(index)) continue;
        ctx.save();
        ctx.strokeStyle = dataset.borderColor;
        ctx.globalAlpha = 0.35;
        ctx.lineWidth = chart.data.datasets.length > MANY_LINES ? 3 : 5;
        ctx.beginPath();
        for (const { x, low, high } of dataset.data) {
          const at = scales.x.getPixelForValue(x);
          ctx.moveTo(at, scales.y.getPixelForValue(Math.max(low, scales.y.min)));
          ctx.lineTo(at, scales.y.getPixelForValue(high));
        }
        ctx.stroke();
        ctx.restore();
      }
    },
  };

  /** What each bar stands for, at its end, and a thin line from the least to the greatest of the rounds. */
  const figures = (unit) => ({
    id: "figures",
    afterDatasetsDraw({ ctx, data, scales }) {
      const [dataset] = data.datasets;
      ctx.save();
      ctx.font = Chart.helpers.toFont(Chart.defaults.font).string;
      ctx.textBaseline = "middle";
      ctx.fillStyle = ctx.strokeStyle = color("text");
      for (const [index, { x, low, high }] of dataset.data.entries()) {
        const at = scales.y.getPixelForValue(index);
        ctx.beginPath();
        ctx.moveTo(scales.x.getPixelForValue(low), at);
        ctx.lineTo(scales.x.getPixelForValue(high), at);
        ctx.stroke();
        ctx.fillText(units[unit](x), scales.x.getPixelForValue(Math.max(x, high)) + 6, at);
      }
      ctx.restore();
    },
  });

  /** As many of the ticks as have room, in pixels: both ends, and the others from the greater end on. */
  const fitting = (scale, texts) => {
    const horizontal = scale.isHorizontal();
    const length = horizontal ? scale.width : scale.height;
    const place = scale.type === "logarithmic" ? Math.log10 : Number;
    const [first, last] = [place(scale.min), place(scale.max)];
    const at = (value) => (last > first ? ((place(value) - first) / (last - first)) * length : 0);
    scale.ctx.font = Chart.helpers.toFont(Chart.defaults.font).string;
    const room = (value) => (horizontal ? scale.ctx.measureText(texts.get(value)).width + 8 : 16);
    const gap = (low, high) => at(high) - at(low) - (room(low) + room(high)) / 2;
    const kept = [];
    const [least, ...others] = [...texts.keys()];
    for (const value of others.reverse()) {
      const next = kept[0];
      if (gap(least, value) >= 0 && (next === undefined || gap(value, next) >= 0)) kept.unshift(value);
    }
    return [least, ...kept].map((value) => ({ value }));
  };

  const axis = ({ label, scale, unit, ticks }) => {
    const texts = ticks && new Map(ticks.map(([at, text]) => [at, text ?? units[unit](at, TICK_DIGITS)]));
    return {
      type: scale === "log" ? "logarithmic" : "linear",
      title: { display: true, text: scale === "log" ? `${label} (log scale)` : label, color: color("faint") },
      grid: { color: color("grid") },
      border: { color: color("edge") },
      beginAtZero: scale === "linear",
      min: ticks?.[0]?.[0],
      max: ticks?.at(-1)?.[0],
      afterBuildTicks:
        texts &&
        ((built) => {
          built.ticks = fitting(built, texts);
        }),
      ticks: {
        color: color("faint"),
        maxRotation: 0,
        autoSkip: texts === undefined,
        callback: (value) => texts?.get(value) ?? units[unit](value, TICK_DIGITS),
      },
    };
  };

  const rangeOf = (unit, { low, high }) => (low === high ? "" : ` (${units[unit](low)} – ${units[unit](high)})`);

  const lineTooltip = ({ x, y }) => ({
    callbacks: {
      title: ([item]) => {
        const text = new Map(x.ticks).get(item?.parsed.x);
        if (text !== undefined) return `${text} ${x.label === "percentile" ? "" : x.label}`.trim();
        return x.label === "percentile"
          ? `${digits(100 * (1 - 10 ** -item.parsed.x), 5)} %`
          : units[x.unit](item.parsed.x);
      },
      label: ({ dataset: { label }, raw }) => ` ${label}: ${units[y.unit](raw.y)}${rangeOf(y.unit, raw)}`,
    },
  });

  const hasDetails = ({ lines }) => new Set(lines.map(({ detail }) => detail)).size > 1;

  const lineChart = (chart) => {
    const isNamed = hasDetails(chart);
    const many = chart.lines.length > MANY_LINES;
    return {
      type: "line",
      data: {
        datasets: chart.lines.map((line) => ({
          label: nameOf(line, isNamed),
          data: line.points.map(([x, y, low, high]) => ({ x, y, low, high })),
          borderColor: lineColor(line),
          backgroundColor: line.dash > 0 ? color("card") : lineColor(line),
          borderDash: DASHES[line.dash % DASHES.length],
          borderWidth: many ? 1.5 : 2,
          pointRadius: many ? 2.5 : 3,
          pointHoverRadius: 5,
          clip: false,
        })),
      },
      plugins: [spreads],
      options: {
        interaction: many ? { mode: "nearest", intersect: false } : { mode: "x", intersect: false },
        scales: { x: axis(chart.x), y: axis(chart.y) },
        plugins: { tooltip: lineTooltip(chart) },
      },
    };
  };

  /** A bar for each line's only point, along the x axis of the picture. */
  const barChart = (chart) => {
    const isNamed = hasDetails(chart);
    const points = chart.lines.map(({ points: [point] }) => point);
    const length = axis({ ...chart.y, ticks: undefined });
    return {
      type: "bar",
      data: {
        labels: chart.lines.map((line) => nameOf(line, isNamed)),
        datasets: [
          {
            data: points.map(([, x, low, high], y) => ({ x, y, low, high })),
            backgroundColor: chart.lines.map((line) => lineColor({ ...line, pale: line.pale || line.dash > 0 })),
            barPercentage: 0.8,
            categoryPercentage: 0.9,
          },
        ],
      },
      plugins: [figures(chart.y.unit)],
      options: {
        indexAxis: "y",
        // For the figures.
        layout: { padding: { right: 64 } },
        scales: {
          x: { ...length, suggestedMax: Math.max(...points.map(([, , , high]) => high)) },
          y: {
            grid: { display: false },
            border: length.border,
            ticks: {
              color: color("text"),
              autoSkip: false,
              callback(value) {
                return this.getLabelForValue(value);
              },
            },
          },
        },
        plugins: {
          tooltip: {
            callbacks: { label: ({ raw }) => ` ${units[chart.y.unit](raw.x)}${rangeOf(chart.y.unit, raw)}` },
          },
        },
      },
    };
  };

  const draw = (chart) => {
    const config = chart.kind === "bars" ? barChart(chart) : lineChart(chart);
    const { options } = config;
    return new Chart(document.getElementById(chart.id), {
      ...config,
      options: {
        ...options,
        animation: false,
        maintainAspectRatio: false,
        plugins: { ...options.plugins, legend: { display: false } },
      },
    });
  };

  /** Shows the lines of which no button is off. */
  const applyLegend = (chart) => {
    const buttons = chart.canvas.closest("figure").querySelectorAll(".legend button");
    const off = new Set(
      [...buttons].flatMap((button) =>
        button.ariaPressed === "false" ? button.dataset.lines.split(" ").map(Number) : [],
      ),
    );
    for (const index of chart.data.datasets.keys()) chart.setDatasetVisibility(index, !off.has(index));
    chart.update();
  };

  Chart.defaults.font.family = "system-ui, sans-serif";
  let drawn = charts.map(draw);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".legend button");
    if (button === null) return;
    button.ariaPressed = button.ariaPressed === "false" ? "true" : "false";
    applyLegend(drawn.find(({ canvas }) => button.closest("figure").contains(canvas)));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of drawn) chart.destroy();
    drawn = charts.map(draw);
    for (const chart of drawn) if (chart.config.type === "line") applyLegend(chart);
  });
}
