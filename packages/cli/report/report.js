// Draws the charts of the benchmark's report with Chart.js. `charts` is what src/bench/report/charts.ts makes.
/* global Chart, charts */
{
  const units = {
    µs: (value) =>
      value >= 1e6 ? `${three(value / 1e6)} s` : value >= 1e3 ? `${three(value / 1e3)} ms` : `${three(value)} µs`,
    "calls/s": (value) => `${count(value)}/s`,
    "MiB/s": (value) => `${three(value)} MiB/s`,
    number: (value) => count(value),
  };
  const three = (value) => String(Number(value.toPrecision(3)));
  const count = (value) =>
    value >= 1e6 ? `${three(value / 1e6)} M` : value >= 1e4 ? `${three(value / 1e3)} k` : three(value);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

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
        ctx.lineWidth = 5;
        ctx.beginPath();
        for (const { x, low, high } of dataset.data) {
          const at = scales.x.getPixelForValue(x);
          ctx.moveTo(at, scales.y.getPixelForValue(low));
          ctx.lineTo(at, scales.y.getPixelForValue(high));
        }
        ctx.stroke();
        ctx.restore();
      }
    },
  };

  const axis = ({ label, scale, unit, ticks }, bounds = {}) => {
    const texts = ticks && new Map(ticks);
    return {
      type: scale === "log" ? "logarithmic" : "linear",
      title: { display: true, text: label, color: color("faint") },
      grid: { color: color("grid") },
      border: { color: color("edge") },
      beginAtZero: scale === "linear",
      ...bounds,
      min: ticks?.[0]?.[0],
      max: ticks?.at(-1)?.[0],
      afterBuildTicks:
        texts &&
        ((built) => {
          built.ticks = ticks.map(([value]) => ({ value }));
        }),
      ticks: {
        color: color("faint"),
        maxRotation: 0,
        autoSkip: true,
        callback(value) {
          if (texts) return texts.get(value);
          // On a logarithmic axis: tenfold steps, with 2 and 5 between them.
          const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
          return scale === "linear" || [1, 2, 5].includes(Math.round(lead * 1e6) / 1e6) ? units[unit](value) : "";
        },
      },
    };
  };

  const dataset = ({ name, color: index, dashed, points }) => {
    const stroke = color(`line-${index % 14}`);
    return {
      label: name,
      data: points.map(([x, y, low, high]) => ({ x, y, low, high })),
      borderColor: stroke,
      backgroundColor: dashed ? color("card") : stroke,
      borderDash: dashed ? [6, 4] : [],
      borderWidth: 2,
      pointRadius: 3,
      pointHoverRadius: 5,
      clip: false,
    };
  };

  const tooltip = ({ x, y }) => ({
    callbacks: {
      title: ([item]) => {
        const text = new Map(x.ticks).get(item?.parsed.x);
        if (text !== undefined) return `${text} ${x.label === "percentile" ? "" : x.label}`.trim();
        return x.label === "percentile" ? `${three(100 * (1 - 10 ** -item.parsed.x))} %` : units[x.unit](item.parsed.x);
      },
      label: ({ dataset: { label }, raw }) => {
        const range = raw.low === raw.high ? "" : ` (${units[y.unit](raw.low)} – ${units[y.unit](raw.high)})`;
        return ` ${label}: ${units[y.unit](raw.y)}${range}`;
      },
    },
  });

  /** Room for the spreads too. */
  const boundsOf = ({ lines }) => {
    const points = lines.flatMap((line) => line.points);
    return {
      suggestedMin: Math.min(...points.map(([, , low]) => low)),
      suggestedMax: Math.max(...points.map(([, , , high]) => high)),
    };
  };

  const draw = (chart) =>
    new Chart(document.getElementById(chart.id), {
      type: "line",
      data: { datasets: chart.lines.map(dataset) },
      plugins: [spreads],
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "x", intersect: false },
        scales: { x: axis(chart.x), y: axis(chart.y, boundsOf(chart)) },
        plugins: {
          legend: {
            position: "bottom",
            display: chart.lines.length > 1,
            labels: {
              color: color("text"),
              usePointStyle: true,
              pointStyle: "line",
              pointStyleWidth: 28,
              // With point styles a legend forgets the dashes.
              generateLabels: (drawn) =>
                Chart.defaults.plugins.legend.labels.generateLabels(drawn).map((item) => ({
                  ...item,
                  lineDash: drawn.data.datasets[item.datasetIndex].borderDash,
                  lineWidth: 2,
                })),
              padding: 14,
            },
          },
          tooltip: tooltip(chart),
        },
      },
    });

  Chart.defaults.font.family = "system-ui, sans-serif";
  let drawn = charts.map(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of drawn) chart.destroy();
    drawn = charts.map(draw);
  });
}
