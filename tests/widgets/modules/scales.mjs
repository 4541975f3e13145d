import { roundest, SCALES, ticks } from "../../../optcore/widgets/common/scales.js";
import { deepEqual, equal, ok } from "./dom.mjs";

const words = (...args) => ticks(...args).map(([, text]) => text);
deepEqual(words([0, 1], false, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
deepEqual(words([-2, 2], false, 4), ["−2", "−1", "0", "1", "2"]);
deepEqual(words([0, 3e5], false, 3), ["0", "100000", "200000", "300000"]);
deepEqual(words([0.01, 100], true, 9), ["10⁻²", "10⁻¹", "1", "10", "10²"]);
deepEqual(words([1e-6, 1e6], true, 4), ["10⁻⁴", "1", "10⁴"]);
ok(ticks([0, 1e-9], false, 5).every(([v]) => v >= 0 && v <= 1.001e-9));

for (const [name, lo, hi] of [
  ["linear", -2, 5],
  ["log", 1e-4, 10],
  ["log0", 1e-3, 10],
  ["beta", 0, 0.9999],
  ["beta", 0.5, 0.99],
]) {
  const [from, to] = SCALES[name](lo, hi);
  for (const p of [0, 0.25, 0.5, 1]) ok(Math.abs(to(from(p)) - p) < 1e-9, `${name} ${p}`);
  equal(from(0), name === "log0" ? 0 : lo);
  ok(Math.abs(from(1) - hi) < 1e-9);
}

// sliders show round values: 1 − β to two digits, others to three, linear ones to their step
// every stop shows a number that belongs to it, and of those the shortest: no round number between two stops is missed
const STOPS = 200;
for (const [scale, lo, hi, round] of [
  ["beta", 0, 0.9999, [0.1, 0.5, 0.9, 0.99]],
  ["log", 1e-3, 10, [0.001, 0.05, 0.3, 10]],
  ["log0", 1e-5, 1, [0, 0.01, 1]],
  ["linear", 0, 90, [0, 45, 60, 90]],
]) {
  const maps = SCALES[scale](lo, hi),
    shown = Array.from({ length: STOPS + 1 }, (_, k) => roundest(k, STOPS, maps, scale));
  shown.forEach((v, k) => ok(v === 0 || Math.abs(maps[1](v) * STOPS - k) <= 0.5));
  equal(new Set(shown).size, STOPS + 1);
  for (const v of round) ok(shown.includes(v), `${scale} ${v}`);
}
