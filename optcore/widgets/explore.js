/* Rules race down a landscape: the paths are computed here, from the traced code, as optcore.descend does. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, h } = oc;
    const TOL = 1e-6,
      surface = oc.surface(spec.surface.program),
      [x, y] = spec.surface.domain;
    const draws = spec.noise && new Float64Array(Uint8Array.from(atob(spec.noise), (c) => c.charCodeAt(0)).buffer);
    const schedules = Object.keys(spec.schedules);

    // ---- what is computed, from the settings alone
    const paramsOf = (value) => Object.fromEntries(spec.surface.params.map((k) => [k, value[`surface.${k}`]]));
    const noiseOf = oc.memo((level) => (level && draws ? draws.map((z) => level * z) : undefined));
    const rateOf = (lr, value) => {
      if (!schedules.length) return lr;
      const { run, x: t, y: out } = oc.program(spec.schedules[value.schedule]);
      return Float64Array.from({ length: value.steps }, (_, k) => ((t[0] = k), run(t, out), lr * out[0]));
    };
    const hyperOf = (rule, value) =>
      Object.fromEntries(Object.entries(rule.hyper).map(([name, key]) => [name, value[key]]));
    const runOf = (rule, value, change, { params = paramsOf(value), into } = {}) => {
      const { lr, ...hyper } = { ...hyperOf(rule, value), ...change };
      const { start, steps, noise } = value;
      return oc.descend(surface, rule.program, {
        start,
        steps,
        lr: rateOf(lr, value),
        hyper,
        params,
        noise: noiseOf(noise),
        into,
      });
    };
    /* Minima are known at the default parameters; Newton's method follows them to others, or drops them. */
    const minimaAt = oc.memo((...numbers) => {
      const params = Object.fromEntries(spec.surface.params.map((k, i) => [k, numbers[i]])),
        kept = [];
      for (const [a, b] of spec.surface.minima) {
        const w = [a, b];
        let slope;
        for (let k = 0; k < 20; k++) {
          surface.at(w, params);
          const [, g, k2, p, q, , r] = surface.y,
            det = p * r - q * q;
          slope = Math.hypot(g, k2);
          if (!(det > 0) || slope < 1e-12) break;
          w[0] -= (r * g - q * k2) / det;
          w[1] -= (p * k2 - q * g) / det;
        }
        if (slope < 1e-6) kept.push({ w, f: surface.f(w, params) });
      }
      return kept;
    });
    const minimaOf = (value) => minimaAt(...spec.surface.params.map((k) => value[`surface.${k}`]));
    const lowestOf = (value) => minimaOf(value).reduce((low, m) => Math.min(low, m.f), Infinity);
    const landmarks = (value) => {
      const [m] = minimaOf(value);
      if (!spec.surface.quadratic || !m) return [];
      const [a, b, , c] = surface.hess(m.w, paramsOf(value)),
        [, L] = oc.eig2(a, b, c);
      return [
        { at: 1 / L, label: "1/L" },
        { at: 2 / L, label: "2/L" },
      ];
    };

    // ---- parts
    const map = ui.plot({
      label: "Contours of the surface with the path of each rule",
      ratio: 1.05,
      narrow: 1.05,
      x,
      y,
    });
    const curve = ui.plot({
      label: "Each rule's curve, step by step",
      ratio: 0.85,
      narrow: 1.5,
      xlabel: "step",
      ylabel: " ", // room for the name of the curve, from the first drawing on
    });
    map.handle("start", { label: "Start point" });
    map.pick((p) => ui.set({ start: p }));

    ui.player("step", { max: (value) => value.steps });
    ui.checks("on", {
      legend: "Rules",
      options: spec.rules.map((r) => ({ value: r.label, label: r.label, color: r.color })),
    });
    const add = (s, extra) => ui.slider(s.key, { ...s, ...extra });
    const isRate = (s) => /(^|\.)lr$/.test(s.key);
    for (const s of spec.sliders.filter(isRate)) add(s, { steps: 600, marks: landmarks });
    if (schedules.length)
      ui.select("schedule", {
        label: "Schedule of η",
        options: schedules,
        tip: "Multiplies the learning rate at each step.",
      });
    for (const s of spec.surfaceSliders) add(s);
    if (draws)
      ui.slider("noise", {
        label: "Gradient noise σ",
        scale: "log0",
        min: 1e-3,
        max: 100,
        tip: "Standard deviation of the normal noise added to every gradient; the draws stay the same.",
      });
    else ui.field("noise", () => 0);
    ui.slider("steps", {
      label: "Steps",
      min: 1,
      max: spec.steps,
      int: true,
      tip: "Number of updates that each rule makes.",
    });
    ui.select("curve", {
      label: "Curve",
      options: [
        { value: "loss", label: "loss" },
        { value: "slope", label: "gradient norm" },
        { value: "move", label: "length of step" },
      ],
      tip: "What the second figure shows for every step.",
    });
    const rest = spec.sliders.filter((s) => !isRate(s));
    if (rest.length) {
      const group = ui.group("Hyper-parameters of the rules", true);
      for (const s of rest) add(s, { in: group });
    }
    const table = h("tbody"),
      heads = ["rule", "loss", "lowest loss", `first below ${fmt(TOL)}`, "path length", "gradient norm"];
    const statistics = ui.group("Path statistics").parentElement;
    statistics.addEventListener("toggle", () => ui.redraw());
    statistics.lastChild.replaceWith(
      h(
        "div",
        { class: "oc-scroll", tabindex: 0, role: "region", "aria-label": "Path statistics" },
        h(
          "table",
          { class: "oc-table" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              heads.map((t) => h("th", { scope: "col" }, t)),
            ),
          ),
          table,
        ),
      ),
    );
    const phase = spec.phase && phaseDiagram();

    // ---- drawing
    const reached = (run, lowest) =>
      lowest < Infinity ? run.loss.findIndex((f, k) => k <= run.end && f - lowest <= TOL) : -1;
    const moves = ({ points, end }) =>
      Float64Array.from({ length: end }, (_, k) =>
        Math.hypot(points[2 * k + 2] - points[2 * k], points[2 * k + 3] - points[2 * k + 1]),
      );
    const words = (rule, run, k, lowest) => {
      if (run.diverged && run.end <= k) return `${rule.label}: diverged at step ${run.end}`;
      const hit = reached(run, lowest),
        loss = `loss ${fmt(run.loss[k], 4)}`;
      return `${rule.label}: ${hit >= 0 && hit <= k ? `first below ${fmt(TOL)} at step ${hit}, now ` : ""}${loss}`;
    };

    return ui.run((value) => {
      const shown = Math.min(value.step ?? value.steps, value.steps),
        lowest = lowestOf(value),
        params = paramsOf(value);
      const runs = spec.rules
        .map((rule, k) => ({ rule, k, run: value.on.includes(rule.label) && runOf(rule, value) }))
        .filter((r) => r.run);
      map.bands((a, b) => surface.f([a, b], params), {
        key: Object.values(params),
        base: Number.isFinite(lowest) ? lowest : null,
      });
      map.axes({ grid: false });
      for (const m of minimaOf(value)) map.dot(...m.w, { hollow: true, shape: 3, size: 4, color: "fg" });
      for (const { rule, k, run } of runs) {
        const last = Math.min(shown, run.end),
          flat = run.points.subarray(0, 2 * last + 2);
        map.path(flat, { color: rule.color, halo: true });
        if (last <= 60)
          for (let i = 1; i < last; i++) map.dot(flat[2 * i], flat[2 * i + 1], { color: rule.color, size: 2.5 });
        map.dot(flat[2 * last], flat[2 * last + 1], { color: rule.color, shape: k, size: 6 });
      }
      drawCurve(value, runs, shown, lowest);
      phase?.draw(value, lowest);
      if (statistics.open)
        table.replaceChildren(
          ...runs.map(({ rule, run }) => {
            const hit = reached(run, lowest),
              losses = run.loss.subarray(0, run.end + 1);
            const cells = [
              fmt(losses[run.end]),
              fmt(losses.reduce((a, b) => Math.min(a, b))),
              hit < 0 ? "–" : hit,
              fmt(moves(run).reduce((a, b) => a + b, 0)),
              fmt(run.slope[run.end]),
            ];
            return h(
              "tr",
              {},
              h("th", { scope: "row" }, rule.label),
              cells.map((c) => h("td", {}, c)),
            );
          }),
        );
      const [a, b] = value.start.map((v) => fmt(v)),
        f = fmt(surface.f(value.start, params));
      const when = shown < value.steps ? `step ${shown} of ${value.steps}` : `${value.steps} steps`;
      const extra = [
        schedules.length && `η ${value.schedule}`,
        value.noise && `noise ${fmt(value.noise)}`,
        value.curve !== "loss" && `curve: ${value.curve === "slope" ? "gradient norm" : "length of step"}`,
      ].filter(Boolean);
      return [
        `From (${a}, ${b}), f = ${f}, ${when}.`,
        extra.length && `With ${extra.join(", ")}.`,
        runs.length
          ? runs.map(({ rule, run }) => words(rule, run, Math.min(shown, run.end), lowest)).join("; ") + "."
          : "No rule is chosen.",
      ];
    });

    function drawCurve(value, runs, shown, lowest) {
      const known = Number.isFinite(lowest);
      const series = runs.map(({ run }) => {
        const n = Math.min(shown, run.end) + 1;
        if (value.curve === "slope") return run.slope.subarray(0, n);
        if (value.curve === "move") return moves(run).subarray(0, n);
        return known ? run.loss.subarray(0, n).map((f) => f - lowest) : run.loss.subarray(0, n);
      });
      let lo = Infinity,
        hi = -Infinity,
        positive = true;
      for (const s of series)
        for (const v of s) {
          if (!Number.isFinite(v)) continue;
          positive &&= v > -1e-12;
          if (v > 0 || !positive) lo = Math.min(lo, v);
          hi = Math.max(hi, v);
        }
      curve.logy = positive || value.curve !== "loss" || known;
      if (curve.logy)
        [lo, hi] = [Math.max(lo, hi * 1e-16, 1e-16), Math.min(hi, 1e12)].map(
          (v, k) => 10 ** (k ? Math.ceil(Math.log10(v) + 0.01) : Math.floor(Math.log10(v))),
        );
      curve.ylabel = {
        loss: known ? "loss − minimum" : "loss",
        slope: "gradient norm",
        move: "length of step",
      }[value.curve];
      curve.range({ x: [0, value.steps * 1.03], y: [lo, hi] });
      curve.axes();
      series.forEach((s, i) => {
        const { rule, k } = runs[i];
        curve.line((j) => j, s, { n: s.length, color: rule.color });
        if (s.length) curve.dot(s.length - 1, s.at(-1), { color: rule.color, shape: k, size: 5 });
      });
    }

    /* Final loss over learning rate × one hyper-parameter: N × N runs, coarse first, a few milliseconds a frame. */
    function phaseDiagram() {
      const N = 120,
        BUDGET = 8,
        { rule: index, x: sx, y: sy } = spec.phase,
        rule = spec.rules[index];
      const axes = [sx, sy].map((s) => ({ ...s, scale: oc.scale(s), kind: s.scale }));
      const ticks = ({ kind, min, max, scale: [, to] }) => {
        const list =
          kind === "beta"
            ? [0, 0.9, 0.99, 0.999, 0.9999].filter((v) => v >= min && v <= max).map((v) => [v, String(v)])
            : oc.ticks([min, max], kind === "log", 8);
        return list.map(([v, text]) => [to(v), text]);
      };
      const plot = ui.plot({
        title: `Where ${rule.label} ends: dark is a low loss, red diverged. ${sx.label} across, ${sy.label} up.`,
        label: `Map of the final loss of ${rule.label} over ${sx.label} and ${sy.label}`,
        ratio: 2.2,
        narrow: 1.2,
        xticks: ticks(axes[0]),
        yticks: ticks(axes[1]),
      });
      const at = (axis, p) => oc.tidy(axis.scale[0](p), axis.kind, (axis.max - axis.min) / 200);
      const move = ([px, py]) => ui.set({ [sx.key]: at(axes[0], px), [sy.key]: at(axes[1], py) });
      plot.handle(
        { get: () => axes.map((a) => oc.clamp(a.scale[1](ui.value[a.key]), 0, 1)), set: move },
        { label: `${sx.label} and ${sy.label}`, color: "warn" },
      );
      plot.pick(move);

      // cells in passes of halving stride; a cell of a coarse pass fills its block until finer ones arrive
      const order = [];
      for (const stride of [8, 4, 2, 1])
        for (let j = 0; j < N; j += stride)
          for (let i = 0; i < N; i += stride)
            if (stride === 8 || i % (2 * stride) || j % (2 * stride)) order.push([i, j, stride]);
      const cells = new Float32Array(N * N);
      let done = 0,
        buffers,
        paints = 0;
      const restart = oc.memo(() => ((done = 0), (buffers = undefined)));

      const draw = (value, lowest) => {
        const others = Object.entries(hyperOf(rule, value)).filter(
          (_, k) => ![sx.key, sy.key].includes(Object.values(rule.hyper)[k]),
        );
        restart(
          ...value.start,
          value.steps,
          value.noise,
          value.schedule,
          ...Object.values(paramsOf(value)),
          ...others.flat(),
        );
        const until = performance.now() + BUDGET,
          params = paramsOf(value),
          before = done;
        const known = Number.isFinite(lowest);
        while (done < order.length && (done % 8 || performance.now() < until)) {
          const [i, j, stride] = order[done++],
            lr = axes[0].scale[0]((i + 0.5) / N),
            v = axes[1].scale[0]((j + 0.5) / N);
          buffers = runOf(rule, value, { lr, [spec.phase.name]: v }, { params, into: buffers });
          const gap = known ? (k) => buffers.loss[k] - lowest : (k) => buffers.slope[k];
          const fall = buffers.diverged
            ? NaN
            : oc.clamp(1 + Math.log10(Math.max(gap(buffers.end), 1e-300) / gap(0)) / 10, 0, 1);
          for (let b = j; b < Math.min(j + stride, N); b++)
            cells.fill(fall, b * N + i, b * N + Math.min(i + stride, N));
        }
        if (done > before) paints++;
        if (done < order.length) ui.redraw();
        const low = oc.rgb(ui.theme.low),
          high = oc.rgb(ui.theme.high),
          gone = oc.mix(high, oc.rgb(ui.theme.warn), 0.55);
        plot.image(N, N, (i, j) => (Number.isNaN(cells[j * N + i]) ? gone : oc.mix(low, high, cells[j * N + i])), [
          paints,
        ]);
        plot.axes({ grid: false });
      };
      return { draw };
    }
  },
};
