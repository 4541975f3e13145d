/* From the settings of `optcore.classifier` to a run and what was seen of it, a few milliseconds at a time. */
import { normal, uniform } from "./draws.js";
import { perceptron, trainer } from "./perceptron.js";

/* Steps from one evaluation of a run to the next, of so many at most. */
export const stride = (steps, evaluations) => Math.ceil(steps / evaluations);

export function experiment(spec) {
  const { memo } = oc,
    [DATA, ORDERS] = spec.seeds;

  const sampled = (name, n, noise, own, first) => {
    const X = [],
      y = [];
    for (let i = 0; i < (spec.data[name] ? n : 0); i++) {
      const at = 8 * (i + first),
        { run, x: draws, y: place } = oc.program(spec.data[name]),
        [p, q] = normal(DATA, at + 2, 2);
      draws.set([uniform(DATA, at), uniform(DATA, at + 1), i % 2]);
      run(draws, place);
      X.push(place[0] + noise * p, place[1] + noise * q);
      y.push(i % 2);
    }
    for (const [p, q, c] of own) X.push(p, q), y.push(c);
    return { X: Float64Array.from(X), y: Float64Array.from(y), rows: Int32Array.from(y, (_, i) => i) };
  };
  const train = memo((name, n, noise, own) => sampled(name, n, noise, own, 0)),
    held = memo((name, noise) => sampled(name, spec.held, noise, [], 4096));
  const network = memo((width, depth, activation) =>
    perceptron([2, ...Array(depth).fill(width), 1], oc.program(spec.activations[activation]), oc.program(spec.cost)),
  );
  const start = (net, { init, scale, seed }) => {
    const { run, x, y, out } = oc.program(spec.variance),
      theta = new Float64Array(net.size);
    let begin = 0;
    net.W.forEach((at, l) => {
      x.set([net.sizes[l], net.sizes[l + 1]]);
      run(x, y);
      const count = x[0] * x[1],
        std = scale * Math.sqrt(y[out[init]]),
        drawn = normal(seed, begin, count);
      for (let k = 0; k < count; k++) theta[at + k] = init === "alike" ? std : std * drawn[k];
      begin += count + (count % 2);
    });
    return theta;
  };
  const shuffle = (seed) => (order, epoch) => {
    order.forEach((_, i) => (order[i] = i));
    for (let j = order.length - 1; j > 0; j--) {
      const k = Math.floor(uniform(seed, ORDERS + 1024 * epoch + j) * (j + 1)),
        row = order[j];
      order[j] = order[k];
      order[k] = row;
    }
  };
  const ratesOf = memo((name, lr, steps) => {
    const { run, x, y } = oc.program(spec.schedules[name]);
    return Float64Array.from({ length: steps }, (_, t) => (x.set([t, steps]), run(x, y), lr * y[0]));
  });
  const pulls = (net, kind, lam) =>
    ({
      l1: (grad, theta) => {
        for (let k = 0; k < net.matrices; k++) grad[k] += lam * Math.sign(theta[k]);
      },
      l2: (grad, theta) => {
        for (let k = 0; k < net.matrices; k++) grad[k] += 2 * lam * theta[k];
      },
    })[kind];

  /* A run: at evaluation k the step, losses, shares that are right, gradient norms of the layers, and parameters. */
  const made = memo((v) => {
    const net = network(v.width, v.depth, v.activation),
      data = train(v.data, v.n, v.noise, v.points),
      others = held(v.data, v.noise),
      theta = start(net, v),
      every = stride(v.steps, spec.evaluations),
      most = Math.ceil(v.steps / every) + 1,
      series = () => new Float64Array(most),
      run = { net, data, others, every, loss: series(), held: series(), right: series(), heldRight: series() },
      grad = new Float64Array(net.size);
    run.update = trainer(net, spec.rules.find((r) => r.label === v.rule).program, {
      theta,
      data,
      batch: v.batch,
      rates: ratesOf(v.schedule, v.lr, v.steps),
      shuffle: shuffle(v.seed),
      pull: pulls(net, v.penalty, v.lam),
    });
    let t = 0;
    run.norms = net.W.map(series);
    const thetas = [];
    run.theta = (k) => thetas[k];
    run.step = (k) => Math.min(k * every, v.steps);
    run.last = -1;
    const evaluate = () => {
      const k = ++run.last;
      thetas[k] = theta.slice();
      [run.held[k], run.heldRight[k]] = [net.mean(theta, others), net.right];
      [run.loss[k], run.right[k]] = [net.mean(theta, data, grad), net.right];
      run.norms.forEach((norm, l) => {
        let square = 0;
        for (let i = net.W[l]; i < net.W[l] + net.sizes[l] * net.sizes[l + 1]; i++) square += grad[i] * grad[i];
        norm[k] = Math.sqrt(square);
      });
      run.diverged = !(run.loss[k] <= spec.gone);
      run.done = run.diverged || t === v.steps;
    };
    run.advance = (until) => {
      while (!run.done && performance.now() < until) {
        run.update();
        if (++t % every === 0 || t === v.steps) evaluate();
      }
      return run;
    };
    evaluate();
    return run;
  });
  const KEYS =
    "data n noise points rule lr batch schedule steps init scale activation width depth penalty lam seed".split(" ");
  let known = {};
  return (v) => {
    if (KEYS.some((key) => known[key] !== v[key])) known = v;
    return made(known);
  };
}

