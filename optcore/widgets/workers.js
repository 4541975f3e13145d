/* Workers that share a step: the expected loss of stochastic gradient descent on a noisy quadratic, with delayed
   gradients, at the best constant rate. Settings: `workers`, `batch`, `pieces`, `delay`, `count` ("steps", "examples"
   or "time"). */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { curvature, noise, target, rates, cost, limit, alone, counts } = ui.spec,
      { fmt } = oc;
    const plot = ui.plot({
      label: "Expected loss",
      ratio: 2.1,
      narrow: 1.25,
      title: "Expected loss: your machines (●) and one alone (■)",
      xlabel: " ",
      logx: true,
      logy: true,
      x: [1, 10],
      y: [target / 2, 1.5],
    });
    const powers = (key, label, max, tip) => {
      ui.slider(key, { label, min: 1, max, scale: "log", int: true, steps: Math.log2(max), tip });
      const clean = ui.fields[key];
      ui.field(key, (v, ...rest) => 2 ** Math.round(Math.log2(clean(v, ...rest))));
    };
    powers("workers", "Workers k", 64, "Each computes a gradient; the step uses their mean.");
    powers("batch", "Examples in a pass", 32, "As many as the memory of a worker holds; each takes one unit of time.");
    powers("pieces", "Passes accumulated", 16, "Gradients that a worker adds up before it sends the sum.");
    ui.slider("delay", {
      label: "Delay τ",
      min: 0,
      max: 8,
      int: true,
      tip: "Steps by which a gradient is late; while it travels, the workers go on.",
    });
    ui.select("count", {
      label: "Loss against",
      options: Object.entries(counts).map(([value, label]) => ({ value, label })),
    });

    /* Expected losses until the target is met, or nothing: a mean, and the share of each past step's noise. Both keep
       the last delay + 1 values in turn, so that the oldest gives way to the next. */
    const run = (lr, total, delay, most) => {
      const kept = delay + 1,
        mean = curvature.map(() => new Float64Array(kept).fill(1)),
        echo = curvature.map(() => new Float64Array(kept).fill(1, 0, 1)),
        sum = curvature.map(() => 0),
        losses = [];
      for (let t = 0; t <= most; t++) {
        const now = t % kept,
          next = (t + 1) % kept;
        let loss = 0,
          floor = 0;
        curvature.forEach((h, i) => {
          const [m, f] = [mean[i], echo[i]];
          floor += (h * h * noise * lr * lr * sum[i]) / (2 * total);
          loss += m[now] ** 2 / curvature.length;
          sum[i] += f[now] ** 2;
          m[next] = m[now] - lr * h * m[next];
          f[next] = f[now] - lr * h * f[next];
        });
        losses.push(loss + floor);
        if (loss + floor < target) return losses;
        if (floor >= target) return;
      }
    };
    const best = oc.memo((total, delay) => {
      let found = { losses: { length: limit + 2 } };
      for (const rate of rates) {
        const losses = run(rate, total, delay, found.losses.length - 2);
        if (losses) found = { rate, losses };
      }
      return found;
    });
    const one = best(alone, 0);

    return ui.run((v) => {
      const local = v.batch * v.pieces,
        total = v.workers * local,
        travel = v.workers > 1 ? cost : 0,
        pace = Math.max(local, (local + travel) / (v.delay + 1)),
        units = { steps: [1, 1], examples: [total, alone], time: [pace, alone] };
      const { rate, losses } = best(total, v.delay),
        runs = [losses, one.losses],
        needed = (key) => runs.map((list, i) => (list.length - 1) * units[key][i]),
        ratio = (key) => needed(key)[0] / needed(key)[1];
      plot.xlabel = counts[v.count];
      plot.range({ x: [Math.min(...units[v.count]), 1.5 * Math.max(...needed(v.count))] });
      plot.axes();
      plot.rule({ y: target });
      runs.forEach((list, i) => {
        const at = (t) => (t + 1) * units[v.count][i],
          style = { n: list.length - 1, color: i ? "muted" : "accent", width: 2 };
        plot.line(at, (t) => list[t + 1], style);
        plot.dot(at(style.n - 1), list[style.n], { ...style, shape: i });
      });
      ui.facts({ faster: 1 / ratio("time"), dearer: ratio("examples") });
      const [steps, examples, time] = Object.keys(counts).map((key) => fmt(needed(key)[0]));
      return (
        `A step uses ${total} examples and takes ${fmt(pace)} units of time. ` +
        `At the best rate, ${fmt(rate)}, the loss is below ${target} after ${steps} steps, ${examples} examples, ` +
        `${time} units of time. Of what one worker with ` +
        `${alone} examples a step needs, that is a factor ${fmt(ratio(v.count))} in ${counts[v.count]}.`
      );
    });
  },
};
