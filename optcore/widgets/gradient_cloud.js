/* Gradients of sixty mini-batches at one point, and the run of stochastic gradient descent from there. Settings:
   `start`, `batch`, `lr`, `epochs`, `sampling` ("reshuffle" or "replace"), `draw`, `count` ("examples" or "steps"). */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt } = oc,
      N = spec.x.length,
      NEAR = 0.1,
      rows = (epoch) => Array.from(epoch, (letter) => parseInt(letter, 36)),
      orders = Object.fromEntries(
        Object.entries(spec.orders).map(([kind, draws]) => [kind, draws.map((epochs) => epochs.map(rows))]),
      );
    const plane = ui.plot({
      label: "Loss over w and b with the gradients and the run",
      title: "Steps of 60 batches, of all data (thick), a run",
      ratio: 1.1,
      narrow: 1.1,
      x: spec.window,
      y: spec.window,
      xlabel: "slope w",
      ylabel: "intercept b",
    });
    const curve = ui.plot({
      label: "Loss above its minimum along the run",
      title: "Loss above its minimum; ● ends of epochs",
      ratio: 1.1,
      narrow: 1.25,
      xlabel: " ",
      logy: true,
      x: [0, 1],
      y: [1e-4, 10],
    });

    /* y holds the mean loss over some samples, its gradient, its Hessian by rows. */
    const one = oc.program(spec.loss),
      all = Array.from({ length: N }, (_, k) => k);
    const mean = (theta, rows, y = new Float64Array(7)) => {
      one.x.set(theta);
      y.fill(0);
      for (const k of rows) {
        one.x[2] = spec.x[k];
        one.x[3] = spec.y[k];
        one.run(one.x, one.y);
        for (let i = 0; i < 7; i++) y[i] += one.y[i] / rows.length;
      }
      return y;
    };
    const [lowest, , , a, b, , c] = mean(spec.best, all),
      limit = 2 / oc.eig2(a, b, c)[1];
    const scratch = new Float64Array(7),
      above = (theta) => mean(theta, all, scratch)[0] - lowest;

    ui.slider("batch", {
      label: "Batch size b",
      min: 1,
      max: N,
      scale: "log",
      int: true,
      steps: Math.log2(N),
      tip: "Samples that a step is computed from.",
    });
    const clean = ui.fields.batch; // so that batches fill an epoch
    ui.field("batch", (v, ...rest) => 2 ** Math.round(Math.log2(clean(v, ...rest))));
    ui.slider("lr", {
      label: "Learning rate η",
      min: 1e-3,
      max: 1,
      scale: "log",
      marks: [{ at: limit, label: "2/L" }],
      tip: "Beyond 2/L even the full gradient diverges.",
    });
    ui.slider("epochs", {
      label: "Epochs",
      min: 1,
      max: orders.reshuffle[0].length,
      int: true,
      tip: "Passes over the data: each costs 32 examples, whatever the batch size.",
    });
    ui.slider("draw", {
      label: "Random draw",
      min: 0,
      max: orders.reshuffle.length - 1,
      int: true,
      tip: "Other batches for the run; the sixty arrows stay.",
    });
    const choices = (map) => Object.entries(map).map(([value, label]) => ({ value, label }));
    ui.select("sampling", {
      label: "Next samples",
      options: choices(spec.sampling),
      tip: "Reshuffled, every sample is used once in each epoch.",
    });
    ui.select("count", {
      label: "Loss against",
      options: choices(spec.counts),
      tip: "A step with b samples costs b examples.",
    });
    plane.handle("start", { label: "Start (w, b)" });
    plane.pick((start) => ui.set({ start }));

    /* What `descend` asks of a surface: the full loss, and the gradient of the next batch. */
    const sampled = (order, b) => {
      let t = 0;
      const y = new Float64Array(3),
        total = (order.length / b) | 0;
      return {
        n: 2,
        y,
        at: (theta) => {
          y[0] = mean(theta, all, scratch)[0] - lowest;
          const k = b * Math.min(t++, total - 1);
          y.set(mean(theta, order.slice(k, k + b), scratch).subarray(1, 3), 1);
        },
      };
    };

    return ui.run((v) => {
      const steps = (v.epochs * N) / v.batch,
        order = orders[v.sampling][v.draw].slice(0, v.epochs).flat();
      const run = oc.descend(sampled(order, v.batch), spec.rule, { start: v.start, lr: v.lr, steps }),
        shown = run.end + 1;
      const [, gx, gy] = mean(v.start, all),
        cloud = orders.reshuffle.flat().map((rows) => mean(v.start, rows.slice(0, v.batch)).subarray(1, 3));
      const longest = Math.max(Math.hypot(gx, gy), ...cloud.map(([p, q]) => Math.hypot(p, q))),
        reach = (0.3 * (spec.window[1] - spec.window[0])) / longest;

      plane.bands(above, { base: 0 });
      plane.axes({ grid: false });
      plane.path(run.points.subarray(0, 2 * shown), { color: spec.color, width: 1.25, halo: true });
      const [x0, y0] = v.start;
      for (const [p, q] of cloud)
        plane.arrow(x0, y0, x0 - reach * p, y0 - reach * q, { color: "warn", width: 1, alpha: 0.6 });
      plane.arrow(x0, y0, x0 - reach * gx, y0 - reach * gy, { color: "fg", width: 3, halo: true });
      plane.dot(run.points[2 * run.end], run.points[2 * run.end + 1], { color: spec.color, hollow: true });

      const unit = v.count === "steps" ? 1 : v.batch,
        loss = run.loss.subarray(0, shown),
        at = (t) => t * unit;
      curve.xlabel = v.count === "steps" ? "steps" : "examples";
      const good = loss.filter((j) => j > 1e-9 && j < 1e9),
        top = Math.max(...good, 1),
        low = Math.min(...good, 0.1);
      curve.range({ x: [0, steps * unit], y: [low / 2, 2 * top] });
      curve.axes();
      curve.line(at, (t) => loss[t], { n: shown, color: spec.color, width: 1.25 });
      for (let t = 0; t < shown; t += N / v.batch) curve.dot(at(t), loss[t], { color: spec.color, size: 3.5 });

      const squares =
        all.reduce(
          (sum, k) =>
            sum +
            mean(v.start, [k])
              .subarray(1, 3)
              .reduce((s, g) => s + g * g, 0),
          0,
        ) /
          N -
        gx * gx -
        gy * gy;
      const theory = Math.sqrt((squares / v.batch) * ((N - v.batch) / (N - 1)));
      const error = Math.sqrt(cloud.reduce((sum, [p, q]) => sum + (p - gx) ** 2 + (q - gy) ** 2, 0) / cloud.length);
      const wrong = cloud.filter(([p, q]) => p * gx + q * gy < 0).length,
        ends = loss.filter((_, t) => (t * v.batch) % N === 0),
        last = ends.subarray(-Math.max(1, ends.length >> 1)),
        average = last.reduce((s, j) => s + j, 0) / last.length,
        hit = loss.findIndex((j) => j < NEAR);
      if (!run.diverged) ui.facts({ average, examples: steps * v.batch });
      return (
        `Here ${wrong} of ${cloud.length} batches of ${v.batch} point uphill: ` +
        `the gradient has length ${fmt(Math.hypot(gx, gy))}, the typical error is ${fmt(error)} (formula: ` +
        `${fmt(theory)}). ` +
        (run.diverged
          ? `The run diverges at step ${run.end}.`
          : `After ${v.count === "steps" ? `${steps} steps` : `${steps * v.batch} examples`} the loss is ` +
            `${fmt(loss[run.end])} above its minimum, ${fmt(average)} on ` +
            `average at the ends of the later half of the epochs` +
            (hit < 0 ? "." : `; it was first below ${NEAR} after ${hit} steps, ${hit * v.batch} examples.`))
      );
    });
  },
};
