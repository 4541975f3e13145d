import { deepEqual, element, equal, frame, ok, widget } from "./dom.mjs";
import { live } from "../../../optcore/widgets/common/ui.js";

let drawings = 0;
const draw = (v) => {
  drawings++;
  if (v.lr === 3) throw new Error("three");
  return [`Rate ${v.lr}.`, false, "Done."];
};
const { ui, model, state, el, stop } = await widget({
  value: { lr: 0.5, free: 1 },
  setup: (u) => u.field("lr", (v, note, kept) => (v > 0 ? v : (note("no"), kept))),
  draw,
});
equal(ui.status.textContent, "Rate 0.5. Done.");
ok(live.has(ui));

// many changes, one drawing; what a field refuses keeps its last value, with a note
drawings = 0;
ui.set({ lr: 1 });
ui.set({ lr: 2, free: "x" });
ui.set({ lr: -1 });
frame();
equal(drawings, 1);
equal(ui.status.textContent, "Rate 2. Done. (no.)");

// a drawing that fails says so, and the next one is as before
console.warn = () => {};
ui.set({ lr: 3 });
frame();
ok(ui.status.textContent.startsWith("This could not be drawn: three."));
ui.reset();
frame();
equal(ui.status.textContent, "Rate 0.5. Done.");

// Python hears what changed, and is heard; what a widget has said itself leaves it as it is, its note too
const points = [[1, 2]];
ui.set({ lr: -1, points });
frame();
drawings = 0;
await new Promise((done) => setTimeout(done, 200));
frame();
deepEqual([state.value, state.saved], [{ lr: 0.5, free: 1, points }, true]);
deepEqual([drawings, ui.value.points === points, ui.status.textContent], [0, true, "Rate 0.5. Done. (no.)"]);
model.assign({ lr: Infinity });
frame();
equal(ui.value.lr, Infinity);

// nothing is drawn while the element has no size; when it has one again, the theme is read again
drawings = 0;
const before = ui.theme,
  resized = el.observers.at(-1);
el.clientWidth = 0;
resized();
ui.set({ lr: 1 });
ui.retheme();
frame();
deepEqual([drawings, ui.theme], [0, before]);
el.clientWidth = 300;
resized();
frame();
equal(drawings, 1);
ok(ui.theme !== before);

// colours are readable: a dark blue is lightened on black
equal(ui.color("fg"), "rgb(0, 0, 0)");
equal(ui.color("#0b63b5"), "rgb(11,99,181)");
Object.assign(ui.theme, { bg: "rgb(0, 0, 0)", fg: "rgb(255, 255, 255)" });
ui.readable = {};
ok(ui.color("#0b63b5") !== "rgb(11,99,181)");

// keys stay in the widget, but for Tab, Escape and combinations
const stopped = (key) =>
  Boolean(el.fire("keydown", { key: key.at(-1) === "^" ? key[0] : key, ctrlKey: key.at(-1) === "^" }).stopped);
deepEqual(["ArrowDown", "b", "Tab", "Escape", "s^"].map(stopped), [true, true, false, false, false]);

stop();
ok(!live.has(ui));
const body = ui.group("More", true);
equal(body.parent.children[0].textContent, "More");
ok(element("p") && !ui.frame);
clearTimeout(ui.saving);
clearTimeout(ui.busy);
