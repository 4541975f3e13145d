/* Numbers: how they are written, compared, kept, and sent to Python and back. */

export const clamp = (x, lo, hi) => Math.min(Math.max(x, lo), hi);
export const linspace = (a, b, n) =>
  Float64Array.from({ length: n }, (_, i) => (n < 2 ? a : a + ((b - a) * i) / (n - 1)));
export const same = (a, b) => a.length === b.length && a.every((v, i) => Object.is(v, b[i]));

/* What is smaller is what rounding leaves of zero. */
export const TINY = 1e-14;
export function fmt(x, digits = 3) {
  if (typeof x !== "number" || Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const a = Math.abs(x);
  if (a < TINY) return "0";
  if (a < 1e-3 || a >= 1e6) {
    const [m, e] = x.toExponential(digits - 1).split("e");
    return `${+m}e${+e}`.replaceAll("-", "−"); // the minus sign, which does not break lines
  }
  return String(a >= 10 ** digits ? Math.round(x) : +x.toPrecision(digits)).replace(/^-/, "−");
}

/* A value of a setting, in words. */
export const inWords = (v) =>
  typeof v === "number"
    ? fmt(v)
    : Array.isArray(v)
      ? `(${v.map(inWords).join(", ")})`
      : v === null
        ? "as at first"
        : `${v}`;

export function memo(fn) {
  let last, result;
  return (...args) => {
    if (!last || !same(last, args)) [last, result] = [args, fn(...args)];
    return result;
  };
}

export const eig2 = (a, b, c) => {
  const m = (a + c) / 2,
    r = Math.hypot((a - c) / 2, b);
  return [m - r, m + r];
};

/* JSON has no nan or inf: Python sends them as the strings that Number() reads. */
const NON_FINITE = { NaN, Infinity, "-Infinity": -Infinity };
export function revive(x) {
  if (typeof x === "string") return Object.hasOwn(NON_FINITE, x) ? NON_FINITE[x] : x;
  if (Array.isArray(x)) return x.map(revive);
  return x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, revive(v)])) : x;
}
export function plain(x) {
  if (typeof x === "number") return Number.isFinite(x) ? x : String(x);
  if (Array.isArray(x)) return x.map(plain);
  if (!x || typeof x !== "object") return x;
  return Object.fromEntries(Object.entries(x).flatMap(([k, v]) => (v === undefined ? [] : [[k, plain(v)]])));
}
export const alike = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));
