import { deepEqual, drawn, equal, frame, ok, placed, widget } from "./dom.mjs";

const { plot, ui } = await widget({ draw: (_, p) => (p.axes(), "Drawn.") });
deepEqual([plot.left, plot.right, plot.top, plot.bottom], [40, 180, 8, 116]);
deepEqual([plot.X(0), plot.X(10), plot.Y(0), plot.Y(10)], [40, 180, 116, 8]);
ok(Math.abs(plot.xAt(plot.X(3.3)) - 3.3) < 1e-12 && Math.abs(plot.yAt(plot.Y(7)) - 7) < 1e-12);
ok(Number.isNaN(plot.X(NaN)));
equal(plot.X(1e300), 40 + 1e4); // just outside

// bad limits are ignored
for (const bad of [[1, 0], [0, 0], [NaN, 1], [0, Infinity], null]) plot.range({ x: bad });
deepEqual(plot.x, [0, 10]);
plot.logx = true;
plot.range({ x: [0, 10] });
plot.range({ x: [1e-2, 1e2] });
equal(Math.round(plot.X(1)), 110);
equal(plot.X(0), 40 - 1e4);
ok(Math.abs(plot.xAt(plot.X(0.3)) - 0.3) < 1e-9);

// a box without a size, or with the same, asks for no drawing
const { width } = plot.canvas;
plot.box.clientWidth = 0;
plot.resize();
equal(plot.canvas.width, width);
plot.box.clientWidth = 294;
plot.resize();
equal(plot.canvas.width, 294);
ok(ui.frame);

const { plot: named } = await widget({
  options: { xlabel: "step", ylabel: "loss" },
  draw: (_, p) => (p.axes(), "Drawn."),
});
deepEqual([named.left, named.bottom], [56, 100]);

// what lies still is painted once, in the canvas below, until a key of it changes; what moves is drawn each time
const { plot: p, ui: u } = await widget({
  value: { key: 1, at: 2 },
  draw: ({ key, at }, q) => (q.axes(), q.still([key], () => q.line([0, 1], [0, 1])), q.dot(at, at), "Drawn."),
});
const strokes = () => [p.ground, p.canvas].map((canvas) => drawn(canvas, "stroke").length);
const first = strokes();
deepEqual(first, [2, 1]); // axes and line; the edge of the dot
u.set({ at: 3 });
frame();
deepEqual(strokes(), [2, 2]);
u.set({ key: 2 });
frame();
deepEqual(strokes(), [4, 3]);
p.range({ x: [0, 20] });
u.redraw();
frame();
deepEqual(strokes(), [6, 4]);
u.retheme();
frame();
deepEqual(strokes(), [8, 5]);

// what the axes say, and where: numbers below and left of their ticks, names in the middle, all on the canvas
for (const dpr of [1, 2]) {
  globalThis.devicePixelRatio = dpr;
  for (const [clientWidth, clientHeight, across, up] of [
    [210, 160, 3, 3],
    [640, 400, 6, 6],
  ]) {
    const { plot: q, ui: asked } = await widget({
      options: { xlabel: "step", ylabel: "loss" },
      draw: (_, r) => (r.axes(), r.dot(5, 5), "Drawn."),
    });
    Object.assign(q.box, { clientWidth, clientHeight });
    q.resize();
    for (const canvas of [q.ground, q.canvas]) canvas.getContext().places.length = 0;
    asked.redraw();
    frame();
    const said = placed(q.ground, "fillText").map(([text, x, y]) => [text, Math.round(x / dpr), Math.round(y / dpr)]);
    deepEqual(said.splice(-2), [
      ["step", Math.round((56 + clientWidth - 14) / 2), clientHeight - 10],
      ["loss", 10, Math.round((8 + clientHeight - 40) / 2)],
    ]);
    const [xs, ys] = [said.filter(([, , y]) => y === clientHeight - 34), said.filter(([, x]) => x === 50)];
    deepEqual([xs.length, ys.length, said.length], [across, up, across + up]);
    for (const [text, x] of xs) ok(Math.abs(x - Math.min(q.X(+text), clientWidth - 3 * text.length)) <= 1.5, text);
    const rooms = drawn(q.ground, "fillText").filter(([, , x]) => x === 50);
    ok(rooms.length >= up && rooms.every(([, , , , room]) => room === 32)); // right of the name at 10 px
    for (const [text, , y] of ys) ok(Math.abs(y - q.Y(+text)) <= 1.5, text);
    deepEqual(
      placed(q.ground, "lineTo").map((at) => at.map((v) => Math.round(v / dpr - 0.25))),
      [
        ...xs.map(([text]) => [Math.round(q.X(+text)), clientHeight - 36]),
        ...ys.map(([text]) => [52, Math.round(q.Y(+text))]),
      ],
    );
    const dots = placed(q.canvas, "lineTo").map((at) => at.map((v, k) => v / dpr - [q.X(5), q.Y(5)][k]));
    ok(dots.length === 24 && dots.every((at) => Math.abs(Math.hypot(...at) - 5) < 1e-9));
  }
}
globalThis.devicePixelRatio = 1;
