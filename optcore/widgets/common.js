/* What every widget of the course is made of: one global, `oc`, and no other code.

A widget is a module that ends with
    export default { render({ model, el }) {
      const ui = oc.ui({ model, el });                       // ui.spec: what Python sent; ui.value: the settings
      const plot = ui.plot({ label: "Loss", ratio: 1.2, x: [0, 1], y: [0, 1] });
      ui.slider("lr", { label: "Learning rate η", min: 1e-4, max: 1, scale: "log", tip: "One sentence." });
      plot.handle("start", { label: "Start point" });        // draggable, arrow keys, bound to ui.value.start
      return ui.run((value) => { plot.axes(); plot.line(xs, ys, { color: "accent" }); return "What is drawn."; });
    } };
`draw(value)` is a function of the settings only; it is called at most once a frame, after any of them changed, and
what it returns becomes the status line. Settings are cleaned (clamped, with a note) before it sees them; if it
throws, the message is shown and nothing else breaks. Reset, the state link, dark mode and resizing need no code.

ui       .spec .value .theme .el   .set({key: v})   .redraw()   .run(draw), the last call
         .color(hex or theme name: fg muted line bg accent warn low high) → readable on the background
         .field(key, clean): a setting without a control; clean(v, note, fallback) → v
         .before(fn): called before each drawing
         controls(key, {label, tip, in}): slider {min, max, scale: linear|log|log0|beta, int, steps, marks, format}
         select {options: ["a"] or [{value, label}]}   check   checks {legend, options: [{value, label, color}]}
         button(label, fn, {tip})   player(key, {max}): Play, Step, scrubber; value null means "to the end"
         group(title, open) → the body of a <details>, to pass as `in`.   min, max, marks may be functions of the
         settings; marks give [{at, label}]: ticks under the slider that it snaps to.
plot     ui.plot({label, title, ratio, narrow, x, y, logx, logy, xlabel, ylabel, xticks, yticks})
         .range({x, y}) may change at each drawing   .axes({grid})   .X(x) .Y(y) to pixels, .xAt(px) .yAt(px) back
         .bands(f, {key, base}) contour bands of f(x, y)   .image(nx, ny, (i, j) => [r, g, b], key)
         .line(xs, ys, style)   .path(flat, style)   .area(xs, lo, hi, style)   .bars(edges, heights, style)
         .arrow(x0, y0, x1, y1, style)   .dot(x, y, {shape: 0…5, hollow, edge, …})   .text(x, y, words, style)
         .rule({x} or {y}, style): a line across   xs, ys: arrays, or functions of the index and style.n
         style: {color, width, dash, alpha, halo, size, align, base, dx, dy}
         .handle(key or {get, set}, {label, axis: "xy"|"x"|"y", at, color})   .handles(key, {label}): a list of points
         .pick(([x, y]) => …): click or drag anywhere in the plot
numbers  oc.fmt(x, digits)   oc.clamp   oc.linspace(a, b, n)   oc.memo(fn): runs again when an argument changed
         oc.eig2(a, b, c): eigenvalues of [[a, b], [b, c]], small first   oc.rgb(css)   oc.mix(rgb, rgb, t)
         oc.scale({scale, min, max}) → [position 0…1 to value, and back]   oc.tidy(v, scale, step) rounds as sliders do
         oc.ticks([lo, hi], log, room) → [[value, text], …], the form of xticks and yticks
programs oc.program(traced) → {run(x, y), x, y, in: {name: offset}, out}
         oc.surface(traced) → {at, f, grad, hess}(w, params); `params` is an object that is not changed afterwards
         oc.descend(surface, rule, {start, lr, steps, params, hyper, noise, into})
         → {points, loss, slope (gradient norms), end, diverged}
page     oc.h(tag, props, …children)   oc.newId()   oc.mount(el, widget)
         oc.onframe(el, ms), when set, is told how long each drawing took */
