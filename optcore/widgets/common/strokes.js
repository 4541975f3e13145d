/* What a plot draws with a pen: lines, areas, bars, arrows, dots, words. Methods of Plot. */
import { clamp } from "./numbers.js";

/* Corners of ● ■ ▲ ◆ ▼ ⬟ at size 1, from their number and turn. */
const SHAPES = [
  [24, 0],
  [4, 0.5],
  [3, 0],
  [4, 0],
  [3, 1],
  [5, 0],
].map(([n, turn]) =>
  Array.from({ length: n }, (_, i) => {
    const a = (2 * Math.PI * (i + turn)) / n - Math.PI / 2,
      r = n < 6 ? 1.25 : 1;
    return [r * Math.cos(a), r * Math.sin(a)];
  }).flat(),
);
export const GLYPHS = "●■▲◆▼⬟";
export const FONT = "12px system-ui, sans-serif";

export const strokes = {
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
  },

  /* xs and ys: arrays, or functions of the index. Gaps where a value is nan. */
  line(xs, ys, style = {}) {
    const n = style.n ?? (typeof xs === "function" ? ys : xs).length,
      at = (v) => (typeof v === "function" ? v : (i) => v[i]);
    const [x, y] = [at(xs), at(ys)];
    this.stroke((ctx) => {
      let pen = false,
        lastX,
        lastY;
      for (let i = 0; i < n; i++) {
        const px = this.X(x(i)),
          py = this.Y(y(i)),
          ok = px === px && py === py;
        // what lies under the pen cannot be seen, and costs: a run that crawls has thousands of such points
        if (ok && pen && i < n - 1 && Math.abs(px - lastX) + Math.abs(py - lastY) < 1.5) continue;
        if (ok) pen ? ctx.lineTo(px, py) : ctx.moveTo(px, py);
        [pen, lastX, lastY] = [ok, px, py];
      }
    }, style);
  },

  path(flat, style = {}) {
    this.line(
      (i) => flat[2 * i],
      (i) => flat[2 * i + 1],
      { n: flat.length / 2, ...style },
    );
  },

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
  },

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
  },

  fill(color, alpha = 1) {
    this.ctx.globalAlpha = alpha;
    this.ctx.fillStyle = this.ui.color(color);
    this.ctx.fill();
    this.ctx.globalAlpha = 1;
  },

  /* At the edge of the window it stands just inside, where it is seen. */
  rule({ x, y }, style = {}) {
    const seen = (p, lo, hi) => (p >= lo && p <= hi ? clamp(p, lo + 1.5, hi - 1.5) : p),
      [px, py] = [seen(this.X(x), this.left, this.right), seen(this.Y(y), this.top, this.bottom)];
    this.stroke(
      (ctx) => {
        if (x !== undefined) ctx.moveTo(px, this.top), ctx.lineTo(px, this.bottom);
        else ctx.moveTo(this.left, py), ctx.lineTo(this.right, py);
      },
      { color: "muted", width: 1, dash: [4, 4], ...style },
    );
  },

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
  },

  dot(x, y, { color = "accent", size = 5, shape = 0, alpha = 1, hollow = false, edge = true } = {}) {
    const { ctx, ui } = this,
      [px, py] = [this.X(x), this.Y(y)];
    if (px !== px || py !== py) return;
    ctx.beginPath();
    const at = SHAPES[shape % SHAPES.length];
    for (let i = 0; i < at.length; i += 2) ctx.lineTo(px + size * at[i], py + size * at[i + 1]);
    ctx.closePath();
    ctx.globalAlpha = alpha;
    if (edge) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = hollow ? ui.color(color) : ui.theme.bg;
      ctx.stroke();
    }
    ctx.fillStyle = hollow ? ui.theme.bg : ui.color(color);
    ctx.fill();
    ctx.globalAlpha = 1;
  },

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
  },
};
