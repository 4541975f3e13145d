import { deepEqual, equal, frame, ok, widget } from "./dom.mjs";
import { filled, holds } from "../../../optcore/widgets/common/goals.js";

ok(holds([["a", "<", 2]], { a: 1 }) && !holds([["a", "<", 1]], { a: 1 }));
ok(
  holds(
    [
      ["a", ">", "b"],
      ["k", "=", "b"],
    ],
    { a: 2, b: 1, k: "b" },
  ),
); // prettier-ignore
ok(!holds([["a", "<", "b"]], { a: 2, b: 1 }) && !holds([["a", "<", 1]], {}) && !holds([["a", ">", "b"]], { a: 1 }));
equal(filled("{a.loss} by {name}", { "a.loss": 0.123456, name: "x" }), "0.1235 by x");

// before the plots a line and the goal; what the drawing finds is asked for after each
const goal = {
  text: "Bring J below 2.",
  when: [
    ["J", "<", 2],
    ["lr", ">", 0],
  ],
  reached: "J is {J}.",
}; // prettier-ignore
const { ui, el } = await widget({
  value: { J: 3, lr: 1 },
  spec: { line: "Drag it.", goal },
  setup: (u) => ["J", "lr"].forEach((key) => u.field(key, (v) => v)),
  draw: () => "Drawn.",
});
equal(el.children[0].textContent, "Drag it.");
equal(ui.aim.textContent, "Goal: Bring J below 2.");
const heard = [];
el.addEventListener("oc-goal", (e) => heard.push(e.detail));
for (const [J, said] of [
  [2.5, "Goal: Bring J below 2."],
  [1.5, "Reached: J is 1.5."],
  [1, "Reached: J is 1.5."],
]) {
  ui.set({ J });
  frame();
  equal(ui.aim.textContent, said);
}
deepEqual(heard, ["Reached: J is 1.5."]);
ok(ui.aim.classList.contains("met"));
ui.reset();
frame();
equal(ui.aim.textContent, "Goal: Bring J below 2.");
ok(!ui.aim.classList.contains("met"));

// facts are those of one drawing
const facts = await widget({
  spec: { goal: { ...goal, when: [["slope", "<", 1]] } },
  value: { at: 0 },
  draw: ({ at }, plot) => (at && plot.ui.facts({ slope: at - 1 }), "Drawn."),
});
facts.ui.set({ at: 3 });
frame();
facts.ui.set({ at: 0 });
frame();
ok(!facts.ui.reached);
facts.ui.set({ at: 1 });
frame();
ok(facts.ui.reached);

// a widget without them shows neither
const bare = await widget({});
equal(bare.ui.aim, undefined);
bare.ui.reset();
process.exit();
