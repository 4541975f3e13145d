/* Elements of a page. */

/* The global `oc` of a page: common.js fills it; onframe, when set, is told how long each drawing took. */
export const page = { widgets: {}, onframe: null };

/* In a notebook every widget has a copy of this file: the count of ids is the page's. */
export const newId = () => `oc-${(globalThis.ocIds = (globalThis.ocIds ?? 0) + 1)}`;
/* Sets an attribute that has changed: setting costs, even to the same value. */
export const update = (el, name, value) => el.getAttribute(name) !== `${value}` && el.setAttribute(name, value);
/* The same for the value of a control. */
export const put = (input, value) => input.value !== `${value}` && (input.value = value);
/* The same for the text of an element. */
export const write = (el, words) => el.textContent !== `${words}` && (el.textContent = words);
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k === "html") el.innerHTML = v;
    else if (v === true) el.setAttribute(k, "");
    else if (v !== false && v != null) el.setAttribute(k, v);
  }
  el.append(...children.flat().filter((c) => c != null && c !== false));
  return el;
}
