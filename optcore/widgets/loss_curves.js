/* Three scenes on two panels: losses and slopes over a score or a residual; logits, softmax and the gradient p − y. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, linspace, clamp } = oc,
      N = 400,
      count = spec.softmax.length;
    const costs = ui.plot({ label: "Losses, or logits", title: " ", ratio: 1.3, xlabel: " " });
    const pulls = ui.plot({ label: "Slopes, or probabilities and gradient", title: " ", ratio: 1.3, xlabel: " " });
    const titles = [costs, pulls].map((plot) => plot.el.querySelector("figcaption"));
    const compiled = (list) => list.map((c) => ({ ...c, ...oc.program(c.program) }));
    const scores = compiled(spec.scores),
      residuals = compiled(spec.residuals),
      naive = oc.program(spec.naive);
    const softmax = [spec.softmax, spec.naive_softmax].map((list) => list.map(oc.program));

    ui.select("kind", {
      label: "Loss of",
      tip: "A class from one score, a number, or one class out of several.",
      options: [
        { value: "score", label: "a score and a label" },
        { value: "residual", label: "a residual" },
        { value: "softmax", label: "logits, through softmax" },
      ],
    });
    const part = () => ui.controls.appendChild(oc.h("div", { class: "oc-controls", style: "grid-column:1/-1" }));
    const parts = { score: part(), residual: part(), softmax: part() };
    const reach = () => ui.value.reach;
    ui.slider("z", {
      label: "Score z",
      min: () => -reach(),
      max: reach,
      in: parts.score,
      tip: "What the model says before the sigmoid: positive means class 1.",
    });
    ui.check("label", { label: "The label is 1", in: parts.score });
    ui.slider("residual", {
      label: "Residual r",
      min: -8,
      max: 8,
      in: parts.residual,
      tip: "Prediction minus target.",
    });
    ui.slider("delta", {
      label: "Huber’s δ",
      min: 0.1,
      max: 8,
      scale: "log",
      in: parts.residual,
      tip: "Residuals up to δ are squared, larger ones cost only their size.",
    });
    ui.slider("right", {
      label: "Right class",
      min: 1,
      max: count,
      int: true,
      in: parts.softmax,
      tip: "The class that should get all the probability.",
    });
    ui.slider("shift", {
      label: "Added to all logits",
      min: 1,
      max: spec.shift,
      scale: "log0",
      in: parts.softmax,
      tip: "Softmax does not change when all logits grow by the same number.",
    });
    ui.checks("shown", {
      legend: "Curves",
      options: [...scores, ...residuals].map((c, k) => ({ ...c, shape: k % 3 })),
    });
    const legend = ui.controls.lastChild,
      more = ui.group("More");
    ui.slider("reach", {
      label: "Axis up to ±",
      min: spec.reach[0],
      max: spec.reach[1],
      scale: "log",
      in: more,
      tip: "Large scores show where formulas overflow.",
    });
    ui.check("naive", {
      label: "Compute as textbooks write it",
      in: more,
      tip: "exp first, then a logarithm: right on paper, not in floating point.",
    });

    const along = [
      ["score", "z"],
      ["residual", "residual"],
    ].map(([kind, key]) => {
      const name = kind === "score" ? "Score z" : "Residual r";
      return [
        kind,
        costs.handle({ get: () => [ui.value[key], 0], set: ([x]) => ui.set({ [key]: x }) }, { label: name, axis: "x" }),
      ];
    });
    const logits = linspace(1, count, count).map((k) => k),
      size = spec.logit;
    const levels = [...logits].map((k, i) => [
      "softmax",
      costs.handle(
        {
          get: () => [k, ui.value.logits[i] + ui.value.shift],
          set: ([, v]) => ui.set({ logits: ui.value.logits.with(i, clamp(v - ui.value.shift, -size, size)) }),
        },
        { label: `Logit ${k}`, axis: "y", color: "accent" },
      ),
    ]);
    ui.field("logits", (v, note, fallback) => {
      if (!Array.isArray(v) || v.length !== count || !v.every((x) => typeof x === "number" && x === x))
        return note("The logits were not numbers"), fallback;
      return v.map((x) => clamp(x, -size, size));
    });

    /* One loss at x: [value, slope]. */
    const at = ({ run, x, y }, first, second) => {
      x[0] = first;
      x[1] = second;
      run(x, y);
      return y;
    };

    function curves(value, isScore) {
      const x = isScore ? value.z : value.residual,
        second = isScore ? +value.label : value.delta,
        r = isScore ? value.reach : 8;
      const xs = linspace(-r, r, N + 1),
        sides = value.label ? ["wrong", "right"] : ["right", "wrong"],
        xlabel = isScore ? `← ${sides[0]}     score z     ${sides[1]} →` : "residual r: prediction minus target";
      oc.write(titles[0], `Loss: what the ${isScore ? "score" : "residual"} costs`);
      oc.write(titles[1], "Slope: how hard it pulls, and which way");
      const list = (isScore ? scores : residuals)
        .map((c, shape) => ({
          ...c,
          shape,
          ...(value.naive && c.value === "cross_entropy" ? { ...naive, stable: c } : {}),
        }))
        .filter((c) => value.shown.includes(c.value));
      const all = list.map((c) =>
        xs.reduce(([f, g], v) => (at(c, v, second), f.push(c.y[0]), g.push(c.y[1]), [f, g]), [[], []]),
      );
      for (const [plot, k] of [
        [costs, 0],
        [pulls, 1],
      ]) {
        const finite = all.flatMap((fg) => fg[k]).filter(Number.isFinite);
        const top = Math.min(Math.max(0, ...finite), isScore || k ? Infinity : 20),
          low = Math.min(0, ...finite);
        const pad = 0.06 * (top - low);
        Object.assign(plot, { xticks: undefined, xlabel });
        plot.range({ x: [-r, r], y: [low - pad, top + pad] });
        plot.axes();
        plot.rule({ x });
        list.forEach((c, i) => {
          const f = all[i][k];
          f.forEach(
            (v, j) =>
              Number.isFinite(v) || plot.rule({ x: xs[j] }, { color: "warn", width: 1.5, alpha: 0.35, dash: [] }),
          );
          plot.line(xs, f, { color: c.color, width: 2.5 });
          const lost = xs.findIndex((_, j) => !Number.isFinite(f[j]));
          if (c.stable)
            plot.line(
              xs,
              xs.map((v) => at(c.stable, v, second)[k]),
              { color: "fg", dash: [2, 5] },
            );
          if (lost >= 0) plot.text(xs[lost], (low + top) / 2, fmt(f[lost]), { dx: 6 });
        });
        for (const c of list) plot.dot(x, at(c, x, second)[k], { color: c.color, shape: c.shape, size: 6 });
      }
      for (const c of list) ui.facts({ [`${c.value}.slope`]: Math.abs(at(c, x, second)[1]) });
      const [steep, flat] = (isScore ? ["cross_entropy", "squared"] : ["mse", "huber"]).map((key) =>
          list.find((c) => c.value === key),
        ),
        pull = steep && flat ? ui.found[`${steep.value}.slope`] / ui.found[`${flat.value}.slope`] : NaN;
      ui.facts({ pull });
      const said = list.map((c) => (at(c, x, second), `${c.label} costs ${fmt(c.y[0])} with slope ${fmt(c.y[1])}`));
      const right = (value.label ? x : -x) > 0,
        lost = list.find((c) => !at(c, x, second).every(Number.isFinite));
      return [
        (isScore
          ? `Score ${fmt(x)} is ${right ? "right" : "wrong"} for label ${second}: `
          : `Residual ${fmt(x)}, δ = ${fmt(second)}: `) + `${said.join("; ") || "no curve is chosen"}.`,
        isScore && `The axis ends at ±${fmt(r)}.`,
        pull > 2 &&
          (!isScore || !right) &&
          !lost &&
          `${steep.label} pulls ${fmt(pull)} times as hard as ${flat.label}.`.replace(/^./, (c) => c.toUpperCase()),
        list.some((c) => c.stable) && !lost && "The textbook formula still works here; dotted: the stable one.",
        lost && `As written, ${lost.label} breaks down here: e^(−z) overflows, or 1 − p rounds to 0.`,
      ];
    }

    function classes(value) {
      const program = softmax[+value.naive][value.right - 1],
        { x, y } = program,
        right = value.right - 1;
      x.set(value.logits.map((z) => z + value.shift));
      program.run(x, y);
      const p = y.subarray(0, count),
        loss = y[count],
        slope = y.subarray(count + 1),
        stable = softmax[0][right];
      stable.x.set(x);
      stable.run(stable.x, stable.y);
      ui.facts({ loss });
      const xticks = [...logits].map((k) => [k, `${k}`]);
      oc.write(titles[0], "Logits: drag them");
      oc.write(titles[1], "Probabilities, and their way to the target (○)");
      for (const plot of [costs, pulls]) Object.assign(plot, { xticks, xlabel: "class" });
      costs.range({ x: [0.5, count + 0.5], y: [value.shift - size - 1, value.shift + size + 1] });
      pulls.range({ x: [0.5, count + 0.5], y: [-0.08, 1.12] });
      costs.axes();
      pulls.axes();
      for (let k = 0; k < count; k++) {
        const c = k + 1,
          target = +(k === right),
          color = target ? "accent" : "muted";
        costs.line([c, c], [value.shift, x[k]], { color, width: 4, alpha: 0.7 });
        pulls.area([c - 0.3, c + 0.3], [0, 0], [p[k], p[k]], { color, alpha: 0.55 });
        pulls.arrow(c, p[k], c, target, { color: "warn", width: 2.5, halo: true });
        if (value.naive)
          pulls.line([c - 0.3, c + 0.3], [stable.y[k], stable.y[k]], { color: "fg", dash: [2, 4], width: 2 });
        pulls.dot(c, target, { color: "fg", hollow: true, size: 4 });
        pulls.text(c, Math.max(p[k], 0) + 0.03, fmt(p[k]), { align: "right", dx: -8, base: "bottom" });
      }
      costs.rule({ y: value.shift });
      const list = (v) => `(${[...v].map((a) => fmt(a)).join(", ")})`;
      const works = y.every(Number.isFinite);
      return [
        `Softmax of ${list(x)} is ${list(p)}; class ${value.right} is right, so the loss is ${fmt(loss)}.`,
        value.naive && works && "The textbook formula still works here; dotted: the stable one.",
        works
          ? `Gradient p − y = ${list(slope)}: each logit moves by how wrong its probability is (arrows).`
          : `As written, the softmax breaks down here: e^${fmt(Math.max(...x))} overflows, and ∞/∞ is not a number.`,
      ];
    }

    return ui.run((value) => {
      const { kind } = value;
      for (const k in parts) parts[k].style.display = k === kind ? "" : "none";
      for (const [k, handle] of [...along, ...levels]) handle.el.hidden = k !== kind;
      more.parentElement.hidden = kind === "residual";
      more.firstChild.style.display = kind === "score" ? "" : "none";
      legend.style.display = kind === "softmax" ? "none" : "";
      [...legend.querySelectorAll("label")].forEach(
        (label, i) => (label.style.display = i < 3 === (kind === "score") ? "" : "none"),
      );
      return kind === "softmax" ? classes(value) : curves(value, kind === "score");
    });
  },
};
