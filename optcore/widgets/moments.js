/* Gradients of one coordinate, Adam's running means of them, and the steps of rules. Settings: `signal`, `drawn` (the
   reader's own), `scale`, `rules`, `at` (the step that is read, from 0), `view` ("step" or "distance"), and the
   hyper-parameters. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { signals, rules, sliders } = ui.spec,
      { fmt, clamp } = oc;
    const n = ui.initial.drawn.length,
      x = [0, n + 1],
      shape = { ratio: 1.25, narrow: 1.7, x, xlabel: "step" };
    const above = ui.plot({
      ...shape,
      label: "Gradient at each step",
      title: "Gradient g: drag to draw your own",
      y: [-1, 1],
    });
    const middle = ui.plot({
      ...shape,
      label: "Running means of the gradient",
      title: "Adam's m (solid) and √v (dashed)",
      y: [-1, 1],
    });
    const below = ui.plot({ ...shape, ratio: 2.6, label: "Steps of the rules", title: " ", y: [-1, 1] });
    const caption = below.el.querySelector("figcaption");

    const menu = ui.select("signal", {
      label: "Gradient",
      options: [
        ...Object.entries(signals).map(([value, [label]]) => ({ value, label })),
        { value: "drawn", label: "drawn by you" },
      ],
    });
    // read where something happens: at the first of the largest gradients
    menu.addEventListener("change", () => {
      const sizes = list(ui.value).map(Math.abs);
      ui.set({ at: sizes.indexOf(Math.max(...sizes)) });
    });
    ui.slider("at", {
      label: "Step read",
      min: 0,
      max: n - 1,
      int: true,
      format: (i) => i + 1,
      tip: "The point in the first plot: its arrow keys change the gradient at this step.",
    });
    ui.slider("scale", {
      label: "Scale of the gradient",
      min: 1e-9,
      max: 1e3,
      scale: "log",
      tip: "All gradients are multiplied by it; a rule that divides by their size takes the same steps until ε counts.",
    });
    for (const [k, options] of Object.entries(sliders)) ui.slider(k, options);
    ui.select("view", {
      label: "Third plot",
      options: [
        { value: "step", label: "each step, in units of η" },
        { value: "distance", label: "distance gone, in units of η" },
      ],
    });
    ui.checks("rules", {
      legend: "Rules",
      options: rules.map(({ name, label, color }) => ({ value: name, label, color })),
    });

    const list = (v) => (v.signal === "drawn" ? v.drawn : signals[v.signal][1]);
    const put = (i, y) =>
      ui.set({ drawn: [...list(ui.value)].with(i, clamp(y / ui.value.scale, -9, 9)), signal: "drawn", at: i });
    above.pick(([px, y]) => put(clamp(Math.round(px) - 1, 0, n - 1), y), { sketch: true });
    above.handle(
      {
        get: () => [ui.value.at + 1, list(ui.value)[ui.value.at] * ui.value.scale],
        set: ([, y]) => put(ui.value.at, y),
      },
      { label: "Gradient at the step read", axis: "y" },
    );
    ui.field("drawn", (v, note, fallback) => {
      if (!Array.isArray(v) || v.length !== n) return note("the drawn gradient had the wrong length"), fallback;
      return v.map((g, i) => (Number.isFinite(g) ? clamp(g, -9, 9) : fallback[i]));
    });

    /* A rule on the gradients: its direction and states after each step, rows of `out`. */
    const run = (traced, gradients, v) => {
      const p = oc.program(traced),
        { x, y } = p;
      x.set(traced.state0, 1);
      for (const { name, default: value } of traced.hyper) x[p.in[name]] = v[name] ?? value;
      return gradients.map((g, t) => {
        x[0] = g;
        if ("t" in p.in) x[p.in.t] = t + 1;
        if ("w" in p.in) x[p.in.w] = 0;
        p.run(x, y);
        for (let i = 1; i < y.length; i++) x[i] = y[i];
        return [...y];
      });
    };
    const limits = (values, floor) => {
      const good = values.filter(Number.isFinite),
        lo = Math.min(0, ...good),
        hi = Math.max(lo ? 0 : floor, ...good),
        room = 0.15 * (hi - lo);
      return [lo - room, hi + room];
    };

    return ui.run((v) => {
      const g = [...list(v)].map((a) => a * v.scale),
        t = (i) => i + 1;
      const adam = run(ui.spec.moments, g, v),
        m = adam.map((y) => y[1]),
        root = adam.map((y) => Math.sqrt(y[2]));
      const fade = (beta, values, power) => values.map((a, i) => a / (1 - beta ** (i + 1)) ** power);
      const corrected = [fade(v.beta1 ?? 0.9, m, 1), fade(v.beta2 ?? 0.999, root, 0.5)];

      above.range({ y: limits([-v.scale, v.scale, ...g], v.scale) });
      above.axes();
      above.rule({ y: 0 });
      above.bars(oc.linspace(0.6, n + 0.6, n + 1), g, { color: "muted" });
      above.dot(v.at + 1, g[v.at], { color: "accent" });

      middle.range({ y: limits([...m, ...corrected.flat()], 1e-12) });
      middle.axes();
      middle.rule({ x: v.at + 1 });
      const color = "#b3125a";
      corrected.forEach((values, i) => middle.line(t, (k) => values[k], { n, color, dash: i ? [6, 4] : [] }));
      middle.line(t, (i) => m[i], { n, color: "muted", width: 1.25 });
      middle.line(t, (i) => root[i], { n, color: "muted", width: 1.25, dash: [6, 4] });
      middle.text(n, Math.max(corrected[0][n - 1], 0), "bias-corrected", {
        color,
        align: "right",
        base: "bottom",
        dy: Math.max(-4, middle.top + 16 - middle.Y(Math.max(corrected[0][n - 1], 0))), // all of it
      });
      middle.text(n, m[n - 1], "raw", { color: "muted", align: "right", base: "top", dy: 4 });

      const shown = rules
        .map((rule, k) => ({ ...rule, k }))
        .filter(({ name }) => v.rules.includes(name))
        .map((rule) => {
          let gone = 0;
          const steps = run(rule.program, g, v).map(([d]) => d),
            distance = steps.map((d) => (gone += d));
          return { ...rule, steps, distance, drawn: v.view === "step" ? steps : distance };
        });
      const legend = shown.map(({ label, k }) => `${oc.GLYPHS[k]} ${label}`).join(", ");
      const what = v.view === "step" ? "Step" : "Distance gone";
      oc.write(caption, `${what} against the gradient, in units of η: ${legend}`);
      below.range({
        y: limits(
          shown.flatMap((r) => r.drawn),
          1e-3,
        ),
      });
      below.axes();
      below.rule({ y: 0 });
      below.rule({ x: v.at + 1 });
      shown.forEach(({ drawn, color, k }) => {
        below.line(t, (i) => drawn[i], { n, color });
        for (let i = 4 + 4 * k; i < n; i += 20) below.dot(i + 1, drawn[i], { color, shape: k });
      });
      for (const { name, steps } of shown) ui.facts({ [`${name}.longest`]: Math.max(...steps.map(Math.abs)) });
      const words = shown.map(({ label, steps }) => `${label} ${fmt(steps[v.at])}`).join(", ");
      const far = shown.map(({ label, distance }) => `${label} ${fmt(distance[n - 1])}`).join(", ");
      return (
        `At step ${v.at + 1} the gradient is ${fmt(g[v.at])}, m is ${fmt(m[v.at])} and √v is ${fmt(root[v.at])}. ` +
        (shown.length
          ? v.view === "step"
            ? `Steps in units of η: ${words}.`
            : `After ${n} steps, in units of η: ${far}.`
          : "No rule is shown.")
      );
    });
  },
};
