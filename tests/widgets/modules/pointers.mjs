import { deepEqual, equal, frame, widget } from "./dom.mjs";

const { ui, plot } = await widget({
  value: {
    start: [5, 5],
    height: 2,
    list: [
      [1, 1],
      [2, 2],
    ],
  },
  setup: (_, p) => {
    p.handle("start", { label: "Start" });
    p.handle("height", { label: "Height", axis: "y", at: 3 });
    p.handles("list", { label: "Point", least: 1, most: 3 });
    p.pick((at) => ui.set({ start: at }));
  },
});
const [start, height] = plot.grips.map((g) => g.el);
equal(plot.grips.length, 4);

// dragged by the place where it was taken
start.fire("pointerdown", { clientX: plot.X(5) + 4, clientY: plot.Y(5) - 3, pointerId: 1 });
start.fire("pointermove", { clientX: plot.X(7) + 4, clientY: plot.Y(6) - 3, pointerId: 1 });
deepEqual(
  ui.value.start.map((v) => +v.toFixed(9)),
  [7, 6],
);
start.fire("pointerup", { pointerId: 1 });
start.fire("pointermove", { clientX: 0, clientY: 0, pointerId: 1 });
deepEqual(
  ui.value.start.map((v) => +v.toFixed(9)),
  [7, 6],
);

// by arrow keys, with Shift a tenth of that; never out of the window
height.fire("keydown", { key: "ArrowUp" });
const step = ui.value.height - 2;
equal(+(plot.Y(2) - plot.Y(2 + step)).toFixed(6), +((plot.right - plot.left) / 40).toFixed(6)); // a fortieth of the width
height.fire("keydown", { key: "ArrowDown", shiftKey: true });
equal(+(ui.value.height - 2 - 0.9 * step).toFixed(9), 0);
const moved = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
for (const [key, way] of Object.entries(moved)) {
  const before = ui.value.start;
  start.fire("keydown", { key });
  deepEqual(
    ui.value.start.map((v, i) => Math.sign(v - before[i])),
    way,
  );
}
for (let i = 0; i < 99; i++) start.fire("keydown", { key: "ArrowRight" });
equal(ui.value.start[0], 10);
frame();
equal(start.attributes["aria-valuenow"], "10");

// Delete removes a point of a list, but not the last one
plot.grips[2].el.fire("keydown", { key: "Delete" });
frame();
deepEqual([ui.value.list, plot.grips.length], [[[2, 2]], 3]);
plot.grips[2].el.fire("keydown", { key: "Delete" });
deepEqual(ui.value.list, [[2, 2]]);

// what Python or a link sets is cleaned
const notes = (changes) => (ui.set(changes), ui.notes.join());
equal(notes({ start: [99, 5] }), "Start was moved into the window");
deepEqual(ui.value.start, [10, 5]);
equal(notes({ start: "x" }), "Start was not a point");
equal(notes({ height: NaN }), "Height was not a number");
equal(
  notes({
    list: [
      [1, NaN],
      [3, 3],
    ],
  }),
  "Point: points that cannot be drawn were left out",
);
deepEqual(ui.value.list, [[3, 3]]);
equal(notes({ list: [] }), "Point: at least 1 needed");

// a mouse picks from its press on, a finger by a tap alone
const at = (x, y, more) => ({ clientX: plot.X(x), clientY: plot.Y(y), pointerId: 2, ...more });
const picked = () => ui.value.start.map((v) => +v.toFixed(9));
const { canvas } = plot;
canvas.fire("pointerdown", at(1, 1, { pointerType: "mouse", button: 0 }));
canvas.fire("pointermove", at(2, 3, { pointerType: "mouse" }));
deepEqual(picked(), [2, 3]);
canvas.fire("pointerup", at(2, 3));
canvas.fire("pointermove", at(5, 5, { pointerType: "mouse" }));
canvas.fire("pointerdown", at(5, 5, { pointerType: "mouse", button: 2 }));
deepEqual(picked(), [2, 3]);
const finger = { pointerType: "touch", button: 0 };
canvas.fire("pointerdown", at(5, 5, finger));
canvas.fire("pointermove", at(9, 5, finger));
canvas.fire("pointercancel", at(9, 5, finger));
deepEqual(picked(), [2, 3]);
canvas.fire("click", at(4, 6, finger));
deepEqual(picked(), [4, 6]);

// where one draws, fingers draw once they go sideways
const seen = [];
const { plot: paper } = await widget({ setup: (_, p) => p.pick((where) => seen.push(where), { sketch: true }) });
const touch = (type, x, y) => paper.canvas.fire(type, { clientX: x, clientY: y, pointerId: 3, ...finger });
touch("pointerdown", 50, 50);
touch("pointermove", 52, 70);
equal(seen.length, 0);
touch("pointermove", 80, 70);
touch("pointermove", 81, 110);
equal(seen.length, 2);
touch("pointerup", 81, 110);
touch("pointermove", 150, 110);
equal(seen.length, 2);
