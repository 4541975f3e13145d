/* The singular values of a gradient, of its sign and of its Newton-Schulz form, the three as maps of their entries, and
   in detail what the iteration makes of a number. Settings: `spread`, `steps`, `coefficients`, `draw`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { size: n, most, turns, coefficients, colors, ...traced } = ui.spec,
      { fmt, mix, rgb } = oc;
    const values = ui.plot({
      ratio: 2.2,
      narrow: 1.3,
      label: "Singular values",
      title: "Six singular values, largest first (● and ■ over their largest)",
      xlabel: "singular direction",
      xticks: Array.from({ length: n }, (_, i) => [i + 1, `${i + 1}`]),
      ylabel: "singular value",
      logy: true,
      y: [0.01, 2],
    });
    const maps = ui.plot({
      bare: true,
      ratio: (3 * n + 10) / (n + 1),
      narrow: (3 * n + 2) / (n + 1),
      label: "The gradient, its sign and the result of the iteration as maps of their entries",
      y: [0, n + 1],
    });
    ui.slider("spread", {
      label: "Spread",
      min: 1,
      max: 1e4,
      scale: "log",
      tip: "The largest singular value of the gradient over its smallest.",
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
    const detail = ui.group("In detail");
    detail.classList.replace("oc-controls", "oc-inside");
    ui.slider("draw", {
      label: "Random draw",
      min: 0,
      max: turns.length - 1,
      int: true,
      in: detail,
      tip: "Other singular vectors; the singular values of the gradient stay.",
    });
    const curve = ui.plot({
      in: detail,
      ratio: 2.6,
      narrow: 1.4,
      label: "What the iteration makes of a singular value",
      title: "What the steps make of each singular value",
      xlabel: "singular value of G/‖G‖",
      ylabel: "after the steps",
      logx: true,
      x: [1e-5, 1],
      y: [0, 1.4],
    });

    const [sign, scale, step, number] = [traced.sign, traced.scaled, traced.step, traced.number].map(oc.program);
    const apply = ({ x, y, run }, input) => (x.set(input), run(x, y), y.slice());
    const repeat = ({ x, y, run }, start, count, abc) => {
      for (x.set(start), y.set(start), x.set(abc, start.length); count > 0; count--) run(x, y), x.set(y);
      return y.slice();
    };
    const last = (list) => list.findLast((a) => a);
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
      const names = ["● gradient", "■ its sign", `▲ after ${v.steps} steps`];
      const largest = steps.map((M) => Math.max(...M.map(Math.abs)));
      const edge = maps.w > 480 ? 4 : 0, // empty columns on either side
        columns = 3 * n + 2 + 2 * edge;
      maps.range({ x: [0, columns] });
      maps.image(
        columns,
        n + 1,
        (i, j) => {
          const which = Math.floor((i - edge) / (n + 1)),
            column = (i - edge) % (n + 1);
          if (!(which in steps) || column === n || j === n) return bg;
          const entry = steps[which][(n - 1 - j) * n + column] / largest[which];
          return mix(bg, entry < 0 ? minus : plus, Math.abs(entry));
        },
        [v.spread, v.steps, v.draw, ...abc],
      );
      names.forEach((words, k) => maps.text(edge + k * (n + 1) + n / 2, n + 0.5, words, { align: "center" }));

      // the sign often has fewer directions than the gradient: rounding errors remain
      const shown = (a) => (a > 1e-6 ? a : NaN);
      const drawn = [found[0], found[1].map((a) => a / found[1][0]), found[2]].map((list) => list.map(shown)),
        ink = [colors.gd, colors.signsgd, colors.muon],
        rank = drawn[1].filter((a) => a).length;
      const room = values.w > 480 ? 1.4 : 3.4; // for the names, in directions
      values.range({ x: [0.5, n + room], y: [Math.min(...drawn.flat().filter((a) => a)) / 1.5, 2.5] });
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
      // each name beside the last point of its line, clear of the one above
      let above = -Infinity;
      for (const k of [0, 1, 2].sort((p, q) => last(drawn[q]) - last(drawn[p]))) {
        const y = values.Y(last(drawn[k]));
        above = Math.max(y, above + 15);
        values.text(drawn[k].filter((a) => a).length, last(drawn[k]), names[k].slice(2), {
          color: ink[k],
          dx: 10,
          dy: above - y,
        });
      }

      const before = singular(scaled),
        low = Math.min(0.01, before[n - 1] / 2),
        at = (p) => low ** (1 - p / 600);
      const map = (a) => repeat(number, [a], v.steps, abc)[0];
      curve.range({ x: [low, 1] });
      curve.axes();
      curve.rule({ y: 1 });
      curve.line(at, (p) => map(at(p)), { n: 601, color: ink[2] });
      before.forEach((a) => curve.dot(a, map(a), { color: ink[2], shape: 2 }));

      ui.facts({ low: found[2][n - 1], high: found[2][0] });
      const ratio = (list) => fmt(list[0] / last(list));
      return (
        `Largest singular value over smallest: gradient ${ratio(drawn[0])}, its sign ${ratio(drawn[1])} with ` +
        `${rank} of ${n} directions left, after ${v.steps} steps ${ratio(drawn[2])} ` +
        `(${fmt(found[2][n - 1])} to ${fmt(found[2][0])}).`
      );
    });
  },
};
