/* A metric drawn by hand and the staircase of rates that patience makes of it. Settings: `metric`, `at` (the value to
   move, from 0), `patience`, `factor`, `threshold`, `cooldown`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el });
    const { top, lr } = ui.spec,
      { fmt } = oc,
      n = ui.initial.metric.length;
    const above = ui.plot({
      label: "Metric, one value for each evaluation",
      title: "The metric: draw it",
      ratio: 2.6,
      narrow: 1.6,
      x: [0.5, n + 0.5],
      y: [0, top],
    });
    const below = ui.plot({
      label: "Learning rate after each evaluation",
      title: "Learning rate",
      ratio: 3.4,
      narrow: 1.9,
      x: [0.5, n + 0.5],
      y: [1e-4, 2],
      logy: true,
      xlabel: "evaluation",
    });
    const put = (i, y) => ui.set({ metric: ui.value.metric.with(i, y) });
    const draw = ([x, y]) => {
      const at = oc.clamp(Math.round(x) - 1, 0, n - 1);
      ui.set({ metric: ui.value.metric.with(at, y), at });
    };
    above.pick(draw, { sketch: true });
    above.handle(
      { get: () => [ui.value.at + 1, ui.value.metric[ui.value.at]], set: ([, y]) => put(ui.value.at, y) },
      { label: "Value of the metric", color: "accent" },
    );
    ui.field("metric", (list, note, fallback) => {
      if (!Array.isArray(list) || list.length !== n) return note("the metric had the wrong length"), fallback;
      if (!list.every(Number.isFinite)) note("values that were not numbers were kept as before");
      return list.map((y, i) => (Number.isFinite(y) ? oc.clamp(y, 0, top) : fallback[i]));
    });
    ui.slider("patience", {
      label: "Patience",
      min: 0,
      max: 10,
      int: true,
      tip: "So many bad values in a row are put up with; the next one cuts.",
    });
    ui.slider("factor", { label: "Factor", min: 0.1, max: 0.9, tip: "The rate is multiplied by it at each cut." });
    ui.slider("threshold", {
      label: "Threshold",
      min: 1e-4,
      max: 0.2,
      scale: "log0",
      tip: "A value counts as better only when it is lower than the best by this part of it.",
    });
    ui.slider("cooldown", {
      label: "Cooldown",
      min: 0,
      max: 10,
      int: true,
      tip: "So many values after a cut are not counted as bad.",
    });
    ui.slider("at", {
      label: "Evaluation to move",
      min: 0,
      max: n - 1,
      int: true,
      format: (i) => i + 1,
      tip: "The arrow keys on the point in the plot change its value.",
    });
    ui.button(
      "Make it noisy",
      () => ui.set({ metric: ui.value.metric.map((y, i) => y * (1 + 0.25 * Math.sin(9.7 * i * i))) }),
      { tip: "Like the loss of single mini-batches" },
    );

    /* ReduceLROnPlateau.step of optcore.schedules, mode "min", threshold "rel". */
    const run = ({ metric, factor, patience, threshold, cooldown }) => {
      let best = Infinity,
        bad = 0,
        rest = 0,
        rate = lr;
      return metric.map((y) => {
        const better = y < best * (1 - threshold);
        if (better) [best, bad] = [y, 0];
        else bad++;
        if (rest > 0) [rest, bad] = [rest - 1, 0];
        const cut = bad > patience && rate - rate * factor > 1e-8;
        if (cut) rate *= factor;
        if (bad > patience) [rest, bad] = [cooldown, 0];
        return { rate, better, best, cut };
      });
    };
    return ui.run((v) => {
      const seen = run(v),
        cuts = seen.flatMap(({ cut }, i) => (cut ? [i + 1] : [])),
        lowest = seen.at(-1).rate;
      above.axes();
      below.range({ y: [10 ** Math.floor(Math.log10(lowest) - 0.2), lr * 2] });
      below.axes();
      for (const at of cuts) for (const plot of [above, below]) plot.rule({ x: at });
      above.line(
        (i) => i + 1,
        (i) => seen[i].best,
        { n, color: "muted", width: 1, dash: [4, 3] },
      );
      above.line(
        (i) => i + 1,
        (i) => v.metric[i],
        { n, width: 1.5 },
      );
      above.dot(v.at + 1, v.metric[v.at], { size: 12, alpha: 0.25 });
      seen.forEach(({ better }, i) =>
        above.dot(i + 1, v.metric[i], { size: 4, color: better ? "accent" : "warn", hollow: !better }),
      );
      below.line(
        (i) => (i >> 1) + 1 + (i & 1),
        (i) => seen[i >> 1].rate,
        { n: 2 * n, color: "#c2410c", width: 2.5 },
      );
      ui.facts({ cuts: cuts.length, first: cuts[0] });
      const bad = seen.filter(({ better }) => !better).length;
      return (
        `Evaluation ${v.at + 1} has the value ${fmt(v.metric[v.at])}. ${bad} of ${n} values did not improve on ` +
        `the best so far (open circles). ` +
        (cuts.length
          ? `The rate was cut ${cuts.length === 1 ? "once" : `${cuts.length} times`}, ` +
            `after evaluation ${cuts.join(", ")}; it ends at ${fmt(lowest)}.`
          : "The rate was never cut.")
      );
    });
  },
};
