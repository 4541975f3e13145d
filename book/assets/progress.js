/* What the reader has done, on every page: answers of quizzes come back, goals are ticked, guesses are counted, the sidebar
   and the front page say how far one is. All of it lies in the store (store.js), in these kinds:

quiz        NUMBER/QUESTION  {answer, right, text, stage, due}: a question answered wrong is due again after a day, then
                             three, then a week, each time that it is answered right on its day
goal        NUMBER/PLACE     {met}
page        PAGE             {heading, words}: where one was last
challenge   PAGE/PLACE       {met}: the goal of a widget, by its place on the page
guess       NUMBER/BOX       of a Predict box: see predict.js
setting     guesses          {open}: outputs are shown without asking for a guess

One global, `ocProgress`, for the page "Your progress". */
globalThis.ocProgress = (() => {
  const store = globalThis.ocStore;
  const course = globalThis.ocCourse;
  const DAY = 24 * 3600 * 1000;
  const DAYS = [1, 3, 7];

  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const href = (page, anchor) => `${new URL(`${page}.html`, root)}${anchor ? `#${anchor}` : ""}`;
  const nameOf = (address) =>
    decodeURIComponent(new URL(address, location.href).pathname.slice(root.pathname.length)).replace(/\.html$/, "");
  const here = nameOf(location.href) || "intro";
  const numberOf = (page) => /^(\d\.\d) /.exec(page?.title ?? "")?.[1];
  const mine = course.find(({ page }) => page === here);

  /** [done, of how many, begun] for a page. */
  const share = (one) => {
    const { page, quiz, exercises } = one;
    const done = quiz
      ? quiz.filter((id) => store.get("quiz", `${numberOf(one)}/${id}`)?.right)
      : exercises.filter((id) => store.get("exercise", id)?.solved);
    const begun = done.length > 0 || (page !== here && Boolean(store.get("page", page)));
    return [done.length, (quiz ?? exercises).length, begun];
  };
  const said = ([done, all]) => (done === all ? "✓" : `${done}/${all}`);

  /** Questions to be asked again: [{page, text, due}], the longest due first. */
  const review = () =>
    Object.entries(store.all("quiz"))
      .filter(([, { due }]) => due)
      .map(([id, item]) => ({ ...item, id, page: course.find((page) => numberOf(page) === id.split("/")[0])?.page }))
      .filter(({ page }) => page)
      .sort((a, b) => a.due - b.due);

  /** The page that was left last, but this one, as a link: {href, label}. */
  const last = () =>
    Object.entries(store.all("page"))
      .filter(([page]) => page !== here && course.some((one) => one.page === page))
      .sort(([, a], [, b]) => b.at - a.at)
      .map(([page, { heading, words }]) => ({
        href: href(page, heading),
        label: `Continue with ${course.find((one) => one.page === page).title}${words ? `: ${words}` : ""}`,
      }))[0];

  // ---- quizzes --------------------------------------------------------------------------------------------------
  const note = (id, text, answer, right) => {
    const now = Date.now();
    const { due, stage = 0 } = store.get("quiz", id) ?? {};
    const fields = { text, answer, right, at: now }; // one reading of the clock for `at` and `due`
    if (!right) Object.assign(fields, { stage: 0, due: now + DAYS[0] * DAY });
    else if (due <= now) {
      const next = DAYS[stage + 1];
      Object.assign(fields, { stage: next ? stage + 1 : undefined, due: next ? now + next * DAY : undefined });
    }
    store.set("quiz", id, fields);
    mark();
  };
  if (typeof oc !== "undefined")
    oc.onquiz = (ui, { questions, isRight }) => {
      const number = /\d\.\d/.exec(ui.spec.title)?.[0];
      const kept = (q) => store.get("quiz", `${number}/${q.id}`);
      const shown = questions.filter((q) => kept(q)?.answer !== undefined && !(kept(q).due <= Date.now()));
      const answers = Object.fromEntries(shown.map((q) => [q.id, kept(q).answer]));
      const open = questions.findIndex((q) => !shown.includes(q));
      let before = shown.map(({ id }) => id);
      if (shown.length) ui.set({ answers, done: before, at: Math.max(0, open) }, { quiet: true });
      ui.before(() => {
        const { done, answers } = ui.value;
        const words = document.createElement("p");
        for (const q of questions.filter(({ id }) => done.includes(id) && !before.includes(id))) {
          words.innerHTML = q.text;
          for (const formula of words.querySelectorAll("math")) formula.replaceWith(formula.textContent);
          note(`${number}/${q.id}`, words.textContent, answers[q.id], isRight(q));
        }
        before = done;
      });
    };

  // ---- guesses --------------------------------------------------------------------------------------------------
  /** What the guesses that count came to, in a chapter or all: tally is {all, 50, 75, 95}, each [right or close, of how many]. */
  const guessed = (chapter = "") => {
    const tally = { all: [0, 0], 50: [0, 0], 75: [0, 0], 95: [0, 0] };
    for (const [id, { result, sure, seen }] of Object.entries(store.all("guess")))
      if (result && !seen && id.startsWith(chapter))
        for (const sum of [tally.all, tally[sure]].filter(Boolean)) {
          sum[0] += result !== "no";
          sum[1]++;
        }
    const { all, 95: sure } = tally;
    const when = sure[1] ? `; when sure, ${sure[0]} of ${sure[1]}` : "";
    return { tally, words: `of ${all[1]} ${all[1] === 1 ? "guess" : "guesses"} ${all[0]} right or close${when}` };
  };
  const asked = () => !store.get("setting", "guesses")?.open;

  // ---- goals ----------------------------------------------------------------------------------------------------
  if (numberOf(mine))
    document.querySelectorAll("#what-you-will-be-able-to-do > ul > li").forEach((goal, place) => {
      const id = `${numberOf(mine)}/${place}`;
      const input = Object.assign(document.createElement("input"), { type: "checkbox", className: "oc-goal" });
      input.setAttribute("aria-label", `I can ${goal.textContent.trim().replace(/[;.]$/, "")}`);
      goal.prepend(input);
      const show = () => (input.checked = Boolean(store.get("goal", id)?.met));
      input.addEventListener("change", () => store.set("goal", id, { met: input.checked }));
      store.heard((kind, item) => kind === "goal" && item === id && show());
      show();
    });

  // ---- goals that widgets check themselves ------------------------------------------------------------------------
  const instruments = () => [...document.querySelectorAll(".oc-widget[data-oc]:not([data-oc=quiz])")];
  document.addEventListener("oc-goal", ({ target }) => {
    const place = instruments().indexOf(target);
    const id = `${here}/${place}`;
    if (place >= 0 && !store.get("challenge", id)) store.set("challenge", id, { met: true });
  });

  // ---- marks ------------------------------------------------------------------------------------------------------
  const marked = (link, [done, all, begun], words) => {
    let sign = link.querySelector(".oc-done");
    if (!begun) return sign?.remove();
    sign ??= link.appendChild(Object.assign(document.createElement("span"), { className: "oc-done" }));
    sign.textContent = said([done, all]);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", `, ${done} of ${all} ${words}`);
  };
  const links = [...document.querySelectorAll(".bd-links li > a, .chapter-cards li a")];
  const mark = () => {
    for (const link of links) {
      const page = course.find(({ page }) => page === (link.getAttribute("href") === "#" ? here : nameOf(link.href)));
      if (page) marked(link, share(page), page.quiz ? "questions right" : "exercises solved");
    }
    for (const card of document.querySelectorAll("[id^='chapter-']")) {
      const pages = course.filter(({ page }) => new RegExp(`^(chapters|exercises)/${card.id.at(-1)}-`).test(page));
      const shares = pages.map(share);
      const done = shares.filter(([done, all]) => done === all).length;
      const line = card.querySelector(".oc-chapter");
      if (line) line.textContent = shares.some(([, , begun]) => begun) ? `${done} of ${pages.length} done` : "";
    }
    const to = last();
    const go = document.querySelector("a.oc-continue");
    if (go && to) {
      go.href = to.href;
      go.textContent = to.label;
      go.hidden = false;
    }
  };
  mark();
  store.heard(mark);

  // ---- where one was ----------------------------------------------------------------------------------------------
  const leave = () => {
    if (!mine || document.visibilityState !== "hidden") return;
    const above = [...document.querySelectorAll(".bd-article section > h2")].filter(
      (heading) => heading.getBoundingClientRect().top < innerHeight / 2,
    );
    const heading = scrollY > 200 ? above.at(-1) : undefined;
    store.set("page", here, { heading: heading?.parentElement.id, words: heading?.firstChild.textContent.trim() });
  };
  document.addEventListener("visibilitychange", leave);

  return { course, share, review, last, href, numberOf, guessed, asked, DAY };
})();
