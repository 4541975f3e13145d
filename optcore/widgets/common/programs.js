/* Functions traced in Python: flat arrays in and out, names mapped to offsets; and descent along them. */

/* What traced code may call. */
// biome-ignore format: a test holds it against optcore.symbolic.JS_HELPERS.
export const H={
  pow:(a,b)=>a===1||b===0||a===-1&&(b===Infinity||b===-Infinity)?1:Math.pow(a,b),
  mod:(a,b)=>{const r=a%b;return r!==0&&r<0!==b<0?r+b:r}
};
const compiled = new WeakMap();
export function program(traced) {
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

export function surface(traced) {
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
export const DIVERGED = 1e6;
export function descend(surf, traced, { start, lr, steps, params, hyper = {}, noise, into }) {
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
    { w: atW, t: atT, lr: atLr } = rule.in;
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
    const rate = of(lr, t);
    if (atLr !== undefined) x[atLr] = rate;
    rule.run(x, y);
    for (let i = 0; i < n; i++) w[i] -= rate * y[i];
    for (let i = n; i < y.length; i++) x[i] = y[i];
  }
}
