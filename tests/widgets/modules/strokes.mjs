import { deepEqual, drawn, equal, widget } from "./dom.mjs";

const names = (canvas) => canvas.getContext().calls.map(([name]) => name);
const fresh = (draw) => widget({ draw: (_, plot) => (plot.canvas.getContext().calls.splice(0), draw(plot), "Drawn.") });

// a line has gaps where a value is nan
let { plot } = await fresh((p) => p.line([0, 1, 2, 3, 4], [1, 2, NaN, 4, 5]));
deepEqual(drawn(plot.canvas, "moveTo").length, 2);
equal(drawn(plot.canvas, "lineTo").length, 2);
deepEqual(drawn(plot.canvas, "moveTo")[0].slice(1), [plot.X(0), plot.Y(1)]);

// points closer than half a pixel are one, but for the last
({ plot } = await fresh((p) =>
  p.line(
    (i) => 1 + 1e-4 * i,
    () => 1,
    { n: 100 },
  ),
));
equal(drawn(plot.canvas, "lineTo").length, 1);
equal(drawn(plot.canvas, "lineTo")[0][1], plot.X(1.0099));

// functions of the index, and flat paths
({ plot } = await fresh((p) =>
  p.line(
    (i) => i,
    (i) => i,
    { n: 4 },
  ),
));
equal(drawn(plot.canvas, "lineTo").length, 3);
({ plot } = await fresh((p) => p.path([0, 0, 1, 1, 2, 0])));
equal(drawn(plot.canvas, "lineTo").length, 2);

// a halo is a wider stroke below
({ plot } = await fresh((p) => p.line([0, 1], [0, 1], { halo: true, color: "fg" })));
deepEqual(
  drawn(plot.canvas, "stroke").map(([, color]) => color),
  ["rgb(255, 255, 255)", "rgb(0, 0, 0)"],
);

// shapes have their corners; a point that is no number is left out
for (const [shape, corners] of [
  [0, 24],
  [1, 4],
  [2, 3],
  [5, 5],
  [6, 24],
]) {
  ({ plot } = await fresh((p) => p.dot(1, 1, { shape })));
  equal(drawn(plot.canvas, "lineTo").length, corners);
}
({ plot } = await fresh((p) => (p.dot(NaN, 1), p.text(1, NaN, "x"), p.arrow(1, 1, 1, 1))));
deepEqual(
  names(plot.canvas).filter((n) => /fill|stroke|lineTo/.test(n)),
  [],
);

({ plot } = await fresh((p) => p.bars([0, 1, 2], [3, NaN])));
equal(drawn(plot.canvas, "rect").length, 1);
({ plot } = await fresh((p) => p.area([0, 1], [0, 0], [1, 1])));
equal(drawn(plot.canvas, "lineTo").length, 4);
({ plot } = await fresh((p) => p.rule({ x: 5 })));
deepEqual(drawn(plot.canvas, "lineTo")[0].slice(1), [plot.X(5), plot.bottom]);
// at the edge of the window, where data is clipped, a rule stands just inside; beyond it, it is not moved in
({ plot } = await fresh((p) => (p.rule({ x: p.x[0] }), p.rule({ y: p.y[1] }), p.rule({ x: p.x[1] + 1 }))));
deepEqual(
  drawn(plot.canvas, "lineTo").map(([, px, py]) => [px - plot.left, py - plot.top]),
  [
    [1.5, plot.bottom - plot.top],
    [plot.right - plot.left, 1.5],
    [plot.X(plot.x[1] + 1) - plot.left, plot.bottom - plot.top],
  ],
);
({ plot } = await fresh((p) => p.arrow(0, 0, 10, 10)));
equal(drawn(plot.canvas, "lineTo").length, 3);
({ plot } = await fresh((p) => p.text(5, 5, "word", { dx: 3 })));
deepEqual(drawn(plot.canvas, "fillText")[0].slice(1), ["word", plot.X(5) + 3, plot.Y(5)]);
