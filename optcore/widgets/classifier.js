/* A network that learns points in the plane, trained here by a traced rule: its decision boundary, its losses, and by
   `view` the gradient norms of its layers, its units, or a slice of its loss surface. The settings are those of
   `optcore.classifier`; the run is a function of them, made a few milliseconds a frame. */
import { diagnosis, lowest, percent } from "./parts/diagnosis.js";
import { experiment, sliceOf, stride, unitsOf } from "./parts/experiment.js";

export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, rgb, mix } = oc,
      { window } = spec,
      [BUDGET, GRID, SIDE] = [2, 44, 33],
      CLASSES = ["#0b63b5", "#c2410c"],
      HELD = "#b3125a",
      // of a square of four cells: from (a, b) to (c, d)
      SIDES = [
        [0, 0, 1, 0],
        [1, 0, 1, 1],
        [1, 1, 0, 1],
        [0, 1, 0, 0],
      ];

    // ---- parts
    const plane = ui.plot({
      label: "Points, and which class the network gives to each place",
      title: "Points ● ■, held out: small; a click adds",
      ratio: 1,
      x: window,
      y: window,
      narrow: 1.15,
    });
    const losses = ui.plot({
      label: "Training and held-out loss by step",
      title: "Loss: — training, ╌ held out, ◆ lowest",
      ratio: 1,
      narrow: 1.5,
      xlabel: "step",
      logy: true,
    });
    const third = ui.plot({ label: "What is chosen under Show", title: " ", ratio: 2, narrow: 1.5, xlabel: " " });
    const caption = third.el.querySelector("figcaption");
    const every = ({ steps }) => stride(steps, spec.evaluations);
    ui.player("shown", {
      max: (v) => Math.ceil(v.steps / every(v)),
      words: (k) => `${Math.min(k * every(ui.value), ui.value.steps)} of ${ui.value.steps}`,
    });

    const options = (table) => Object.entries(table).map(([value, label]) => ({ value, label }));
    const slider = (label, min, max, more) => (key) => ui.slider(key, { label, min, max, ...more });
    const menu = (label, list, tip) => (key) => ui.select(key, { label, options: list, tip });
    const LOG = { scale: "log" },
      INT = { int: true };
    const CONTROLS = {
      data: menu("Points", [...Object.keys(spec.data), { value: "own", label: "your own alone" }]),
      rule: menu(
        "Rule",
        spec.rules.map((r) => r.label),
      ),
      lr: slider("Learning rate η", 1e-4, 10, {
        ...LOG,
        steps: 250,
        tip: "Length of a step for each unit of direction.",
      }),
      batch: slider("Mini-batch", 1, (v) => Math.max(2, (v.data === "own" ? 0 : v.n) + v.points.length), {
        ...LOG,
        ...INT,
        tip: "Points behind each gradient; at the right end all of them.",
      }),
      schedule: menu("Schedule of η", Object.keys(spec.schedules), "Multiplies the learning rate at each step."),
      steps: slider("Steps", 50, 20000, { ...LOG, ...INT, steps: 120, tip: "Updates of the run." }),
      init: menu(
        "Initial weights",
        options(spec.inits),
        "The variance of the first weights, from the sizes of a layer.",
      ),
      scale: slider("Their scale", 0.01, 10, {
        scale: "log0",
        marks: [{ at: 1, label: "1" }],
        tip: "All initial weights are multiplied by it.",
      }),
      activation: menu("Activation", Object.keys(spec.activations)),
      width: slider("Units in a layer", 1, 32, INT),
      depth: slider("Hidden layers", 1, 8, INT),
      penalty: menu("Penalty", options(spec.penalties), "Added to the loss of the matrices while training."),
      lam: slider("Strength λ", 1e-5, 1, LOG),
      n: slider("Number of points", 10, 300, { ...INT, tip: "For training; 200 others are held out." }),
      noise: slider("Noise", 0, 0.5, { tip: "Standard deviation of what is added to each coordinate." }),
      seed: slider("Random draw", 0, 99, {
        ...INT,
        tip: "Another draw of the weights and of the order of the points.",
      }),
      view: menu("Show", options(spec.views)),
      adds: menu("A click adds", [
        { value: "first", label: "● a point of the first class" },
        { value: "second", label: "■ a point of the second class" },
      ]),
    };
    const inputs = {};
    for (const key of [...spec.front, ...Object.keys(CONTROLS)]) inputs[key] ??= CONTROLS[key](key);

    // ---- points of one's own
    ui.field("points", (v, note, kept) => {
      const good = (p) => Array.isArray(p) && p.length === 3 && p.every(Number.isFinite) && [0, 1].includes(p[2]);
      if (!Array.isArray(v) || !v.every(good)) return note("Points were not a list of [x, y, class]"), kept;
      if (v.length > spec.own) note(`only ${spec.own} points of your own are kept`);
      return v.slice(0, spec.own).map(([x, y, c]) => [oc.clamp(x, ...window), oc.clamp(y, ...window), c]);
    });
    const keep = (points) => ui.set({ points });
    const add = (x, y) => keep([...ui.value.points, [x, y, +(ui.value.adds === "second")]]);
    const removeLast = () => keep(ui.value.points.slice(0, -1));
    const removers = [
      ui.button("Remove your last point", removeLast, { in: ui.controls }),
      ui.button("Remove all of yours", () => keep([]), { in: ui.controls }),
    ];
    const handle = plane.handle("probe", { label: "Probe: Enter adds a point there, Delete removes your last" });
    handle.el.addEventListener("keydown", ({ key }) => {
      if (key === "Enter") add(...ui.value.probe);
      if (key === "Delete") removeLast();
    });
    plane.canvas.addEventListener("click", (e) => {
      const box = plane.box.getBoundingClientRect();
      add(plane.xAt(e.clientX - box.left), plane.yAt(e.clientY - box.top));
    });

    // ---- drawing
    const runOf = experiment(spec),
      sliced = oc.memo((run) => sliceOf(run, SIDE)),
      unitsAt = oc.memo((run, k) => unitsOf(run, run.theta(k), spec.criteria.flat)),
      place = (i, grid) => window[0] + ((i + 0.5) / grid) * (window[1] - window[0]);
    const logitsAt = oc.memo((run, k, grid) => {
      const logits = new Float64Array(grid * grid),
        theta = run.theta(k),
        at = [0, 0];
      for (let j = 0; j < grid; j++)
        for (let i = 0; i < grid; i++) {
          at[0] = place(i, grid);
          at[1] = place(j, grid);
          logits[j * grid + i] = run.net.forward(theta, at, 0);
        }
      return logits;
    });
    const still = matchMedia("(prefers-reduced-motion: reduce)");

    return ui.run((v) => {
      const begun = performance.now(),
        run = runOf(v),
        until = begun + (run.last ? BUDGET : BUDGET / 2), // half of it has gone into making a new run
        { net, data, others } = run,
        n = data.y.length;
      inputs.lam.closest(".oc-control").style.display = v.penalty === "none" ? "none" : "";
      for (const button of removers) button.disabled = !v.points.length;
      if (n < 2) {
        for (const plot of [plane, losses, third]) plot.axes();
        drawPoints(v, run);
        el.removeAttribute("data-busy");
        return "Click in the plane, or press Enter at the probe, to add points: two at least.";
      }
      run.advance(until);
      el.toggleAttribute("data-busy", !run.done);
      if (!run.done) ui.redraw();
      const k = still.matches && !run.done ? 0 : Math.min(v.shown ?? run.last, run.last),
        theta = run.theta(k);
      // goals are judged by whole runs
      const end = run.done ? run.last : NaN,
        [loss, heldLoss, right, heldRight] = [run.loss, run.held, run.right, run.heldRight].map(
          (list) => list[end] ?? NaN,
        );
      ui.facts({ loss, held: heldLoss, right: 100 * right, heldRight: 100 * heldRight });
      const units = unitsAt(run, k);
      drawPlane(v, run, k);
      drawLosses(v, run, k);
      const [title, words] = { norms: drawNorms, units: drawUnits, slice: drawSlice }[v.view](v, run, k, units);
      oc.write(caption, title);
      const [x, y] = v.probe,
        z = net.forward(theta, v.probe, 0),
        p = 1 / (1 + Math.exp(-z));
      return [
        diagnosis(run, k, units, spec.criteria, v),
        `Step ${run.step(k)} of ${v.steps}: training loss ${fmt(run.loss[k])}, ${percent(run.right[k])} right` +
          (others.y.length ? `; held out ${fmt(run.held[k])}, ${percent(run.heldRight[k])}.` : "."),
        words,
        `At (${fmt(x)}, ${fmt(y)}) the network gives ${z > 0 ? "■" : "●"} ${percent(Math.max(p, 1 - p))}; ` +
          `a click adds ${"●■"[+(v.adds === "second")]}.`,
      ];
    });

    function drawPoints(v, { data, others }) {
      const draw = ({ X, y, rows }, style) => {
        for (const i of rows) plane.dot(X[2 * i], X[2 * i + 1], { color: CLASSES[y[i]], shape: y[i], ...style });
      };
      draw(others, { size: 1.6, alpha: 0.55, edge: false });
      draw(data, { size: 3.6 });
      const shape = +(v.adds === "second");
      plane.dot(...v.probe, { hollow: true, size: 11, shape, color: CLASSES[shape] });
    }

    function drawPlane(v, run, k) {
      const grid = run.done ? GRID : GRID / 2, // coarse while steps take the time
        logits = logitsAt(run, k, grid);
      const bg = rgb(ui.theme.bg),
        inks = CLASSES.map((c) => rgb(ui.color(c)));
      plane.image(
        grid,
        grid,
        (i, j) => {
          const z = logits[j * grid + i];
          return mix(bg, inks[+(z > 0)], 0.42 * Math.tanh(Math.abs(z) / 2) || 0);
        },
        [run, k],
        { smooth: true },
      );
      plane.axes({ grid: false });
      plane.stroke(
        (ctx) => {
          // in each square the places on its sides where the logit changes its sign, joined
          for (let j = 0; j < grid - 1; j++)
            for (let i = 0; i < grid - 1; i++) {
              const n = j * grid + i,
                above = (logits[n] > 0) + (logits[n + 1] > 0) + (logits[n + grid] > 0) + (logits[n + grid + 1] > 0);
              if (above % 4 === 0) continue;
              let pen = false;
              for (const [a, b, c, d] of SIDES) {
                const [p, q] = [logits[(j + b) * grid + i + a], logits[(j + d) * grid + i + c]];
                if (p > 0 === q > 0) continue;
                const t = p / (p - q),
                  [px, py] = [plane.X(place(i + a + t * (c - a), grid)), plane.Y(place(j + b + t * (d - b), grid))];
                pen ? ctx.lineTo(px, py) : ctx.moveTo(px, py);
                pen = !pen;
              }
            }
        },
        { color: "fg", width: 1.75 },
      );
      drawPoints(v, run);
    }

    function decades(lists, last) {
      let [lo, hi] = [Infinity, 1e-12];
      for (const list of lists)
        for (let k = 0; k <= last; k++)
          if (list[k] > 1e-12 && list[k] < 1e9) [lo, hi] = [Math.min(lo, list[k]), Math.max(hi, list[k])];
      return lo < hi ? [lo / 1.4, hi * 1.4] : [0.1, 1];
    }

    function drawLosses(v, run, k) {
      losses.range({ x: [0, v.steps], y: decades([run.loss, run.held], run.last) });
      losses.axes();
      losses.rule({ x: run.step(k) });
      losses.line(run.step, (i) => run.loss[i], { n: run.last + 1, color: "fg" });
      losses.dot(run.step(k), run.loss[k], { color: "fg" });
      if (!run.others.y.length) return;
      losses.line(run.step, (i) => run.held[i], { n: run.last + 1, color: HELD, dash: [6, 4] });
      const seen = run.held.subarray(0, run.last + 1),
        best = lowest(seen);
      losses.dot(run.step(best), seen[best], { color: HELD, shape: 3 });
      losses.dot(run.step(k), run.held[k], { color: HELD, shape: 0, hollow: true });
    }

    function drawNorms(v, run, k) {
      Object.assign(third, { logy: true, xlabel: "step", xticks: null, yticks: null });
      third.range({ x: [0, v.steps], y: decades(run.norms, run.last) });
      third.axes();
      third.rule({ x: run.step(k) });
      const top = run.norms.length - 1;
      run.norms.forEach((norm, l) => {
        const ends = { 0: CLASSES[0], [top]: CLASSES[1] };
        third.line(run.step, (i) => norm[i], { n: run.last + 1, color: ends[l] ?? "muted", width: ends[l] ? 2 : 1 });
        if (ends[l]) third.dot(run.step(k), norm[k], { color: ends[l], shape: l ? 1 : 0 });
      });
      return [
        "Gradient norms: ● layer 1, ■ the last",
        `Gradient norms from layer 1 up: ${run.norms.map((norm) => fmt(norm[k])).join(", ")}.`,
      ];
    }

    function drawUnits(v, run, k, { live, dead }) {
      Object.assign(third, {
        logy: false,
        xlabel: "layer",
        xticks: live.map((_, l) => [l + 1, String(l + 1)]),
        yticks: [
          [0, "1"],
          [v.width - 1, String(v.width)],
        ],
      });
      third.range({ x: [0.5, v.depth + 0.5], y: [-0.5, v.width - 0.5] });
      const bg = rgb(ui.theme.bg),
        ink = rgb(ui.color("accent"));
      third.image(v.depth, v.width, (l, j) => mix(bg, ink, 0.85 * live[l][j]), [run, k]);
      third.axes({ grid: false });
      live.forEach((shares, l) =>
        shares.forEach((s, j) => s || third.text(l + 1, j, "✕", { align: "center", color: "warn" })),
      );
      return ["Units: share of points with slope, ✕ dead", `Dead units by layer: ${dead.join(", ")} of ${v.width}.`];
    }

    function drawSlice(_, run, k) {
      const title = "Slice of the loss surface: ● start, ■ end";
      Object.assign(third, { logy: false, xlabel: "along start to end", xticks: null, yticks: null });
      const slice = run.done && sliced(run);
      if (slice) third.range(slice);
      if (!slice || !slice.advance(performance.now() + BUDGET)) {
        third.axes();
        if (slice) el.toggleAttribute("data-busy", true), ui.redraw();
        return [
          title,
          run.done && !slice
            ? "The run has not moved: there is no plane to show."
            : "The slice is computed when the run has ended.",
        ];
      }
      third.bands(slice.at, { key: [run] });
      third.axes({ grid: false });
      third.path(slice.path, { color: "fg", halo: true });
      third.dot(0, 0, { color: CLASSES[0] });
      third.dot(1, 0, { color: CLASSES[1], shape: 1 });
      third.dot(slice.path[2 * k], slice.path[2 * k + 1], { color: "fg", hollow: true });
      const line = [...oc.linspace(0, 1, 51)].map((a) => slice.loss(a, 0)),
        top = Math.max(...line);
      const way = top > 1.02 * Math.max(line[0], line[50]) ? `rises to ${fmt(top)}` : "never rises above its ends";
      return [
        title,
        `The plane holds ${percent(slice.share)} of the run's squared distances from its start; ` +
          `on the straight line from start to end the loss ${way}.`,
      ];
    }
  },
};
