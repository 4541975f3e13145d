/* Run and Edit on the code cells of a page. run.js loads this when the first of them is used.

page(cells) takes the elements of the cells, in order, and gives
    .run(at)      runs the cells above that have not run since Python started, or were changed since, then this one
    .runAll()     runs every cell
    .edit(at)     opens the editor on a cell
A cell keeps the code and the output that the page came with; Restore brings both back. */
import { edit as open } from "./editor.js";
import "./look.js";
import { start } from "./python.js";

const STATIC = new URL("../", import.meta.url);

const { h: make } = ocPage;

// ---- what Python shows ----------------------------------------------------------------------------------------

const scripts = new Map();
function script(file) {
  if (!scripts.has(file))
    scripts.set(
      file,
      new Promise((done, failed) => {
        const there = [...document.scripts].some(({ src }) =>
          new URL(src || ".", location).pathname.endsWith(`/${file}`),
        );
        if (there) return done();
        document.head.append(make("script", { src: new URL(file, STATIC).href, onload: done, onerror: failed }));
      }),
    );
  return scripts.get(file);
}

/* Widgets in an element come to life as those that the page came with. */
async function mount(el) {
  for (const widget of el.querySelectorAll("[data-oc]")) {
    await script("oc/common.js");
    await script(`oc/${widget.dataset.oc}.js`);
    oc.mount(widget);
    if (widget.dataset.oc !== "explore") continue;
    await script("live/own.js");
    ocOwn(widget);
  }
}

const words = (text) => make("div", { className: "highlight" }, make("pre", { tabIndex: 0, textContent: text }));

/* One output as the page's own look; `alt` describes a figure. */
function shown({ data }, alt) {
  if (data["text/html"]) return make("div", { className: "output text_html", innerHTML: data["text/html"] });
  if (data["image/png"]) return make("img", { alt, src: `data:image/png;base64,${data["image/png"]}` });
  return make("div", { className: "output text_plain highlight-myst-ansi notranslate" }, words(data["text/plain"]));
}

/* Outputs go into an element one by one; what is printed in a row is one text. */
function writer(into, alts = []) {
  let pre,
    figures = 0;
  return (output) => {
    if (output.stream !== undefined) {
      if (!pre) {
        const box = make("div", { className: "output stream highlight-myst-ansi notranslate" }, words(""));
        pre = box.querySelector("pre");
        into.append(box);
      }
      pre.append(output.stream);
      return;
    }
    pre = undefined;
    const alt = output.data["image/png"] && (alts[figures++] ?? "Figure drawn by the code above");
    const box = shown(output, alt);
    into.append(box);
    mount(box);
  };
}

const failure = ({ text }) =>
  make("div", { className: "output oc-python-error highlight-myst-ansi notranslate", role: "alert" }, words(text));

// ---- what happens, at the foot of the window ------------------------------------------------------------------

class Foot {
  constructor(act) {
    this.said = make("span", { role: "status" });
    this.stop = make("button", { type: "button", textContent: "Stop", hidden: true, onclick: act.stop });
    this.all = make("button", { type: "button", textContent: "Run all cells", onclick: act.runAll });
    this.close = make("button", { type: "button", textContent: "Hide", onclick: () => this.box.remove() });
    this.box = make("section", { className: "oc-python" }, this.said, this.stop, this.all, this.close);
    this.box.setAttribute("aria-label", "Python");
  }
  say(text, busy) {
    if (!this.box.isConnected) document.body.append(this.box);
    if (this.said.textContent !== text) this.said.textContent = text;
    this.stop.hidden = !busy;
    this.all.hidden = this.close.hidden = busy;
  }
}

// ---- cells ----------------------------------------------------------------------------------------------------

