/* Points, a curve of the first `degree` + 1 features through them, its train and test error, its coefficients.
   Settings: `points`, `degree`, `penalty` ("none", "l2", "l1", "stop"), `lam`, `steps`, `against` ("degree" or
   "strength"). */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      {
        most,
        window: [xs, ys],
        test,
        truth,
        penalties,
      } = ui.spec,
      { fmt } = oc;
    const TRAIN = "#0b63b5",
      TEST = "#c2410c",
      LAMBDAS = [...oc.linspace(-5, 1, 25)].map((e) => 10 ** e),
      STEPS = 1000;
    /* A limit of an axis moves by quarters of a decade, so that it rests while a point is dragged. */
    const mark = (v, round) => 10 ** (round(4 * Math.log10(v)) / 4);
    const STOPS = [...new Set([...oc.linspace(0, 3, 61)].map((e) => Math.round(10 ** e)))];
    const plane = ui.plot({
      label: "Points and the fitted curve",
      title: "● training points: drag them; ○ held out; dashed: the truth",
      ratio: 1.5,
      narrow: 1.3,
      x: [xs[0] * 1.05, xs[1] * 1.05],
      y: ys,
    });
    const errors = ui.plot({
      label: "Training and test error",
      title: "Mean squared error: ● training, ■ held out",
      ratio: 1.2,
      narrow: 1.4,
      xlabel: "degree",
      y: [1e-3, 10],
      logy: true,
    });
    const weights = ui.plot({ label: "Coefficients", title: " ", ratio: 2.8, narrow: 1.5, xlabel: "coefficient" });
    const caption = weights.el.querySelector("figcaption");
    plane.handles("points", { label: "Point", color: "accent", least: 2, most: 40 });
    ui.slider("degree", {
      label: "Degree",
      min: 0,
      max: most,
      int: true,
      tip: "The number of features after the constant; with as many features as points the curve can pass through all.",
    });
    ui.select("penalty", {
      label: "Regularizer",
      options: penalties,
      tip: "What is added to the training error, or when descent on it is stopped; the constant is left alone.",
    });
    const lam = ui.slider("lam", {
      label: "Strength λ",
      min: 1e-5,
      max: 10,
      scale: "log",
      tip: "L2 shrinks all coefficients, L1 sets the weak ones to exactly zero.",
    });
    const steps = ui.slider("steps", {
      label: "Steps before the stop",
      min: 1,
      max: STEPS,
      scale: "log",
      int: true,
      tip: "Gradient descent from zero fits the strong directions first; stopping leaves the weak ones out.",
    });
    const against = ui.select("against", {
      label: "Error against",
      options: [
        { value: "degree", label: "degree" },
        { value: "strength", label: "strength or steps" },
      ],
    });

    const { run, x, y } = oc.program(ui.spec.features);
    const features = (points) =>
      points.map(([p]) => {
        x[0] = p;
        run(x, y);
        return [...y];
      });
    const curve = [...oc.linspace(...xs, 201)].map((p) => [p]),
      onCurve = features(curve),
      onTest = features(test);
    const dot = (a, b, n = a.length) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += a[i] * b[i];
      return sum;
    };

    /* Least squares by Gram-Schmidt, twice: min ‖Aw − b‖, the shortest w when A has more columns than rows. A column
       that adds nothing gets an infinite pivot, that is, the coefficient 0. */
    const orthonormal = (columns) => {
      const Q = [],
        R = [];
      for (const column of columns) {
        const v = Float64Array.from(column),
          r = new Float64Array(Q.length + 1),
          size = Math.sqrt(dot(v, v));
        for (let i = 0; i < 2 * Q.length; i++) {
          const k = i % Q.length,
            part = dot(Q[k], v);
          r[k] += part;
          for (let j = 0; j < v.length; j++) v[j] -= part * Q[k][j];
        }
        const rest = Math.sqrt(dot(v, v)),
          independent = rest > 1e-11 * size;
        r[Q.length] = independent ? rest : Infinity;
        Q.push(v.map((a) => (independent ? a / rest : 0)));
        R.push(r);
      }
      return { Q, R };
    };
    const columns = (rows) => orthonormal(rows[0].map((_, j) => rows.map((row) => row[j])));
    const leastSquares = (rows, b, known) => {
      const m = rows.length,
        p = rows[0].length,
        { Q, R } = p > m ? orthonormal(rows) : known || columns(rows),
        w = [];
      if (p > m) {
        for (let i = 0; i < m; i++) w[i] = (b[i] - dot(R[i], w, i)) / R[i][i];
        return rows[0].map((_, j) => Q.reduce((sum, q, i) => sum + q[j] * w[i], 0));
      }
      for (let i = p - 1; i >= 0; i--) {
        let rest = dot(Q[i], b);
        for (let j = i + 1; j < p; j++) rest -= R[j][i] * w[j];
        w[i] = rest / R[i][i];
      }
      return w;
    };
    const ridge = (F, b, lambda) => {
      const size = Math.sqrt(F.length * lambda),
        p = F[0].length;
      const tail = Array.from({ length: p - 1 }, (_, i) =>
        Array.from({ length: p }, (_, j) => (j === i + 1 ? size : 0)),
      );
      return leastSquares([...F, ...tail], [...b, ...tail.map(() => 0)]);
    };
    const gram = (F, b) => {
      const n = F.length,
        columns = F[0].map((_, j) => Float64Array.from(F, (row) => row[j]));
      return [columns.map((a) => columns.map((c) => dot(a, c) / n)), columns.map((a) => dot(a, b) / n)];
    };
    /* Coordinate descent; what is only drawn may stop sooner. */
    const lasso = ([G, c], lambda, start, exact) => {
      const w = [...start];
      for (let sweep = 0, change = 1; sweep < (exact ? 5000 : 100) && change > (exact ? 1e-13 : 1e-5); sweep++) {
        change = 0;
        for (let j = 0; j < w.length; j++) {
          const v = c[j] - dot(G[j], w) + G[j][j] * w[j],
            size = Math.max(Math.abs(v) - (j ? lambda : 0), 0);
          const next = (Math.sign(v) * size) / G[j][j];
          change = Math.max(change, Math.abs(next - w[j]));
          w[j] = next;
        }
      }
      return w;
    };
    const descent = ([G, c], steps) => {
      const rate = 1 / Math.max(...G.map((row) => row.reduce((sum, a) => sum + Math.abs(a), 0))),
        path = [c.map(() => 0)];
      for (let t = 0; t < steps; t++) path.push(path[t].map((w, j) => w - rate * (dot(G[j], path[t]) - c[j])));
      return path;
    };
    const solve = (F, b, { penalty, lam, steps }, known, exact) =>
      penalty === "none"
        ? leastSquares(F, b, known)
        : penalty === "l2"
          ? ridge(F, b, lam)
          : penalty === "l1"
            ? lasso(
                gram(F, b),
                lam,
                F[0].map(() => 0),
                exact,
              )
            : descent(gram(F, b), steps)[steps];
    const error = (F, w, points) =>
      F.reduce((sum, row, i) => sum + (dot(row, w, w.length) - points[i][1]) ** 2, 0) / F.length;
    const visible = (input, on) => (input.closest(".oc-control").style.display = on ? "" : "none");

    return ui.run((v) => {
      const all = features(v.points),
        b = v.points.map((p) => p[1]),
        part = (degree) => all.map((row) => row.slice(0, degree + 1));
      const F = part(v.degree),
        free = v.penalty === "none",
        known = free && columns(all), // the first of them are those of a lower degree
        w = solve(F, b, v, known, true),
        stop = v.penalty === "stop";
      visible(lam, v.penalty[0] === "l");
      visible(steps, stop);
      visible(against, !free);

      // the path of coefficients as the strength changes, and the errors along the abscissa of the second plot
      let strengths = LAMBDAS,
        path = [];
      if (v.penalty === "l2") path = LAMBDAS.map((l) => ridge(F, b, l));
      if (v.penalty === "l1") {
        const moments = gram(F, b);
        for (const l of LAMBDAS.toReversed()) path.unshift(lasso(moments, l, path[0] ?? w.map(() => 0)));
      }
      if (stop) {
        const run = descent(gram(F, b), STEPS);
        [path, strengths] = [STOPS.map((t) => run[t]), STOPS];
      }
      const byDegree = free || v.against === "degree",
        now = byDegree ? v.degree : stop ? v.steps : v.lam;
      const at = byDegree ? [...Array(most + 1).keys()] : strengths,
        fits = byDegree ? at.map((d) => solve(part(d), b, v, known)) : path;
      const train = fits.map((u) => error(all, u, v.points)),
        held = fits.map((u) => error(onTest, u, test));
      const [mine, theirs] = [error(F, w, v.points), error(onTest, w, test)];

      ui.facts({ test: theirs });
      plane.axes();
      plane.still([], () => {
        plane.line(oc.linspace(...xs, truth.length), truth, { color: "muted", width: 1.25, dash: [6, 4] });
        for (const [p, q] of test) plane.dot(p, q, { color: TEST, size: 2.5, hollow: true, alpha: 0.6 });
      });
      plane.line(
        curve,
        onCurve.map((row) => dot(row, w, w.length)),
        { color: TRAIN, width: 2.5 },
      );

      errors.logx = !byDegree;
      errors.xlabel = byDegree ? "degree" : stop ? "steps" : "strength λ";
      const seen = [...train, ...held].filter((e) => e > 1e-4);
      errors.range({
        x: byDegree ? [-0.5, most + 0.5] : [at[0], at.at(-1)],
        y: [
          Math.max(1e-3, mark(Math.min(...seen) / 2, Math.floor)),
          Math.min(1e3, mark(2 * Math.max(...seen), Math.ceil)),
        ],
      });
      errors.axes();
      errors.rule({ x: now });
      [
        [train, TRAIN, mine],
        [held, TEST, theirs],
      ].forEach(([values, color, here], shape) => {
        errors.line(at, values, { color });
        errors.dot(now, here, { color, shape });
      });

      const far = mark(1.1 * Math.max(0.5, ...w.map(Math.abs).filter(Number.isFinite)), Math.ceil);
      weights.logx = !free;
      weights.xlabel = free ? "coefficient" : stop ? "steps" : "strength λ";
      weights.range({ x: free ? [-0.5, v.degree + 0.5] : [strengths[0], strengths.at(-1)], y: [-far, far] });
      weights.axes();
      oc.write(caption, free ? "Coefficients" : "Coefficients; ○ exactly zero");
      if (free) weights.bars(oc.linspace(-0.5, v.degree + 0.5, v.degree + 2), w, { color: TRAIN });
      else {
        w.forEach((_, j) =>
          weights.line(
            strengths,
            path.map((u) => u[j]),
            { color: j ? TRAIN : "muted", width: 1.25, alpha: j ? 0.35 + 0.65 / j : 1 },
          ),
        );
        weights.rule({ x: stop ? v.steps : v.lam });
        for (const c of w)
          weights.dot(stop ? v.steps : v.lam, c, { color: c ? TRAIN : TEST, size: c ? 3 : 4, hollow: !c });
      }

      const best = held.reduce((k, e, i) => (e < held[k] ? i : k), 0),
        name = byDegree ? "degree" : stop ? "number of steps" : "λ";
      // the verdict is by the side of the best: of the strength, where there is one, else of the degree
      const scale = free ? at : strengths,
        lost = free ? held : path.map((u) => error(onTest, u, test)),
        least = lost.reduce((k, e, i) => (e < lost[k] ? i : k), 0);
      const bends = free ? v.degree > scale[least] : stop ? v.steps > scale[least] : v.lam < scale[least];
      const reading = theirs < 1.3 * lost[least] ? "close to the best" : bends ? "it overfits" : "it underfits";
      const regularizer = penalties.find((p) => p.value === v.penalty).label;
      const kept = w.flatMap((c, j) => (j && c !== 0 ? [j] : [])),
        zeros = v.degree - kept.length,
        size = Math.hypot(...w.slice(1));
      return (
        `Degree ${v.degree}, ${regularizer.replace("none", "no regularizer")}: ` +
        `training error ${fmt(mine)}, test error ${fmt(theirs)}, ${reading}. ` +
        `Coefficients: length ${fmt(size)}, ${zeros} of ${v.degree} exactly zero` +
        `${zeros && kept.length ? `, not number ${kept.join(", ")}` : ""}. ` +
        `The best ${name} for the held-out points is ${fmt(at[best])}, with ${fmt(held[best])}.`
      );
    });
  },
};
