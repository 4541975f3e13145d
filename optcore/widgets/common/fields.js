/* What a plot paints cell by cell: images, and the contour bands of a function. Methods of Plot. */
import { mix, rgb } from "./colours.js";
import { clamp, linspace, same } from "./numbers.js";

const pack = (c) => 0xff000000 | (c[2] << 16) | (c[1] << 8) | c[0];

export const fields = {
  /* nx × ny cells coloured by (i, j) → [r, g, b], j upwards, or with `smooth` what lies between them. With a key they
     lie below all else and are painted again only when it has changed. */
  image(nx, ny, color, key, { smooth = false } = {}) {
    this.raster(smooth ? "smooth" : "image", key, nx, ny, (data) => {
      for (let j = 0; j < ny; j++)
        for (let i = 0; i < nx; i++) {
          data[(ny - 1 - j) * nx + i] = pack(color(i, j));
        }
    });
  },

  raster(name, key, nx, ny, paint) {
    const { cells, left, top, right, bottom } = this;
    const show = (ctx) => {
      const canvas = (cells[name] ??= Object.assign(document.createElement("canvas"), { width: 0, height: 0 }));
      // a canvas of a new size costs: one that is too large will do
      if (canvas.width < nx || canvas.height < ny) Object.assign(canvas, { width: nx, height: ny });
      const context = canvas.getContext("2d"),
        pixels = context.createImageData(nx, ny);
      paint(new Uint32Array(pixels.data.buffer));
      context.putImageData(pixels, 0, 0);
      ctx.imageSmoothingEnabled = name !== "image";
      ctx.drawImage(canvas, 0, 0, nx, ny, left, top, right - left, bottom - top);
    };
    if (key) this.under([name, nx, ny, ...key], show);
    else show(this.ctx);
  },

  /* Contour bands of f([x, y]), even in asinh((f − base)/c): linear near `base` (the minimum, say), logarithmic far
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
    const fine = this.coarse ? 0.5 : dpr,
      nx = Math.round(w * fine),
      ny = Math.round(height * fine);
    this.raster(this.coarse ? "coarse" : "bands", this.bandKey, nx, ny, (data) => {
      const gx = Math.min(200, (nx / fine / (this.coarse ? 4 : 2)) | 0) + 2,
        gy = Math.max(2, Math.round((gx * height) / w));
      const u = new Float64Array(gx * gy),
        xs = linspace(left, right, gx).map((p) => this.xAt(p)),
        place = [0, 0];
      for (let j = 0; j < gy; j++) {
        place[1] = this.yAt(bottom - (height * j) / (gy - 1));
        for (let i = 0; i < gx; i++) {
          place[0] = xs[i];
          u[j * gx + i] = f(place);
        }
      }
      const stride = Math.ceil(u.length / 1500),
        some = Float64Array.from({ length: Math.ceil(u.length / stride) }, (_, i) => u[i * stride]),
        sample = some.filter(Number.isFinite).sort();
      if (!sample.length) return;
      const middle = base ?? sample[sample.length >> 1],
        near = sample.map((v) => Math.abs(v - middle)).sort();
      const c = near[(near.length * (base === null ? 0.25 : 0.03)) | 0] || near.at(-1) || 1,
        to = (v) => Math.asinh((v - middle) / c);
      const lo = to(base === null ? sample[0] : Math.min(base, sample[0])),
        step = (to(sample[(sample.length * 0.995) | 0]) - lo) / levels || 1;
      for (let i = 0; i < u.length; i++) u[i] = u[i] === u[i] ? clamp((to(u[i]) - lo) / step, 0, levels) : levels;
      const [low, high, ink] = [theme.low, theme.high, theme.fg].map(rgb);
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
  },
};
