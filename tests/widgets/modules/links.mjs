import { deepEqual, equal, frame, ok, widget } from "./dom.mjs";

const { ui, el } = await widget({ value: { lr: 0.1, start: [1, 2], name: "a" } });
Object.assign(el, { id: "oc-sample-1", scrollIntoView: () => (el.seen = true) });

// the address of another widget changes nothing
location.hash = "#oc-other-2&lr=0.5";
ui.restore();
equal(ui.value.lr, 0.1);

location.hash = '#oc-sample-1&lr=0.5&start=[3,"Infinity"]&unknown=1&name={';
ui.restore();
frame();
deepEqual(ui.value, { lr: 0.5, start: [3, Infinity], name: "a" });
ok(el.seen);
// it is said what was set, and what could not be
deepEqual(ui.notes, ["Set: lr 0.5, start (3, ∞)", "the link's name could not be read"]);

// the rest is as at first
ui.set({ start: [9, 9] });
location.hash = "#oc-sample-1&lr=0.3";
ui.restore();
deepEqual(ui.value, { lr: 0.3, start: [1, 2], name: "a" });
location.hash = '#oc-sample-1&lr=0.5&start=[3,"Infinity"]';
ui.restore();

// the link holds what was changed, and restores it
let copied;
globalThis.history = { replaceState: (_, __, hash) => (location.hash = hash) };
Object.defineProperty(globalThis, "navigator", {
  value: { clipboard: { writeText: async (text) => (copied = text) } },
});
location.href = "address";
ui.linkButton();
const button = ui.foot.children.at(-1);
button.listeners.click[0]();
await new Promise((done) => setTimeout(done));
equal(location.hash, "#oc-sample-1&lr=0.5&start=%5B3%2C%22Infinity%22%5D");
deepEqual([copied, button.textContent], ["address", "Link copied"]);
ui.set({ lr: 0.1 });
ui.restore();
equal(ui.value.lr, 0.5);
process.exit();
