/* The explorer's map: final loss over learning rate × one hyper-parameter, N × N runs, coarse first, a few milliseconds
   a frame. `runs` holds what the explorer computes its paths with. */
export function phaseDiagram(ui, runs) {
  const { spec } = ui,
    { fmt } = oc,
    { runOf, paramsOf, hyperOf, curvatures } = runs;
  const N = 120,
    { rule: index, x: sx, y: sy } = spec.phase,
    rule = spec.rules[index];
  const axes = [sx, sy].map((s) => ({ ...s, scale: oc.scale(s), kind: s.scale }));
  const ticks = ({ kind, min, max, scale: [, to] }) => {
    const list =
      kind === "beta"
        ? [0, 0.9, 0.99, 0.999, 0.9999].filter((v) => v >= min && v <= max).map((v) => [v, String(v)])
        : oc.ticks([min, max], kind === "log", 8);
    return list.map(([v, text]) => [to(v), text]);
  };
  const plot = ui.plot({
    title:
      `Where ${rule.label} ends: dark is a low loss, ◇ the lowest, striped diverged. ` +
      `${sx.label} across, ${sy.label} up.`,
    label: `Map of the final loss of ${rule.label} over ${sx.label} and ${sy.label}`,
    ratio: 2.2,
    narrow: 1.2,
    xticks: ticks(axes[0]),
    yticks: ticks(axes[1]),
  });
  const at = (axis, p) => oc.roundest(p * 600, 600, axis.scale, axis.kind);
  const move = ([px, py]) => ui.set({ [sx.key]: at(axes[0], px), [sy.key]: at(axes[1], py) });
  plot.handle(
    { get: () => axes.map((a) => oc.clamp(a.scale[1](ui.value[a.key]), 0, 1)), set: move },
    { label: `${sx.label} and ${sy.label}`, color: "warn" },
  );
  plot.pick(move);
  if (rule.name === "momentum" && spec.surface.quadratic)
    ui.button(
      "Best η and β by the formulas",
      () => {
        const [mu, L] = curvatures(ui.value).map(Math.sqrt);
        ui.set({ [sx.key]: 4 / (L + mu) ** 2, [sy.key]: ((L - mu) / (L + mu)) ** 2 });
      },
      { tip: "η = 4/(√L + √μ)², β = ((√L − √μ)/(√L + √μ))²: between stops of the sliders" },
    );

  // cells in passes of halving stride; a cell of a coarse pass fills its block until finer ones arrive
  const order = [];
  for (const stride of [8, 4, 2, 1])
    for (let j = 0; j < N; j += stride)
      for (let i = 0; i < N; i += stride)
        if (stride === 8 || i % (2 * stride) || j % (2 * stride)) order.push([i, j, stride]);
  const cells = new Float32Array(N * N); // the power of ten of what is left of the loss
  let done = 0,
    buffers,
    best,
    paints = 0;
  const restart = oc.memo(() => ((done = 0), (buffers = best = undefined)));

  const draw = (value, lowest) => {
    const others = Object.entries(hyperOf(rule, value)).filter(
      (_, k) => ![sx.key, sy.key].includes(Object.values(rule.hyper)[k]),
    );
    restart(
      ...value.start,
      value.steps,
      value.noise,
      value.schedule,
      ...Object.values(paramsOf(value)),
      ...others.flat(),
    );
    const until = performance.now() + (done ? 8 : 2), // little while a control moves
      params = paramsOf(value),
      before = done;
    const known = Number.isFinite(lowest);
    while (done < order.length && (done % 8 || performance.now() < until)) {
      const [i, j, stride] = order[done++],
        lr = axes[0].scale[0]((i + 0.5) / N),
        v = axes[1].scale[0]((j + 0.5) / N);
      buffers = runOf(rule, value, { lr, [spec.phase.name]: v }, { params, into: buffers });
      const gap = known ? (k) => buffers.loss[k] - lowest : (k) => buffers.slope[k];
      const fall = buffers.diverged ? NaN : Math.log10(Math.max(gap(buffers.end), 1e-300) / gap(0));
      if (fall < (best?.fall ?? 0)) best = { fall, lr, v };
      for (let b = j; b < Math.min(j + stride, N); b++) cells.fill(fall, b * N + i, b * N + Math.min(i + stride, N));
    }
    if (done > before) paints++;
    if (done < order.length) ui.redraw();
    const low = oc.rgb(ui.theme.low),
      high = oc.rgb(ui.theme.high),
      gone = [0.4, 0.6].map((t) => oc.mix(high, oc.rgb(ui.theme.warn), t));
    const shade = (fall) => oc.mix(low, high, oc.clamp(1 - fall / (best?.fall ?? -1), 0, 1));
    plot.image(N, N, (i, j) => (Number.isNaN(cells[j * N + i]) ? gone[((i + j) >> 2) & 1] : shade(cells[j * N + i])), [
      paints,
    ]);
    plot.axes({ grid: false });
    if (done === order.length && best)
      plot.dot(axes[0].scale[1](best.lr), axes[1].scale[1](best.v), { hollow: true, shape: 3, size: 4, color: "fg" });
  };
  const reading = () =>
    done === order.length && best && `Lowest on the map: ${sx.label} ${fmt(best.lr)}, ${sy.label} ${fmt(best.v)}.`;
  return { draw, reading };
}
