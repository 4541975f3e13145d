/* A point on the plane through three points of weight space: both losses there, and along the line that leads to it. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp } = oc,
      n = spec.size;
    const map = ui.plot({
      label: "Loss on the plane",
      title: "The plane through three points ◇",
      xlabel: "Distance in weight space",
      ylabel: "Distance in weight space",
      ratio: 1.2,
      narrow: 1.1,
    });
    const cut = ui.plot({
      label: "Loss along the line",
      title: "Along the line: ● the point, ◇ the start",
      xlabel: "Distance from the start of the line",
      ylabel: "Loss",
      ratio: 1.2,
    });
    const planes = Object.fromEntries(
      spec.planes.map((p) => {
        const steps = new Uint16Array(Uint8Array.from(atob(p.data), (c) => c.charCodeAt()).buffer),
          grid = Float64Array.from(steps, (v) => p.low + ((p.high - p.low) / 65535) * v);
        return [
          p.value,
          { ...p, grid, least: [0, 1].map((k) => Math.exp(Math.min(...grid.subarray(k * n * n, (k + 1) * n * n)))) },
        ];
      }),
    );
    const now = () => planes[ui.value.plane] ?? planes[spec.planes[0].value];

    /* Places on the plane from the weights of its second and third corner, and back. */
    const place = ({ side: d, third: [u, v] }, [a, b]) => [a * d + b * u, b * v];
    const weights = ({ side: d, third: [u, v] }, [x, y]) => [(x - (y / v) * u) / d, y / v];
    const CORNERS = [
      [0, 0],
      [1, 0],
      [0, 1],
    ];

    /* The two losses at a place: bilinear in the logarithms on the grid. */
    const losses = ({ x, y, grid }, [px, py]) => {
      const at = (p, [lo, hi]) => clamp(((p - lo) / (hi - lo)) * (n - 1), 0, n - 1),
        [s, t] = [at(px, x), at(py, y)],
        [i, j] = [s, t].map((v) => Math.min(v | 0, n - 2));
      return [0, 1].map((k) => {
        const row = (j) => {
          const first = (k * n + j) * n + i;
          return grid[first] + (s - i) * (grid[first + 1] - grid[first]);
        };
        return Math.exp(row(j) + (t - j) * (row(j + 1) - row(j)));
      });
    };

    ui.select("plane", { label: "Plane", options: spec.planes });
    ui.select("start", {
      label: "Line from",
      options: ["1", "2", "3"].map((value) => ({ value, label: `◇ ${value}` })),
    });
    ui.check("held", { label: "Map of the held-out loss", tip: "Otherwise the map shows the training loss." });
    ui.field("point", (v, note, fallback) => {
      if (Array.isArray(v) && v.length === 2 && v.every(Number.isFinite)) return v;
      return note("The point was not a point"), fallback;
    });
    const bind = {
      get: () => {
        const s = now(),
          [x, y] = place(s, ui.value.point);
        return [clamp(x, ...s.x), clamp(y, ...s.y)];
      },
      set: (p) => ui.set({ point: weights(now(), p) }),
    };
    map.handle(bind, { label: "Point" });
    map.pick(bind.set);
    let corner = 0;
    ui.button("Next corner", () => ui.set({ point: CORNERS[(corner = (corner + 1) % 3)] }), {
      tip: "Puts the point on the three ◇ in turn",
    });
    ui.button("To the middle", () => ui.set({ point: [1 / 3, 1 / 3] }), { tip: "The mean of the three" });

    return ui.run(({ held, start: from }) => {
      const s = now(),
        p = bind.get(),
        [a, b] = weights(s, p),
        mix = [1 - a - b, a, b],
        corners = CORNERS.map((c) => place(s, c)),
        at = corners.map((c) => losses(s, c)),
        here = losses(s, p);
      const [ox, oy] = corners[from - 1];
      let [dx, dy] = [p[0] - ox, p[1] - oy],
        length = Math.hypot(dx, dy);
      if (length < 1e-9) {
        const [ex, ey] = corners[from % 3];
        [dx, dy, length] = [ex - ox, ey - oy, 0];
      }
      const unit = Math.hypot(dx, dy),
        far = Math.max(1.25 * length, unit),
        ts = [...oc.linspace(0, far, 201)],
        along = ts.map((t) => losses(s, [ox + (t / unit) * dx, oy + (t / unit) * dy])),
        peak = [0, 1].map((k) => Math.max(here[k], ...along.filter((_, i) => ts[i] <= length).map((l) => l[k])));

      map.range(s);
      map.bands((w) => losses(s, w)[+held], { key: [s, held], base: s.least[+held] });
      map.axes({ grid: false });
      map.line([ox, p[0]], [oy, p[1]], { color: "accent", width: 2, halo: true });
      corners.forEach((c, k) => {
        map.dot(...c, { shape: 3, hollow: true, color: "fg", size: 5 });
        map.text(...c, `${k + 1}`, { color: "fg", halo: true, dx: 10, dy: -10 });
      });

      cut.range({ x: [0, far], y: [0, 1.1 * Math.max(...along.flat())] });
      cut.axes();
      cut.rule({ x: length }, { color: "muted", dash: [4, 4] });
      let top = 40; // the names stand where the curves are highest, off the ends
      along.forEach((l, i) => i > 40 && i < 150 && l[0] > along[top][0] && (top = i));
      ["training", "held out"].forEach((name, k) => {
        const color = k ? "warn" : "accent",
          ys = along.map((l) => l[k]);
        cut.line(ts, ys, { color, width: 2.5, dash: k ? [6, 4] : undefined });
        cut.dot(length, here[k], { color });
        cut.dot(0, at[from - 1][k], { color, shape: 3, hollow: true });
        cut.text(ts[top], ys[top], name, {
          color,
          halo: true,
          align: "center",
          dy: ys[top] < along[top][1 - k] ? 16 : -14,
        });
      });

      const best = Math.min(...at.map((l) => l[1]));
      ui.facts({ held: here[1], best, inside: +(Math.min(...mix) > 0) });
      return [
        `Weights of the three: ${mix.map((w) => fmt(w, 2)).join(", ")}.`,
        `The training loss is ${fmt(here[0])}, the held-out loss ${fmt(here[1])};`,
        `held out, the three have ${at.map((l) => fmt(l[1])).join(", ")}.`,
        `On the line from ◇ ${from} to the point the training loss is at most ${fmt(peak[0])},`,
        `the held-out loss ${fmt(peak[1])}.`,
        `The map shows the ${held ? "held-out" : "training"} loss.`,
      ];
    });
  },
};
