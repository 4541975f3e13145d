/* One canvas with its window in data coordinates, and its axes. */
import { h } from "./elements.js";
import { fields } from "./fields.js";
import { clamp } from "./numbers.js";
import { pointers } from "./pointers.js";
import { ticks } from "./scales.js";
import { FONT, strokes } from "./strokes.js";

export class Plot {
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
}

Object.assign(Plot.prototype, strokes, fields, pointers);
