import { deepEqual, equal, frame, ok, widget } from "./dom.mjs";

let made = {};
const { ui } = await widget({
  value: { lr: 0.1, n: 3, kind: "a", on: true, rules: ["y"], step: null },
  setup: (u) => {
    made = {
      lr: u.slider("lr", { label: "Rate", min: 1e-3, max: 1, scale: "log", marks: [{ at: 0.5, label: "half" }] }),
      n: u.slider("n", { label: "Count", min: 0, max: (v) => 10 * v.lr, int: true }),
      kind: u.select("kind", { label: "Kind", options: ["a", { value: "b", label: "B" }], tip: "Which." }),
      on: u.check("on", { label: "On" }),
    };
    u.checks("rules", {
      legend: "Rules",
      options: ["x", "y"].map((value) => ({ value, label: value, color: "#0b63b5" })),
    });
    u.player("step", { max: () => 20 });
  },
});
const input = (el, changes, type = "input") => (Object.assign(el, changes), el.fire(type), frame());
const notes = (changes) => (ui.set(changes), frame(), ui.notes.join());

// a slider moves its setting, by its scale, and snaps to its marks
input(made.lr, { value: 100 });
equal(ui.value.lr, 0.032);
equal(made.lr.attributes["aria-valuetext"], "0.032");
input(made.lr, { value: Math.round((200 * Math.log(500)) / Math.log(1000)) });
equal(ui.value.lr, 0.5);
equal(notes({ lr: 7 }), "Rate was limited to 1");
equal(notes({ lr: "x" }), "Rate was not a number");
equal(ui.value.lr, 1);
equal(notes({ n: 12.4 }), "Count was limited to 10"); // limits are functions of the settings

// a touch that becomes a scroll gives back what it moved
ui.set({ lr: 0.123456 });
made.lr.fire("pointerdown");
input(made.lr, { value: 5 });
made.lr.fire("pointercancel");
equal(ui.value.lr, 0.123456);
ui.set({ lr: 1 });

input(made.kind, { value: "b" }, "change");
equal(ui.value.kind, "b");
equal(notes({ kind: "c" }), "Kind has no choice “c”");
ok(made.kind.attributes["aria-describedby"]);
input(made.on, { checked: false }, "change");
equal(ui.value.on, false);

// chosen values keep the order of the options
equal(notes({ rules: ["y", "z", "x"] }), "");
deepEqual(ui.value.rules, ["x", "y"]);
equal(notes({ rules: "y" }), "Rules was not a list");

// null is the end
// what comes after the fifth control waits behind "More"
const [controls, more] = ui.el.children.slice(2);
equal(controls.children.length, 5);
deepEqual([more.children[0].textContent, more.children[1].children.length, more.hidden], ["More", 1, false]);
more.children[1].children[0].style.display = "none";
ui.redraw();
frame();
equal(more.hidden, true);

const find = (el, words) =>
  el.tag === "button" && el.textContent === words ? el : el.children?.map((c) => c.tag && find(c, words)).find(Boolean);
find(ui.el, "Step").fire("click");
equal(ui.value.step, 1);
equal(notes({ step: -1 }), "Step shown was not a step");
equal(ui.value.step, null);
find(ui.el, "Play").fire("click");
equal(find(ui.el, "Pause").textContent, "Pause");
frame();
equal(ui.value.step, 0);
ui.stop();
equal(find(ui.el, "Play").textContent, "Play");
clearTimeout(ui.saving);
