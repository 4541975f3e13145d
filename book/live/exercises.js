/* Exercises in the page: what every page of exercises loads. It puts the buttons below each stub and counts what is
correct. What they do comes with answering.js when the reader first acts, or has acted before.

On pages of exercises, which stay plain where scripts are off: cells tagged "exercise", each followed by one tagged
"check". Answers are kept by store.js: kind "exercise", {code: unless it is the stub, feedback: {voice, text, case, line}
on that very code, attempts, hints: how many were seen, looked: at the solution, solved: once, aside: what "Start again"
took away}. */
{
  const store = ocStore;
  const { h, load } = ocPage;
  const acting = () => load("answering.js");

  /** A button; where what it does fails, `said` says why. */
  const button = (text, said, act) =>
    ocPage.button(text, () => act().catch(({ message }) => said.replaceChildren(h("p", {}, message))));
  const group = (label, ...children) =>
    h("div", { className: "oc-bar", role: "group", "aria-label": label }, ...children);

  const counts = new Set(); // functions that count the answers
  const count = () => counts.forEach((fn) => fn());
  const isCorrect = (id) => store.get("exercise", id)?.feedback?.voice === "Correct";
  store.heard((kind) => kind === "exercise" && count());

  /** One exercise of the page with this name; gives its id. */
  const attach = (cell, page) => {
    const test = cell.nextElementSibling;
    const source = test.querySelector("pre").textContent.trim();
    const [, id] = /oc\.check\("([^"]+)"/.exec(source);
    const title = cell.closest("section").querySelector("h3").firstChild.textContent;
    const plain = cell.querySelector(".cell_input > *");
    const said = h("div", { className: "oc-said", role: "status" });
    const verdict = h("span", { className: "oc-verdict" });

    let exercise;
    const act = async (verb, at) => {
      if (!exercise) {
        const { attach } = await acting();
        exercise ??= attach({ plain, page, source, id, title, said, verdict, buttons, count });
      }
      await exercise[verb](at);
    };
    const names = { open: "Edit", check: "Check", hint: "Hint", solve: "Solution", restart: "Start again" };
    const buttons = {};
    for (const [verb, name] of Object.entries(names)) buttons[verb] = button(name, said, () => act(verb));
    buttons.restart.hidden = true;
    const bar = group(title, ...Object.values(buttons), verdict);
    bar.dataset.exercise = id;
    plain.addEventListener("click", ({ clientX: x, clientY: y, target }) => {
      if (!getSelection().toString() && !target.closest("button")) act("open", { x, y }).catch(() => {});
    });
    cell.classList.add("oc-exercise");
    test.hidden = true;
    test.after(bar, said);
    store.heard((kind, one) => kind === "exercise" && one === id && act("show").catch(() => {}));
    if (store.get("exercise", id)) act("show").catch(() => {});
    return id;
  };

  /** Attaches all exercises below an element that comes from the page of exercises at this address; gives their ids. */
  globalThis.ocExercises = (root, address) => {
    const [, page] = /([\w-]+)(\.html)?([#?].*)?$/.exec(address);
    return [...root.querySelectorAll(".cell.tag_exercise")].map((cell) => attach(cell, page));
  };

  // ---- a page of exercises --------------------------------------------------------------------------------------------
  if (document.querySelector(".bd-article .cell.tag_exercise")) {
    const ids = ocExercises(document, location.pathname);
    const said = h("p", { role: "status" });
    const [total, keeps] = [h("strong"), h("span")];
    const file = h("input", { type: "file", accept: ".json", hidden: true });
    file.onchange = async () => {
      try {
        const taken = store.read(await file.files[0].text());
        said.textContent = `Taken from the file: ${taken}. What is newer here stays as it is.`;
      } catch ({ message }) {
        said.textContent = message;
      }
      file.value = "";
    };
    const [, name] = /([\w-]+)(\.html)?$/.exec(location.pathname);
    document.querySelector(".bd-article h1 + p").after(
      h(
        "div",
        { className: "oc-answers", role: "region", "aria-label": "Your answers" },
        h("p", {}, "All of this works here; nothing needs to be installed. ", keeps),
        h("p", {}, total, " ", h("em", {}, "Hand in"), " saves the notebook of this page with your answers in it."),
        group(
          "All exercises of this page",
          button("Hand in", said, async () => (await acting()).handIn(name)),
          button("Save my answers", said, async () => ocPage.save("my-answers.json", store.text())),
          button("Load answers", said, async () => file.click()),
          file,
        ),
        said,
      ),
    );
    counts.add(() => {
      total.textContent = `${ids.filter(isCorrect).length} of ${ids.length} correct.`;
      keeps.textContent = store.lasts
        ? "Your answers stay in this browser."
        : "This browser keeps nothing: save your answers to a file before you leave the page.";
    });
    count();
  }
}
