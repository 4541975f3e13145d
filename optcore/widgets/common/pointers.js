/* Points that are dragged or moved by keys, and clicks in a plot. Methods of Plot. */
import { h, update } from "./elements.js";
import { clamp, fmt, inWords } from "./numbers.js";

export const pointers = {
  /* A point that can be dragged, or moved by arrow keys (with Shift: a tenth). `bind` is a setting that holds
     [x, y] (or a number, with axis "x" or "y" and `at`), or { get, set }. */
  handle(bind, { label, axis = "xy", at = 0, color = "fg" }) {
    const { ui, box } = this;
    if (typeof bind === "string") {
      const key = bind;
      ui.field(
        key,
        (v, note, fallback) => this.inside(axis, v, note, fallback, label),
        (v) => `${label} ${inWords(v)}`,
      );
      bind = {
        get: () => (axis === "xy" ? ui.value[key] : axis === "x" ? [ui.value[key], at] : [at, ui.value[key]]),
        set: (p) => ui.set({ [key]: axis === "xy" ? p : p[axis === "x" ? 0 : 1] }),
      };
    }
    const el = box.appendChild(
      h("span", {
        class: "oc-handle",
        role: "slider",
        tabindex: 0,
        "aria-label": `${label}, arrow keys move it`,
      }),
    );
    el.style.setProperty("--c", color.startsWith("#") ? color : `var(--oc-${color})`);
    const move = (p) => bind.set([clamp(p[0], ...this.x), clamp(p[1], ...this.y)]);
    const pixel = (e) => {
      const r = box.getBoundingClientRect();
      return [e.clientX - r.left, e.clientY - r.top];
    };
    let grip = null;
    el.addEventListener("pointerdown", (e) => {
      const p = bind.get(),
        [px, py] = pixel(e);
      grip = [px - this.X(p[0]), py - this.Y(p[1])];
      el.setPointerCapture(e.pointerId);
    });
    el.addEventListener("pointermove", (e) => {
      if (!grip) return;
      const [px, py] = pixel(e);
      move([this.xAt(px - grip[0]), this.yAt(py - grip[1])]);
    });
    for (const type of ["pointerup", "pointercancel"]) el.addEventListener(type, () => (grip = null));
    el.addEventListener("keydown", (e) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
      if (!way) return;
      e.preventDefault();
      const p = bind.get(),
        step = (this.right - this.left) / (e.shiftKey ? 400 : 40);
      const to = [this.xAt(this.X(p[0]) + way[0] * step), this.yAt(this.Y(p[1]) + way[1] * step)];
      move([way[0] ? to[0] : p[0], way[1] ? to[1] : p[1]]);
    });
    const handle = {
      el,
      place: () => {
        const p = bind.get(),
          main = axis === "y" ? 1 : 0;
        const [px, py] = [clamp(this.X(p[0]), 0, this.w), clamp(this.Y(p[1]), 0, this.h)];
        el.style.transform = `translate(${px}px,${py}px)`;
        const [lo, hi] = main ? this.y : this.x;
        const words = { xy: `x ${fmt(p[0])}, y ${fmt(p[1])}`, x: fmt(p[0]), y: fmt(p[1]) }[axis];
        for (const [k, v] of [
          ["valuemin", lo],
          ["valuemax", hi],
          ["valuenow", p[main]],
          ["valuetext", words],
        ])
          update(el, `aria-${k}`, v);
      },
      remove: () => {
        el.remove();
        this.grips.splice(this.grips.indexOf(handle), 1);
      },
    };
    this.grips.push(handle);
    return handle;
  },

  /* One handle for each point of a list of [x, y]; Delete removes a point. */
  handles(key, { label, color, least = 1, most = 50 }) {
    const { ui } = this,
      list = () => ui.value[key],
      made = [];
    ui.field(key, (v, note, fallback) => {
      const good = Array.isArray(v)
        ? v.filter((p) => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite))
        : [];
      if (good.length < least) return note(`${label}: at least ${least} needed`), fallback;
      if (good.length > most || good.length < v.length) note(`${label}: points that cannot be drawn were left out`);
      return good.slice(0, most).map(([a, b]) => [clamp(a, ...this.x), clamp(b, ...this.y)]);
    });
    ui.before(() => {
      while (made.length > list().length) made.pop().remove();
      while (made.length < list().length) {
        const i = made.length;
        const one = this.handle(
          { get: () => list()[i] ?? [NaN, NaN], set: (p) => ui.set({ [key]: list().with(i, p) }) },
          { label: `${label} ${i + 1}`, color },
        );
        one.el.addEventListener("keydown", (e) => {
          if (e.key === "Delete" && list().length > least) ui.set({ [key]: list().toSpliced(i, 1) });
        });
        made.push(one);
      }
    });
  },

  inside(axis, v, note, fallback, label) {
    const good = (a) => typeof a === "number" && !Number.isNaN(a);
    if (axis === "xy" ? !(Array.isArray(v) && v.length === 2 && v.every(good)) : !good(v))
      return note(`${label} was not ${axis === "xy" ? "a point" : "a number"}`), fallback;
    const kept = axis === "xy" ? [clamp(v[0], ...this.x), clamp(v[1], ...this.y)] : clamp(v, ...this[axis]);
    if (String(kept) !== String(v)) note(`${label} was moved into the window`);
    return kept;
  },

  /* Calls fn([x, y]) for a click, a tap or a mouse drag. A finger that moves scrolls the page and picks nothing, but
     with `sketch`, once it goes sideways. */
  pick(fn, { sketch = false } = {}) {
    const { canvas } = this;
    const at = (e) => {
      const r = this.box.getBoundingClientRect();
      fn([clamp(this.xAt(e.clientX - r.left), ...this.x), clamp(this.yAt(e.clientY - r.top), ...this.y)]);
    };
    let from = null,
      picking = false;
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button) return;
      from = [e.clientX, e.clientY];
      picking = e.pointerType === "mouse";
      if (!picking) return;
      canvas.setPointerCapture(e.pointerId);
      at(e);
    });
    canvas.addEventListener("pointermove", (e) => {
      if (!from) return;
      const [dx, dy] = [Math.abs(e.clientX - from[0]), Math.abs(e.clientY - from[1])];
      picking ||= sketch && dx > Math.max(8, dy);
      if (picking) at(e);
    });
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => (from = null));
    canvas.addEventListener("click", (e) => e.pointerType !== "mouse" && at(e));
  },
};
