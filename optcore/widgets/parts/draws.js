/* The draws of optcore.widgets.draws: random numbers by seed and number, the same in both homes. */
export const uniform = (seed, i) => {
  const a = (seed + Math.imul(i + 1, 0x6d2b79f5)) | 0,
    s = Math.imul(a ^ (a >>> 15), a | 1),
    t = s ^ (s + Math.imul(s ^ (s >>> 7), s | 61));
  return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
};
export const normal = (seed, begin, count) => {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const r = Math.sqrt(-2 * Math.log(uniform(seed, begin + i))),
      t = Math.tan(Math.PI * uniform(seed, begin + i + 1)), // of half the angle: one call for its cosine and sine
      part = r / (1 + t * t);
    out[i] = (1 - t * t) * part;
    out[i + 1] = 2 * t * part; // left out where the count is odd
  }
  return out;
};
