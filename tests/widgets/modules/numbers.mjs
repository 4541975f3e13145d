import {
  clamp,
  eig2,
  fmt,
  inWords,
  linspace,
  memo,
  plain,
  revive,
  same,
} from "../../../optcore/widgets/common/numbers.js";
import { deepEqual, equal, ok } from "./dom.mjs";

// numbers are written short, with a minus sign that does not break lines
for (const [x, text] of [
  [0, "0"],
  [-0, "0"],
  [2.2e-16, "0"],
  [-1e-219, "0"],
  [2e-14, "2e−14"],
  [1234567, "1.23e6"],
  [-12.345, "−12.3"],
  [0.00012345, "1.23e−4"],
  [999.6, "1000"],
  [0.001, "0.001"],
  [Infinity, "∞"],
  [-Infinity, "−∞"],
  [NaN, "nan"],
  ["x", "nan"],
])
  equal(fmt(x), text);
equal(fmt(0.123456, 5), "0.12346");

equal(clamp(5, 0, 1), 1);
equal(clamp(-5, 0, 1), 0);
deepEqual([...linspace(0, 1, 5)], [0, 0.25, 0.5, 0.75, 1]);
deepEqual([...linspace(2, 3, 1)], [2]);
ok(same([NaN, 1], [NaN, 1]) && !same([1], [1, 2]) && !same([0], [-0]));

// eigenvalues of [[2, 1], [1, 2]]
deepEqual(eig2(2, 1, 2), [1, 3]);

let runs = 0;
const add = memo((a, b) => (runs++, a + b));
equal(add(1, 2) + add(1, 2) + add(1, 3), 10);
equal(runs, 2);

const value = { a: [1, NaN, { b: -Infinity }], c: "text", d: null, e: true };
deepEqual(plain(value), { a: [1, "NaN", { b: "-Infinity" }], c: "text", d: null, e: true });
deepEqual(revive(JSON.parse(JSON.stringify(plain(value)))), value);
deepEqual(Object.keys(plain({ gone: undefined, kept: null })), ["kept"]); // as JSON has it: an echo equals what was sent
equal(revive("toString"), "toString");

equal(inWords([1, [0.5, -2]]), "(1, (0.5, −2))");
deepEqual([inWords("cosine"), inWords(null), inWords(true)], ["cosine", "as at first", "true"]);
