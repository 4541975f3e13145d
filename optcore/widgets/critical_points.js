/* A point on a surface: gradient, eigenvalues and eigenvectors of the Hessian, sections along them, descent, basins. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp, linspace } = oc;
    const map = ui.plot({
      label: "Contours with the point and its descent",
      title: "○ minimum, △ maximum, ◇ saddle, □ neither",
      xlabel: "w₁",
      ylabel: "w₂",
      ratio: 1.2,
      narrow: 1.1,
    });
    const cut = ui.plot({
      label: "Sections along the eigenvectors",
      title: "Cut along the two eigenvectors of the Hessian",
      ratio: 1.2,
      xlabel: "Distance from the point",
      ylabel: "Height",
    });
    const surfaces = Object.fromEntries(spec.surfaces.map((s) => [s.value, { ...s, ...oc.surface(s.program) }]));
    const now = () => surfaces[ui.value.surface] ?? surfaces[spec.surfaces[0].value];
    const place = () => {
      const [x, y] = now().window;
      return [clamp(ui.value.point[0], ...x), clamp(ui.value.point[1], ...y)];
    };

    /* What the first two derivatives say at a point. */
    const read = (s, p) => {
      s.at(p);
      const [f, gx, gy, a, b, , c] = s.y,
        [low, high] = oc.eig2(a, b, c),
        turn = Math.atan2(2 * b, a - c) / 2;
      const slope = Math.hypot(gx, gy),
        tiny = 1e-8 * (Math.abs(low) + Math.abs(high));
      const signs = [low, high].map((v) => (Math.abs(v) <= tiny ? 0 : Math.sign(v)));
      const kind = { "1,1": "minimum", "-1,-1": "maximum", "-1,1": "saddle" }[signs] ?? "degenerate";
      // columns: the eigenvector of the low eigenvalue, then of the high one
      return {
        f,
        gx,
        gy,
        slope,
        eigenvalues: [low, high],
        signs,
        kind,
        axes: [
          [-Math.sin(turn), Math.cos(turn)],
          [Math.cos(turn), Math.sin(turn)],
        ],
        critical: slope < 1e-3 * s.flat,
      };
    };
    const known = oc.memo((s) => s.points.map((p) => ({ p, ...read(s, p) })));
    const point = (p) => `(${p.map((c) => fmt(c)).join(", ")})`;
    const NAMES = {
      minimum: "a local minimum: both eigenvalues are positive",
      maximum: "a local maximum: both eigenvalues are negative",
      saddle: "a strict saddle: up along one eigenvector, down along the other",
      degenerate: "degenerate: a zero eigenvalue decides nothing",
    };
    const SHAPE = { minimum: 0, maximum: 2, saddle: 3, degenerate: 1 };

    const menu = ui.select("surface", { label: "Surface", options: spec.surfaces });
    menu.addEventListener("change", () => ui.set({ point: now().start }));
    ui.slider("lr", {
      label: "Learning rate η",
      min: 1e-3,
      max: 2,
      scale: "log",
      tip: "Each step subtracts η times the gradient.",
    });
    ui.slider("noise", {
      label: "Gradient noise σ",
      min: 1e-6,
      max: 1,
      scale: "log0",
      tip: "Standard deviation of the normal noise added to each component of the gradient.",
    });
    ui.check("basins", {
      label: "Map of basins",
      tip: "Colours every start by the minimum that descent reaches from it.",
    });
    ui.field("point", (v, note, fallback) => {
      if (Array.isArray(v) && v.length === 2 && v.every((a) => typeof a === "number" && a === a)) return v;
      return note("The point was not a point"), fallback === v ? now().start : fallback;
    });
    const move = (point) => ui.set({ point });
    map.handle({ get: place, set: move }, { label: "Point" });
    map.pick(move);
    ui.button(
      "Next critical point",
      () => {
        const { points } = now(),
          [x, y] = place(),
          at = points.findIndex((p) => p[0] === x && p[1] === y);
        if (points.length) move(points[(at + 1) % points.length]);
      },
      { tip: "Goes through all points of the window where the gradient is zero" },
    );

    /* The minimum that descent from each cell reaches, a few milliseconds in each frame: index, or -1 for none. */
    const NX = 72,
      NY = 60;
    const center = ({ window: [x, y] }, k) => [
      x[0] + (((k % NX) + 0.5) / NX) * (x[1] - x[0]),
      y[0] + ((((k / NX) | 0) + 0.5) / NY) * (y[1] - y[0]),
    ];
    const basins = oc.memo((s, lr) => {
      const cells = new Int8Array(NX * NY).fill(-1),
        minima = known(s).filter((c) => c.kind === "minimum");
      const reach = 0.05 * (s.window[0][1] - s.window[0][0]);
      const end = (cell) => {
        const w = center(s, cell);
        for (let k = 0; k < spec.steps; k++) {
          s.at(w);
          w[0] -= lr * s.y[1];
          w[1] -= lr * s.y[2];
          if (Math.hypot(s.y[1], s.y[2]) < 1e-3 * s.flat) break;
        }
        return minima.findIndex(({ p }) => Math.hypot(p[0] - w[0], p[1] - w[1]) < reach);
      };
      let done = 0;
      return {
        cells,
        minima,
        more: (until) => {
          for (; done < cells.length && (done % 8 || performance.now() < until); done++) cells[done] = end(done);
          return done;
        },
      };
    });
    const heights = oc.memo((s) => {
      const f = Float64Array.from({ length: NX * NY }, (_, k) => s.f(center(s, k)));
      const low = Math.min(...f),
        span = Math.max(...f) - low || 1;
      return f.map((v) => ((v - low) / span) ** 0.4);
    });
    const noise = oc.memo((sigma) => (sigma ? spec.draws.map((v) => sigma * v) : undefined));

    return ui.run((value) => {
      const s = now(),
        p = place(),
        at = read(s, p),
        [wx, wy] = s.window,
        radius = 0.22 * (wx[1] - wx[0]);
      const run = oc.descend(s, spec.rule, { start: p, lr: value.lr, steps: spec.steps, noise: noise(value.noise) });
      map.range({ x: wx, y: wy });
      let counts = "";
      if (value.basins) {
        const found = basins(s, value.lr),
          done = found.more(performance.now() + 5),
          level = heights(s),
          bg = oc.rgb(ui.theme.bg);
        const colors = spec.colors.map((c) => oc.rgb(ui.color(c)));
        map.image(
          NX,
          NY,
          (i, j) => {
            const k = j * NX + i,
              m = found.cells[k];
            return m < 0 ? bg : oc.mix(colors[m % colors.length], bg, 0.35 + 0.45 * level[k]);
          },
          [s, value.lr, done],
        );
        if (done < NX * NY) ui.redraw();
        const share = found.minima.map((_, m) => found.cells.reduce((n, c) => n + (c === m), 0) / done);
        const reach = share.flatMap((v, m) =>
          v < 0.005 ? [] : [`${Math.round(100 * v)} % reach ${point(found.minima[m].p)}`],
        );
        counts =
          done < NX * NY
            ? "The map is still computed."
            : `Of all starts, ${reach.join(", ") || "none reaches a minimum"}.`;
      } else map.bands(s.f, { key: [s], base: s.lowest });
      map.axes({ grid: false });
      for (const c of known(s)) map.dot(...c.p, { shape: SHAPE[c.kind], hollow: true, color: "muted", size: 4 });
      map.path(run.points.subarray(0, 2 * run.end + 2), { color: "accent", width: 2, halo: true });
      map.dot(run.points[2 * run.end], run.points[2 * run.end + 1], { color: "accent", size: 5 });

      const colors = at.signs.map((sign) => (sign < 0 ? "warn" : sign > 0 ? "accent" : "muted"));
      const ts = linspace(-radius, radius, 121),
        along = at.axes.map(([dx, dy]) => ts.map((t) => s.f([p[0] + t * dx, p[1] + t * dy])));
      const finite = [...along[0], ...along[1]].filter(Number.isFinite),
        top = Math.max(...finite),
        low = Math.min(...finite),
        pad = 0.15 * (top - low) || 1;
      cut.range({ x: [-radius, radius], y: [low - pad, top + pad] });
      cut.axes();
      at.axes.forEach(([dx, dy], k) => {
        for (const side of [1, -1])
          map.arrow(...p, p[0] + side * 0.5 * radius * dx, p[1] + side * 0.5 * radius * dy, {
            color: colors[k],
            width: 2.5,
            halo: true,
          });
        cut.line(ts, along[k], { color: colors[k], width: 2.5 });
        const end = k ? 0 : 120;
        cut.text(ts[end], along[k][end], `λ = ${fmt(at.eigenvalues[k])}`, {
          color: colors[k],
          align: k ? "left" : "right",
          dx: k ? 6 : -6,
          dy: at.signs[k] < 0 ? 14 : -12,
        });
      });
      cut.dot(0, at.f, { color: "fg" });

      const away = (wx[1] - wx[0]) / 12,
        leave = run.slope.findIndex(
          (_, k) => k <= run.end && Math.hypot(run.points[2 * k] - p[0], run.points[2 * k + 1] - p[1]) > away,
        ),
        [ex, ey] = run.points.subarray(2 * run.end);
      ui.facts({ leave });
      const [low_, high_] = at.eigenvalues.map((v) => fmt(v));
      return [
        `At ${point(p)} the height is ${fmt(at.f)}, the gradient has length ${fmt(at.slope)}, ` +
          `the Hessian has eigenvalues ${low_} and ${high_}:`,
        at.critical
          ? `${NAMES[at.kind]}.`
          : at.slope < s.flat
            ? "almost flat, but not critical, because the gradient is not zero."
            : "not a critical point, because the gradient is not zero.",
        leave > 0
          ? `Descent needs ${leave} steps to get ${fmt(away)} away`
          : at.critical && at.kind === "minimum"
            ? "Descent stays here"
            : `Descent stays within ${fmt(away)} for all ${spec.steps} steps`,
        run.diverged ? "and diverges." : `and is at ${point([ex, ey])} after ${run.end}.`,
        counts,
      ];
    });
  },
};
