import { DIVERGED, descend, H, program, surface } from "../../../optcore/widgets/common/programs.js";
import { deepEqual, equal, ok } from "./dom.mjs";

// as Python: 1 to any power is 1, -1 to an infinite one; the sign of a remainder is that of the divisor
deepEqual([H.pow(1, NaN), H.pow(-1, Infinity), H.pow(NaN, 0), H.pow(2, 10)], [1, 1, 1, 1024]);
deepEqual([H.mod(-1, 3), H.mod(1, -3), H.mod(-6, 3), H.mod(5, 3)], [2, -2, -0, 2]);

// f = k (w₀² + 4 w₁²)/2 with its gradient and Hessian
const bowl = {
  inputs: [
    ["w", [2]],
    ["k", []],
  ],
  outputs: [
    ["f", []],
    ["grad", [2]],
    ["hess", [2, 2]],
  ],
  params: [{ name: "k", default: 1 }],
  js: "y[0]=x[2]*(x[0]*x[0]+4*x[1]*x[1])/2;y[1]=x[2]*x[0];y[2]=4*x[2]*x[1];y[3]=x[2];y[4]=0;y[5]=0;y[6]=4*x[2];",
};
const one = program(bowl);
equal(program(bowl), one); // compiled once
deepEqual([one.x.length, one.y.length, one.in, one.out], [3, 7, { w: 0, k: 2 }, { f: 0, grad: 1, hess: 3 }]);
const s = surface(bowl);
equal(s.n, 2);
equal(s.f([1, 1]), 2.5);
deepEqual([...s.grad([1, 1], { k: 2 })], [2, 8]);
deepEqual([...s.hess([0, 0], { k: 3 })], [3, 0, 0, 12]);

// gradient descent with momentum: m ← beta m + g, d = m
const rule = {
  inputs: [
    ["g", [2]],
    ["m", [2]],
    ["beta", []],
    ["t", []],
  ],
  outputs: [
    ["d", [2]],
    ["m", [2]],
  ],
  state0: [0, 0],
  hyper: [{ name: "beta", default: 0.5 }],
  js: "y[0]=x[4]*x[2]+x[0];y[1]=x[4]*x[3]+x[1];y[2]=y[0];y[3]=y[1];",
};
const start = [1, 1],
  run = descend(s, rule, { start, lr: 0.1, steps: 2, params: { k: 1 } });
const w1 = [1 - 0.1, 1 - 0.4],
  w2 = [w1[0] - 0.1 * (0.5 + w1[0]), w1[1] - 0.1 * (0.5 * 4 + 4 * w1[1])];
deepEqual([...run.points], [...start, ...w1, ...w2]);
deepEqual([run.end, run.diverged, run.loss[0], run.slope[0]], [2, false, 2.5, Math.sqrt(17)]);

// arrays hold one value a step; noise is added to the gradient; an earlier result lends its arrays
const again = descend(s, rule, {
  start,
  lr: [0.1, 0],
  steps: 2,
  hyper: { beta: 0, other: 1 },
  noise: [1, 0, 0, 0, 0, 0],
  into: run,
});
equal(again.points, run.points);
deepEqual([...again.points].slice(2, 4), [1 - 0.1 * 2, 1 - 0.1 * 4]);
deepEqual([...again.points].slice(4, 6), [...again.points].slice(2, 4));

const far = descend(s, rule, { start, lr: 100, steps: 50 });
ok(far.diverged && far.end < 50 && Math.max(...far.points.subarray(2 * far.end).map(Math.abs)) > DIVERGED);
