/* Rules race down a landscape: the paths are computed here, from the traced code, as optcore.descend does. */
import { phaseDiagram } from "./explore_parts/map.js";

export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, h } = oc;
    const TOL = 1e-6,
      CURVES = { slope: "gradient norm", move: "length of step" },
      surface = oc.surface(spec.surface.program),
      [x, y] = spec.surface.domain;
    const draws = spec.noise && new Float32Array(Uint8Array.from(atob(spec.noise), (c) => c.charCodeAt()).buffer);
    const schedules = Object.keys(spec.schedules);

    // ---- what is computed, from the settings alone
    const paramsOf = (value) => Object.fromEntries(spec.surface.params.map((k) => [k, value[`surface.${k}`]]));
    const noiseOf = oc.memo((level) => (level && draws ? Float64Array.from(draws, (z) => level * z) : undefined));
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
    const minimaOf = (value) => minimaAt(...Object.values(paramsOf(value)));
    const lowestOf = (value) => Math.min(...minimaOf(value).map((m) => m.f));
    /* The curvatures [μ, L] of a quadratic surface, else nothing. */
    const curvatures = (value) => {
      const [m] = minimaOf(value);
      if (!spec.surface.quadratic || !m) return undefined;
      const [a, b, , c] = surface.hess(m.w, paramsOf(value));
      return oc.eig2(a, b, c);
    };
    /* 1/L and 2/L speak of gradient descent, and stand at its learning rate. */
    const landmarks = (key) => (value) => {
      const plain = spec.rules.filter((r) => r.name === "gd" && value.on.includes(r.label) && r.hyper.lr === key),
        [, L] = (plain.length && curvatures(value)) || [],
        words = spec.rules.length > 1 ? " gd" : "";
      return L ? [1, 2].map((k) => ({ at: k / L, label: `${k}/L${words}` })) : [];
    };

    // ---- parts
    const map = ui.plot({
      label: "Contours of the surface with the path of each rule",
      title: `${spec.surface.name}${spec.surface.minima.length ? ": ◇ minimum" : ""}`,
      xlabel: "w₁",
      ylabel: "w₂",
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
    for (const s of spec.sliders.filter(isRate)) add(s, { steps: 600, marks: landmarks(s.key) });
    if (schedules.length)
      ui.select("schedule", {
        label: "Schedule of η",
        options: schedules,
        tip: "Multiplies the learning rate at each step.",
      });
    const noise = () =>
      ui.slider("noise", {
        label: "Gradient noise σ",
        scale: "log0",
        min: 1e-3,
        max: 100,
        tip: "Standard deviation of the noise added to every gradient; its draws stay.",
      });
    if (!draws) ui.field("noise", () => 0);
    else if (ui.initial.noise) noise(); // what counts most comes first: the rest waits behind "More"
    for (const s of spec.sliders.filter((s) => !isRate(s))) add(s);
    for (const s of spec.surfaceSliders) add(s);
    if (draws && !ui.initial.noise) noise();
    ui.slider("steps", {
      label: "Steps",
      min: 1,
      max: spec.steps,
      int: true,
      tip: "Updates of each rule.",
    });
    ui.select("curve", {
      label: "Curve",
      options: [
        { value: "loss", label: "loss" },
        ...Object.entries(CURVES).map(([value, label]) => ({ value, label })),
      ],
      tip: "What the second figure shows.",
    });
    const heads = ["rule", "loss", "lowest loss", `first below ${fmt(TOL)}`, "path length", "gradient norm"],
      cell = () => h("td"),
      rows = spec.rules.map((r) => h("tr", {}, h("th", { scope: "row" }, r.label), heads.slice(1).map(cell)));
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
          h("tbody", {}, rows),
        ),
      ),
    );
    const phase = spec.phase && phaseDiagram(ui, { runOf, paramsOf, hyperOf, curvatures });

    // ---- drawing
    const reached = (run, lowest) =>
      lowest < Infinity ? run.loss.findIndex((f, k) => k <= run.end && f - lowest <= TOL) : -1;
    const moves = ({ points, end }) =>
      Float64Array.from({ length: end }, (_, k) =>
        Math.hypot(points[2 * k + 2] - points[2 * k], points[2 * k + 3] - points[2 * k + 1]),
      );
    const outside = ({ points }, k) =>
      [x, y].some(([lo, hi], i) => oc.clamp(points[2 * k + i], lo, hi) !== points[2 * k + i]);
    const words = (rule, run, k, { curve }, lowest) => {
      if (run.diverged && run.end <= k) return `${rule.label}: diverged at step ${run.end}`;
      const hit = reached(run, lowest),
        list = curve === "slope" ? run.slope.subarray(0, k + 1) : curve === "move" ? moves(run).subarray(0, k) : [],
        most = list.reduce((a, b) => Math.max(a, b), 0);
      return [
        `${rule.label}: ${hit >= 0 && hit <= k ? `first below ${fmt(TOL)} at step ${hit}, now ` : ""}`,
        `loss ${fmt(run.loss[k], 4)} at (${fmt(run.points[2 * k])}, ${fmt(run.points[2 * k + 1])})`,
        outside(run, k) ? ", thrown out of the picture" : "",
        list.length ? `, ${CURVES[curve]} ${fmt(list.at(-1))}, at most ${fmt(most)}` : "",
      ].join("");
    };
    /* How far a run keeps from the nearest minimum over its second half, as the root of the mean square. */
    const ball = ({ points, end, diverged }, value) => {
      const centres = minimaOf(value).map((m) => m.w),
        from = (end + 1) >> 1;
      if (diverged || !centres.length) return NaN;
      let sum = 0;
      for (let k = from; k <= end; k++)
        sum += Math.min(...centres.map(([a, b]) => (points[2 * k] - a) ** 2 + (points[2 * k + 1] - b) ** 2));
      return Math.sqrt(sum / (end + 1 - from));
    };

    let runs = [];
    // the table, after the drawing: words on a canvas would wait for its new layout
    ui.shown.push(() => {
      if (!statistics.open) return;
      rows.forEach((row, i) => (row.hidden = !runs.some(({ k }) => k === i)));
      for (const { k, run } of runs) {
        const hit = reached(run, lowestOf(ui.value)),
          losses = run.loss.subarray(0, run.end + 1);
        [
          fmt(losses[run.end]),
          fmt(losses.reduce((a, b) => Math.min(a, b))),
          hit < 0 ? "–" : hit,
          fmt(moves(run).reduce((a, b) => a + b, 0)),
          fmt(run.slope[run.end]),
        ].forEach((words, i) => oc.write(rows[k].children[i + 1], words));
      }
    });

    return ui.run((value) => {
      const shown = Math.min(value.step ?? value.steps, value.steps),
        lowest = lowestOf(value),
        params = paramsOf(value);
      runs = spec.rules
        .map((rule, k) => ({ rule, k, run: value.on.includes(rule.label) && runOf(rule, value) }))
        .filter((r) => r.run);
      map.bands((w) => surface.f(w, params), {
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
      for (const { rule, run } of runs) {
        const hit = reached(run, lowest);
        ui.facts({ [`${rule.label}.loss`]: run.loss[run.end], [`${rule.label}.first`]: hit < 0 ? NaN : hit });
      }
      const [a, b] = value.start.map((v) => fmt(v)),
        f = fmt(surface.f(value.start, params));
      const when = shown < value.steps ? `step ${shown} of ${value.steps}` : `${value.steps} steps`;
      return [
        `From (${a}, ${b}), f = ${f}, ${when}.`,
        schedules.length && `With η ${value.schedule}.`,
        value.noise && `With noise ${fmt(value.noise)}.`,
        runs.length
          ? runs.map(({ rule, run }) => words(rule, run, Math.min(shown, run.end), value, lowest)).join("; ") + "."
          : "No rule is chosen.",
        value.noise > 0 &&
          runs.length > 0 &&
          Number.isFinite(lowest) &&
          `Distance from the minimum over the second half: ${runs
            .map(({ rule, run }) => `${rule.label} ${fmt(ball(run, value))}`)
            .join(", ")}.`,
        phase?.reading(),
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
        ...CURVES,
      }[value.curve];
      curve.range({ x: [0, value.steps * 1.03], y: [lo, hi] });
      curve.axes();
      series.forEach((s, i) => {
        const { rule, k } = runs[i],
          clip = value.curve === "slope" && value[rule.hyper.max_norm];
        if (clip) curve.rule({ y: clip }), curve.text(0, clip, "threshold", { base: "bottom" });
        curve.line((j) => j, s, { n: s.length, color: rule.color });
        if (s.length) curve.dot(s.length - 1, s.at(-1), { color: rule.color, shape: k, size: 5 });
      });
    }
  },
};
