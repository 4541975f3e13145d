/* Ticks of an axis, and the scales of sliders. */
import { fmt } from "./numbers.js";

const SUPERSCRIPT = [..."⁰¹²³⁴⁵⁶⁷⁸⁹"];
const power = (e) =>
  e === 0
    ? "1"
    : e === 1
      ? "10"
      : "10" + (e < 0 ? "⁻" : "") + [...`${Math.abs(e)}`].map((d) => SUPERSCRIPT[d]).join("");
export function ticks([lo, hi], log, room) {
  if (log) {
    const [a, b] = [Math.ceil(Math.log10(lo) - 1e-9), Math.floor(Math.log10(hi) + 1e-9)];
    const stride = Math.max(1, Math.ceil((b - a + 1) / room));
    const out = [];
    for (let e = Math.ceil(a / stride) * stride; e <= b; e += stride) out.push([10 ** e, power(e)]);
    return out;
  }
  const raw = (hi - lo) / room,
    unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * unit >= raw * 0.999) * unit;
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)),
    out = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9 && out.length < 50; k++)
    out.push([
      k * step,
      places > 4 || Math.abs(k * step) >= 1e5 ? fmt(k * step) : (k * step).toFixed(places).replace(/^-/, "−"),
    ]);
  return out;
}

/* Slider positions 0…1 to values and back. beta: 1 − β runs on a log scale; log0: zero, then a log scale. */
export const SCALES = {
  linear: (lo, hi) => [(p) => lo + (hi - lo) * p, (v) => (v - lo) / (hi - lo)],
  log: (lo, hi) => [(p) => lo * (hi / lo) ** p, (v) => Math.log(v / lo) / Math.log(hi / lo)],
  log0: (lo, hi) => [
    (p) => (p <= 0 ? 0 : lo * (hi / lo) ** p),
    (v) => (v <= 0 ? 0 : Math.log(v / lo) / Math.log(hi / lo)),
  ],
  beta: (lo, hi) => [
    (p) => 1 - (1 - lo) * ((1 - hi) / (1 - lo)) ** p,
    (v) => Math.log((1 - v) / (1 - lo)) / Math.log((1 - hi) / (1 - lo)),
  ],
};
/* Of the values that belong to a slider's stop the one with the fewest digits, so that 0.1 or 45 is not missed by a
   hair; the ends are kept. */
export const roundest = (stop, n, [from, to], scale) => {
  const v = from(stop / n);
  for (let digits = 1; digits < 9 && stop > 0 && stop < n; digits++) {
    const near = scale === "beta" ? +(1 - +(1 - v).toPrecision(digits)).toPrecision(12) : +v.toPrecision(digits);
    if (Math.abs(to(near) * n - stop) < 0.5) return near;
  }
  return +v.toPrecision(12);
};
