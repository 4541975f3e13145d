import { deepEqual, equal, ok, widget } from "./dom.mjs";

// an image has its first row at the bottom, and is painted again only when its key changes
let asked = 0;
const colour = (i, j) => (asked++, [i, j, 7]);
const { ui, plot } = await widget({
  value: { key: 1 },
  draw: ({ key }, p) => (p.image(2, 2, colour, [key]), "Drawn."),
});
const { frame } = await import("./dom.mjs");
const pixels = plot.cells.image.getContext().calls.find(([name]) => name === "putImageData")[1];
deepEqual(
  [...pixels].map((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24]),
  [
    [0, 1, 7, 255],
    [1, 1, 7, 255],
    [0, 0, 7, 255],
    [1, 0, 7, 255],
  ],
);
equal(asked, 4);
ui.redraw();
frame();
equal(asked, 4);
ui.set({ key: 2 });
frame();
equal(asked, 8);

// bands: the lowest value has the colour of `low`, nan that of `high`, and equal heights have equal colours
const bands = async (f, options) => {
  const { plot: p } = await widget({ draw: (_, q) => (q.bands(f, options), "Drawn.") });
  const canvas = p.cells.bands;
  const data = canvas.getContext().calls.find(([name]) => name === "putImageData")[1];
  return (i, j) => [0, 8, 16].map((shift) => (data[j * canvas.width + i] >> shift) & 255);
};
const at = await bands(([x, y]) => (x - 5) ** 2 + (y - 5) ** 2, { base: 0 });
const middle = at(70, 54),
  corner = at(2, 2);
deepEqual(middle, [0, 0, 100]);
ok(corner.every((v, k) => v > middle[k]));
deepEqual(at(2, 2), at(137, 105));
const holes = await bands(([x]) => (x > 5 ? NaN : x), { base: 0 });
deepEqual(holes(130, 50), [250, 250, 250]);

// without a base, the levels reach from the lowest value to the highest but a few
const ramp = await bands(([x]) => x);
const across = Array.from({ length: 130 }, (_, i) => ramp(5 + i, 54)[0]);
ok(new Set(across).size >= 12 && across[60] < 250 && across[60] > across[0]);

// an image without a key is new in each drawing, on the moving canvas
let cells = 0;
const { ui: moving } = await widget({ draw: (_, p) => (p.image(1, 1, () => [cells++, 0, 0]), "Drawn.") });
moving.redraw();
frame();
equal(cells, 2);
clearTimeout(plot.settle);
