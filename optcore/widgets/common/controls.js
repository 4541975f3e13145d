/* Controls with their labels: each is bound to one setting. Methods of UI. */
import { h, newId, put, update, write } from "./elements.js";
import { clamp, fmt } from "./numbers.js";
import { roundest, SCALES } from "./scales.js";
import { GLYPHS } from "./strokes.js";

export const controls = {
  /* Label, tooltip and input in one box; the tooltip shows on hover of the label and on keyboard focus. */
  control(input, { label, tip, in: parent = this.controls, after = [] }, ...rest) {
    input.id = newId();
    const words = h("label", { for: input.id }, label),
      box = h("div", { class: "oc-control" }, words, ...rest, input, ...after);
    if (tip) {
      const id = newId();
      input.setAttribute("aria-describedby", id);
      box.append(h("span", { class: "oc-tip", id, role: "tooltip" }, tip));
      words.classList.add("oc-has-tip");
    }
    parent.append(box);
    return box;
  },

  slider(key, options) {
    const {
      label,
      scale = "linear",
      int = false,
      steps = 200,
      format = (v) => fmt(v, scale === "beta" ? 6 : 3),
      marks,
    } = options;
    const of = (v) => (typeof v === "function" ? v(this.value) : v);
    const limits = () => [of(options.min), of(options.max)];
    const count = () => (int && scale === "linear" ? Math.min(limits()[1] - limits()[0], 2000) : steps);
    const maps = () => SCALES[scale](...limits());
    const input = h("input", { type: "range", min: 0, step: 1 }),
      shown = h("span", { class: "oc-value", "aria-hidden": "true" });
    const rail = marks && h("div", { class: "oc-marks", "aria-hidden": "true" });
    this.control(input, { ...options, after: [rail] }, shown);
    keep(this, key, input);
    const places = () => (marks ? of(marks) : []).filter(({ at }) => at >= limits()[0] && at <= limits()[1]);
    input.addEventListener("input", () => {
      const n = count(),
        p = input.value / n,
        [from, to] = maps(),
        [lo, hi] = limits();
      const mark = places().find(({ at }) => Math.abs(to(at) - p) <= 0.5 / n + 1e-12);
      let v = mark ? mark.at : int ? Math.round(from(p)) : roundest(+input.value, n, [from, to], scale);
      // among small whole numbers the step of a key is rounded away; a pointer has the slider active
      if (int && v === this.value[key] && !input.matches(":active")) v += Math.sign(p - to(v));
      this.set({ [key]: clamp(v, scale === "log0" ? 0 : lo, hi) });
    });
    this.field(
      key,
      (v, note, fallback) => {
        if (typeof v !== "number" || Number.isNaN(v)) return note(`${label} was not a number`), fallback;
        const [lo, hi] = limits(),
          kept = clamp(int ? Math.round(v) : v, scale === "log0" ? 0 : lo, hi);
        if (kept !== v) note(`${label} was limited to ${format(kept)}`);
        return kept;
      },
      (v) => `${label} ${format(v)}`,
    );
    this.shown.push(() => {
      const n = count(),
        [, to] = maps(),
        v = this.value[key];
      update(input, "max", n);
      put(input, Math.round(clamp(to(v), 0, 1) * n));
      say(input, shown, format(v));
      if (rail)
        drawMarks(
          rail,
          places().map(({ at, label: text }) => [to(at), text]),
        );
    });
    return input;
  },

  select(key, options) {
    const list = options.options.map((o) => (typeof o === "string" ? { value: o, label: o } : o));
    const input = h("select", {}, ...list.map((o) => h("option", { value: o.value }, o.label)));
    this.control(input, options);
    input.addEventListener("change", () => this.set({ [key]: input.value }));
    this.field(
      key,
      (v, note, fallback) =>
        list.some((o) => o.value === v) ? v : (note(`${options.label} has no choice “${v}”`), fallback),
      (v) => `${options.label} ${list.find((o) => o.value === v)?.label ?? v}`,
    );
    this.shown.push(() => put(input, this.value[key]));
    return input;
  },

  check(key, options) {
    const input = h("input", { type: "checkbox" });
    this.control(input, options).classList.add("oc-check");
    input.addEventListener("change", () => this.set({ [key]: input.checked }));
    this.field(
      key,
      (v) => Boolean(v),
      (v) => `${options.label} ${v ? "on" : "off"}`,
    );
    this.shown.push(() => (input.checked = this.value[key]));
    return input;
  },

  /* Several of a few: the setting is the list of chosen values, in the order of the options. */
  checks(key, { legend, options, in: parent = this.controls }) {
    const inputs = options.map((o) => h("input", { type: "checkbox", value: o.value }));
    const swatches = options.map(
      (o, k) =>
        o.color && h("span", { class: "oc-swatch", "aria-hidden": "true" }, GLYPHS[(o.shape ?? k) % GLYPHS.length]),
    );
    const labels = options.map((o, k) => h("label", {}, inputs[k], swatches[k], o.label));
    parent.append(h("fieldset", { class: "oc-checks" }, h("legend", {}, legend), ...labels));
    for (const input of inputs)
      input.addEventListener("change", () => this.set({ [key]: inputs.filter((i) => i.checked).map((i) => i.value) }));
    this.field(
      key,
      (v, note, fallback) => {
        if (!Array.isArray(v)) return note(`${legend} was not a list`), fallback;
        return options.map((o) => o.value).filter((name) => v.includes(name));
      },
      (v) => `${legend} ${v.map((name) => options.find((o) => o.value === name).label).join(", ")}`,
    );
    this.shown.push(() => {
      inputs.forEach((input) => (input.checked = this.value[key].includes(input.value)));
      swatches.forEach((swatch, k) => swatch && (swatch.style.color = this.color(options[k].color)));
    });
  },

  button(label, fn, { tip, in: parent = this.foot } = {}) {
    return parent.appendChild(h("button", { type: "button", class: "oc-button", title: tip, onclick: fn }, label));
  },

  /* Play, Step and a scrubber over 0…max(); the setting is null while the end is shown. */
  player(key, { max, words, label = "Step shown", seconds = 4, in: parent = this.controls }) {
    const last = () => max(this.value),
      name = words ?? ((k) => `${k} of ${last()}`),
      now = () => Math.min(this.value[key] ?? last(), last());
    const go = (k) => this.set({ [key]: k >= last() ? null : Math.max(0, Math.round(k)) });
    let frame = null;
    this.stop = () => {
      cancelAnimationFrame(frame);
      frame = null;
      play.textContent = "Play";
    };
    const box = parent.appendChild(h("div", { class: "oc-player" }));
    const play = this.button(
      "Play",
      () => {
        if (frame !== null) return this.stop();
        const calm = matchMedia("(prefers-reduced-motion: reduce)").matches; // ten stills instead of a motion
        let from = now() >= last() ? 0 : now(),
          begun;
        const tick = (time) => {
          begun ??= time;
          const part = (time - begun) / 1000 / seconds,
            k = from + (calm ? Math.floor(10 * part) / 10 : part) * last();
          go(k);
          if (k >= last()) this.stop();
          else frame = requestAnimationFrame(tick);
        };
        play.textContent = "Pause";
        frame = requestAnimationFrame(tick);
      },
      { in: box },
    );
    this.button("Step", () => (this.stop(), go(now() >= last() ? 1 : now() + 1)), {
      in: box,
      tip: "One step; from the end, the first step",
    });
    const input = h("input", { type: "range", min: 0, step: 1 }),
      shown = h("span", { class: "oc-value", "aria-hidden": "true" });
    this.control(input, { label, in: box }, shown);
    keep(this, key, input);
    input.addEventListener("input", () => (this.stop(), go(+input.value)));
    this.field(key, (v, note) =>
      v === null ? v : Number.isInteger(v) && v >= 0 ? v : (note(`${label} was not a step`), null),
    );
    this.shown.push(() => {
      update(input, "max", last());
      put(input, now());
      say(input, shown, name(now()));
    });
  },
};

/* The value of a slider in words, beside it and for assistive technology. */
function say(input, shown, words) {
  write(shown, words);
  update(input, "aria-valuetext", words);
}

/* A finger that comes to scroll the page gives back what its first touch of a slider has moved. */
function keep(ui, key, input) {
  let before;
  input.addEventListener("pointerdown", () => (before = ui.value[key]));
  input.addEventListener("pointercancel", () => ui.set({ [key]: before }));
}

/* Ticks with labels under a slider; neighbours closer than their labels lean away from each other. */
function drawMarks(rail, marks) {
  const key = JSON.stringify(marks);
  if (rail.dataset.key === key) return;
  rail.dataset.key = key;
  marks.sort((a, b) => a[0] - b[0]);
  rail.replaceChildren(
    ...marks.map(([p, text], k) => {
      const lean =
        marks[k + 1] && marks[k + 1][0] - p < 0.2
          ? "left"
          : marks[k - 1] && p - marks[k - 1][0] < 0.2
            ? "right"
            : p > 0.9
              ? "left"
              : p < 0.1
                ? "right"
                : "";
      return h("span", { class: `oc-mark ${lean}`, style: `--p:${p}` }, text);
    }),
  );
}
