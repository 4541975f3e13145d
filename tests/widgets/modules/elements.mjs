import { deepEqual, equal } from "./dom.mjs";
import { h, newId } from "../../../optcore/widgets/common/elements.js";

let pressed = 0;
const el = h(
  "p",
  { class: "a", hidden: true, title: null, open: false, onclick: () => pressed++, html: "<b>x</b>" },
  "one",
  [h("i"), null, false, 2],
);
deepEqual(el.attributes, { class: "a", hidden: "" });
equal(el.innerHTML, "<b>x</b>");
deepEqual(
  el.children.map((c) => c.tag ?? c),
  ["one", "i", 2],
);
el.fire("click");
equal(pressed, 1);

// every copy of the module on a page counts on
globalThis.ocIds = 41;
deepEqual([newId(), newId()], ["oc-42", "oc-43"]);
