import { deepEqual, element, equal, ok } from "./dom.mjs";
import { page } from "../../../optcore/widgets/common/elements.js";
import { mount } from "../../../optcore/widgets/common/mount.js";

const stored = (text) => {
  const el = element("div", { dataset: { oc: "sample" } });
  el.append(element("script", { textContent: text }));
  return el;
};
let heard = [];
page.widgets.sample = { render: ({ model }) => heard.push(model.get("value"), model.linkable) };
const el = stored('{"spec": {}, "value": {"a": 1}}');
mount(el);
mount(el); // once only
deepEqual(heard, [{ a: 1 }, true]);

// an unknown kind waits; a widget that cannot start says so
const unknown = element("div", { dataset: { oc: "other" } });
mount(unknown);
equal(unknown.dataset.ocReady, undefined);
console.warn = () => {};
heard = stored("{");
mount(heard);
ok(heard.children.at(-1).textContent.startsWith("This widget could not start: "));
