/* Exercises in the page: each stub becomes an editor when the reader comes to it, and `oc.check` answers below.

On pages of exercises, which stay plain where scripts are off: cells tagged "exercise", each followed by one tagged
"check". Answers are kept by store.js: kind "exercise", {code: unless it is the stub, feedback: {voice, text, case, line}
on that very code, attempts, hints: how many were seen, looked: at the solution, solved: once, aside: what "Start again"
took away}. Python, the editor, hints and solutions are loaded when the reader first asks for them. */
{
  const base = new URL("./", document.currentScript.src);
  const store = ocStore;
  const MOST = 20_000; // characters printed that are shown

  const { h } = ocPage;
  const press = (textContent, act, trouble) =>
    h("button", { type: "button", className: "oc-button", textContent, onclick: () => act()?.catch?.(trouble) });
  const group = (label, ...children) =>
    h("div", { className: "oc-bar", role: "group", "aria-label": label }, ...children);
  /** Text with code between backticks. */
  const words = (text) => text.split(/`([^`]+)`/).map((part, k) => (k % 2 ? h("code", { textContent: part }) : part));

  document.head.append(h("link", { rel: "stylesheet", href: new URL("../live.css", base).href }));

  /** A part that is loaded when it is first needed, or an Error with one sentence. */
  const load = async (name, read) => {
    const address = new URL(name, base);
    try {
      return await (read ? fetch(address).then(read) : import(address));
    } catch {
      throw new Error(
        location.protocol === "file:"
          ? "Pages opened as files cannot do this: type `make serve` in the course's folder and open the address it names."
          : "A part of this page could not be loaded: look at the connection, then try again.",
      );
    }
  };

  /** What answers.py says about the code of an exercise. */
  let python;
  const check = async (what, onProgress, onOutput) => {
    python = await (await load("python.js")).start({ onProgress });
    const code = `import answers\nanswers.said(${JSON.stringify(JSON.stringify(what))})`; // Python reads such a string too
    const { outputs, error, stopped } = await python.run(code, { name: "answers", onProgress, onOutput });
    if (stopped) throw new Error("Stopped. Your answer is as you wrote it.");
    if (error) throw new Error(error.text);
    return JSON.parse(outputs.at(-1).data["text/plain"]);
  };

  const shown = new Map(); // id → function that shows what is kept of it
  const counts = new Set(); // functions that count the answers
  const isCorrect = (id) => store.get("exercise", id)?.feedback?.voice === "Correct";
  const refresh = (id) => {
    shown.get(id)?.();
    counts.forEach((fn) => fn());
  };
  store.heard((kind, id) => kind === "exercise" && refresh(id));

  /** One exercise. `chapter()` gives the texts of all exercises of its chapter, in order. */
  const attach = (cell, test, chapter) => {
    const source = test.querySelector("pre").textContent.trim();
    const [, id] = /oc\.check\("([^"]+)"/.exec(source);
    const title = cell.closest("section").querySelector("h3").firstChild.textContent;
    const plain = cell.querySelector(".cell_input > *");
    const pre = plain.querySelector("pre");
    const stub = pre.textContent.replace(/\n$/, "");
    const item = () => store.get("exercise", id) ?? {};
    const code = () => item().code ?? stub;
    const mine = async () => (await chapter()).find((one) => one.id === id);
    const keep = (fields) => {
      store.set("exercise", id, fields);
      refresh(id);
    };

    // ---- the code ---------------------------------------------------------------------------------------------------
    let editor;
    const open = async (at) => {
      const { edit } = await load("editor.js");
      if (!editor) {
        plain.hidden = opener.hidden = true;
        const changed = (text) => keep({ code: text === stub ? undefined : text, feedback: undefined });
        const run = () => checking || checker.click();
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

    // ---- what is said -----------------------------------------------------------------------------------------------
    const said = h("div", { className: "oc-said", role: "status" });
    const wait = h("p", { className: "oc-wait" }); // not read out: it changes ten times a second
    const printed = h("pre", { className: "oc-printed", tabIndex: 0 });
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
      again.hidden = untouched && aside === undefined;
      again.textContent = untouched && aside !== undefined ? "Bring back my answer" : "Start again";
      verdict.textContent = isCorrect(id) ? "✓ correct" : solved ? "✓ solved before" : "";
      if (feedback && JSON.stringify(feedback) !== told) {
        told = JSON.stringify(feedback);
        say(feedback.voice, feedback.text, feedback.case);
        editor?.mark(feedback.line ?? null);
      }
      said.classList.toggle("oc-stale", !feedback && told !== undefined);
    };

    // ---- the buttons ------------------------------------------------------------------------------------------------
    let checking = false;
    const answer = async () => {
      if (checking) return python?.stop();
      checking = true;
      checker.textContent = "Stop";
      printed.textContent = "";
      said.replaceChildren(); // so that the same words are said again
      told = undefined;
      try {
        if (!python) say("", "Python is starting: the first answer takes some seconds.");
        const asked = code();
        const all = await chapter();
        const above = all.slice(
          0,
          all.findIndex((one) => one.id === id),
        );
        const before = above.flatMap((one) => store.get("exercise", one.id)?.code ?? []);
        const feedback = await check(
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
        checker.textContent = "Check";
        wait.textContent = "";
      }
    };

    const hints = h("div", { className: "oc-hints", role: "log" });
    const hint = async () => {
      const texts = (await mine()).hints;
      const at = hints.childElementCount;
      if (at > texts.length) return;
      if (at === texts.length) return hints.append(h("p", {}, "That was the last hint."));
      hints.append(h("p", { innerHTML: `<strong>Hint ${at + 1} of ${texts.length}.</strong> ${texts[at]}` }));
      keep({ hints: Math.max(item().hints ?? 0, at + 1) });
    };

    const solution = h("div", { className: "oc-solution", role: "status" });
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
      keep(
        own === undefined ? { code: aside, aside: undefined } : { code: undefined, aside: own, feedback: undefined },
      );
    };

    const act = (text, fn) => press(text, fn, trouble);
    const [opener, checker, again] = [act("Edit", () => open()), act("Check", answer), act("Start again", restart)];
    const verdict = h("span", { className: "oc-verdict" });
    const bar = group(title, opener, checker, act("Hint", hint), act("Solution", solve), again, verdict);
    plain.addEventListener("click", ({ clientX: x, clientY: y, target }) => {
      if (!getSelection().toString() && !target.closest("button")) open({ x, y }).catch(trouble);
    });
    bar.dataset.exercise = id;
    cell.classList.add("oc-exercise");
    test.hidden = true;
    test.after(bar, wait, printed, said, hints, solution);
    shown.set(id, show);
    show();
    return id;
  };

  /** Attaches all exercises below an element that comes from the page of exercises at this address; gives their ids. */
  globalThis.ocExercises = (root, address) => {
    const name = address.match(/([\w-]+)(\.html)?([#?].*)?$/)[1];
    let texts;
    const chapter = async () => (texts ??= await load(`exercises/${name}.json`, (answer) => answer.json()));
    const cells = [...root.querySelectorAll(".cell.tag_exercise")];
    return cells.map((cell) => attach(cell, cell.nextElementSibling, chapter));
  };

  // ---- a page of exercises --------------------------------------------------------------------------------------------
  const page = () => {
    const name = location.pathname.match(/([\w-]+)(\.html)?$/)[1];
    const status = h("p", { role: "status" });
    const tell = ({ message }) => status.replaceChildren(...words(message));
    const act = (text, fn) => press(text, fn, tell);

    /** Saves the notebook of this page with the reader's code in it. */
    const handIn = async () => {
      const notebook = await load(`../../_sources/exercises/${name}.ipynb`, (answer) => answer.json());
      notebook.cells.forEach(({ source }, k) => {
        const [, id] = /^oc\.check\("([^"]+)"/.exec([source].flat().join("")) ?? [];
        const code = id && store.get("exercise", id)?.code;
        if (code !== undefined) notebook.cells[k - 1].source = code;
      });
      ocPage.save(`${name}.ipynb`, JSON.stringify(notebook, null, 1));
    };
    const file = h("input", { type: "file", accept: ".json", hidden: true });
    file.onchange = async () => {
      try {
        const taken = store.read(await file.files[0].text());
        tell({ message: `Taken from the file: ${taken}. What is newer here stays as it is.` });
      } catch (error) {
        tell(error);
      }
      file.value = "";
    };

    const [count, keeps] = [h("strong"), h("span")];
    document.querySelector(".bd-article h1 + p").after(
      h(
        "div",
        { className: "oc-answers", role: "region", "aria-label": "Your answers" },
        h("p", {}, "All of this works here; nothing needs to be installed. ", keeps),
        h("p", {}, count, " ", h("em", {}, "Hand in"), " saves the notebook of this page with your answers in it."),
        group(
          "All exercises of this page",
          act("Hand in", handIn),
          act("Save my answers", () => ocPage.save("my-answers.json", store.text())),
          act("Load answers", () => file.click()),
          file,
        ),
        status,
      ),
    );
    const ids = ocExercises(document, location.pathname);
    const refreshed = () => {
      count.textContent = `${ids.filter(isCorrect).length} of ${ids.length} correct.`;
      keeps.textContent = store.lasts
        ? "Your answers stay in this browser."
        : "This browser keeps nothing: save your answers to a file before you leave the page.";
    };
    counts.add(refreshed);
    refreshed();
  };
  if (document.querySelector(".bd-article .cell.tag_exercise")) page();
}
