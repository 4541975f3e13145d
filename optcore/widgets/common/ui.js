/* A widget: its settings, its plots and controls, and when it draws. */
import { contrast, mix, readTheme, rgb } from "./colours.js";
import { controls } from "./controls.js";
import { h, page, update } from "./elements.js";
import { goals } from "./goals.js";
import { links } from "./links.js";
import { alike, plain, revive } from "./numbers.js";
import { Plot } from "./plot.js";

/* Whether a key pressed in a widget is meant for it: Jupyter would take arrows and letters for its commands. */
export const owned = ({ key, ctrlKey, metaKey, altKey }) =>
  key !== "Escape" && key !== "Tab" && !ctrlKey && !metaKey && !altKey;

const MOST = 5; // controls before "More"

/* The widgets that are shown. */
export const live = new Set();

export class UI {
  constructor({ model, el }) {
    const spec = revive(model.get("spec") ?? {}),
      value = revive(model.get("value") ?? {});
    Object.assign(this, {
      model,
      el,
      spec,
      initial: value,
      value: { ...value },
      fields: {},
      words: {},
      shown: [],
      early: [],
      panels: [],
      notes: [],
    });
    el.classList.add("oc-widget");
    el.dataset.oc = spec.name;
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", spec.title ?? spec.name);
    this.task();
    this.plots = h("div", { class: "oc-plots" });
    this.status = h("output", { class: "oc-status", role: "status" });
    this.controls = h("div", { class: "oc-controls" });
    this.foot = h("div", { class: "oc-foot" });
    el.append(this.plots, this.status, this.controls, this.foot);
    el.addEventListener("keydown", (e) => {
      if (e.key === "Escape") el.classList.add("oc-quiet"); // hides a tooltip
      if (owned(e)) e.stopPropagation();
    });
    el.addEventListener("focusout", () => el.classList.remove("oc-quiet"));
  }

  // -- settings
  /* `words` says a value of the setting as its control does. */
  field(key, clean, words) {
    this.fields[key] = clean;
    this.words[key] = words;
  }

  before(fn) {
    this.early.push(fn);
  }

  /* Change settings. Each passes its field's clean(v, note, fallback), so the drawing never sees a bad one. */
  set(changes, { quiet = false, fallback = this.value, note } = {}) {
    this.notes = note ? [note] : [];
    const next = { ...this.value };
    for (const [key, v] of Object.entries(changes))
      next[key] = this.fields[key] ? this.fields[key](v, (text) => this.notes.push(text), fallback[key]) : v;
    this.value = next;
    if (!quiet) this.save();
    this.redraw();
  }

  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("value", plain(this.value));
      this.model.save_changes();
    }, 150);
  }

  reset() {
    this.stop?.();
    this.value = { ...this.value, ...this.first };
    this.ask();
    this.set(this.first);
  }

  // -- drawing
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    if (!this.draw || !this.placed) return;
    const begun = performance.now();
    let words;
    try {
      for (const fn of this.early) fn();
      this.found = {};
      for (const p of this.panels) p.begin();
      words = [this.draw(this.value)].flat().filter(Boolean).join(" ");
      for (const p of this.panels) p.end();
      for (const p of this.panels) for (const handle of p.grips) handle.place();
    } catch (error) {
      words = `This could not be drawn: ${error.message}. Reset brings the first state back.`;
      console.warn(error);
    }
    if (this.notes.length) words += ` (${this.notes.join("; ")}.)`;
    for (const show of this.shown) show();
    this.say(words);
    this.judge();
    page.onframe?.(this.el, performance.now() - begun);
  }

  /* The text changes at once; assistive technology hears it when the changes pause. */
  say(words) {
    if (words === this.status.textContent) return;
    update(this.status, "aria-busy", "true");
    this.status.textContent = words;
    clearTimeout(this.busy);
    this.busy = setTimeout(() => this.status.removeAttribute("aria-busy"), 500);
  }

  /* A colour of the theme by name, or a hex colour, mixed with that of words until it can be read (4.5:1, or 7:1). */
  color(name) {
    if (name in this.theme) return this.theme[name];
    return (this.readable[name] ??= (() => {
      const bg = rgb(this.theme.bg);
      let c = rgb(name);
      for (let t = 0; t <= 1 && contrast(c, bg) < this.theme.legible; t += 0.1)
        c = mix(rgb(name), rgb(this.theme.fg), t);
      return `rgb(${c})`;
    })());
  }

  /* A notebook renders into an element that is not in its page yet (anywidget does), takes it out and puts it back:
     colours are read and drawings made only while the element has a size. */
  place() {
    const before = this.placed;
    this.placed = this.el.clientWidth > 0;
    if (before || !this.placed) return;
    this.retheme();
    for (const p of this.panels) p.resize();
  }

  retheme() {
    if (!this.placed) return;
    this.theme = readTheme(this.el);
    this.readable = {};
    this.redraw();
  }

  // -- parts
  plot(options) {
    const plot = new Plot(this, options);
    this.panels.push(plot);
    return plot;
  }

  group(title, open = false) {
    const body = h("div", { class: "oc-controls" });
    this.foot.before(h("details", { class: "oc-group", open }, h("summary", {}, title), body));
    return body;
  }

  /* What comes after the fifth control waits behind "More", which goes while none of it has a use. */
  shorten() {
    const rest = [...this.controls.children].slice(MOST);
    if (!rest.length) return;
    const more = this.group("More"),
      box = more.parentElement;
    this.controls.after(box);
    more.append(...rest);
    this.shown.push(() => (box.hidden = rest.every((part) => part.style.display === "none")));
  }

  // -- life
  /* The last call of a widget: applies its link, draws, listens. Returns what a notebook calls to take it down. */
  run(draw) {
    const { el, model } = this;
    this.shorten();
    this.button("Reset", () => this.reset());
    if (model.linkable) this.linkButton();
    this.draw = draw;
    this.set(this.initial, { quiet: true, fallback: this.initial });
    this.first = this.value;
    const size = new ResizeObserver(() => this.place());
    size.observe(el);
    this.place();
    this.restore();
    // a model tells also of what was saved here
    const onValue = () => {
      const told = revive(model.get("value"));
      if (!alike(told, this.value)) this.set(told, { quiet: true });
    };
    model.on("change:value", onValue);
    live.add(this);
    this.end = () => {
      this.stop?.();
      size.disconnect();
      model.off("change:value", onValue);
      live.delete(this);
    };
    return this.end;
  }

  /* The settings of the widget that was here before, where they began as they do here. */
  adopt({ first, value }) {
    this.set(Object.fromEntries(Object.entries(value).filter(([k]) => alike(this.first[k], first[k]))));
  }
}

Object.assign(UI.prototype, controls, goals, links);
