/* A picture with its window in data coordinates and its axes: two canvases, what rarely changes below what moves. */
import { h } from "./elements.js";
import { fields } from "./fields.js";
import { clamp, same } from "./numbers.js";
import { pointers } from "./pointers.js";
import { ticks } from "./scales.js";
import { FONT, strokes } from "./strokes.js";

export class Plot {
  constructor(ui, options) {
    const { label, title, ratio = 1.4, narrow = Math.max(ratio, 1.25) } = options;
    Object.assign(this, { x: [0, 1], y: [0, 1], ...options, ui, grips: [], parts: [], key: [], cells: {}, w: 0, h: 0 });
    this.canvas = h("canvas", { role: "img", "aria-label": label });
    this.ground = h("canvas", { class: "oc-ground", "aria-hidden": "true" });
    this.box = h("div", { class: "oc-canvas" }, this.canvas, this.ground);
    this.el = h("figure", { class: "oc-plot", style: `--ratio:${ratio};--narrow:${narrow}` });
    if (title) this.el.append(h("figcaption", {}, title));
    this.el.append(this.box);
    (options.in ?? ui.plots).append(this.el);
    this.ctx = this.canvas.getContext("2d");
    this.below = this.ground.getContext("2d", { alpha: false });
    this.range(options);
    new ResizeObserver(() => this.resize()).observe(this.box);
  }

  resize() {
    const { clientWidth: w, clientHeight: height } = this.box,
      dpr = Math.min(devicePixelRatio || 1, 2);
    if (!w || (w === this.w && height === this.h)) return;
    Object.assign(this, { w, h: height, dpr });
    for (const canvas of [this.canvas, this.ground])
      Object.assign(canvas, { width: Math.round(w * dpr), height: Math.round(height * dpr) });
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
    const { ctx, w, h: height, dpr = 1 } = this;
    this.parts = [];
    Object.assign(
      this,
      this.bare
        ? { left: 0, right: w, top: 0, bottom: height }
        : { left: this.ylabel ? 56 : 40, right: w - 14, top: 8, bottom: height - (this.xlabel ? 40 : 24) },
    );
    this.range({});
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, w, height);
    this.clip(ctx);
  }

  /* Data is drawn inside the window only. */
  clip(ctx) {
    const { left, top, right, bottom } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left + 1, top + 1, right - left - 2, bottom - top - 2);
    ctx.clip();
    ctx.lineJoin = ctx.lineCap = "round";
  }

  end() {
    this.ctx.restore();
    const { below, w, h: height, dpr = 1, left, right, top, bottom, x, y, logx, logy, parts } = this,
      { theme } = this.ui;
    const now = [w, height, dpr, left, right, top, bottom, ...x, ...y, logx, logy, theme];
    const key = now.concat(...parts.map(([part]) => part));
    if (same(this.key, key)) return;
    this.key = key;
    below.setTransform(dpr, 0, 0, dpr, 0, 0);
    below.fillStyle = theme.bg;
    below.fillRect(0, 0, w, height);
    for (const [, paint] of parts) paint(below);
  }

  /* A part of the ground, in the order of the calls: painted at the end of the drawing, when any key has changed. */
  under(key, paint) {
    this.parts.push([key, paint]);
  }

  /* What `draw` draws lies still, in the ground, until a key changes. */
  still(key, draw) {
    const { ctx } = this;
    this.under(key, (below) => {
      this.clip((this.ctx = below));
      draw();
      below.restore();
      this.ctx = ctx;
    });
  }

  axes({ grid = true } = {}) {
    this.under([grid, this.xlabel, this.ylabel, this.xticks, this.yticks], (ctx) => this.paintAxes(ctx, grid));
  }

  paintAxes(ctx, grid) {
    const { left, right, top, bottom } = this,
      { theme } = this.ui;
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
      const half = Math.min(px, this.w - px) < 40 ? ctx.measureText(text).width / 2 : 0; // measuring costs
      ctx.fillText(text, clamp(px, half, this.w - half), bottom + 6); // all of it, at the edge too
      ctx.moveTo(px, grid ? top : bottom);
      ctx.lineTo(px, bottom + 4);
    }
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const [v, text] of this.yticks ?? ticks(this.y, this.logy, Math.max(2, (bottom - top) / 40))) {
      const py = Math.round(this.Y(v)) + 0.5;
      ctx.fillText(text, left - 6, py, left - (this.ylabel ? 24 : 8)); // made narrow: a sign must not be cut
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
  }
}

Object.assign(Plot.prototype, strokes, fields, pointers);
