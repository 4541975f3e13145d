/* A run of a second-order method, the quadratic model at its step `k`, and the steps that other methods would take
   there. Settings: `start`, `method`, `k` (null: the last step), `compare`, `damping`, `memory`, `noise`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp } = oc;
    const { f, grad, hess } = oc.surface(spec.surface),
      { params, most, memoryless } = spec;
    const methods = Object.fromEntries(spec.methods.map(([k, label, color]) => [k, { label, color }]));
    const code = Object.fromEntries(Object.entries(spec.programs).map(([k, p]) => [k, oc.program(p)]));
    const call = (name, ...args) => {
      const { x, y, run } = code[name];
      x.set(args.flatMap((a) => [...[a].flat()]));
      run(x, y);
      return [...y];
    };

    const plane = ui.plot({
      label: "Landscape with the quadratic model",
      title: "Landscape, + minima; dashed: level curves of the quadratic model",
      ratio: 1.25,
      x: spec.domain[0],
      y: spec.domain[1],
    });
    const slice = ui.plot({
      label: "Function and model along the step",
      title: "Along the step: f solid, model dashed",
      ratio: 1.25,
      xlabel: "part of the full step",
    });
    plane.handle("start", { label: "Start point" });
    plane.pick((p) => ui.set({ start: p }));
    ui.select("method", {
      label: "Run and model of",
      options: spec.methods.map(([value, label]) => ({ value, label })),
      tip: "Newton's methods use the true Hessian; BFGS, L-BFGS and SR1 learn one from the gradients they meet.",
    });
    ui.player("k", { max: (v) => solve(v).points.length - 1, label: "Step shown" });
    const damping = ui.slider("damping", {
      label: "Damping τ",
      min: 0.01,
      max: 100,
      scale: "log0",
      tip: "Added to every curvature: zero trusts the model, large values turn the step to the gradient, shorter.",
    });
    const memory = ui.slider("memory", {
      label: "Pairs kept (L-BFGS)",
      min: 1,
      max: 20,
      int: true,
      tip: "L-BFGS rebuilds its estimate from so many of the newest pairs of step and gradient change.",
    });
    const noise = ui.slider("noise", {
      label: "Noise in gradient changes",
      min: 0.01,
      max: 100,
      scale: "log0",
      tip: "As when the two gradients of a pair come from two mini-batches.",
    });
    ui.checks("compare", {
      legend: "Steps from here",
      options: memoryless.map((value) => ({ value, ...methods[value] })),
    });

    // ---- the loop of optcore.minimize
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1],
      plus = (x, a, d) => [x[0] + a * d[0], x[1] + a * d[1]];
    const at = (x) => f(x, params),
      slopeAt = (x, d) => dot(grad(x, params), d);
    const inverse = ([a, b, , c]) => [c, -b, -b, a].map((v) => v / (a * c - b * b));

    const armijo = (x, d, f0, slope) => {
      for (let a = 1; plus(x, a, d).some((v, i) => v !== x[i]); a /= 2)
        if (at(plus(x, a, d)) <= f0 + 1e-4 * a * slope) return a;
    };
    const wolfe = (x, d, f0, slope) => {
      let low = 0,
        fLow = f0,
        sLow = slope,
        high = null,
        fHigh = Infinity,
        a = 1;
      for (let i = 0; i < 40; i++) {
        const value = at(plus(x, a, d)),
          blind = Math.abs(value - f0) <= 100 * Number.EPSILON * Math.abs(f0);
        if (!blind && (!(value <= f0 + 1e-4 * a * slope) || value >= fLow)) [high, fHigh] = [a, value];
        else {
          const rise = slopeAt(plus(x, a, d), d);
          if (Math.abs(rise) <= -0.9 * slope) return a;
          if (rise * ((high ?? a) - low) >= 0) [high, fHigh] = [low, fLow];
          [low, fLow, sLow] = [a, value, rise];
        }
        const width = high - low,
          bend = fHigh - fLow - sLow * width;
        a =
          high === null
            ? 2 * a
            : low + width * clamp(bend > 0 && bend < Infinity ? (-sLow * width) / (2 * bend) : 0.5, 0.1, 0.9);
      }
    };
    const full = () => 1;

    /* What a method does at x: the curvature B of its model, its direction, and the length it takes. */
    const LEARNT = { bfgs: 1, lbfgs: 1, sr1: 1 };
    const move = (method, x, g, B, W, damping) => {
      const step =
        method === "gd"
          ? [-g[0], -g[1]]
          : W
            ? [-dot(W, g), -dot(W.slice(2), g)]
            : call(method === "newton" || method === "damped-newton" ? "newton" : "saddleFree", g, B, damping);
      const search = method === "newton" ? full : W ? wolfe : armijo,
        slope = dot(g, step);
      const downhill = slope < 0 && slope > -Infinity;
      return { step, slope, length: search === full || downhill ? search(x, step, at(x), slope) : undefined };
    };

    const solve = oc.memo((v) => {
      const { method, damping, memory, noise } = v,
        points = [],
        moves = [],
        pairs = [];
      let x = v.start,
        W = method.endsWith("bfgs") ? [1, 0, 0, 1] : null,
        B = [1, 0, 0, 1],
        unused = 0,
        reason = "";
      for (let k = 0; ; k++) {
        const g = [...grad(x, params)],
          size = Math.hypot(...g);
        if (!(method in LEARNT) && method !== "gd") B = [...hess(x, params)];
        const now = { ...move(method, x, g, B, W, damping), g, B: W ? inverse(W) : B };
        points.push(x);
        moves.push(now);
        if (!Number.isFinite(at(x) + size)) reason = "it left for infinity";
        else if (size <= 1e-8) reason = "converged";
        else if (k === most) reason = "not yet there";
        else if (now.length === undefined) reason = "its direction does not point downhill";
        else if (!now.step.every(Number.isFinite)) reason = "its matrix is singular";
        if (reason) return { points, moves, unused, reason };
        const next = plus(x, now.length, now.step),
          s = plus(next, -1, x),
          after = grad(next, params);
        const y = [0, 1].map((i) => after[i] - g[i] + noise * spec.noise[k][i]);
        const before = W ?? B,
          valid = dot(s, y) > 1e-10 * Math.hypot(...s) * Math.hypot(...y);
        if (method === "bfgs") W = call("bfgs", W, s, y);
        if (method === "lbfgs" && valid) {
          pairs.push([s, y]);
          if (pairs.length > memory) pairs.shift();
          const scale = dot(s, y) / dot(y, y);
          W = pairs.reduce((M, pair) => call("bfgs", M, ...pair), [scale, 0, 0, scale]);
        }
        if (method === "sr1") B = call("sr1", B, s, y);
        if (method in LEARNT && before.every((b, i) => b === (W ?? B)[i])) unused++;
        x = next;
      }
    });

    /* Level curves of ½(p − c)ᵀB(p − c): ellipses, or hyperbolas when the eigenvalues differ in sign. */
    const levels = ([a, b, , c], centre, x, style) => {
      const turn = Math.atan2(2 * b, a - c) / 2,
        [co, si] = [Math.cos(turn), Math.sin(turn)],
        [small, large] = oc.eig2(a, b, c);
      const [dx, dy] = plus(x, -1, centre),
        u = co * dx + si * dy,
        w = co * dy - si * dx;
      const through = Math.abs(large * u * u + small * w * w) || 1;
      const put = (p, q) => [centre[0] + co * p - si * q, centre[1] + si * p + co * q];
      for (const part of [0.25, 1, 2.25]) {
        const [r, s] = [large, small].map((l) => Math.sqrt((through * part) / Math.abs(l)));
        const curves =
          large * small > 0
            ? [(t) => put(r * Math.cos(t * Math.PI), s * Math.sin(t * Math.PI))]
            : [1, -1].flatMap((sign) => [
                (t) => put(sign * r * Math.cosh(4 * t), s * Math.sinh(4 * t)),
                (t) => put(r * Math.sinh(4 * t), sign * s * Math.cosh(4 * t)),
              ]);
        for (const curve of curves)
          plane.path(
            oc.linspace(-1, 1, 65).reduce((flat, t) => flat.concat(curve(t)), []),
            { ...style, width: part === 1 ? 2 : 1 },
          );
      }
    };
    const NAMES = { "a bowl": "a minimum", "a hill": "a maximum", "a saddle": "a saddle point" };
    const kind = (small, large) =>
      small > 1e-9
        ? "a bowl"
        : large < -1e-9
          ? "a hill"
          : small < -1e-9 && large > 1e-9
            ? "a saddle"
            : "flat in one direction";
    const point = (p) => `(${p.map((c) => fmt(Math.abs(c) < 1e-7 ? 0 : c)).join(", ")})`;

    return ui.run((v) => {
      const { points, moves, unused, reason } = solve(v),
        last = points.length - 1,
        k = Math.min(v.k ?? last, last);
      const x = points[k],
        { step, length, slope, g, B } = moves[k],
        { label, color } = methods[v.method];
      const centre = plus(x, 1, call("newton", g, B, 0));
      const [small, large] = oc.eig2(B[0], B[1], B[3]);

      const learns = v.method in LEARNT;
      for (const [input, used] of [
        [damping, v.compare.length || !/gd|bfgs/.test(v.method)],
        [memory, v.method === "lbfgs"],
        [noise, learns],
      ])
        input.closest(".oc-control").style.display = used ? "" : "none";

      plane.bands(at, { base: spec.lowest });
      if (centre.every(Number.isFinite)) levels(B, centre, x, { color: "warn", dash: [5, 4], alpha: 0.9 });
      plane.axes({ grid: false });
      for (const m of spec.minima) plane.text(m[0], m[1], "+", { align: "center" });
      plane.path(points.slice(0, k + 1).flat(), { color, halo: true });
      for (const p of points.slice(0, k + 1)) plane.dot(p[0], p[1], { color, size: 3.5, edge: false });
      const H = [...hess(x, params)],
        reached = [],
        ends = [];
      v.compare.forEach((name) => {
        const other = move(name, x, g, H, null, v.damping);
        const to = plus(x, other.length ?? 0, other.step),
          value = at(to),
          { color, label } = methods[name];
        reached.push(`${label} ${other.length && Number.isFinite(value) ? fmt(value) : "no step"}`);
        const far = (p) => Math.hypot(plane.X(to[0]) - plane.X(p[0]), plane.Y(to[1]) - plane.Y(p[1]));
        const same = ends.find((end) => far(end.to) < 8); // equal steps are one arrow with both names
        if (same) same.names.push(label);
        else ends.push({ to, color, names: [label], still: far(x) < 8 });
      });
      for (const { to, color, names, still } of ends) {
        if (!still) plane.arrow(...x, ...to, { color, width: 3, halo: true });
        const lines = still ? [`${names.join(", ")}: no move`] : names,
          px = plane.X(to[0]),
          size = Math.max(...lines.map((line) => plane.ctx.measureText(line).width));
        const down = to[1] < x[1] ? 10 : 4 - 14 * lines.length;
        lines.forEach((line, i) =>
          plane.text(...to, line, {
            color,
            dx: oc.clamp(px + 6, plane.left + 3, plane.right - size - 3) - px,
            dy: down + 14 * i,
          }),
        );
      }
      plane.dot(...x, { color, size: 6 });
      if (centre.every(Number.isFinite)) plane.dot(...centre, { color: "warn", size: 5, hollow: true });

      const n = 121,
        ts = oc.linspace(-0.3, Math.max(1.5, 1.2 * Math.min(length ?? 1, 5)), n),
        f0 = at(x);
      const curve = ts.map((t) => at(plus(x, t, step))),
        bend = B[0] * step[0] ** 2 + 2 * B[1] * step[0] * step[1] + B[3] * step[1] ** 2;
      const parabola = ts.map((t) => f0 + t * slope + (t * t * bend) / 2);
      const heights = [...parabola, ...curve].filter(Number.isFinite).sort((a, b) => a - b),
        [lo, hi] = [heights[0], heights[(heights.length * 0.9) | 0]];
      slice.range({ x: [ts[0], ts[n - 1]], y: [lo - 0.1 * (hi - lo), hi + 0.1 * (hi - lo)] });
      slice.axes();
      slice.rule({ x: 1 });
      slice.line(ts, curve, { color: "fg" });
      slice.line(ts, parabola, { color: "warn", dash: [5, 4] });
      slice.dot(0, f0, { color, size: 6 });
      slice.dot(1, f0 + slope + bend / 2, { color: "warn", hollow: true });
      if (length) slice.dot(length, at(plus(x, length, step)), { color: "fg" });

      const ended = `${label}: ${last} steps, ${reason}`,
        [hs, hl] = oc.eig2(...[0, 1, 3].map((i) => hess(points[last], params)[i]));
      const goal = reason === "converged" ? ` at ${NAMES[kind(hs, hl)] ?? "a flat point"} ${point(points[last])}` : "";
      ui.facts({ steps: last, end: reason === "converged" ? kind(hs, hl) : reason });
      const skips = learns && v.noise > 0 ? ` ${unused} of ${last} pairs were left unused.` : "";
      const after = k < last ? f0 - at(points[k + 1]) : 0;
      const effect =
        k < last
          ? ` The step to ${point(points[k + 1])} makes f ${after >= 0 ? "fall" : "rise"} from ${fmt(f0)} to ` +
            `${fmt(f0 - after)}.`
          : "";
      const options = reached.length ? ` f after one step from here: ${reached.join(", ")}.` : "";
      return (
        `At ${point(x)}, step ${k}, the model is ${kind(small, large)}: ` +
        `curvatures ${fmt(small)} and ${fmt(large)}.${effect} ${ended}${goal}.${skips}${options}`
      );
    });
  },
};