const oc = (() => {
  // ------------------------------------------------------------------------------------------------------ numbers
  const clamp = (x, lo, hi) => Math.min(Math.max(x, lo), hi);
  const linspace = (a, b, n) => Float64Array.from({ length: n }, (_, i) => (n < 2 ? a : a + ((b - a) * i) / (n - 1)));
  const same = (a, b) => a.length === b.length && a.every((v, i) => Object.is(v, b[i]));

  function fmt(x, digits = 3) {
    if (typeof x !== "number" || Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const a = Math.abs(x);
    if (a && (a < 1e-3 || a >= 1e6)) {
      const [m, e] = x.toExponential(digits - 1).split("e");
      return `${+m}e${+e}`.replaceAll("-", "−"); // the minus sign, which does not break lines
    }
    return String(a >= 10 ** digits ? Math.round(x) : +x.toPrecision(digits)).replace(/^-/, "−");
  }

  function memo(fn) {
    let last, result;
    return (...args) => {
      if (!last || !same(last, args)) [last, result] = [args, fn(...args)];
      return result;
    };
  }

  const eig2 = (a, b, c) => {
    const m = (a + c) / 2,
      r = Math.hypot((a - c) / 2, b);
    return [m - r, m + r];
  };

  /* JSON has no nan or inf: Python sends them as the strings that Number() reads. */
  const NON_FINITE = { NaN, Infinity, "-Infinity": -Infinity };
  function revive(x) {
    if (typeof x === "string") return Object.hasOwn(NON_FINITE, x) ? NON_FINITE[x] : x;
    if (Array.isArray(x)) return x.map(revive);
    return x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, revive(v)])) : x;
  }
  function plain(x) {
    if (typeof x === "number") return Number.isFinite(x) ? x : String(x);
    if (Array.isArray(x)) return x.map(plain);
    return x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
  }

  // ------------------------------------------------------------------------------------------------------ programs
  /* A function traced in Python: flat arrays in and out, names mapped to offsets. `H` is what its code may call. */

  // biome-ignore format: a test holds it against optcore.symbolic.JS_HELPERS.
  const H={pow:(a,b)=>a===1||b===0||a===-1&&(b===Infinity||b===-Infinity)?1:Math.pow(a,b),mod:(a,b)=>{const r=a%b;return r!==0&&r<0!==b<0?r+b:r}};
  const compiled = new WeakMap();
  function program(traced) {
    if (compiled.has(traced)) return compiled.get(traced);
    const layout = (list) => {
      const at = {};
      let size = 0;
      for (const [name, shape] of list) {
        at[name] = size;
        size += shape.reduce((a, b) => a * b, 1);
      }
      return [at, new Float64Array(size)];
    };
    const [ins, x] = layout(traced.inputs),
      [outs, y] = layout(traced.outputs);
    const made = { run: new Function("H", "x", "y", traced.js).bind(null, H), x, y, in: ins, out: outs };
    compiled.set(traced, made);
    return made;
  }

  function surface(traced) {
    const code = program(traced),
      { run, x, y, in: ins } = code;
    const n = Object.values(ins)[1] ?? x.length;
    for (const p of traced.params ?? []) x[ins[p.name]] = p.default;
    const at = (w, params) => {
      for (let i = 0; i < n; i++) x[i] = w[i];
      if (params !== code.params) for (const k in (code.params = params)) if (k in ins) x[ins[k]] = params[k];
      run(x, y);
    };
    return {
      n,
      y,
      at, // fills y: f, then the gradient, then the Hessian by rows
      f: (w, params) => (at(w, params), y[0]),
      grad: (w, params) => (at(w, params), y.slice(1, 1 + n)),
      hess: (w, params) => (at(w, params), y.slice(1 + n)),
    };
  }

  /* The loop of optcore.descend: w ← w − lr·d. `lr` and hyper-parameters: numbers, or arrays with one value a step;
     `noise` (flat, n a step) is added to the gradient. Stops at the first point outside DIVERGED; `end` is the last
     step computed. `into`, an earlier result, lends its arrays. */
  const DIVERGED = 1e6;
  function descend(surf, traced, { start, lr, steps, params, hyper = {}, noise, into }) {
    const rule = program(traced),
      { n, y: f } = surf,
      { x, y } = rule,
      w = Float64Array.from(start);
    const { points, loss, slope } = into ?? {
      points: new Float64Array(n * (steps + 1)),
      loss: new Float64Array(steps + 1),
      slope: new Float64Array(steps + 1),
    };
    const varying = Object.entries(hyper)
      .filter(([k]) => k in rule.in)
      .map(([k, v]) => [rule.in[k], v]);
    const of = (v, t) => (typeof v === "number" ? v : v[t]),
      { w: atW, t: atT } = rule.in;
    x.set(traced.state0 ?? [], n);
    for (const p of traced.hyper ?? []) x[rule.in[p.name]] = p.default;
    for (let t = 0; ; t++) {
      surf.at(w, params);
      points.set(w, n * t);
      loss[t] = f[0];
      let inside = true,
        square = 0;
      for (let i = 0; i < n; i++) {
        inside &&= Math.abs(w[i]) <= DIVERGED;
        square += f[1 + i] ** 2;
        x[i] = noise ? f[1 + i] + noise[n * t + i] : f[1 + i];
      }
      slope[t] = Math.sqrt(square);
      if (!inside || t === steps) return { points, loss, slope, end: t, diverged: !inside };
      if (atW !== undefined) x.set(w, atW);
      if (atT !== undefined) x[atT] = t + 1;
      for (const [k, v] of varying) x[k] = of(v, t);
      rule.run(x, y);
      const rate = of(lr, t);
      for (let i = 0; i < n; i++) w[i] -= rate * y[i];
      for (let i = n; i < y.length; i++) x[i] = y[i];
    }
  }

  // ----------------------------------------------------------------------------------------------------- elements
  /* In a notebook every widget has a copy of this file: the count of ids is the page's. */
  const newId = () => `oc-${(globalThis.ocIds = (globalThis.ocIds ?? 0) + 1)}`;
  function h(tag, props = {}, ...children) {
    const el = document.createElement(tag);
    for (const [k, v] of Object.entries(props)) {
      if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
      else if (k === "html") el.innerHTML = v;
      else if (v === true) el.setAttribute(k, "");
      else if (v !== false && v != null) el.setAttribute(k, v);
    }
    el.append(...children.flat().filter((c) => c != null && c !== false));
    return el;
  }

  // ------------------------------------------------------------------------------------------------------- colours
  const rgb = (css) =>
    css[0] === "#"
      ? [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16))
      : css
          .match(/[\d.]+/g)
          .slice(0, 3)
          .map(Number);
  const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const THEME = ["fg", "muted", "line", "bg", "accent", "warn", "low", "high"];
  function readTheme(el) {
    const probe = el.appendChild(h("i"));
    const theme = {};
    for (const name of THEME) {
      probe.style.color = `var(--oc-${name})`;
      theme[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return theme;
  }

  // --------------------------------------------------------------------------------------------------------- plots
  const SUPERSCRIPT = [..."⁰¹²³⁴⁵⁶⁷⁸⁹"];
  const power = (e) =>
    e === 0
      ? "1"
      : e === 1
        ? "10"
        : "10" + (e < 0 ? "⁻" : "") + [...`${Math.abs(e)}`].map((d) => SUPERSCRIPT[d]).join("");
  function ticks([lo, hi], log, room) {
    if (log) {
      const [a, b] = [Math.ceil(Math.log10(lo) - 1e-9), Math.floor(Math.log10(hi) + 1e-9)];
      const stride = Math.max(1, Math.ceil((b - a + 1) / room));
      const out = [];
      for (let e = Math.ceil(a / stride) * stride; e <= b; e += stride) out.push([10 ** e, power(e)]);
      return out;
    }
    const raw = (hi - lo) / room,
      unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((m) => m * unit >= raw * 0.999) * unit;
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)),
      out = [];
    for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9 && out.length < 50; k++)
      out.push([
        k * step,
        places > 4 || Math.abs(k * step) >= 1e5 ? fmt(k * step) : (k * step).toFixed(places).replace(/^-/, "−"),
      ]);
    return out;
  }

  const SHAPES = [
    [24, 0],
    [4, 0.5],
    [3, 0],
    [4, 0],
    [3, 1],
    [5, 0],
  ]; // corners, turn: ● ■ ▲ ◆ ▼ ⬟
  const GLYPHS = "●■▲◆▼⬟";

  class Plot {
    constructor(ui, options) {
      const { label, title, ratio = 1.4, narrow = Math.max(ratio, 1.25) } = options;
      Object.assign(this, { x: [0, 1], y: [0, 1], ...options, ui, grips: [], images: new Map(), w: 0, h: 0 });
      this.canvas = h("canvas", { role: "img", "aria-label": label });
      this.box = h("div", { class: "oc-canvas" }, this.canvas);
      this.el = h("figure", { class: "oc-plot", style: `--ratio:${ratio};--narrow:${narrow}` });
      if (title) this.el.append(h("figcaption", {}, title));
      this.el.append(this.box);
      (options.in ?? ui.plots).append(this.el);
      this.ctx = this.canvas.getContext("2d", { alpha: false });
      this.range(options);
      new ResizeObserver(() => this.resize()).observe(this.box);
    }

    resize() {
      const { clientWidth: w, clientHeight: height } = this.box,
        dpr = Math.min(devicePixelRatio || 1, 2);
      if (!w || (w === this.w && height === this.h)) return;
      Object.assign(this, { w, h: height, dpr });
      this.canvas.width = Math.round(w * dpr);
      this.canvas.height = Math.round(height * dpr);
      this.ui.redraw();
    }

    /* The window in data coordinates; bad limits are ignored, so that a bad setting cannot break the axes. */
    range({ x, y }) {
      const ok = (r, log) => r && Number.isFinite(r[0]) && Number.isFinite(r[1]) && r[1] > r[0] && (!log || r[0] > 0);
      if (ok(x, this.logx)) this.x = x;
      if (ok(y, this.logy)) this.y = y;
      const scale = ([lo, hi], log, at, size) => {
        const to = log ? Math.log10 : (v) => v,
          a = to(lo),
          k = size() / (to(hi) - a);
        return [
          // far points are drawn just outside; nan stays nan, and nothing is drawn there
          (v) => at() + clamp(((log && v <= 0 ? -400 : to(v)) - a) * k, -1e4, 1e4),
          (p) => (log ? 10 ** (a + (p - at()) / k) : a + (p - at()) / k),
        ];
      };
      [this.X, this.xAt] = scale(
        this.x,
        this.logx,
        () => this.left,
        () => this.right - this.left,
      );
      [this.Y, this.yAt] = scale(
        this.y,
        this.logy,
        () => this.bottom,
        () => this.top - this.bottom,
      );
    }

    begin() {
      const {
        ctx,
        w,
        h: height,
        dpr = 1,
        ui: { theme },
      } = this;
      Object.assign(
        this,
        this.bare
          ? { left: 0, right: w, top: 0, bottom: height }
          : { left: this.ylabel ? 56 : 40, right: w - 14, top: 8, bottom: height - (this.xlabel ? 40 : 24) },
      );
      this.range({});
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      ctx.fillStyle = theme.bg;
      ctx.fillRect(0, 0, w, height);
      this.clip();
    }

    /* Data is drawn inside the window only; axes() steps out of it and back. */
    clip() {
      const { ctx, left, top, right, bottom } = this;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left + 1, top + 1, right - left - 2, bottom - top - 2);
      ctx.clip();
      ctx.lineJoin = ctx.lineCap = "round";
    }

    end() {
      this.ctx.restore();
      for (const handle of this.grips) handle.place();
    }

    axes({ grid = true } = {}) {
      const {
        ctx,
        left,
        right,
        top,
        bottom,
        ui: { theme },
      } = this;
      ctx.restore();
      ctx.save();
      ctx.font = FONT;
      ctx.fillStyle = theme.muted;
      ctx.strokeStyle = theme.line;
      ctx.lineWidth = 1;
      ctx.textAlign = "center";
      ctx.textBaseline = "top";
      ctx.beginPath();
      for (const [v, text] of this.xticks ?? ticks(this.x, this.logx, Math.max(2, (right - left) / 60))) {
        const px = Math.round(this.X(v)) + 0.5;
        const half = ctx.measureText(text).width / 2;
        ctx.fillText(text, clamp(px, half, this.w - half), bottom + 6); // all of it, at the edge too
        ctx.moveTo(px, grid ? top : bottom);
        ctx.lineTo(px, bottom + 4);
      }
      ctx.textAlign = "right";
      ctx.textBaseline = "middle";
      for (const [v, text] of this.yticks ?? ticks(this.y, this.logy, Math.max(2, (bottom - top) / 40))) {
        const py = Math.round(this.Y(v)) + 0.5;
        ctx.fillText(text, left - 6, py);
        ctx.moveTo(grid ? right : left, py);
        ctx.lineTo(left - 4, py);
      }
      ctx.stroke();
      ctx.strokeStyle = theme.muted;
      ctx.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
      ctx.textAlign = "center";
      if (this.xlabel) ctx.fillText(this.xlabel, (left + right) / 2, bottom + 30);
      if (this.ylabel) {
        ctx.translate(10, (top + bottom) / 2);
        ctx.rotate(-Math.PI / 2);
        ctx.fillText(this.ylabel, 0, 0);
      }
      ctx.restore();
      this.clip();
    }

    // -- strokes
    stroke(build, { color = "accent", width = 2, dash = [], alpha = 1, halo = false } = {}) {
      const { ctx, ui } = this;
      ctx.beginPath();
      build(ctx);
      ctx.setLineDash(dash);
      ctx.globalAlpha = alpha;
      if (halo) {
        ctx.strokeStyle = ui.theme.bg;
        ctx.lineWidth = width + 2.5;
        ctx.stroke();
      }
      ctx.strokeStyle = ui.color(color);
      ctx.lineWidth = width;
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.globalAlpha = 1;
    }

    /* xs and ys: arrays, or functions of the index. Gaps where a value is nan. */
    line(xs, ys, style = {}) {
      const n = style.n ?? (typeof xs === "function" ? ys : xs).length,
        at = (v) => (typeof v === "function" ? v : (i) => v[i]);
      const [x, y] = [at(xs), at(ys)];
      this.stroke((ctx) => {
        let pen = false;
        for (let i = 0; i < n; i++) {
          const px = this.X(x(i)),
            py = this.Y(y(i)),
            ok = px === px && py === py;
          if (ok) pen ? ctx.lineTo(px, py) : ctx.moveTo(px, py);
          pen = ok;
        }
      }, style);
    }

    path(flat, style = {}) {
      this.line(
        (i) => flat[2 * i],
        (i) => flat[2 * i + 1],
        { n: flat.length / 2, ...style },
      );
    }

    area(xs, lo, hi, { color = "accent", alpha = 0.2 } = {}) {
      const { ctx } = this,
        n = xs.length;
      ctx.beginPath();
      for (let i = 0; i < 2 * n; i++) {
        const j = i < n ? i : 2 * n - 1 - i,
          px = this.X(xs[j]),
          py = this.Y((i < n ? lo : hi)[j]);
        if (px === px && py === py) ctx.lineTo(px, py);
      }
      this.fill(color, alpha);
    }

    bars(edges, heights, { color = "accent", alpha = 0.8 } = {}) {
      const { ctx } = this,
        base = this.logy ? this.bottom : this.Y(0);
      ctx.beginPath();
      for (let i = 0; i < heights.length; i++) {
        const a = this.X(edges[i]),
          b = this.X(edges[i + 1]),
          py = this.Y(heights[i]);
        if (py === py) ctx.rect(a + 0.5, py, Math.max(b - a - 1, 1), base - py);
      }
      this.fill(color, alpha);
    }

    fill(color, alpha = 1) {
      this.ctx.globalAlpha = alpha;
      this.ctx.fillStyle = this.ui.color(color);
      this.ctx.fill();
      this.ctx.globalAlpha = 1;
    }

    rule({ x, y }, style = {}) {
      this.stroke(
        (ctx) => {
          if (x !== undefined) ctx.moveTo(this.X(x), this.top), ctx.lineTo(this.X(x), this.bottom);
          else ctx.moveTo(this.left, this.Y(y)), ctx.lineTo(this.right, this.Y(y));
        },
        { color: "muted", width: 1, dash: [4, 4], ...style },
      );
    }

    arrow(x0, y0, x1, y1, style = {}) {
      const [ax, ay, bx, by] = [this.X(x0), this.Y(y0), this.X(x1), this.Y(y1)];
      const length = Math.hypot(bx - ax, by - ay),
        angle = Math.atan2(by - ay, bx - ax),
        head = Math.min(9, length / 2);
      if (!(length > 0.5)) return;
      this.stroke((ctx) => {
        ctx.moveTo(ax, ay);
        ctx.lineTo(bx, by);
        for (const turn of [2.7, -2.7]) {
          ctx.moveTo(bx, by);
          ctx.lineTo(bx + head * Math.cos(angle + turn), by + head * Math.sin(angle + turn));
        }
      }, style);
    }

    dot(x, y, { color = "accent", size = 5, shape = 0, alpha = 1, hollow = false, edge = true } = {}) {
      const { ctx, ui } = this,
        [px, py] = [this.X(x), this.Y(y)],
        [n, turn] = SHAPES[shape % SHAPES.length];
      if (px !== px || py !== py) return;
      ctx.beginPath();
      for (let i = 0; i < n; i++) {
        const a = (2 * Math.PI * (i + turn)) / n - Math.PI / 2,
          r = n < 6 ? size * 1.25 : size;
        ctx.lineTo(px + r * Math.cos(a), py + r * Math.sin(a));
      }
      ctx.closePath();
      ctx.globalAlpha = alpha;
      ctx.lineWidth = 2;
      ctx.fillStyle = hollow ? ui.theme.bg : ui.color(color);
      ctx.strokeStyle = hollow ? ui.color(color) : ui.theme.bg;
      if (edge) ctx.stroke();
      ctx.fill();
      ctx.globalAlpha = 1;
    }

    text(x, y, words, { color = "fg", align = "left", base = "middle", dx = 0, dy = 0, halo = true } = {}) {
      const { ctx, ui } = this,
        [px, py] = [this.X(x) + dx, this.Y(y) + dy];
      if (px !== px || py !== py) return;
      Object.assign(ctx, { font: FONT, textAlign: align, textBaseline: base, lineWidth: 3 });
      if (halo) {
        ctx.strokeStyle = ui.theme.bg;
        ctx.strokeText(words, px, py);
      }
      ctx.fillStyle = ui.color(color);
      ctx.fillText(words, px, py);
    }

    // -- fields
    /* nx × ny cells coloured by (i, j) → [r, g, b], j upwards; painted again only when `key` changed. */
    image(nx, ny, color, key = []) {
      this.blit("image", [nx, ny, ...key, ...Object.values(this.ui.theme)], nx, ny, (data) => {
        for (let j = 0; j < ny; j++)
          for (let i = 0; i < nx; i++) {
            const [r, g, b] = color(i, j);
            data[(ny - 1 - j) * nx + i] = 0xff000000 | (b << 16) | (g << 8) | r;
          }
      });
    }

    blit(name, key, nx, ny, paint) {
      const { ctx, images, left, top, right, bottom } = this;
      let { canvas, key: last } = images.get(name) ?? { canvas: document.createElement("canvas") };
      if (!last || !same(last, key)) {
        Object.assign(canvas, { width: nx, height: ny });
        const context = canvas.getContext("2d"),
          pixels = context.createImageData(nx, ny);
        paint(new Uint32Array(pixels.data.buffer));
        context.putImageData(pixels, 0, 0);
        images.set(name, { canvas, key });
      }
      ctx.imageSmoothingEnabled = name === "bands";
      ctx.drawImage(canvas, left, top, right - left, bottom - top);
    }

    /* Contour bands of f(x, y), even in asinh((f − base)/c): linear near `base` (the minimum, say), logarithmic far
       from it, so that a narrow valley shows. Painted when `key` changed: coarsely while it keeps changing, finely
       when it has come to rest. */
    bands(f, { key = [], base = null, levels = 16 } = {}) {
      const {
          left,
          right,
          top,
          bottom,
          dpr,
          ui: { theme },
        } = this,
        w = right - left,
        height = bottom - top;
      if (w < 4 || height < 4) return;
      const before = this.bandKey,
        after = (this.bandKey = [...this.x, ...this.y, ...key]);
      if (before && !same(before, after)) {
        this.coarse = true;
        clearTimeout(this.settle);
        this.settle = setTimeout(() => ((this.coarse = false), this.ui.redraw()), 250);
      }
      const fine = this.coarse ? 0.6 : dpr,
        nx = Math.round(w * fine),
        ny = Math.round(height * fine);
      this.blit("bands", [nx, ny, theme.low, theme.high, ...this.bandKey], nx, ny, (data) => {
        const gx = Math.min(200, (nx / fine / (this.coarse ? 4 : 2)) | 0) + 2,
          gy = Math.max(2, Math.round((gx * height) / w));
        const u = new Float64Array(gx * gy),
          xs = linspace(left, right, gx).map((p) => this.xAt(p));
        for (let j = 0; j < gy; j++) {
          const y = this.yAt(bottom - (height * j) / (gy - 1));
          for (let i = 0; i < gx; i++) u[j * gx + i] = f(xs[i], y);
        }
        const stride = Math.ceil(u.length / 1500),
          sample = u.filter((v, i) => i % stride === 0 && Number.isFinite(v)).sort();
        if (!sample.length) return;
        const middle = base ?? sample[sample.length >> 1],
          near = sample.map((v) => Math.abs(v - middle)).sort();
        const c = near[(near.length * (base === null ? 0.25 : 0.03)) | 0] || near.at(-1) || 1,
          to = (v) => Math.asinh((v - middle) / c);
        const lo = to(base === null ? sample[0] : Math.min(base, sample[0])),
          step = (to(sample[(sample.length * 0.995) | 0]) - lo) / levels || 1;
        for (let i = 0; i < u.length; i++) u[i] = u[i] === u[i] ? clamp((to(u[i]) - lo) / step, 0, levels) : levels;
        const [low, high, ink] = [theme.low, theme.high, theme.fg].map(rgb);
        const pack = ([r, g, b]) => 0xff000000 | (b << 16) | (g << 8) | r;
        const fills = Array.from({ length: levels + 1 }, (_, k) => mix(low, high, k / levels));
        const band = Uint32Array.from(fills, pack),
          edge = Uint32Array.from(fills, (p) => pack(mix(p, ink, 0.13)));
        const at = Int32Array.from({ length: nx }, (_, i) => Math.min(((i / (nx - 1)) * (gx - 1)) | 0, gx - 2));
        const part = Float64Array.from(at, (i0, i) => (i / (nx - 1)) * (gx - 1) - i0),
          row = new Float64Array(gx),
          above = new Int8Array(nx);
        for (let j = 0; j < ny; j++) {
          const q = (1 - j / (ny - 1)) * (gy - 1),
            j0 = Math.min(q | 0, gy - 2),
            s = q - j0;
          for (let i = 0; i < gx; i++) row[i] = u[j0 * gx + i] * (1 - s) + u[(j0 + 1) * gx + i] * s;
          let before = -1;
          for (let i = 0; i < nx; i++) {
            const k = (row[at[i]] + (row[at[i] + 1] - row[at[i]]) * part[i]) | 0;
            data[j * nx + i] = (i && k !== before) || (j && k !== above[i]) ? edge[k] : band[k];
            before = above[i] = k;
          }
        }
      });
    }

    // -- pointers
    /* A point that can be dragged, or moved by arrow keys (with Shift: a tenth). `bind` is a setting that holds
       [x, y] (or a number, with axis "x" or "y" and `at`), or { get, set }. */
    handle(bind, { label, axis = "xy", at = 0, color = "fg" }) {
      const { ui, box } = this;
      if (typeof bind === "string") {
        const key = bind;
        ui.field(key, (v, note, fallback) => this.inside(axis, v, note, fallback, label));
        bind = {
          get: () => (axis === "xy" ? ui.value[key] : axis === "x" ? [ui.value[key], at] : [at, ui.value[key]]),
          set: (p) => ui.set({ [key]: axis === "xy" ? p : p[axis === "x" ? 0 : 1] }),
        };
      }
      const el = box.appendChild(
        h("span", {
          class: "oc-handle",
          role: "slider",
          tabindex: 0,
          "aria-label": `${label}, arrow keys move it`,
        }),
      );
      el.style.setProperty("--c", color.startsWith("#") ? color : `var(--oc-${color})`);
      const move = (p) => bind.set([clamp(p[0], ...this.x), clamp(p[1], ...this.y)]);
      const pixel = (e) => {
        const r = box.getBoundingClientRect();
        return [e.clientX - r.left, e.clientY - r.top];
      };
      let grip = null;
      el.addEventListener("pointerdown", (e) => {
        const p = bind.get(),
          [px, py] = pixel(e);
        grip = [px - this.X(p[0]), py - this.Y(p[1])];
        el.setPointerCapture(e.pointerId);
      });
      el.addEventListener("pointermove", (e) => {
        if (!grip) return;
        const [px, py] = pixel(e);
        move([this.xAt(px - grip[0]), this.yAt(py - grip[1])]);
      });
      for (const type of ["pointerup", "pointercancel"]) el.addEventListener(type, () => (grip = null));
      el.addEventListener("keydown", (e) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
        if (!way) return;
        e.preventDefault();
        const p = bind.get(),
          step = (this.right - this.left) / (e.shiftKey ? 400 : 40);
        const to = [this.xAt(this.X(p[0]) + way[0] * step), this.yAt(this.Y(p[1]) + way[1] * step)];
        move([way[0] ? to[0] : p[0], way[1] ? to[1] : p[1]]);
      });
      const handle = {
        el,
        place: () => {
          const p = bind.get(),
            main = axis === "y" ? 1 : 0;
          const [px, py] = [clamp(this.X(p[0]), 0, this.w), clamp(this.Y(p[1]), 0, this.h)];
          el.style.transform = `translate(${px}px,${py}px)`;
          const [lo, hi] = main ? this.y : this.x;
          const words = { xy: `x ${fmt(p[0])}, y ${fmt(p[1])}`, x: fmt(p[0]), y: fmt(p[1]) }[axis];
          for (const [k, v] of [
            ["valuemin", lo],
            ["valuemax", hi],
            ["valuenow", p[main]],
            ["valuetext", words],
          ])
            el.setAttribute(`aria-${k}`, v);
        },
        remove: () => {
          el.remove();
          this.grips.splice(this.grips.indexOf(handle), 1);
        },
      };
      this.grips.push(handle);
      return handle;
    }

    /* One handle for each point of a list of [x, y]; Delete removes a point. */
    handles(key, { label, color, least = 1, most = 50 }) {
      const { ui } = this,
        list = () => ui.value[key],
        made = [];
      ui.field(key, (v, note, fallback) => {
        const good = Array.isArray(v)
          ? v.filter((p) => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite))
          : [];
        if (good.length < least) return note(`${label}: at least ${least} needed`), fallback;
        if (good.length > most || good.length < v.length) note(`${label}: points that cannot be drawn were left out`);
        return good.slice(0, most).map(([a, b]) => [clamp(a, ...this.x), clamp(b, ...this.y)]);
      });
      ui.before(() => {
        while (made.length > list().length) made.pop().remove();
        while (made.length < list().length) {
          const i = made.length;
          const one = this.handle(
            { get: () => list()[i] ?? [NaN, NaN], set: (p) => ui.set({ [key]: list().with(i, p) }) },
            { label: `${label} ${i + 1}`, color },
          );
          one.el.addEventListener("keydown", (e) => {
            if (e.key === "Delete" && list().length > least) ui.set({ [key]: list().toSpliced(i, 1) });
          });
          made.push(one);
        }
      });
    }

    inside(axis, v, note, fallback, label) {
      const good = (a) => typeof a === "number" && !Number.isNaN(a);
      if (axis === "xy" ? !(Array.isArray(v) && v.length === 2 && v.every(good)) : !good(v))
        return note(`${label} was not ${axis === "xy" ? "a point" : "a number"}`), fallback;
      const kept = axis === "xy" ? [clamp(v[0], ...this.x), clamp(v[1], ...this.y)] : clamp(v, ...this[axis]);
      if (String(kept) !== String(v)) note(`${label} was moved into the window`);
      return kept;
    }

    /* Calls fn([x, y]) for a click or a mouse drag; a touch must be a tap, so that a swipe still scrolls. */
    pick(fn) {
      const at = (e) => {
        const r = this.box.getBoundingClientRect();
        fn([clamp(this.xAt(e.clientX - r.left), ...this.x), clamp(this.yAt(e.clientY - r.top), ...this.y)]);
      };
      this.canvas.addEventListener("pointerdown", (e) => {
        if (e.pointerType !== "mouse" || e.button) return;
        this.canvas.setPointerCapture(e.pointerId);
        at(e);
      });
      this.canvas.addEventListener("pointermove", (e) => this.canvas.hasPointerCapture(e.pointerId) && at(e));
      this.canvas.addEventListener("click", (e) => e.pointerType !== "mouse" && at(e));
    }
  }
  const FONT = "12px system-ui, sans-serif";

  // ------------------------------------------------------------------------------------------------------ controls
  /* Slider positions 0…1 to values and back. beta: 1 − β runs on a log scale; log0: zero, then a log scale. */
  const SCALES = {
    linear: (lo, hi) => [(p) => lo + (hi - lo) * p, (v) => (v - lo) / (hi - lo)],
    log: (lo, hi) => [(p) => lo * (hi / lo) ** p, (v) => Math.log(v / lo) / Math.log(hi / lo)],
    log0: (lo, hi) => [
      (p) => (p <= 0 ? 0 : lo * (hi / lo) ** p),
      (v) => (v <= 0 ? 0 : Math.log(v / lo) / Math.log(hi / lo)),
    ],
    beta: (lo, hi) => [
      (p) => 1 - (1 - lo) * ((1 - hi) / (1 - lo)) ** p,
      (v) => Math.log((1 - v) / (1 - lo)) / Math.log((1 - hi) / (1 - lo)),
    ],
  };
  const tidy = (v, scale, step) => {
    if (scale === "beta") return +(1 - +(1 - v).toPrecision(2)).toPrecision(12);
    return +v.toPrecision(scale === "linear" ? Math.max(3, Math.ceil(Math.log10(Math.abs(v) / step || 1)) + 1) : 3);
  };

  class UI {
    constructor({ model, el }) {
      const spec = revive(model.get("spec") ?? {}),
        value = revive(model.get("value") ?? {});
      Object.assign(this, {
        model,
        el,
        spec,
        initial: value,
        value: { ...value },
        fields: {},
        shown: [],
        early: [],
        panels: [],
        notes: [],
      });
      el.classList.add("oc-widget");
      el.dataset.oc = spec.name;
      el.setAttribute("role", "group");
      el.setAttribute("aria-label", spec.title ?? spec.name);
      this.plots = h("div", { class: "oc-plots" });
      this.status = h("output", { class: "oc-status", role: "status" });
      this.controls = h("div", { class: "oc-controls" });
      this.foot = h("div", { class: "oc-foot" });
      el.append(this.plots, this.status, this.controls, this.foot);
      // Keys pressed here are meant for the widget: JupyterLab would take arrows and letters for its commands.
      el.addEventListener("keydown", (e) => {
        if (e.key === "Escape")
          el.classList.add("oc-quiet"); // hides a tooltip
        else if (e.key !== "Tab" && !e.ctrlKey && !e.metaKey && !e.altKey) e.stopPropagation();
      });
      el.addEventListener("focusout", () => el.classList.remove("oc-quiet"));
    }

    // -- settings
    field(key, clean) {
      this.fields[key] = clean;
    }

    before(fn) {
      this.early.push(fn);
    }

    /* Change settings. Each passes its field's clean(v, note, fallback), so the drawing never sees a bad one. */
    set(changes, { quiet = false, fallback = this.value, note } = {}) {
      this.notes = note ? [note] : [];
      const next = { ...this.value };
      for (const [key, v] of Object.entries(changes))
        next[key] = this.fields[key] ? this.fields[key](v, (text) => this.notes.push(text), fallback[key]) : v;
      this.value = next;
      if (!quiet) this.save();
      this.redraw();
    }

    save() {
      clearTimeout(this.saving);
      this.saving = setTimeout(() => {
        this.model.set("value", plain(this.value));
        this.model.save_changes();
      }, 150);
    }

    reset() {
      this.stop?.();
      this.value = { ...this.value, ...this.first };
      this.set(this.first);
    }

    // -- drawing
    redraw() {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.paint();
      });
    }

    paint() {
      if (!this.draw || !this.placed) return;
      const begun = performance.now();
      let words;
      try {
        for (const fn of this.early) fn();
        for (const p of this.panels) p.begin();
        words = [this.draw(this.value)].flat().filter(Boolean).join(" ");
        for (const p of this.panels) p.end();
      } catch (error) {
        words = `This could not be drawn: ${error.message}. Reset brings the first state back.`;
        console.warn(error);
      }
      if (this.notes.length) words += ` (${this.notes.join("; ")}.)`;
      for (const show of this.shown) show();
      this.say(words);
      api.onframe?.(this.el, performance.now() - begun);
    }

    /* The text changes at once; assistive technology hears it when the changes pause. */
    say(words) {
      if (words === this.status.textContent) return;
      this.status.setAttribute("aria-busy", "true");
      this.status.textContent = words;
      clearTimeout(this.busy);
      this.busy = setTimeout(() => this.status.removeAttribute("aria-busy"), 500);
    }

    /* A colour of the theme by name, or a hex colour, lightened in the dark until it can be read (4.5:1). */
    color(name) {
      if (name in this.theme) return this.theme[name];
      return (this.readable[name] ??= (() => {
        const bg = rgb(this.theme.bg);
        let c = rgb(name);
        for (let t = 0; t <= 1 && contrast(c, bg) < 4.5; t += 0.1) c = mix(rgb(name), rgb(this.theme.fg), t);
        return `rgb(${c})`;
      })());
    }

    /* A notebook renders into an element that is not in its page yet (anywidget does), takes it out and puts it back:
       colours are read and drawings made only while the element has a size. */
    place() {
      const before = this.placed;
      this.placed = this.el.clientWidth > 0;
      if (before || !this.placed) return;
      this.retheme();
      for (const p of this.panels) p.resize();
    }

    retheme() {
      if (!this.placed) return;
      this.theme = readTheme(this.el);
      this.readable = {};
      this.redraw();
    }

    // -- parts
    plot(options) {
      const plot = new Plot(this, options);
      this.panels.push(plot);
      return plot;
    }

    group(title, open = false) {
      const body = h("div", { class: "oc-controls" });
      this.foot.before(h("details", { class: "oc-group", open }, h("summary", {}, title), body));
      return body;
    }

    /* Label, tooltip and input in one box; the tooltip shows on hover of the label and on keyboard focus. */
    control(input, { label, tip, in: parent = this.controls, after = [] }, ...rest) {
      input.id = newId();
      const words = h("label", { for: input.id }, label),
        box = h("div", { class: "oc-control" }, words, ...rest, input, ...after);
      if (tip) {
        const id = newId();
        input.setAttribute("aria-describedby", id);
        box.append(h("span", { class: "oc-tip", id, role: "tooltip" }, tip));
        words.classList.add("oc-has-tip");
      }
      parent.append(box);
      return box;
    }

    slider(key, options) {
      const {
        label,
        scale = "linear",
        int = false,
        steps = 200,
        format = (v) => fmt(v, scale === "beta" ? 6 : 3),
        marks,
      } = options;
      const of = (v) => (typeof v === "function" ? v(this.value) : v);
      const limits = () => [of(options.min), of(options.max)];
      const count = () => (int && scale === "linear" ? Math.min(limits()[1] - limits()[0], 2000) : steps);
      const maps = () => SCALES[scale](...limits());
      const input = h("input", { type: "range", min: 0, step: 1 }),
        shown = h("span", { class: "oc-value", "aria-hidden": "true" });
      const rail = marks && h("div", { class: "oc-marks", "aria-hidden": "true" });
      this.control(input, { ...options, after: [rail] }, shown);
      const places = () => (marks ? of(marks) : []).filter(({ at }) => at >= limits()[0] && at <= limits()[1]);
      input.addEventListener("input", () => {
        const n = count(),
          p = input.value / n,
          [from, to] = maps(),
          [lo, hi] = limits();
        const mark = places().find(({ at }) => Math.abs(to(at) - p) <= 0.5 / n + 1e-12);
        const v = mark ? mark.at : int ? Math.round(from(p)) : tidy(from(p), scale, (hi - lo) / n);
        this.set({ [key]: clamp(v, scale === "log0" ? 0 : lo, hi) });
      });
      this.field(key, (v, note, fallback) => {
        if (typeof v !== "number" || Number.isNaN(v)) return note(`${label} was not a number`), fallback;
        const [lo, hi] = limits(),
          kept = clamp(int ? Math.round(v) : v, scale === "log0" ? 0 : lo, hi);
        if (kept !== v) note(`${label} was limited to ${format(kept)}`);
        return kept;
      });
      this.shown.push(() => {
        const n = count(),
          [, to] = maps(),
          v = this.value[key];
        if (+input.max !== n) input.max = n;
        input.value = Math.round(clamp(to(v), 0, 1) * n);
        shown.textContent = format(v);
        input.setAttribute("aria-valuetext", format(v));
        if (rail)
          drawMarks(
            rail,
            places().map(({ at, label: text }) => [to(at), text]),
          );
      });
      return input;
    }

    select(key, options) {
      const list = options.options.map((o) => (typeof o === "string" ? { value: o, label: o } : o));
      const input = h("select", {}, ...list.map((o) => h("option", { value: o.value }, o.label)));
      this.control(input, options);
      input.addEventListener("change", () => this.set({ [key]: input.value }));
      this.field(key, (v, note, fallback) =>
        list.some((o) => o.value === v) ? v : (note(`${options.label} has no choice “${v}”`), fallback),
      );
      this.shown.push(() => (input.value = this.value[key]));
      return input;
    }

    check(key, options) {
      const input = h("input", { type: "checkbox" });
      this.control(input, options).classList.add("oc-check");
      input.addEventListener("change", () => this.set({ [key]: input.checked }));
      this.field(key, (v) => Boolean(v));
      this.shown.push(() => (input.checked = this.value[key]));
      return input;
    }

    /* Several of a few: the setting is the list of chosen values, in the order of the options. */
    checks(key, { legend, options, in: parent = this.controls }) {
      const inputs = options.map((o) => h("input", { type: "checkbox", value: o.value }));
      const swatches = options.map(
        (o, k) =>
          o.color && h("span", { class: "oc-swatch", "aria-hidden": "true" }, GLYPHS[(o.shape ?? k) % GLYPHS.length]),
      );
      const labels = options.map((o, k) => h("label", {}, inputs[k], swatches[k], o.label));
      parent.append(h("fieldset", { class: "oc-checks" }, h("legend", {}, legend), ...labels));
      for (const input of inputs)
        input.addEventListener("change", () =>
          this.set({ [key]: inputs.filter((i) => i.checked).map((i) => i.value) }),
        );
      this.field(key, (v, note, fallback) => {
        if (!Array.isArray(v)) return note(`${legend} was not a list`), fallback;
        return options.map((o) => o.value).filter((name) => v.includes(name));
      });
      this.shown.push(() => {
        inputs.forEach((input) => (input.checked = this.value[key].includes(input.value)));
        swatches.forEach((swatch, k) => swatch && (swatch.style.color = this.color(options[k].color)));
      });
    }

    button(label, fn, { tip, in: parent = this.foot } = {}) {
      return parent.appendChild(h("button", { type: "button", class: "oc-button", title: tip, onclick: fn }, label));
    }

    /* Play, Step and a scrubber over 0…max(); the setting is null while the end is shown. */
    player(key, { max, label = "Step shown", seconds = 4, in: parent = this.controls }) {
      const last = () => max(this.value),
        now = () => Math.min(this.value[key] ?? last(), last());
      const go = (k) => this.set({ [key]: k >= last() ? null : Math.max(0, Math.round(k)) });
      let frame = null;
      this.stop = () => {
        cancelAnimationFrame(frame);
        frame = null;
        play.textContent = "Play";
      };
      const box = parent.appendChild(h("div", { class: "oc-player" }));
      const play = this.button(
        "Play",
        () => {
          if (frame !== null) return this.stop();
          if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(now() >= last() ? 0 : last());
          let from = now() >= last() ? 0 : now(),
            begun;
          const tick = (time) => {
            begun ??= time;
            const k = from + ((time - begun) / 1000 / seconds) * last();
            go(k);
            if (k >= last()) this.stop();
            else frame = requestAnimationFrame(tick);
          };
          play.textContent = "Pause";
          frame = requestAnimationFrame(tick);
        },
        { in: box },
      );
      this.button("Step", () => (this.stop(), go(now() >= last() ? 1 : now() + 1)), {
        in: box,
        tip: "One step; from the end, the first step",
      });
      const input = h("input", { type: "range", min: 0, step: 1 }),
        shown = h("span", { class: "oc-value", "aria-hidden": "true" });
      this.control(input, { label, in: box }, shown);
      input.addEventListener("input", () => (this.stop(), go(+input.value)));
      this.field(key, (v, note) =>
        v === null ? v : Number.isInteger(v) && v >= 0 ? v : (note(`${label} was not a step`), null),
      );
      this.shown.push(() => {
        input.max = last();
        input.value = now();
        shown.textContent = `${now()} of ${last()}`;
        input.setAttribute("aria-valuetext", shown.textContent);
      });
    }

    // -- life
    /* The last call of a widget: applies its link, draws, listens. Returns what a notebook calls to take it down. */
    run(draw) {
      const { el, model } = this;
      this.button("Reset", () => this.reset());
      if (model.linkable) this.linkButton();
      this.draw = draw;
      this.set(this.initial, { quiet: true, fallback: this.initial });
      this.first = this.value;
      const size = new ResizeObserver(() => this.place());
      size.observe(el);
      this.place();
      this.restore();
      const onValue = () => this.set(revive(model.get("value")), { quiet: true });
      model.on("change:value", onValue);
      live.add(this);
      return () => {
        this.stop?.();
        size.disconnect();
        model.off("change:value", onValue);
        live.delete(this);
      };
    }

    linkButton() {
      const link = this.button(
        "Copy link",
        async () => {
          const changed = Object.keys(this.value).filter(
            (k) => JSON.stringify(plain(this.value[k])) !== JSON.stringify(plain(this.first[k])),
          );
          const query = new URLSearchParams(changed.map((k) => [k, JSON.stringify(plain(this.value[k]))]));
          history.replaceState(null, "", `#${this.el.id}${changed.length ? "&" : ""}${query}`);
          try {
            await navigator.clipboard.writeText(location.href);
            link.textContent = "Link copied";
          } catch {
            link.textContent = "Link is in the address bar";
          }
          setTimeout(() => (link.textContent = "Copy link"), 2000);
        },
        { tip: "A link to this page that restores what the widget shows now" },
      );
    }

    /* Settings from the page's address: #oc-name-1234&lr=0.1&start=[1,2] */
    restore() {
      const [id, ...rest] = location.hash.slice(1).split("&");
      if (!this.el.id || id !== this.el.id) return;
      const changes = {};
      for (const [k, text] of new URLSearchParams(rest.join("&"))) {
        try {
          if (k in this.first) changes[k] = revive(JSON.parse(text));
        } catch {
          this.notes.push(`the link's ${k} could not be read`);
        }
      }
      this.set(changes);
      this.el.scrollIntoView({ block: "nearest" });
    }
  }

  /* Ticks with labels under a slider; neighbours closer than their labels lean away from each other. */
  function drawMarks(rail, marks) {
    const key = JSON.stringify(marks);
    if (rail.dataset.key === key) return;
    rail.dataset.key = key;
    marks.sort((a, b) => a[0] - b[0]);
    rail.replaceChildren(
      ...marks.map(([p, text], k) => {
        const lean =
          marks[k + 1] && marks[k + 1][0] - p < 0.2
            ? "left"
            : marks[k - 1] && p - marks[k - 1][0] < 0.2
              ? "right"
              : p > 0.9
                ? "left"
                : p < 0.1
                  ? "right"
                  : "";
        return h("span", { class: `oc-mark ${lean}`, style: `--p:${p}` }, text);
      }),
    );
  }

  // ---------------------------------------------------------------------------------------------------------- page
  const live = new Set();
  const retheme = () => live.forEach((ui) => ui.retheme());
  if (typeof document !== "undefined") {
    const watch = new MutationObserver(retheme),
      what = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
    watch.observe(document.documentElement, what);
    if (document.body) watch.observe(document.body, what);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme);
    addEventListener("hashchange", () => live.forEach((ui) => ui.restore()));
  }

  /* Bring one stored widget to life. The model is the page's own: there is no kernel to tell. */
  function mount(el, widget = api.widgets[el.dataset.oc]) {
    if (!el || el.dataset.ocReady || !widget) return;
    el.dataset.ocReady = "1";
    try {
      const state = JSON.parse(el.querySelector("script[type='application/json']").textContent);
      const none = () => {};
      const model = {
        get: (k) => state[k],
        set: (k, v) => (state[k] = v),
        on: none,
        off: none,
        save_changes: none,
        send: none,
        linkable: top === window,
      };
      widget.render({ model, el });
    } catch (error) {
      el.append(h("p", { class: "oc-status" }, `This widget could not start: ${error.message}.`));
      console.warn(error);
    }
  }

  const api = {
    clamp,
    linspace,
    fmt,
    memo,
    eig2,
    revive,
    plain,
    program,
    surface,
    descend,
    h,
    newId,
    rgb,
    mix,
    ticks,
    tidy,
    scale: ({ scale, min, max }) => SCALES[scale](min, max),
    GLYPHS,
    DIVERGED,
    mount,
    widgets: {},
    onframe: null,
    ui: (context) => new UI(context),
  };
  return api;
})();
