/* As much of a page as the modules ask for, so that each can be tried in Node: elements with attributes and listeners,
   a canvas that writes down what is drawn, a style sheet of one colour per name, frames that come when a test says so. */
export { deepEqual, equal, ok, throws } from "node:assert/strict";

class Element {
  constructor(tag) {
    Object.assign(this, {
      tag,
      children: [],
      attributes: {},
      listeners: {},
      dataset: {},
      words: "",
      captured: new Set(),
    });
    const names = new Set();
    this.classList = {
      add: (name) => names.add(name),
      remove: (name) => names.delete(name),
      contains: (name) => names.has(name),
      toggle: (name, on) => (on ? names.add(name) : names.delete(name)),
    };
    this.style = { setProperty: (k, v) => (this.style[k] = v) };
  }
  append(...children) {
    for (const child of children) {
      if (child instanceof Element) {
        if (child.parent) child.parent.children = child.parent.children.filter((other) => other !== child);
        child.parent = this;
      }
      this.children.push(child);
    }
  }
  appendChild(child) {
    this.append(child);
    return child;
  }
  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }
  before(other) {
    this.parent.children.splice(this.parent.children.indexOf(this), 0, other);
    other.parent = this.parent;
  }
  get parentElement() {
    return this.parent;
  }
  after(other) {
    other.parent?.children.splice(other.parent.children.indexOf(other), 1);
    this.parent.children.splice(this.parent.children.indexOf(this) + 1, 0, other);
    other.parent = this.parent;
  }
  remove() {
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
  }
  setAttribute(k, v) {
    this.attributes[k] = String(v);
    if (k === "value") this.value = v;
  }
  getAttribute(k) {
    return this.attributes[k] ?? null;
  }
  removeAttribute(k) {
    delete this.attributes[k];
  }
  querySelector(tag) {
    return this.children.find((child) => child.tag === tag.split("[")[0]);
  }
  addEventListener(type, fn) {
    (this.listeners[type] ??= []).push(fn);
  }
  /* Calls the listeners of an event, `more` being its properties. */
  fire(type, more = {}) {
    const event = { type, preventDefault() {}, stopPropagation: () => (event.stopped = true), ...more };
    for (const fn of this.listeners[type] ?? []) fn(event);
    return event;
  }
  dispatchEvent({ type, detail }) {
    this.fire(type, { detail });
  }
  setPointerCapture(id) {
    this.captured.add(id);
  }
  hasPointerCapture(id) {
    return this.captured.has(id);
  }
  getBoundingClientRect() {
    return { left: 0, top: 0 };
  }
  getContext() {
    return (this.context ??= recorder());
  }
  set textContent(words) {
    [this.words, this.children] = [String(words), []];
  }
  get textContent() {
    return this.words + this.children.map((c) => c.textContent ?? c).join("");
  }
}

/* A drawing context: `calls` lists what was called, in order, with the styles of the moment for strokes and fills. */
function recorder() {
  const calls = [];
  const kept = { calls, places: [], measureText: (words) => ({ width: 6 * words.length }) };
  let [a, b, c, d, e, f] = [1, 0, 0, 1, 0, 0];
  const stack = [];
  const moved = {
    save: () => stack.push([a, b, c, d, e, f]),
    restore: () => ([a, b, c, d, e, f] = stack.pop() ?? [1, 0, 0, 1, 0, 0]),
    setTransform: (...all) => ([a, b, c, d, e, f] = all),
    translate: (x, y) => ([e, f] = [a * x + c * y + e, b * x + d * y + f]),
    rotate: (turn) => {
      const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
      [a, b, c, d] = [a * cos + c * sin, b * cos + d * sin, c * cos - a * sin, d * cos - b * sin];
    },
  };
  /* Where a call lands on the canvas, with its words if it has some. */
  const place = (name, args) => {
    const [words, [x, y]] = typeof args[0] === "string" ? [[args[0]], args.slice(1)] : [[], args];
    if (typeof x === "number") kept.places.push([name, ...words, a * x + c * y + e, b * x + d * y + f]);
  };
  kept.createImageData = (w, h) => ({ data: new Uint8ClampedArray(4 * w * h) });
  kept.putImageData = (image) => calls.push(["putImageData", new Uint32Array(image.data.buffer)]);
  return new Proxy(kept, {
    get: (_, name) =>
      name in kept
        ? kept[name]
        : (...args) => {
            calls.push([name, ...args, ...(name === "stroke" ? [kept.strokeStyle] : [])]);
            moved[name] ? moved[name](...args) : place(name, args);
          },
    set: (_, name, value) => ((kept[name] = value), true),
  });
}

const waiting = [];
Object.assign(globalThis, {
  document: {
    createElement: (tag) => new Element(tag),
    documentElement: new Element("html"),
    body: new Element("body"),
  },
  devicePixelRatio: 1,
  location: { hash: "" },
  requestAnimationFrame: (fn) => waiting.push(fn),
  cancelAnimationFrame: (id) => (waiting[id - 1] = () => {}),
  getComputedStyle: (el) => ({ color: COLOURS[el.style.color.slice(9, -1)] ?? "rgb(1, 2, 3)" }),
  matchMedia: () => ({ matches: false, addEventListener() {} }),
  MutationObserver: class {
    observe() {}
  },
  ResizeObserver: class {
    constructor(fn) {
      Object.assign(this, { fn });
    }
    observe(el) {
      (el.observers ??= []).push(this.fn);
    }
    disconnect() {}
  },
});
globalThis.window = globalThis.top = globalThis;
globalThis.addEventListener = () => {};

export const COLOURS = {
  fg: "rgb(0, 0, 0)",
  bg: "rgb(255, 255, 255)",
  low: "rgb(0, 0, 100)",
  high: "rgb(250, 250, 250)",
};
export const element = (tag = "div", more = {}) => Object.assign(new Element(tag), more);
/* The calls of one name that a canvas has recorded. */
export const drawn = (canvas, name) => canvas.getContext().calls.filter(([called]) => called === name);
/* The same with the pixels of the canvas where they land: [x, y], after the words if there are some. */
export const placed = (canvas, name) =>
  canvas
    .getContext()
    .places.filter(([called]) => called === name)
    .map((call) => call.slice(1));
/* Lets the frames that were asked for come. */
export const frame = () => waiting.splice(0).forEach((fn) => fn(0));

/* A widget of one plot, 140 by 108 pixels inside its axes, drawn once; `draw(value, plot)`. */
export async function widget({ value = {}, spec = {}, options = {}, setup = () => {}, draw = () => "Drawn." } = {}) {
  const { UI } = await import("../../../optcore/widgets/common/ui.js");
  const state = { spec: { name: "sample", ...spec }, value },
    heard = [],
    el = element("div", { clientWidth: 400 });
  const model = {
    get: (k) => state[k],
    set: (k, v) => ((state[k] = v), heard.forEach((fn) => fn())), // as in Jupyter, whoever sets it
    on: (_, fn) => heard.push(fn),
    off() {},
    save_changes: () => (state.saved = true),
    assign: (changes) => model.set("value", { ...state.value, ...changes }),
  };
  const ui = new UI({ model, el });
  const plot = ui.plot({ label: "A plot", x: [0, 10], y: [0, 10], ...options });
  Object.assign(plot.box, { clientWidth: 194, clientHeight: 140 });
  setup(ui, plot);
  const stop = ui.run((v) => draw(v, plot));
  frame();
  return { ui, plot, model, state, el, stop };
}
