/* A bowl and a constraint: both gradients at a point of its boundary, f along the boundary, the price of the level. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt, clamp, linspace } = oc,
      half = spec.window;
    const map = ui.plot({
      label: "Bowl, constraint and the two gradients",
      title: "∇f and ∇c on the constraint",
      ratio: 0.92,
      narrow: 1,
      x: [-half, half],
      y: [-half, half],
    });
    const walk = ui.plot({
      label: "f along the constraint",
      title: "f along the constraint",
      ratio: 1.2,
      narrow: 2,
      xlabel: "Position s",
    });
    const worth = ui.group("What the level costs");
    worth.classList.replace("oc-controls", "oc-inside");
    const price = ui.plot({
      label: "Best value against the level",
      title: "Best value f*; its slope is the price",
      ratio: 2.4,
      narrow: 2,
      in: worth,
      xlabel: "Level",
    });
    const f = oc.surface(spec.f);
    const kinds = Object.fromEntries(
      spec.constraints.map((c) => [
        c.value,
        {
          ...c,
          g: oc.surface(c.g),
          along: oc.surface(c.along),
          curve: oc.program(c.curve),
          project: oc.program(c.project),
        },
      ]),
    );
    const kind = () => kinds[ui.value.constraint] ?? kinds.line;
    const run = (program, ...inputs) => (
      program.x.set(inputs.flat()), program.run(program.x, program.y), [...program.y]
    );
    const level = () => clamp(ui.value.level, ...kind().levels),
      params = () => ({ m1: ui.value.centre[0], m2: ui.value.centre[1], kappa: ui.value.kappa });
    const at = (s) => run(kind().curve, s, level());
    const here = () => clamp(ui.value.s, ...kind().s);

    /* The best point of the boundary: the lowest of a grid, then Newton's method on f as a function of s. */
    const N = 120;
    function onBoundary(c, given) {
      const [lo, hi] = c.s;
      let s = lo,
        least = Infinity;
      for (let i = 0; i <= N; i++) {
        const v = c.along.f([lo + ((hi - lo) * i) / N], given);
        if (v < least) [least, s] = [v, lo + ((hi - lo) * i) / N];
      }
      for (let k = 0; k < 8; k++) {
        c.along.at([s], given);
        const [, slope, bend] = c.along.y;
        if (bend > 0) s -= slope / bend;
      }
      return s;
    }
    /* The constrained minimum at a level: point, value, multiplier; the minimum of f itself where that is feasible. */
    function solve(c, lev, p) {
      const { m1, m2 } = p;
      if (!c.equality && c.g.f([m1, m2], { level: lev }) <= 0)
        return { w: [m1, m2], f: f.f([m1, m2], p), multiplier: 0, active: false };
      const s = onBoundary(c, { level: lev, ...p }),
        w = run(c.curve, s, lev);
      return { s, w, f: f.f(w, p), multiplier: multiplier(c, w, lev, p), active: true };
    }
    /* The λ for which ∇f + λ∇c is shortest. */
    const multiplier = (c, w, lev, p) => {
      const [fx, fy] = f.grad(w, p),
        [gx, gy] = c.g.grad(w, { level: lev });
      return -(fx * gx + fy * gy) / (gx * gx + gy * gy);
    };

    ui.select("constraint", {
      label: "Constraint",
      options: spec.constraints,
      tip: "Points may lie on the line, on one side of it, or inside a circle.",
    });
    ui.slider("level", {
      label: "Level b or R",
      min: () => kind().levels[0],
      max: () => kind().levels[1],
      tip: "Moves the constraint: b shifts the line, R is the radius.",
    });
    ui.slider("s", {
      label: "Position s",
      min: () => kind().s[0],
      max: () => kind().s[1],
      tip: "Slides the point along the constraint.",
    });
    ui.slider("kappa", {
      label: "Condition number κ",
      min: spec.kappa[0],
      max: spec.kappa[1],
      scale: "log",
      tip: "How much steeper f is in w₂ than in w₁.",
    });
    const more = ui.group("Projected gradient descent", ui.value.projected === true);
    ui.check("projected", {
      label: "Draw it",
      in: more,
      tip: "Each step goes down the gradient, then to the nearest allowed point.",
    });
    const rate = ui.slider("lr", {
      label: "Learning rate η",
      min: 1e-3,
      max: 1,
      scale: "log",
      in: more,
      tip: "Each step subtracts η times the gradient before it is projected.",
    });
    ui.button("Go to the best point", () => ui.set({ s: onBoundary(kind(), { level: level(), ...params() }) }), {
      tip: "The lowest point of f on the constraint",
    });

    map.handle(
      {
        get: () => at(here()),
        set: ([x, y]) => ui.set({ s: ui.value.constraint === "disk" ? Math.atan2(y, x) : (x - y) / Math.SQRT2 }),
      },
      { label: "Point on the constraint" },
    );
    map.handle("centre", { label: "Minimum of f", color: "accent" });
    const start = map.handle("start", { label: "Start of the projected descent", color: "muted" });

    function descent(c, value, lev, p) {
      const points = [...value.start],
        steps = [];
      for (let k = 0, w = value.start; k < spec.steps; k++) {
        const [gx, gy] = f.grad(w, p),
          free = [w[0] - value.lr * gx, w[1] - value.lr * gy];
        w = run(c.project, free, lev);
        steps.push(free);
        points.push(...w);
      }
      return { points, steps };
    }

    return ui.run((value) => {
      const c = kind(),
        lev = level(),
        p = params(),
        s = here(),
        w = at(s),
        best = solve(c, lev, p),
        given = { level: lev, ...p };
      const unit = (map.bottom - map.top) / (2 * half),
        wide = (map.right - map.left) / unit / 2;
      map.range({ x: [-wide, wide], y: [-half, half] }); // equal units: right angles look right
      map.bands((w) => f.f(w, p), { key: [p.m1, p.m2, p.kappa], base: 0 });
      map.axes({ grid: false });
      const ss = linspace(...c.s, N + 1),
        boundary = [...ss].map((v) => at(v));
      if (!c.equality) {
        const xs = c.value === "disk" ? linspace(-lev, lev, 81) : [-wide, wide];
        const edge = xs.map((x) => (c.value === "disk" ? Math.sqrt(Math.max(lev * lev - x * x, 0)) : lev - x));
        map.area(xs, c.value === "disk" ? edge.map((v) => -v) : [-2 * half - wide, -2 * half - wide], edge, {
          color: "accent",
          alpha: 0.18,
        });
      }
      map.line(
        (i) => boundary[i][0],
        (i) => boundary[i][1],
        { n: N + 1, color: "fg", width: 2.5 },
      );
      const [fx, fy] = f.grad(w, p),
        [gx, gy] = c.g.grad(w, { level: lev }),
        gradient = Math.hypot(fx, fy);
      // the names stand beside, each on its own side: forced colours know no red and blue
      const arrow = (name, x, y, length, color, side) => {
        const [u, v] = [x, y].map((part) => part / (Math.hypot(x, y) || 1)),
          at = (part) => [w[0] + part * length * u, w[1] + part * length * v];
        map.arrow(...w, ...at(1), { color, width: 3, halo: true });
        if (length > 0.1) map.text(...at(0.55), name, { color, align: "center", dx: side * v, dy: side * u });
      };
      arrow("∇c", gx, gy, 0.7, "accent", -14);
      arrow("∇f", fx, fy, Math.min(0.5 * gradient, 1.1), "warn", 14);
      start.el.hidden = !value.projected;
      rate.closest(".oc-control").style.display = value.projected ? "" : "none";
      let walked;
      if (value.projected) {
        const { points, steps } = descent(c, value, lev, p);
        steps.slice(0, 6).forEach((free, k) => {
          map.line([points[2 * k], free[0], points[2 * k + 2]], [points[2 * k + 1], free[1], points[2 * k + 3]], {
            color: "muted",
            width: 1.5,
            dash: [4, 3],
          });
        });
        map.path(points, { color: "warn", width: 2, halo: true });
        walked = points.slice(-2);
      }
      map.dot(...best.w, { color: "fg", hollow: true, size: 6 });

      const phi = ss.map((v) => c.along.f([v], given)),
        top = Math.max(...phi),
        low = Math.min(...phi),
        pad = 0.1 * (top - low) || 1;
      walk.range({ x: c.s, y: [low - pad, top + pad] });
      walk.axes();
      walk.line(ss, phi, { color: "fg" });
      c.along.at([s], given);
      const [value_, slope] = c.along.y,
        span = (c.s[1] - c.s[0]) / 8;
      walk.line([s - span, s + span], [value_ - slope * span, value_ + slope * span], { color: "warn" });
      walk.dot(s, value_, { color: "fg" });

      const levels = linspace(...c.levels, 41),
        values = levels.map((v) => solve(c, v, p).f),
        cost = best.multiplier * (c.value === "disk" ? -2 * lev : -1);
      const [v0, v1] = [Math.min(...values), Math.max(...values)],
        room = 0.1 * (v1 - v0) || 1,
        reach = (c.levels[1] - c.levels[0]) / 6;
      price.xlabel = c.value === "disk" ? "Radius R" : "Level b";
      price.range({ x: c.levels, y: [v0 - room, v1 + room] });
      price.axes();
      price.line(levels, values, { color: "fg" });
      price.line([lev - reach, lev + reach], [best.f - cost * reach, best.f + cost * reach], { color: "warn" });
      price.dot(lev, best.f, { color: "fg" });

      const here_ = multiplier(c, w, lev, p),
        off = Math.hypot(fx + here_ * gx, fy + here_ * gy),
        aligned = off < 1e-3 * (gradient + 1e-9) + 1e-9;
      const turn = Math.abs(fx * gy - fy * gx) / (gradient * Math.hypot(gx, gy));
      ui.facts({ angle: (Math.asin(Math.min(1, turn)) * 180) / Math.PI, f: value_ });
      const name = c.equality ? "λ" : "μ",
        letter = c.value === "disk" ? "R" : "b",
        say = (v) => `(${fmt(v[0])}, ${fmt(v[1])})`;
      return [
        `At ${say(w)} f is ${fmt(value_)}.`,
        !aligned
          ? `A part of ∇f of length ${fmt(off)} runs along the constraint, so f can still fall.`
          : here_ < 0 && !c.equality
            ? `The arrows are parallel, but ${name} = ${fmt(here_)} is negative: f falls on the way inside.`
            : `They are parallel: ∇f + ${name}∇c = 0 with ${name} = ${fmt(here_)}.`,
        best.active
          ? `Best: ${say(best.w)}, f* = ${fmt(best.f)}, ${name} = ${fmt(best.multiplier)}; ` +
            `raising ${letter} by 0.1 changes f* by about ${fmt(0.1 * cost)}.`
          : `The minimum of f is allowed: the constraint is inactive, μ = 0, f* = ${fmt(best.f)}.`,
        aligned && best.active && c.value === "disk" && `The penalty ${fmt(best.multiplier)}‖w‖² has the same minimum.`,
        walked && `Projected descent with η = ${fmt(value.lr)} is at ${say(walked)} after ${spec.steps} steps.`,
      ];
    });
  },
};