/* What the hidden units do on the training points: of each the share of points at which its slope is not flat, and of
   each layer how many are dead, with no such point, and whether all are alike. */
export function unitsOf({ net, data }, theta, flat) {
  const hidden = net.sizes.slice(1, -1),
    live = hidden.map((n) => new Float64Array(n)),
    alike = hidden.map((n) => n > 1);
  for (const row of data.rows) {
    net.forward(theta, data.X, row);
    live.forEach((shares, l) => {
      const [a, slope] = [net.a[l + 1], net.slope[l + 1]];
      for (let j = 0; j < shares.length; j++) {
        if (Math.abs(slope[j]) >= flat) shares[j] += 1 / data.rows.length;
        alike[l] &&= Math.abs(a[j] - a[0]) <= 1e-9 * Math.abs(a[0]);
      }
    });
  }
  return { live, dead: live.map((shares) => shares.filter((s) => s === 0).length), alike };
}

/* The plane through start, end, and the evaluation that strays farthest from the line between them, in units of that
   line: the run in it, and the training loss on its grid, row by row as long as there is time. */
export function sliceOf(run, side) {
  const { net, data, last } = run,
    [from, to] = [run.theta(0), run.theta(last)],
    axis = to.map((w, i) => w - from[i]),
    dot = (a, b) => a.reduce((sum, w, i) => sum + w * b[i], 0),
    length = dot(axis, axis),
    moved = (k) => run.theta(k).map((w, i) => w - from[i]);
  if (!(length > 0)) return null;
  let across = axis.map(() => 0),
    most = 0,
    [inside, whole] = [0, 0];
  const path = new Float64Array(2 * last + 2);
  for (let k = 0; k <= last; k++) {
    const d = moved(k),
      along = (path[2 * k] = dot(d, axis) / length),
      rest = d.map((w, i) => w - along * axis[i]),
      far = dot(rest, rest);
    if (far > most) [most, across] = [far, rest];
  }
  const unit = Math.sqrt(length / (most || 1));
  across = across.map((w) => w * unit);
  for (let k = 0; k <= last; k++) {
    const d = moved(k);
    path[2 * k + 1] = dot(d, across) / length;
    inside += length * (path[2 * k] ** 2 + path[2 * k + 1] ** 2);
    whole += dot(d, d);
  }
  const bounds = (at) => {
    const places = Array.from({ length: last + 1 }, (_, k) => path[2 * k + at]),
      [lo, hi] = [Math.min(...places), Math.max(...places)];
    return [lo - 0.35, hi + 0.35];
  };
  const x = bounds(0),
    y = bounds(1),
    cells = new Float64Array(side * side),
    theta = new Float64Array(net.size);
  const loss = (a, b) => {
    for (let i = 0; i < theta.length; i++) theta[i] = from[i] + a * axis[i] + b * across[i];
    return net.mean(theta, data);
  };
  let done = 0;
  const slice = { x, y, path, share: inside / whole, loss };
  slice.advance = (until) => {
    const at = ([lo, hi], i) => lo + ((hi - lo) * i) / (side - 1);
    for (; done < cells.length && performance.now() < until; done++)
      cells[done] = loss(at(x, done % side), at(y, Math.floor(done / side)));
    return (slice.done = done === cells.length);
  };
  slice.at = ([a, b]) => {
    const place = ([lo, hi], v) => oc.clamp(((v - lo) / (hi - lo)) * (side - 1), 0, side - 1.000001),
      [p, q] = [place(x, a), place(y, b)],
      [i, j] = [Math.floor(p), Math.floor(q)],
      row = (k) => cells[k * side + i] * (1 - p + i) + cells[k * side + i + 1] * (p - i);
    return row(j) * (1 - q + j) + row(j + 1) * (q - j);
  };
  return slice;
}
