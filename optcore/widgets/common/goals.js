/* The line that says what to do, and the goal that a widget checks itself after each drawing. Methods of UI. */
import { h } from "./elements.js";
import { fmt } from "./numbers.js";

const SIGNS = { "<": (a, b) => a < b, ">": (a, b) => a > b, "=": (a, b) => `${a}` === `${b}` };

/* Whether all of [[name, sign, limit], …] hold; the limit of < and > may be the name of another fact. */
export const holds = (when, facts) =>
  when.every(([name, sign, limit]) => SIGNS[sign](facts[name], sign === "=" ? limit : (facts[limit] ?? limit)));

/* "{loss} after {steps} steps" with the numbers of this moment. */
export const filled = (words, facts) =>
  words.replace(/\{([^}]+)\}/g, (_, name) => (typeof facts[name] === "number" ? fmt(facts[name], 4) : facts[name]));

export const goals = {
  task() {
    const { line, goal } = this.spec;
    this.found = {};
    if (line) this.el.append(h("p", { class: "oc-line" }, line));
    if (!goal) return;
    this.aim = h("p", { class: "oc-aim", "aria-live": "polite" });
    this.el.append(this.aim);
    this.ask();
  },

  /* The goal as at first. */
  ask() {
    if (!this.aim) return;
    this.reached = false;
    this.answer("Goal:", this.spec.goal.text);
  },

  answer(head, words) {
    this.aim.classList.toggle("met", this.reached);
    this.aim.replaceChildren(h("b", {}, head), ` ${words}`);
  },

  /* What a drawing found, by name: numbers that goals speak of, beside the settings. */
  facts(found) {
    Object.assign(this.found, found);
  },

  /* Once reached it stays so, with the numbers of that moment, until the widget is reset. Pages hear of it. */
  judge() {
    if (!this.aim || this.reached) return;
    const facts = { ...this.value, ...this.found },
      { when, reached } = this.spec.goal;
    if (!holds(when, facts)) return;
    this.reached = true;
    this.answer("Reached:", filled(reached, facts));
    this.el.dispatchEvent(new CustomEvent("oc-goal", { bubbles: true, detail: this.aim.textContent }));
  },
};
