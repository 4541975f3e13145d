export const percent = (share) => `${oc.fmt(100 * share)}%`;

/* The place of the smallest number. */
export const lowest = (list) => list.reduce((low, x, i) => (x < list[low] ? i : low), 0);

/* Why a run is where it is at evaluation k: the first of the criteria of optcore.widgets.classifier that holds. */
export function diagnosis({ loss, held, right, norms, step }, k, { live, dead, alike }, criteria, v) {
  const { fmt } = oc,
    rows = norms.length,
    range = (list, from) => list.subarray(Math.max(0, from), k + 1);
  if (!(loss[k] <= criteria.gone * loss[0]))
    return (
      `It diverges: the training loss is ${fmt(loss[k])} at step ${step(k)}, ` +
      `above ${criteria.gone} times its start.`
    );

  const layer = dead.findIndex((count, l) => count === live[l].length);
  if (layer >= 0)
    return (
      `Layer ${layer + 1} is dead: all its units have a slope below ${criteria.flat} at every training point, ` +
      "so that next to no gradient passes."
    );
  const twins = alike.indexOf(true);
  if (twins >= 0) return `The units of layer ${twins + 1} are all alike: they get equal gradients and stay alike.`;
  const learned = right[k] >= criteria.right,
    passed = norms[0][k] / norms[rows - 1][k],
    first = Math.max(...norms.map((norm) => norm[0]));
  if (!learned && first < criteria.vanish)
    return `Gradients vanish: at the start no layer's is above ${fmt(first)}, because no signal comes through.`;
  if (!learned && passed < criteria.vanish)
    return `Gradients vanish: that of layer 1 is ${fmt(passed)} of that of layer ${rows}.`;

  let [low, rise] = [Infinity, [1, 1]];
  for (const now of range(loss, k - Math.floor(k / 4))) {
    low = Math.min(low, now);
    if (now > criteria.high * loss[0] && now / low > rise[1] / rise[0]) rise = [low, now];
  }
  if (k >= 8 && rise[1] > criteria.jump * rise[0])
    return (
      `It jumps: in the last quarter the training loss rose from ${fmt(rise[0])} to ${fmt(rise[1])}; ` +
      `the rate is too large for batches of ${v.batch}.`
    );
  const best = lowest(range(held, 0));
  if (held[k] > criteria.overfit * held[best])
    return (
      `It overfits: the held-out loss is ${fmt(held[k] / held[best])} times its lowest, ` +
      `${fmt(held[best])} at step ${step(best)}.`
    );
  if (learned) return `It has learned the points: ${percent(right[k])} are right.`;
  if (k === 0) return "Nothing is learned yet: this is the start.";
  const before = loss[Math.max(0, k - Math.ceil(k / 10))],
    all = live.reduce((n, shares) => n + shares.length, 0),
    gone = dead.reduce((a, b) => a + b);
  if (2 * gone >= all)
    return `${gone} of ${all} units are dead, and the rest cannot do it: ${percent(right[k])} are right.`;
  if (loss[k] < (1 - criteria.fall) * before)
    return (
      "It is still learning: over the last tenth of the steps the training loss fell by " +
      `${percent(1 - loss[k] / before)}.`
    );
  return (
    "It is stuck: over the last tenth of the steps the training loss hardly moved, and " +
    `${percent(right[k])} of the points are right.`
  );
}
