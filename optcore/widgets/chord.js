/* Two points and the segment between them: on a curve the chord test, in a plane set the segment test. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp, linspace } = oc,
      N = 400;
    const plot = ui.plot({
      label: "Curve or set with the segment from A to B",
      ratio: 1.75,
      narrow: 1.15,
      xlabel: "x",
      ylabel: " ",
    });
    const shapes = Object.fromEntries(spec.shapes.map((s) => [s.value, { ...s, ...oc.program(s.program) }]));
    const now = () => shapes[ui.value.f] ?? shapes[spec.shapes[0].value];
    const at = ({ run, x, y }, ...point) => (x.set(point), run(x, y), y);
    const f = (shape, x) => at(shape, x)[0];
    const curve = oc.memo((shape) => {
      const xs = linspace(...shape.domain, N + 1);
      return [xs, xs.map((x) => f(shape, x))];
    });
    /* Where A and B are: on the curve, or in the plane. */
    const place = (key) => {
      const shape = now(),
        [x, y] = ui.value[key].map((v, i) => clamp(v, ...(i && shape.set ? shape.range : shape.domain)));
      return shape.set ? [x, y] : [x, f(shape, x)];
    };

    const menu = ui.select("f", { label: "Function or set", options: spec.shapes });
    menu.addEventListener("change", () => ui.set({ a: now().a, b: now().b }));
    ui.slider("t", { label: "Share t of A", min: 0, max: 1, tip: "Marks the point tA + (1 − t)B of the segment." });
    const bounds = ui.select("bounds", {
      label: "Drawn at A",
      options: spec.bounds,
      tip: "Bounds that use the value and the slope at A.",
    });
    const [least, most] = spec.curvature,
      marks = (i, label) => () => (now().set ? [] : [{ at: now().bend[i], label }]);
    const sliders = [
      ui.slider("mu", {
        label: "Lower curvature μ",
        min: least,
        max: most,
        steps: 260,
        marks: marks(0, "least f″"),
        tip: "If f″ ≥ μ everywhere, the parabola of curvature μ stays below f.",
      }),
      ui.slider("L", {
        label: "Upper curvature L",
        min: least,
        max: most,
        steps: 260,
        marks: marks(1, "largest f″"),
        tip: "If f″ ≤ L everywhere, the parabola of curvature L stays above f.",
      }),
    ];
    for (const key of ["a", "b"]) {
      ui.field(key, (v, note, fallback) => {
        if (Array.isArray(v) && v.length === 2 && v.every((x) => typeof x === "number" && x === x)) return v;
        note(`${key.toUpperCase()} was not a point`);
        return fallback === v ? now()[key] : fallback;
      });
      plot.handle(
        { get: () => place(key), set: (p) => ui.set({ [key]: p }) },
        { label: `Point ${key.toUpperCase()}`, color: "accent" },
      );
    }

    /* The segment in pieces, coloured by whether the test holds there; `fails` is a function of the share of A. */
    const segment = (fails, draw) => {
      let failed = 0;
      for (let i = 0; i < N; i++) {
        const bad = fails((i + 0.5) / N);
        failed += bad;
        draw(i / N, (i + 1) / N, bad ? "warn" : "accent");
      }
      return failed / N;
    };
    const mix = (A, B, t) => A.map((v, i) => t * v + (1 - t) * B[i]);

    function onCurve(shape, { t, bounds, mu, L }) {
      const [xs, ys] = curve(shape),
        A = place("a"),
        B = place("b"),
        [x, height] = mix(A, B, t),
        y = f(shape, x);
      const tiny = 1e-12 * (Math.abs(A[1]) + Math.abs(B[1]) + 1);
      plot.ylabel = shape.label;
      plot.range({ x: shape.domain, y: shape.range });
      plot.axes();
      plot.still([xs, ys], () => plot.line(xs, ys, { color: "muted", width: 2 }));
      const failed = segment(
        (s) => f(shape, s * A[0] + (1 - s) * B[0]) > s * A[1] + (1 - s) * B[1] + tiny,
        (s, e, color) => {
          const from = s * A[0] + (1 - s) * B[0],
            to = e * A[0] + (1 - e) * B[0];
          plot.line([from, to], [f(shape, from), f(shape, to)], { color, width: color === "warn" ? 7 : 3 });
        },
      );
      ui.facts({ failed, gap: height - y, length: Math.abs(A[0] - B[0]) });
      plot.line([A[0], B[0]], [A[1], B[1]], { color: "fg" });
      plot.line([x, x], [y, height], { color: "fg", dash: [3, 3] });
      plot.dot(x, height, { color: "fg", hollow: true });
      plot.dot(x, y, { color: y > height + tiny ? "warn" : "accent" });

      const [, slope] = at(shape, A[0]).slice();
      const drawn = bounds === "none" || Number.isFinite(slope) ? bounds : "missing";
      if (drawn === "missing") plot.rule({ x: A[0] }, { color: "warn" });
      const parabola = (c) => (v) => A[1] + slope * (v - A[0]) + (c / 2) * (v - A[0]) ** 2;
      const bound = (c, side, name) => {
        const q = parabola(c),
          size = 1e-9 * (Math.abs(A[1]) + 1),
          broken = xs.findIndex((v, i) => side * (ys[i] - q(v)) < -size);
        plot.line(xs, xs.map(q), { color: broken < 0 ? "accent" : "warn", dash: [7, 5] });
        return `${name} ${broken < 0 ? "stays" : "does not stay"} ${side > 0 ? "below" : "above"} the curve.`;
      };
      return [
        `At ${fmt(t)}A + ${fmt(1 - t)}B = ${fmt(x)} the curve is at ${fmt(y)}, the chord at ${fmt(height)}.`,
        failed
          ? "The curve rises above this chord: the function is not convex."
          : "This chord stays above the curve; one chord that does not would disprove convexity.",
        drawn === "missing" && `${shape.label} has no slope at A: move A.`,
        drawn === "tangent" && bound(0, 1, "The tangent at A"),
        ...(drawn === "parabolas"
          ? [bound(mu, 1, `The parabola with μ = ${fmt(mu)}`), bound(L, -1, `The one with L = ${fmt(L)}`)]
          : []),
      ];
    }

    function inPlane(shape, { t }) {
      const A = place("a"),
        B = place("b"),
        C = mix(A, B, t),
        inside = (p) => at(shape, ...p)[0] <= 0;
      plot.ylabel = "y";
      const unit = (plot.bottom - plot.top) / (shape.range[1] - shape.range[0]),
        half = (plot.right - plot.left) / unit / 2;
      plot.range({ x: [-half, half], y: shape.range }); // equal units: a disk looks round
      const nx = Math.round(plot.right - plot.left),
        ny = Math.round(plot.bottom - plot.top),
        { theme } = ui;
      const without = oc.rgb(theme.bg),
        within = oc.mix(without, oc.rgb(theme.accent), 0.25);
      plot.image(nx, ny, (i, j) => (inside([plot.xAt(plot.left + i), plot.yAt(plot.bottom - j)]) ? within : without), [
        shape,
      ]);
      plot.axes({ grid: false });
      const failed = segment(
        (s) => !inside(mix(A, B, s)),
        (s, e, color) => {
          const [p, q] = [mix(A, B, s), mix(A, B, e)];
          plot.line([p[0], q[0]], [p[1], q[1]], { color, width: color === "warn" ? 7 : 3 });
        },
      );
      plot.dot(...C, { color: inside(C) ? "accent" : "warn", size: 6 });
      const out = [inside(A) ? "" : "A", inside(B) ? "" : "B"].filter(Boolean);
      ui.facts({ failed, outside: out.length, length: Math.hypot(A[0] - B[0], A[1] - B[1]) });
      return [
        `The point ${fmt(t)}A + ${fmt(1 - t)}B = (${fmt(C[0])}, ${fmt(C[1])}) lies ` +
          `${inside(C) ? "inside" : "outside"} the set.`,
        out.length
          ? `${out.join(" and ")} lies outside, so the test does not apply: move it in.`
          : failed
            ? `${Math.round(100 * failed)} % of the segment is outside: the set is not convex.`
            : "The whole segment is inside; one segment that is not would disprove convexity.",
      ];
    }

    return ui.run((value) => {
      const shape = now();
      bounds.parentNode.style.display = shape.set ? "none" : "";
      for (const input of sliders)
        input.parentNode.style.display = !shape.set && value.bounds === "parabolas" ? "" : "none";
      const words = shape.set ? inPlane(shape, value) : onCurve(shape, value);
      for (const key of ["a", "b"]) plot.text(...place(key), key.toUpperCase(), { align: "center", dy: -18 });
      return words;
    });
  },
};
