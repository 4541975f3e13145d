/* Stored widgets come to life, and follow the theme and the address of their page. */
import { FORCED } from "./colours.js";
import { h, page } from "./elements.js";
import { live, owned } from "./ui.js";

const retheme = () => live.forEach((ui) => ui.retheme());
if (typeof document !== "undefined") {
  const watch = new MutationObserver(retheme),
    what = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
  watch.observe(document.documentElement, what);
  if (document.body) watch.observe(document.body, what);
  for (const what of ["(prefers-color-scheme: dark)", FORCED]) matchMedia(what).addEventListener("change", retheme);
  // Notebook 7 takes keys on their way down to the widget, but those of elements with this attribute.
  const ask = (e) =>
    e.target.closest?.(".oc-widget") && e.target.toggleAttribute("data-lm-suppress-shortcuts", owned(e));
  addEventListener("keydown", ask, true);
  addEventListener("hashchange", () => live.forEach((ui) => ui.restore()));
}

/* Bring one stored widget to life; or, given another state {spec, value, link}, show that in its place: what the reader
   has set stays, unless what it was at first has changed. link: what the address that restores it ends in. The model is
   the page's own: there is no kernel to tell. */
export function mount(el, widget = page.widgets[el?.dataset.oc], other) {
  if (!el || !widget || (el.dataset.ocReady && !other)) return;
  const shown = () => [...live].find((ui) => ui.el === el),
    before = shown();
  if (before) {
    before.end();
    el.querySelectorAll(":scope > :not(script, noscript)").forEach((part) => part.remove());
  }
  el.dataset.ocReady = "1";
  try {
    const state = other ?? JSON.parse(el.querySelector("script[type='application/json']").textContent);
    const none = () => {};
    const model = {
      get: (k) => state[k],
      set: (k, v) => (state[k] = v),
      on: none,
      off: none,
      save_changes: none,
      send: none,
      linkable: top === window,
      link: state.link,
    };
    widget.render({ model, el });
    if (before) shown().adopt(before);
  } catch (error) {
    el.append(h("p", { class: "oc-status" }, `This widget could not start: ${error.message}.`));
    console.warn(error);
  }
}
