/* What the buttons of an exercise do; exercises.js loads it when the reader first uses one. Python, the editor, hints and
solutions are loaded when they are first asked for. */
import "./look.js";

const { h, load } = ocPage;
const store = ocStore;
const MOST = 20_000; // characters printed that are shown

const words = (text) => ocPage.words(text);

const texts = {};
/** The texts of all exercises of a page, in order. */
const chapter = async (page) => (texts[page] ??= await load(`exercises/${page}.json`, (answer) => answer.json()));

/** What answers.py says about the code of an exercise. */
let python;
const ask = async (what, onProgress, onOutput) => {
  python = await (await load("python.js")).start({ onProgress });
  return python.ask("book.live.answers.said", what, { onProgress, onOutput });
};

/** One exercise, as exercises.js has laid it out; `count()` counts the answers again. */
export const attach = ({ plain, page, source, id, title, said, verdict, buttons, count }) => {
  const pre = plain.querySelector("pre");
  const stub = pre.textContent.replace(/\n$/, "");
  const item = () => store.get("exercise", id) ?? {};
  const code = () => item().code ?? stub;
  const mine = async () => (await chapter(page)).find((one) => one.id === id);
  const keep = (fields) => {
    store.set("exercise", id, fields);
    show();
    count();
  };

  // ---- the code -----------------------------------------------------------------------------------------------------
  let editor;
  const open = async (at) => {
    const { edit } = await load("editor.js");
    if (!editor) {
      plain.hidden = buttons.open.hidden = true;
      const changed = (text) => keep({ code: text === stub ? undefined : text, feedback: undefined });
      const run = () => checking || buttons.check.click();
      editor = edit(plain.parentElement, { code: code(), label: `Answer: ${title}`, changed, run });
      editor.mark(item().feedback?.line ?? null);
    }
    editor.focus(at);
  };
  const original = [...pre.childNodes];
  let painted = stub;
  const paint = async () => {
    if (painted === code()) return;
    painted = code();
    pre.textContent = painted;
    pre.replaceChildren(...(painted === stub ? original : [(await load("editor.js")).paint(painted)]));
  };

  // ---- what is said -------------------------------------------------------------------------------------------------
  const wait = h("p", { className: "oc-wait" }); // not read out: it changes ten times a second
  const printed = h("pre", { className: "oc-printed", tabIndex: 0 });
  const hints = h("div", { className: "oc-hints", role: "log" });
  const solution = h("div", { className: "oc-solution", role: "status" });
  said.before(wait, printed);
  said.after(hints, solution);
  let told; // the feedback that stands there
  const say = (voice, text, shownCase) => {
    said.dataset.voice = voice;
    said.replaceChildren(h("p", {}, h("strong", { textContent: voice && `${voice}.` }), " ", ...words(text)));
    if (shownCase) said.append(h("pre", { textContent: shownCase }));
  };
  const trouble = (error) => {
    told = undefined;
    say("", error.message);
  };
  const show = () => {
    const { feedback, solved, aside } = item();
    const untouched = code() === stub;
    if (editor) editor.code = code();
    else paint().catch(trouble);
    buttons.restart.hidden = untouched && aside === undefined;
    buttons.restart.textContent = untouched && aside !== undefined ? "Bring back my answer" : "Start again";
    verdict.textContent = feedback?.voice === "Correct" ? "✓ correct" : solved ? "✓ solved before" : "";
    if (feedback && JSON.stringify(feedback) !== told) {
      told = JSON.stringify(feedback);
      say(feedback.voice, feedback.text, feedback.case);
      editor?.mark(feedback.line ?? null);
    }
    said.classList.toggle("oc-stale", !feedback && told !== undefined);
  };

  // ---- the buttons --------------------------------------------------------------------------------------------------
  let checking = false;
  const answer = async () => {
    if (checking) return python?.stop();
    checking = true;
    buttons.check.textContent = "Stop";
    printed.textContent = "";
    said.replaceChildren(); // so that the same words are said again
    told = undefined;
    try {
      if (!python) say("", "Python is starting: the first answer takes some seconds.");
      const asked = code();
      const all = await chapter(page);
      const above = all.slice(
        0,
        all.findIndex((one) => one.id === id),
      );
      const before = above.flatMap((one) => store.get("exercise", one.id)?.code ?? []);
      const feedback = await ask(
        [before, asked, source],
        (text) => (wait.textContent = text),
        ({ stream }) => stream && printed.textContent.length < MOST && printed.append(stream),
      );
      const done = { attempts: (item().attempts ?? 0) + 1, ...(feedback.voice === "Correct" && { solved: true }) };
      if (code() === asked) return keep({ ...done, feedback });
      told = "of another code";
      say(feedback.voice, feedback.text, feedback.case);
      keep(done);
    } finally {
      checking = false;
      buttons.check.textContent = "Check";
      wait.textContent = "";
    }
  };

  const hint = async () => {
    const { hints: all } = await mine();
    const at = hints.childElementCount;
    if (at > all.length) return;
    if (at === all.length) return hints.append(h("p", {}, "That was the last hint."));
    hints.append(h("p", { innerHTML: `<strong>Hint ${at + 1} of ${all.length}.</strong> ${all[at]}` }));
    keep({ hints: Math.max(item().hints ?? 0, at + 1) });
  };

  const solve = async () => {
    if (!item().attempts) throw new Error("Try first: check an answer of yours, and its solution opens here.");
    if (solution.hasChildNodes()) return solution.replaceChildren();
    const { paint } = await load("editor.js");
    const shown = h("pre", { tabIndex: 0 }, paint((await mine()).solution));
    solution.append(h("p", {}, "A solution:"), h("div", { className: "highlight" }, shown));
    keep({ looked: true });
  };

  const restart = () => {
    const { code: own, aside } = item();
    said.replaceChildren();
    told = undefined;
    keep(own === undefined ? { code: aside, aside: undefined } : { code: undefined, aside: own, feedback: undefined });
  };

  show();
  const guarded = (act) => (at) => Promise.resolve(act(at)).catch(trouble);
  return Object.fromEntries(
    Object.entries({ open, check: answer, hint, solve, restart, show }).map(([verb, act]) => [verb, guarded(act)]),
  );
};

/** Saves the notebook of this page of exercises with the reader's code in it. */
export const handIn = async (name) => {
  const notebook = await load(`../../_sources/exercises/${name}.ipynb`, (answer) => answer.json());
  notebook.cells.forEach(({ source }, k) => {
    const [, id] = /^oc\.check\("([^"]+)"/.exec([source].flat().join("")) ?? [];
    const code = id && store.get("exercise", id)?.code;
    if (code !== undefined) notebook.cells[k - 1].source = code;
  });
  ocPage.save(`${name}.ipynb`, JSON.stringify(notebook, null, 1));
};