class Cell {
  constructor(el, at) {
    this.el = el;
    this.name = `cell ${at + 1}`;
    this.input = el.querySelector(".cell_input");
    this.stored = this.input.querySelector("[class*=highlight-]");
    this.original = this.stored.querySelector("pre").textContent.replace(/\n$/, "");
    this.before = el.querySelector(".cell_output");
    this.alts = [...(this.before?.querySelectorAll(":scope > img, :scope > .output > img") ?? [])].map(
      (img) => img.alt,
    );
    this.now = this.before;
    this.restoring = make("button", {
      type: "button",
      textContent: "Restore",
      hidden: true,
      onclick: () => this.restore(),
    });
    this.restoring.setAttribute("aria-label", `Restore ${this.name}`);
    this.mark = make("span", { className: "oc-edited-mark", textContent: "edited", hidden: true });
    this.input.querySelector(".oc-cell-bar").append(this.restoring, this.mark);
  }
  get code() {
    return this.editor?.code ?? this.original;
  }
  update() {
    const edited = this.code !== this.original;
    this.el.classList.toggle("oc-edited", edited);
    this.mark.hidden = !edited;
    this.restoring.hidden = !edited && this.now === this.before;
  }
  edit(run) {
    this.el.querySelector("details.hide")?.setAttribute("open", "");
    if (this.editor) return this.editor.focus();
    const host = make("div", { className: "oc-cell-editor" });
    this.stored.before(host);
    this.stored.hidden = true;
    this.host = host;
    this.editor = open(host, {
      code: this.original,
      label: `Code of ${this.name}`,
      changed: () => this.update(),
      run,
    });
  }
  restore() {
    this.editor?.close();
    this.host?.remove();
    this.editor = this.host = undefined;
    this.stored.hidden = false;
    this.show(this.before);
    this.ran = undefined;
    this.update();
    this.input.querySelector("button").focus();
  }
  show(output) {
    if (this.before) this.before.hidden = false; // one that waits for a guess does so no more
    if (this.now && this.now !== output) this.now.remove();
    if (output && !output.isConnected) this.el.append(output);
    this.now = output;
  }
  hasRun(session) {
    return this.ran?.session === session && this.ran.code === this.code;
  }
  async run(python, run) {
    const { code } = this;
    const output = make("div", { className: "cell_output docutils container" });
    const write = writer(output, code === this.original ? this.alts : []);
    const show = () => {
      if (this.now !== output) this.show(output);
    };
    this.editor?.mark(null);
    this.el.setAttribute("aria-busy", "true");
    try {
      const result = await python.run(code, {
        name: this.name,
        onOutput: (one) => (show(), write(one)),
        onProgress: this.onProgress,
      });
      if (result.stopped) return result;
      show();
      if (result.error) {
        output.append(failure(result.error));
        if (result.error.line) {
          this.edit(run);
          this.editor.mark(result.error.line);
        }
      } else this.ran = { code, session: python.session };
      return result;
    } finally {
      this.el.removeAttribute("aria-busy");
      this.update();
    }
  }
}

const STOPPED =
  "Stopped. What the cells had computed is gone; your code and what is shown are kept, and the cells above run again " +
  "when they are needed.";

export function page(elements) {
  const cells = elements.map((el, at) => new Cell(el, at));
  const foot = new Foot({ stop: () => stop(), runAll: () => runAll() });
  let python;
  let turn = Promise.resolve();

  const stop = async () => {
    foot.say("Stopping …", false);
    await python.stop();
  };
  async function go(wanted) {
    try {
      python = await start({ onProgress: (text) => foot.say(text, false) });
      let count = 0;
      for (const cell of wanted(python.session)) {
        cell.onProgress = (text) => foot.say(text, true);
        foot.say(`Running ${cell.name} …`, true);
        const { error, stopped } = await cell.run(python, () => run(cells.indexOf(cell)));
        if (stopped) return foot.say(STOPPED, false);
        if (error) return foot.say(`${error.kind} in ${cell.name}.`, false);
        count++;
      }
      foot.say(count === 1 ? "One cell has run." : `${count} cells have run.`, false);
    } catch (error) {
      foot.say(error.message, false);
    }
  }
  const next = (wanted) => (turn = turn.then(() => go(wanted)));
  const run = (at) => next((session) => cells.filter((cell, k) => k === at || (k < at && !cell.hasRun(session))));
  const runAll = () => next(() => cells);

  return {
    run,
    runAll,
    edit(at) {
      cells[at].edit(() => run(at));
      cells[at].editor.focus();
    },
  };
}
