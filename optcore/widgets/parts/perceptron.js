/* A multilayer perceptron with one output, and the loop that trains it, in flat arrays that are made once. Parameters
   lie as in optcore.Network: all matrices (in, out) by rows, then all biases. */
export function perceptron(sizes, phi, cost) {
  const depth = sizes.length - 1,
    W = [],
    b = [],
    make = () => sizes.map((n) => new Float64Array(n)),
    [a, slope, delta] = [make(), make(), make()];
  let size = 0;
  for (let l = 0; l < depth; l++) [W[l], size] = [size, size + sizes[l] * sizes[l + 1]];
  const matrices = size;
  for (let l = 0; l < depth; l++) [b[l], size] = [size, size + sizes[l + 1]];

  const forward = (theta, X, row) => {
    for (let i = 0; i < sizes[0]; i++) a[0][i] = X[row * sizes[0] + i];
    for (let l = 0; l < depth; l++) {
      const from = a[l],
        to = a[l + 1],
        slopes = slope[l + 1],
        n = to.length;
      for (let j = 0; j < n; j++) to[j] = theta[b[l] + j];
      let i = 0,
        k = W[l];
      for (; i + 3 < from.length; i += 4, k += 4 * n) {
        // four rows at a time: half the time, and the same sum
        const [p, q, r, s] = [from[i], from[i + 1], from[i + 2], from[i + 3]];
        for (let j = 0, c = k; j < n; j++, c++)
          to[j] = to[j] + p * theta[c] + q * theta[c + n] + r * theta[c + 2 * n] + s * theta[c + 3 * n];
      }
      for (; i < from.length; i++) for (let j = 0; j < n; j++, k++) to[j] += from[i] * theta[k];
      if (l < depth - 1)
        for (let j = 0; j < n; j++) {
          phi.x[0] = to[j];
          phi.run(phi.x, phi.y);
          to[j] = phi.y[0];
          slopes[j] = phi.y[1];
        }
    }
    return a[depth][0];
  };
  const backward = (theta, grad, g) => {
    delta[depth][0] = g;
    for (let l = depth - 1; l >= 0; l--) {
      const from = a[l],
        below = delta[l],
        slopes = slope[l],
        above = delta[l + 1],
        n = above.length;
      for (let j = 0; j < n; j++) grad[b[l] + j] += above[j];
      for (let i = 0, k = W[l]; i < from.length; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++, k++) {
          grad[k] += from[i] * above[j];
          sum += theta[k] * above[j];
        }
        below[i] = sum * slopes[i];
      }
    }
  };
  const net = { sizes, depth, W, b, size, matrices, a, slope, forward, right: NaN };
  /* The mean loss on `count` of the samples, rows[begin …]; its gradient into `grad`, where there is one; the share
     that is classified right into `net.right`. */
  net.mean = (theta, { X, y, rows }, grad, order = rows, begin = 0, count = order.length) => {
    let loss = 0,
      right = 0;
    grad?.fill(0);
    for (let k = begin; k < begin + count; k++) {
      const row = order[k],
        z = forward(theta, X, row);
      cost.x[0] = z;
      cost.x[1] = y[row];
      cost.run(cost.x, cost.y);
      loss += cost.y[0];
      if (z > 0 === y[row] > 0) right++;
      if (grad) backward(theta, grad, cost.y[1] / count);
    }
    net.right = right / count;
    return loss / count;
  };
  return net;
}

/* A traced rule for one parameter as one loop over all: (x, gradient, states, parameters, rate), the states one after
   the other. What does not differ from parameter to parameter (powers of the step, say) is computed before the loop. */
const made = new WeakMap();
export function fused(rule, size) {
  const known = made.get(rule) ?? new Map();
  made.set(rule, known);
  if (!known.has(size)) known.set(size, write(rule, size));
  return known.get(size);
}
function write(rule, size) {
  const { js, outputs } = rule,
    { x, in: at } = oc.program(rule),
    kept = outputs.length - 1,
    names = new Map([[`x[0]`, "g[k]"]]);
  for (let s = 0; s < kept; s++) names.set(`x[${s + 1}]`, `state[${s * size}+k]`);
  if ("w" in at) names.set(`x[${at.w}]`, "theta[k]");
  for (const p of rule.hyper) x[at[p.name]] = p.default;
  const varying = new Set(names.keys()),
    [once, each] = [[], []];
  for (const line of js.split(";")) {
    const [, name, value] = line.match(/^(?:const )?(\S+?)=(.*)$/s) ?? [];
    if (!name) continue;
    const reads = value.match(/\bx\[\d+\]|\bt\d+\b/g) ?? [],
      inside = value.replace(/\bx\[\d+\]/g, (r) => names.get(r) ?? r),
      out = name.match(/^y\[(\d+)\]$/);
    if (out) each.push(+out[1] ? `state[${(out[1] - 1) * size}+k]=${inside}` : `theta[k]-=rate*(${inside})`);
    else if (reads.some((r) => varying.has(r))) varying.add(name), each.push(`const ${name}=${inside}`);
    else once.push(line);
  }
  const code = `${once.join(";")};for(let k=0;k<${size};k++){${each.join(";")}}`;
  return new Function("H", "x", "g", "state", "theta", "rate", code);
}

/* One run: the function that is returned makes an update of theta by the traced rule. `rates` has the learning rate of
   each step; `shuffle` makes the order of the samples for an epoch; `pull` adds the gradient of a penalty. */
export function trainer(net, rule, { theta, data, batch, rates, shuffle, pull }) {
  const { x, in: at } = oc.program(rule),
    { size } = net,
    update = fused(rule, size),
    state = new Float64Array((rule.outputs.length - 1) * size),
    grad = new Float64Array(size),
    order = data.rows.slice(),
    n = order.length;
  rule.state0.forEach((v, s) => state.fill(v, s * size, (s + 1) * size));
  let place = n,
    epoch = 0,
    t = 0;
  return () => {
    if (place >= n) {
      if (batch < n) shuffle(order, epoch++);
      place = 0;
    }
    const count = Math.min(batch, n - place),
      rate = rates[t++];
    net.mean(theta, data, grad, order, place, count);
    place += count;
    pull?.(grad, theta);
    if (at.t !== undefined) x[at.t] = t;
    if (at.lr !== undefined) x[at.lr] = rate;
    update(oc.HELPERS, x, grad, state, theta, rate);
  };
}
