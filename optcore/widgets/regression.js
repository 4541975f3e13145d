/* Data space beside parameter space: J(w, b) is the traced loss of one sample, averaged here over the samples. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp } = oc,
      [xs, ys] = [spec.x, spec.y];
    const data = ui.plot({
      label: "Points and line",
      title: "Data space: one line",
      ratio: 1.1,
      x: xs,
      y: ys,
      xlabel: spec.names[0],
      ylabel: spec.names[1],
    });
    const plane = ui.plot({
      label: "Loss over w and b",
      title: "Parameter space: one point",
      ratio: 1.1,
      x: spec.w,
      y: spec.b,
      xlabel: "Slope w",
      ylabel: "Intercept b",
    });

    const losses = Object.fromEntries(
      spec.losses.map((l) => [l.value, { ...l, ...oc.program(l.program), value: oc.program(l.bare) }]),
    );
    /* Mean over the samples as a surface: y holds J, its gradient, its Hessian by rows. */
    const objective = oc.memo((loss, points) => {
      const one = losses[loss],
        bare = one.value,
        y = new Float64Array(7),
        n = points.length;
      const at = (w) => {
        y.fill(0);
        one.x.set(w);
        for (const p of points) {
          one.x.set(p, 2);
          one.run(one.x, one.y);
          for (let i = 0; i < 7; i++) y[i] += one.y[i] / n;
        }
      };
      const f = (w) => {
        let sum = 0;
        bare.x[0] = w[0];
        bare.x[1] = w[1];
        for (let i = 0; i < n; i++) {
          bare.x[2] = points[i][0];
          bare.x[3] = points[i][1];
          bare.run(bare.x, bare.y);
          sum += bare.y[0];
        }
        return sum / n;
      };
      return { n: 2, y, at, f };
    });
    const limit = ({ loss, points, w, b }) => {
      const J = objective(loss, points);
      J.at([w, b]);
      return 2 / oc.eig2(J.y[3], J.y[4], J.y[6])[1];
    };

    const [lo, hi] = spec.w;
    ui.slider("w", { label: "Slope w", min: lo, max: hi, tip: "How much the prediction grows for each unit of x." });
    ui.slider("b", { label: "Intercept b", min: spec.b[0], max: spec.b[1], tip: "The prediction at x = 0." });
    ui.slider("lr", {
      label: "Learning rate η",
      min: 1e-3,
      max: 1,
      scale: "log",
      tip: "Each step subtracts η times the gradient; on a bowl, steps longer than 2/L grow for ever.",
      marks: () => (ui.value.loss === "mse" ? [{ at: limit(ui.value), label: "2/L" }] : []),
    });
    ui.slider("steps", {
      label: "Steps drawn",
      min: 1,
      max: spec.most[1],
      int: true,
      tip: "How many steps of gradient descent the path shows.",
    });
    ui.select("loss", {
      label: "Loss",
      options: spec.losses,
      tip: "What a residual costs: its square, its size, or a mixture of the two.",
    });
    ui.button(
      "Take one step",
      () => {
        const [, , w, b] = path(ui.value).points;
        ui.set({ w, b });
      },
      { tip: "Moves the line to where one step of gradient descent takes it" },
    );
    const add = (p) => ui.value.points.length < spec.most[0] && ui.set({ points: [...ui.value.points, p] });
    ui.button("Add an outlier", () => add([xs[0] + 0.8 * (xs[1] - xs[0]), ys[0] + 0.1 * (ys[1] - ys[0])]), {
      tip: "Or click in the data",
    });
    ui.button(
      "Remove the last point",
      () => ui.value.points.length > 2 && ui.set({ points: ui.value.points.slice(0, -1) }),
    );
    data.canvas.addEventListener("click", (e) =>
      add([clamp(data.xAt(e.offsetX), ...xs), clamp(data.yAt(e.offsetY), ...ys)]),
    );

    data.handles("points", { label: "Point", least: 2, most: spec.most[0] });
    const ends = [0.04, 0.96].map((t) => xs[0] + t * (xs[1] - xs[0]));
    const height = (x) => ui.value.w * x + ui.value.b;
    ends.forEach((x, k) =>
      data.handle(
        {
          get: () => [x, height(x)],
          set: ([, y]) => {
            // the other end stays where it is: at the border of the parameter space this one stops
            const { w, b } = ui.value,
              to = (height(ends[1 - k]) - y) / (ends[1 - k] - x),
              room = (from, by, [lo, hi]) => (by ? ((by > 0 ? hi : lo) - from) / by : 1),
              part = Math.min(1, room(w, to - w, spec.w), room(b, y - to * x - b, spec.b));
            ui.set({ w: w + part * (to - w), b: b + part * (y - to * x - b) });
          },
        },
        { label: k ? "Right end of the line" : "Left end of the line", axis: "y", color: "accent" },
      ),
    );
    plane.handle(
      { get: () => [ui.value.w, ui.value.b], set: ([w, b]) => ui.set({ w, b }) },
      { label: "Model (w, b)", color: "accent" },
    );

    const path = ({ loss, points, w, b, lr, steps }) =>
      oc.descend(objective(loss, points), spec.rule, { start: [w, b], lr, steps });

    return ui.run((value) => {
      const { w, b, lr, loss, points, steps } = value,
        J = objective(loss, points);
      const run = path(value),
        last = 2 * run.end,
        [endW, endB] = run.points.subarray(last, last + 2);
      J.at([w, b]);
      const [j, gw, gb] = J.y;
      ui.facts({ cost: j });

      data.axes();
      for (const [x, y] of points) data.line([x, x], [y, w * x + b], { color: "warn", width: 3, alpha: 0.6 });
      data.line(
        xs,
        xs.map((x) => endW * x + endB),
        { dash: [6, 5], color: "muted" },
      );
      data.line(
        xs,
        xs.map((x) => w * x + b),
        { width: 3 },
      );

      plane.bands(J.f, { key: [loss, points], base: 0 });
      plane.axes({ grid: false });
      const reach = (0.15 * (hi - lo)) / Math.hypot(gw, gb);
      plane.arrow(w, b, w - reach * gw, b - reach * gb, { color: "warn", width: 3, halo: true });
      plane.path(run.points.subarray(0, last + 2), { width: 1.5, halo: true });
      for (let i = 2; i <= last; i += 2) plane.dot(run.points[i], run.points[i + 1], { size: 2.5, edge: false });
      if (!run.diverged) plane.dot(endW, endB, { hollow: true, size: 5 });

      const turn = (g, name) => `${Math.abs(g) < oc.TINY ? "keep" : g < 0 ? "raise" : "lower"} ${name}`,
        there = Math.hypot(gw, gb) < oc.TINY;
      const label = losses[loss].label.replace(/^M/, "m"),
        after = `${steps} step${steps > 1 ? "s" : ""} with η = ${fmt(lr)}`;
      const cause = loss === "mse" && lr > limit(value) ? `, because η exceeds 2/L = ${fmt(limit(value))}` : "";
      return [
        `The line y = ${fmt(w)}x ${b < 0 ? "−" : "+"} ${fmt(Math.abs(b))} costs ${fmt(j, 4)} (${label}).`,
        `Gradient (${fmt(gw)}, ${fmt(gb)}): ${there ? "you are there" : `${turn(gw, "w")}, ${turn(gb, "b")}`}.`,
        run.diverged || run.loss[run.end] > j
          ? `${after} lead away: J = ${fmt(run.loss[run.end])}${cause}.`
          : `${after} lead to (${fmt(endW)}, ${fmt(endB)}), J = ${fmt(run.loss[run.end], 4)} (dashed line).`,
      ];
    });
  },
};
