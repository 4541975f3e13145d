/* What every widget of the course is made of: one global, `oc`, and no other code.

A widget is a module that ends with
    export default { render({ model, el }) {
      const ui = oc.ui({ model, el });                       // ui.spec: what Python sent; ui.value: the settings
      const plot = ui.plot({ label: "Loss", ratio: 1.2, x: [0, 1], y: [0, 1] });
      ui.slider("lr", { label: "Learning rate η", min: 1e-4, max: 1, scale: "log", tip: "One sentence." });
      plot.handle("start", { label: "Start point" });        // draggable, arrow keys, bound to ui.value.start
      return ui.run((value) => { plot.axes(); plot.line(xs, ys, { color: "accent" }); return "What is drawn."; });
    } };
`draw(value)` is a function of the settings only; it is called at most once a frame, after any of them changed, and
what it returns becomes the status line. Settings are cleaned (clamped, with a note) before it sees them; if it
throws, the message is shown and nothing else breaks. Reset, the state link, dark mode and resizing need no code.

ui       .spec .value .theme .el   .set({key: v})   .redraw()   .run(draw), the last call
         .color(hex or theme name: fg muted line bg accent warn low high) → readable on the background
         .field(key, clean): a setting without a control; clean(v, note, fallback) → v
         .before(fn): called before each drawing   .facts({name: number}): what a drawing found, for the goal
         controls(key, {label, tip, in}): slider {min, max, scale: linear|log|log0|beta, int, steps, marks, format}
         select {options: ["a"] or [{value, label}]}   check   checks {legend, options: [{value, label, color}]}
         button(label, fn, {tip})   player(key, {max, words}): Play, Step, scrubber; null means "to the end"
         group(title, open) → the body of a <details>, to pass as `in`.   min, max, marks may be functions of the
         settings; marks give [{at, label}]: ticks under the slider that it snaps to.
plot     ui.plot({label, title, ratio, narrow, x, y, logx, logy, xlabel, ylabel, xticks, yticks})
         .range({x, y}) may change at each drawing   .axes({grid})   .X(x) .Y(y) to pixels, .xAt(px) .yAt(px) back
         .bands(f, {key, base}) contour bands of f([x, y]) .image(nx, ny, (i, j) => [r, g, b], key, {smooth})
         .still(key, draw): what draw() draws lies below, with bands, axes and images, until a key changes
         .line(xs, ys, style)   .path(flat, style)   .area(xs, lo, hi, style)   .bars(edges, heights, style)
         .arrow(x0, y0, x1, y1, style)   .dot(x, y, {shape: 0…5, hollow, edge, …})   .text(x, y, words, style)
         .rule({x} or {y}, style): a line across   xs, ys: arrays, or functions of the index and style.n
         style: {color, width, dash, alpha, halo, size, align, base, dx, dy}
         .handle(key or {get, set}, {label, axis: "xy"|"x"|"y", at, color})   .handles(key, {label}): a list of points
         .pick(([x, y]) => …, {sketch}): click, tap or mouse drag in the plot; with sketch, fingers draw too
numbers  oc.fmt(x, digits): 0 below oc.TINY   oc.clamp   oc.linspace(a, b, n)   oc.memo(fn): runs for new arguments
         oc.eig2(a, b, c): eigenvalues of [[a, b], [b, c]], small first   oc.rgb(css)   oc.mix(rgb, rgb, t)
         oc.scale({scale, min, max}) → [position 0…1 to value, and back]
         oc.roundest(stop, n, [to value, back], scale): the value of a stop, as sliders round it
         oc.ticks([lo, hi], log, room) → [[value, text], …], the form of xticks and yticks
programs oc.program(traced) → {run(x, y), x, y, in: {name: offset}, out}   oc.HELPERS: what traced code may call
         oc.surface(traced) → {at, f, grad, hess}(w, params); `params` is an object that is not changed afterwards
         oc.descend(surface, rule, {start, lr, steps, params, hyper, noise, into})
         → {points, loss, slope (gradient norms), end, diverged}
page     oc.h(tag, props, …children)   oc.write(el, words)   oc.newId()   oc.mount(el, widget, state)
         oc.onframe(el, ms), when set, is told how long each drawing took */
import { mix, rgb } from "./common/colours.js";
import { h, newId, page, write } from "./common/elements.js";
import { mount } from "./common/mount.js";
import { clamp, eig2, fmt, linspace, memo, plain, revive, TINY } from "./common/numbers.js";
import { DIVERGED, descend, H, program, surface } from "./common/programs.js";
import { roundest, SCALES, ticks } from "./common/scales.js";
import { GLYPHS } from "./common/strokes.js";
import { UI } from "./common/ui.js";

export default Object.assign(page, {
  clamp,
  linspace,
  fmt,
  memo,
  eig2,
  revive,
  plain,
  program,
  surface,
  descend,
  h,
  newId,
  write,
  rgb,
  mix,
  ticks,
  roundest,
  scale: ({ scale, min, max }) => SCALES[scale](min, max),
  GLYPHS,
  DIVERGED,
  HELPERS: H,
  TINY,
  mount,
  ui: (context) => new UI(context),
});
