/* A gradient, its sign and its Newton-Schulz form side by side, their singular values, and the map that the iteration
   applies to each of them. Settings: `spread`, `steps`, `coefficients`, `draw`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { size: n, most, turns, coefficients, colors, ...traced } = ui.spec,
      { fmt, mix, rgb } = oc;
    const maps = ui.plot({
      bare: true,
      ratio: (3 * n + 2) / (n + 1),
      label: "The gradient, its sign and the result of the iteration as maps of their entries",
      x: [0, 3 * n + 2],
      y: [0, n + 1],
    });
    const values = ui.plot({
      ratio: 1.25,
      narrow: 1.4,
      label: "Singular values",
      title: "Singular values: ● G, ■ sign, ▲ iteration",
      xlabel: "number (● and ■ divided by the first)",
      logy: true,
      x: [0.5, n + 0.5],
      y: [0.01, 2],
    });
    const curve = ui.plot({
      ratio: 1.25,
      narrow: 1.4,
      label: "What the iteration makes of a singular value",
      title: "What the iteration makes of each of them",
      xlabel: "singular value of G/‖G‖",
      logx: true,
      x: [1e-5, 1],
      y: [0, 1.4],
    });
    ui.slider("spread", {
      label: "Spread of the gradient",
      min: 1,
      max: 1e4,
      scale: "log",
      tip: "Its largest singular value over its smallest.",
    });
    ui.slider("steps", {
      label: "Newton-Schulz steps",
      min: 0,
      max: most,
      int: true,
      marks: [{ at: 5, label: "Muon" }],
      tip: "Each takes three products of matrices.",
    });
    ui.select("coefficients", {
      label: "Coefficients a, b, c",
      options: Object.entries(coefficients).map(([value, [label]]) => ({ value, label })),
      tip: "A singular value s becomes as + bs³ + cs⁵.",
    });
    ui.slider("draw", {
      label: "Random draw",
      min: 0,
      max: turns.length - 1,
      int: true,
      tip: "Other singular vectors; the singular values of the gradient stay.",
    });

    const [sign, scale, step, number] = [traced.sign, traced.scaled, traced.step, traced.number].map(oc.program);
    const apply = ({ x, y, run }, input) => (x.set(input), run(x, y), y.slice());
    const repeat = ({ x, y, run }, start, count, abc) => {
      for (x.set(start), y.set(start), x.set(abc, start.length); count > 0; count--) run(x, y), x.set(y);
      return y.slice();
    };
    const product = ([U, V], s) =>
      Float64Array.from({ length: n * n }, (_, k) =>
        U[(k / n) | 0].reduce((sum, u, i) => sum + u * s[i] * V[k % n][i], 0),
      );
    /* Turns pairs of columns until all are at right angles (one-sided Jacobi); their lengths are singular values. */
    const singular = (matrix) => {
      const A = matrix.slice();
      for (let sweep = 0; sweep < 30; sweep++) {
        let turned = false;
        for (let p = 0; p < n; p++)
          for (let q = p + 1; q < n; q++) {
            let a = 0,
              b = 0,
              c = 0;
            for (let k = 0; k < n * n; k += n) (a += A[k + p] ** 2), (b += A[k + q] ** 2), (c += A[k + p] * A[k + q]);
            if (!(Math.abs(c) > 1e-15 * Math.sqrt(a * b))) continue;
            turned = true;
            const zeta = (b - a) / (2 * c),
              t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta)),
              cos = 1 / Math.hypot(1, t),
              sin = cos * t;
            for (let k = 0; k < n * n; k += n)
              [A[k + p], A[k + q]] = [cos * A[k + p] - sin * A[k + q], sin * A[k + p] + cos * A[k + q]];
          }
        if (!turned) break;
      }
      return Array.from({ length: n }, (_, j) => Math.hypot(...Array.from({ length: n }, (_, i) => A[i * n + j]))).sort(
        (a, b) => b - a,
      );
    };

    return ui.run((v) => {
      const turn = turns[v.draw],
        abc = coefficients[v.coefficients][1];
      const s = Array.from({ length: n }, (_, i) => v.spread ** (-i / (n - 1))),
        G = product(turn, s),
        scaled = apply(scale, G);
      const steps = [G, apply(sign, G), repeat(step, scaled, v.steps, abc)],
        found = steps.map(singular);

      const bg = rgb(ui.theme.bg),
        [plus, minus] = [colors.gd, "#c2410c"].map((c) => rgb(ui.color(c)));
      const largest = steps.map((M) => Math.max(...M.map(Math.abs)));
      maps.image(
        3 * n + 2,
        n + 1,
        (i, j) => {
          const which = (i / (n + 1)) | 0,
            column = i % (n + 1);
          if (column === n || j === n) return bg;
          const entry = steps[which][(n - 1 - j) * n + column] / largest[which];
          return mix(bg, entry < 0 ? minus : plus, Math.abs(entry));
        },
        [v.spread, v.steps, v.draw, ...abc],
      );
      ["gradient G", "sign of G", `after ${v.steps} steps`].forEach((words, k) =>
        maps.text(k * (n + 1) + n / 2, n + 0.5, words, { align: "center" }),
      );

      // the sign often has fewer directions than the gradient: rounding errors remain
      const shown = (a) => (a > 1e-6 ? a : NaN);
      const drawn = [found[0], found[1].map((a) => a / found[1][0]), found[2]].map((list) => list.map(shown)),
        ink = [colors.gd, colors.signsgd, colors.muon];
      values.range({ y: [Math.min(...drawn.flat().filter((a) => a)) / 1.5, 2] });
      values.axes();
      values.rule({ y: 1 });
      drawn.forEach((list, k) => {
        values.line(
          (i) => i + 1,
          (i) => list[i],
          { n, color: ink[k], width: 1.5 },
        );
        list.forEach((a, i) => values.dot(i + 1, a, { color: ink[k], shape: k }));
      });

      const before = singular(scaled),
        low = Math.min(0.01, before[n - 1] / 2),
        at = (p) => low ** (1 - p / 600);
      const map = (a) => repeat(number, [a], v.steps, abc)[0];
      curve.range({ x: [low, 1] });
      curve.axes();
      curve.rule({ y: 1 });
      curve.line(at, (p) => map(at(p)), { n: 601, color: ink[2] });
      before.forEach((a) => curve.dot(a, map(a), { color: ink[2], shape: 2 }));

      const cosine =
        product(
          turn,
          s.map(() => 1),
        ).reduce((sum, a, k) => sum + a * steps[2][k], 0) /
        Math.hypot(...steps[2]) /
        Math.sqrt(n);
      ui.facts({ low: found[2][n - 1], high: found[2][0] });
      const share = found.map((list) => `${fmt((100 * list[0] ** 2) / list.reduce((sum, a) => sum + a * a, 0))}%`);
      return (
        `The first of ${n} singular directions holds ${share[0]} of the squared length of the gradient, ` +
        `${share[1]} of that of its sign, which keeps ${drawn[1].filter((a) => a).length} directions, and ` +
        `${share[2]} after ${v.steps} steps. There the singular values lie between ${fmt(found[2][n - 1])} and ` +
        `${fmt(found[2][0])}; cosine with UVᵀ: ${fmt(cosine)}.`
      );
    });
  },
};
