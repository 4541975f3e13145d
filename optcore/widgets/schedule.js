/* Learning rates above, what runs do under them below. Settings: `shown`, `focus` (drawn with bias² and variance
   apart),
   `lr`, `steps`, `warmup`, `cooldown`, the knobs of the families, `knots` of the drawn schedule, `model` and its
   `curvature`, `noise`, `start`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el });
    const { families, programs, knobs, most, top } = ui.spec,
      { fmt } = oc;
    const label = Object.fromEntries(families),
      color = Object.fromEntries(families.map(([k, , c]) => [k, c]));
    const code = Object.fromEntries(Object.entries(programs).map(([k, p]) => [k, oc.program(p)]));
    const quadratic = oc.program(ui.spec.quadratic),
      surface = oc.surface(ui.spec.product);

    const above = ui.plot({
      label: "Learning rate against the step",
      title: "Learning rate η",
      ratio: 1.5,
      narrow: 1.6,
      xlabel: "step",
      x: [0, most * 1.02],
      y: [0, top],
    });
    const below = ui.plot({
      label: "Error against the step",
      title: " ",
      ratio: 1.5,
      narrow: 1.6,
      xlabel: "step",
      x: [0, most * 1.02],
      y: [1e-4, 1],
      logy: true,
    });
    const caption = below.el.querySelector("figcaption");
    ui.checks("shown", {
      legend: "Show",
      options: families.map(([value, name, c]) => ({ value, label: name, color: c })),
    });
    const names = ui.controls.lastChild;
    const rest = [...names.querySelectorAll("label")].filter((box) => {
      const { value } = box.querySelector("input");
      return value !== "drawn" && !ui.initial.shown.includes(value);
    });
    if (rest.length)
      names.append(oc.h("details", { class: "oc-others" }, oc.h("summary", {}, "Other schedules"), ...rest));
    ui.select("focus", {
      label: "In detail",
      options: families.map(([value, name]) => ({ value, label: name })),
      tip: "The thick line; for the quadratic its bias² and variance are drawn apart.",
    });
    ui.slider("lr", {
      label: "Learning rate η₀",
      min: top / 400,
      max: top,
      scale: "log",
      tip: "The rate at which every schedule starts, or its peak.",
    });
    ui.slider("warmup", {
      label: "Warm-up steps",
      min: 0,
      max: (v) => (v.steps / 2) | 0,
      int: true,
      tip: "A straight rise to η₀ chained before the schedule.",
    });
    ui.slider("cooldown", {
      label: "Cooldown steps",
      min: 0,
      max: (v) => (v.steps / 2) | 0,
      int: true,
      tip: "The last steps go straight down to zero: constant with both is warm-up, stable, decay.",
    });
    ui.select("model", {
      label: "What runs",
      options: [
        { value: "quadratic", label: "noisy quadratic, exact" },
        { value: "product", label: "½(ab − 1)², sharpness" },
      ],
      tip: "The quadratic weighs bias against noise; the product has minima of every sharpness.",
    });
    const problem = ui.group("Problem and horizon");
    ui.slider("steps", {
      label: "Steps in all",
      min: Math.min(10, most),
      max: most,
      int: true,
      in: problem,
      tip: "The horizon: linear, cosine and one cycle must know it in advance.",
    });
    const noisy = [
      ui.slider("curvature", {
        label: "Curvature λ",
        min: 0.01,
        max: 10,
        scale: "log",
        in: problem,
        tip: "The quadratic is ½λx²; a step multiplies its mean by 1 − ηλ.",
      }),
      ui.slider("noise", {
        label: "Gradient noise σ",
        min: 0,
        max: 3,
        in: problem,
        tip: "Standard deviation of the error of each gradient; without noise decay gains nothing.",
      }),
      ui.slider("start", {
        label: "Start x₀",
        min: 0.1,
        max: 10,
        scale: "log",
        in: problem,
        tip: "Distance from the minimum at the start.",
      }),
    ];
    const shape = Object.keys(knobs).length && ui.group("Shapes");
    const knobOf = Object.entries(knobs).map(([k, options]) => [k, ui.slider(k, { ...options, in: shape })]);
    above.handles("knots", { label: "Corner", color: "fg", least: 2, most: 12 });
    const visible = (input, on) => (input.closest(".oc-control").style.display = on ? "" : "none");

    const rates = (name, v) => {
      const out = new Float64Array(v.steps);
      if (name === "drawn") {
        const knots = [...v.knots].sort((a, b) => a[0] - b[0]);
        let k = 0;
        return out.map((_, t) => {
          while (k < knots.length && knots[k][0] <= t) k++;
          const [a, b] = [knots[k - 1] ?? knots[k], knots[k] ?? knots[k - 1]];
          return a === b ? a[1] : a[1] + ((b[1] - a[1]) / (b[0] - a[0])) * (t - a[0]);
        });
      }
      const p = code[name];
      for (const k in p.in) p.x[p.in[k]] = v[k];
      return out.map((_, t) => ((p.x[p.in.t] = t), p.run(p.x, p.y), p.y[0]));
    };
    const errors = (eta, v) => {
      const n = eta.length + 1,
        bias = new Float64Array(n),
        variance = new Float64Array(n),
        { x, y, run, in: at } = quadratic;
      for (const k of ["curvature", "noise"]) x[at[k]] = v[k];
      [y[0], y[1]] = [v.start, 0];
      for (let t = 0; ; t++) {
        [bias[t], variance[t]] = [y[0] ** 2, y[1]];
        if (t === n - 1) return { bias, variance, total: bias.map((b, i) => b + variance[i]) };
        [x[at.eta], x[at.m], x[at.v]] = [eta[t], y[0], y[1]];
        run(x, y);
      }
    };
    const sharpness = (eta) => {
      const { points, end, diverged } = oc.descend(surface, ui.spec.gd, {
        start: ui.spec.from,
        lr: eta,
        steps: eta.length,
        noise: ui.spec.noise,
      });
      const total = new Float64Array(eta.length + 1).fill(NaN);
      for (let t = 0; t <= end - diverged; t++) {
        surface.at(points.subarray(2 * t));
        total[t] = oc.eig2(surface.y[3], surface.y[4], surface.y[6])[1];
      }
      return { total, end, diverged };
    };

    return ui.run((v) => {
      const exact = v.model === "quadratic",
        shown = families.map(([k]) => k).filter((k) => v.shown.includes(k));
      const focus = shown.includes(v.focus) ? v.focus : (shown[0] ?? v.focus);
      if (focus !== v.focus) ui.value = { ...ui.value, focus }; // the menu says what is drawn
      const runs = shown.map((k) => {
        const eta = rates(k, v);
        return { k, eta, ...(exact ? errors(eta, v) : sharpness(eta)) };
      });
      for (const [k, input] of knobOf)
        visible(
          input,
          shown.some((name) => name in code && k in code[name].in),
        );
      noisy.forEach((input) => visible(input, exact));
      for (const handle of above.box.querySelectorAll(".oc-handle")) handle.hidden = !v.shown.includes("drawn");
      if (shape) shape.parentNode.hidden = !knobOf.some(([, input]) => !input.closest(".oc-control").style.display);
      oc.write(
        caption,
        exact
          ? "Expected squared error E x²; in detail: bias² dashed, variance dotted"
          : "Sharpness; dashed: the limit of stability 2/η",
      );

      const wide = [0, (v.shown.includes("drawn") ? most : v.steps) * 1.02]; // a corner may stand beyond the last step
      above.range({ x: wide });
      above.axes();
      const lowest = runs.reduce((low, { total }) => total.reduce((a, e) => (e > 0 && e < a ? e : a), low), 1);
      below.range({
        x: wide,
        y: exact
          ? [10 ** Math.floor(Math.log10(Math.max(lowest, 1e-12)) + 1e-9), 3 * Math.max(v.start ** 2, v.noise ** 2)]
          : [0.5, 100],
      });
      below.axes();
      runs.forEach(({ k, eta, total, bias, variance }, i) => {
        const style = { color: color[k], width: k === focus ? 3 : 1.5 },
          at = (j) => j;
        const mark = Math.round(v.steps * (0.12 + (0.8 * i) / Math.max(runs.length, 3))),
          glyph = { color: color[k], shape: families.findIndex(([name]) => name === k) };
        above.line(at, (t) => eta[t], { ...style, n: v.steps });
        above.dot(mark, eta[mark], glyph);
        if (k === focus && exact) {
          below.line(at, (t) => bias[t], { ...style, width: 1.5, dash: [7, 4], n: v.steps + 1 });
          below.line(at, (t) => variance[t], { ...style, width: 1.5, dash: [2, 4], n: v.steps + 1 });
        }
        if (!exact) below.line(at, (t) => 2 / eta[t], { ...style, width: 1.5, dash: [7, 4], n: v.steps });
        below.line(at, (t) => total[t], { ...style, n: v.steps + 1 });
        below.dot(mark, total[mark], glyph);
      });
      if (!runs.length) return "No schedule is shown.";
      const main = runs.find((r) => r.k === focus),
        last = (list) => list[list.length - 1];
      if (!exact) {
        const first = main.total[0],
          words = [main, ...runs.filter((r) => r !== main)].map((r) =>
            r.diverged
              ? `${label[r.k]}: diverged at step ${r.end}`
              : `${label[r.k]}: ends at sharpness ${fmt(last(r.total))}, 2/η = ${fmt(2 / last(r.eta))}`,
          );
        return (
          `${words.join(". ")}. At the start the sharpness is ${fmt(first)}: ` +
          `a first rate above ${fmt(2 / first)} throws the run uphill.`
        );
      }
      const b = last(main.bias),
        s = last(main.variance),
        ranked = [...runs].sort((p, q) => last(p.total) - last(q.total));
      for (const { k, total } of runs) ui.facts({ [k]: last(total) });
      const reading =
        b > 4 * s ? "it stopped short of the minimum" : s > 4 * b ? "what is left is noise" : "bias and noise balance";
      return (
        `After ${v.steps} steps from x₀ = ${fmt(v.start)}, ${label[focus]} has E x² = ${fmt(b + s)}: ` +
        `bias² ${fmt(b)} and variance ${fmt(s)}, so ${reading}.` +
        (runs.length > 1
          ? ` From the lowest up: ${ranked.map((r) => `${label[r.k]} ${fmt(last(r.total))}`).join(", ")}.`
          : "")
      );
    });
  },
};
