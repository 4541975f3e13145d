/* Activations forwards and gradients backwards through a deep network at its start: histograms layer by layer, and mean
   squares beside what infinite width predicts. Settings: `init`, `activation`, `gain`, `depth`, `width`, `seed`. */
import { normal, uniform } from "./parts/draws.js";

export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { inits, activations, values: most } = ui.spec,
      { fmt, rgb, mix } = oc;
    const code = Object.fromEntries(Object.entries(activations).map(([k, p]) => [k, oc.program(p)]));
    const BLUE = "#0b63b5",
      ORANGE = "#c2410c",
      shape = { ratio: 1.25, narrow: 1.5, xlabel: "layer" };
    const hist = [
      ui.plot({
        ...shape,
        label: "Histograms of activations by layer",
        title: "Activations a: a histogram for each layer",
        y: [-3, 3],
      }),
      ui.plot({
        ...shape,
        label: "Histograms of gradients by layer",
        title: "Gradients ∂ℓ/∂a: from the top (right) down",
        y: [-3, 3],
      }),
    ];
    const sizes = ui.plot({
      ...shape,
      ratio: 2.6,
      label: "Mean squares by layer",
      title: "Mean square: ● activations, ■ gradients; dashed: infinite width",
      logy: true,
      y: [0.1, 10],
    });
    const names = { relu: "ReLU", identity: "none (linear)" };
    ui.select("init", {
      label: "Initial weights",
      options: inits.map(([value, label]) => ({ value, label })),
      tip: "Variance 2/n for He, 1/n for Glorot, LeCun and orthogonal, 1/(3n) for PyTorch's nn.Linear.",
    });
    ui.select("activation", {
      label: "Activation",
      options: Object.keys(activations).map((value) => ({ value, label: names[value] ?? value })),
    });
    ui.slider("gain", {
      label: "Gain",
      min: 0.25,
      max: 4,
      scale: "log",
      marks: [
        { at: 1, label: "1" },
        { at: Math.SQRT2, label: "√2" },
      ],
      tip: "All weights are multiplied by it; √2 makes up for the half that ReLU cuts off.",
    });
    ui.slider("depth", {
      label: "Layers",
      min: 1,
      max: 32,
      int: true,
      tip: "A factor per layer acts to the power of the depth.",
    });
    ui.slider("width", {
      label: "Units in a layer",
      min: 8,
      max: 64,
      scale: "log",
      int: true,
      steps: 3,
      tip: "Narrow networks stray from the prediction of infinite width.",
    });
    ui.slider("seed", {
      label: "Random draw",
      min: 0,
      max: 99,
      int: true,
      tip: "Another draw of the weights, the inputs and the gradient from above.",
    });
    const clean = ui.fields.width; // random numbers come in pairs
    ui.field("width", (v, ...rest) => 2 ** Math.round(Math.log2(clean(v, ...rest))));

    /* √n·Q of W = QR with a positive diagonal of R: Gram-Schmidt on the columns, twice. */
    const orthogonal = (W, n) => {
      for (let j = 0; j < n; j++) {
        const along = (i) => {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += W[k * n + i] * W[k * n + j];
          return sum;
        };
        for (let i = 0; i < 2 * j; i++) {
          const part = along(i % j) / n;
          for (let k = 0; k < n; k++) W[k * n + j] -= part * W[k * n + (i % j)];
        }
        const size = Math.sqrt(along(j) / n);
        for (let k = 0; k < n; k++) W[k * n + j] /= size;
      }
      return W;
    };
    const matrices = oc.memo(() => []);
    const matrix = (l, seed, n, kind) =>
      (matrices(seed, n, kind)[l] ??= (() => {
        const begin = 2 * most + l * n * n;
        if (kind === "uniform")
          return Float64Array.from({ length: n * n }, (_, i) => Math.sqrt(12) * (uniform(seed, begin + i) - 0.5));
        const W = normal(seed, begin, n * n);
        return kind === "orthogonal" ? orthogonal(W, n) : W;
      })());

    /* A·W and A·Wᵀ for rows of n numbers, four rows of W at a time. Every frame writes into the same arrays: thousands
       of new ones would have to be cleared away. */
    const times = (A, W, n, out) => {
      out.fill(0);
      for (let b = 0; b < A.length; b += n)
        for (let k = 0; k < n; k += 4) {
          const p = A[b + k],
            q = A[b + k + 1],
            r = A[b + k + 2],
            s = A[b + k + 3],
            row = k * n;
          for (let j = 0; j < n; j++)
            out[b + j] += p * W[row + j] + q * W[row + n + j] + (r * W[row + 2 * n + j] + s * W[row + 3 * n + j]);
        }
      return out;
    };
    const timesTransposed = (A, W, n, out) => {
      for (let b = 0; b < A.length; b += n)
        for (let k = 0; k < n; k += 4) {
          let p = 0,
            q = 0,
            r = 0,
            s = 0;
          for (let j = 0, row = k * n; j < n; j++) {
            const v = A[b + j];
            p += v * W[row + j];
            q += v * W[row + n + j];
            r += v * W[row + 2 * n + j];
            s += v * W[row + 3 * n + j];
          }
          out[b + k] = p;
          out[b + k + 1] = q;
          out[b + k + 2] = r;
          out[b + k + 3] = s;
        }
      return out;
    };

    const ends = oc.memo((seed, size) => [normal(seed, 0, size), normal(seed, most, size)]);
    const room = oc.memo(() => []);
    const pass = ({ activation, depth, width: n, seed }, kind, scale) => {
      const size = ((most / n) | 0) * n,
        { x, y, run } = code[activation];
      const [first, last] = ends(seed, size),
        free = room(size),
        take = (i) => (free[i] ??= new Float64Array(size)),
        back = take(3 * depth),
        a = [first],
        slopes = [],
        g = [];
      for (let l = 0; l < depth; l++) {
        const z = times(a[l], matrix(l, seed, n, kind), n, take(depth + l)),
          slope = (slopes[l] = take(l));
        for (let i = 0; i < size; i++) {
          x[0] = scale * z[i];
          run(x, y);
          z[i] = y[0];
          slope[i] = y[1];
        }
        a.push(z);
      }
      g[depth] = last;
      for (let l = depth - 1; l >= 0; l--) {
        const above = g[l + 1],
          slope = slopes[l];
        for (let i = 0; i < size; i++) back[i] = above[i] * slope[i] * scale;
        g[l] = timesTransposed(back, matrix(l, seed, n, kind), n, take(2 * depth + l));
      }
      return { a, g, slopes };
    };
    const square = (list) => {
      let sum = 0;
      for (let i = 0; i < list.length; i++) sum += list[i] ** 2;
      return sum / list.length;
    };

    /* q ← σ²E φ(√q z)² forwards and the product of σ²E φ'(√q z)² backwards, σ² = n·Var W, z ~ N(0, 1), by the
       midpoint rule. */
    const H = 0.03,
      nodes = Array.from({ length: 400 }, (_, i) => (i + 0.5) * H - 6),
      weights = nodes.map((z) => (H * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
    const predict = oc.memo((activation, depth, sigma2) => {
      const { x, y, run } = code[activation],
        q = [1],
        chi = [];
      for (let l = 0; l < depth; l++) {
        const spread = Math.sqrt(sigma2 * q[l]);
        let [up, down] = [0, 0];
        for (let i = 0; i < nodes.length; i++) {
          x[0] = spread * nodes[i];
          run(x, y);
          up += weights[i] * y[0] ** 2;
          down += sigma2 * weights[i] * y[1] ** 2;
        }
        [q[l + 1], chi[l]] = [up, down];
      }
      return [q, [...chi, 1].map((_, l) => chi.slice(l).reduce((p, c) => p * c, 1))];
    });

    const BINS = 61,
      SHADES = 64;
    const draw = (plot, layers, color) => {
      const [bg, ink] = [ui.theme.bg, ui.color(color)].map(rgb),
        shades = Array.from({ length: SHADES + 1 }, (_, k) => mix(bg, ink, k / SHADES));
      const counts = layers.map((list) => {
        const column = new Float64Array(BINS);
        for (let i = 0; i < list.length; i++) {
          const at = (list[i] + 3) * (BINS / 6);
          if (at === at) column[at < 0 ? 0 : at < BINS ? Math.floor(at) : BINS - 1]++;
        }
        const top = Math.max(...column, 1);
        return column.map((c) => Math.round(SHADES * Math.sqrt(c / top)));
      });
      plot.range({ x: [-0.5, layers.length - 0.5] });
      plot.image(layers.length, BINS, (i, j) => shades[counts[i][j]]);
      plot.axes({ grid: false });
    };
    const verdict = (ratio) => (ratio !== ratio || ratio > 10 ? "explode" : ratio < 0.1 ? "vanish" : "keep their size");

    return ui.run((v) => {
      const { kind, std, power } = inits.find(([name]) => name === v.init)[2],
        n = v.width,
        scale = (v.gain * std) / n ** power;
      const { a, g, slopes } = pass(v, kind, scale),
        forward = a.map(square),
        backward = g.map(square);
      const [q, chi] = predict(v.activation, v.depth, n * scale * scale);
      draw(hist[0], a, BLUE);
      draw(hist[1], g, ORANGE);
      const all = [...forward, ...backward].filter((s) => s > 1e-60 && s < 1e60),
        end = (f, values) => Math.log10(f(...values));
      sizes.range({
        x: [-0.5, v.depth + 0.5],
        y: [10 ** Math.min(-1, Math.floor(end(Math.min, all))), 10 ** Math.max(1, Math.ceil(end(Math.max, all)))],
      });
      sizes.axes();
      const at = (l) => l;
      [
        [forward, q, BLUE, 0],
        [backward, chi, ORANGE, 1],
      ].forEach(([measured, theory, color, shape]) => {
        sizes.line(at, (l) => theory[l], { n: v.depth + 1, color, dash: [6, 4], width: 1.25 });
        sizes.line(at, (l) => measured[l], { n: v.depth + 1, color });
        measured.forEach((s, l) => sizes.dot(l, s, { color, shape, size: 3.5 }));
      });
      const [up, down] = [forward[v.depth] / forward[0], backward[0] / backward[v.depth]],
        each = (r) => fmt(r ** (1 / v.depth));
      ui.facts({ factor: Math.max(up, 1 / up, down, 1 / down) });
      const flat = slopes[v.depth - 1].filter((s) => Math.abs(s) < 0.05).length / slopes[v.depth - 1].length;
      return (
        `Activations ${verdict(up)}: mean square ${fmt(forward[v.depth])} after ${v.depth} layers (infinite ` +
        `width: ${fmt(q[v.depth])}), a factor ${each(up)} for each. ` +
        `Gradients ${verdict(down)}: ${fmt(backward[0])} at the input (infinite width: ${fmt(chi[0])}), ` +
        `a factor ${each(down)} for each layer. ` +
        `In the last layer ${fmt(Math.round(100 * flat))}% of the slopes are below 0.05.`
      );
    });
  },
};
