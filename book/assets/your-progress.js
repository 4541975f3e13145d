/* The page "Your progress": how far one is, what comes back, and the file to take along. */
{
  const place = document.getElementById("progress-report");
  const store = globalThis.ocStore;
  const { course, share, review, last, href, numberOf, guessed, asked, DAY } = globalThis.ocProgress;

  const { h } = ocPage;
  const status = h("p", { role: "status", className: "progress-said" });
  const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
  const when = (due) => {
    const days = Math.ceil((due - Date.now()) / DAY);
    return days <= 1 ? "tomorrow" : `in ${days} days`;
  };

  const summary = () => {
    const sums = [0, 0, 0, 0];
    for (const page of course) {
      const [done, all] = share(page);
      sums[page.quiz ? 0 : 2] += done;
      sums[page.quiz ? 1 : 3] += all;
    }
    const goals = Object.values(store.all("goal")).filter(({ met }) => met).length;
    const lessons = course.filter((page) => page.goals);
    const all = lessons.reduce((sum, page) => sum + page.goals, 0);
    const reached = Object.keys(store.all("challenge")).filter((id) =>
      lessons.some(({ page }) => id.startsWith(`${page}/`)),
    ).length;
    const words = `${sums[0]} of ${sums[1]} questions answered right, ${sums[2]} of ${sums[3]} exercises solved, ${counted(goals, "goal")} ticked, ${reached} of ${all} goals reached in the instruments.`;
    const to = last();
    const [first] = course;
    const go = to ?? { href: href(first.page), label: `Start with ${first.title}` };
    return [h("p", {}, words), h("p", {}, h("a", { href: go.href, className: "big-button" }, go.label))];
  };

  const again = () => {
    const all = review();
    const due = all.filter(({ due }) => due <= Date.now());
    const later = all.filter(({ due }) => due > Date.now());
    const items = due.map(({ page, text, id }) =>
      h("li", {}, h("a", { href: href(page, "quiz") }, `${id.split("/")[0]}`), ` ${text}`),
    );
    const next = later.length
      ? ` ${counted(later.length, "question")} will come back, the first ${when(later[0].due)}.`
      : "";
    const line = due.length
      ? `${counted(due.length, "question")} to answer again now.${next}`
      : `Nothing to answer again now.${next} A question answered wrong comes back after a day, then after three, then after a week.`;
    return [h("h2", {}, "To answer again"), h("p", {}, line), due.length ? h("ul", {}, ...items) : ""];
  };

  /* One sentence on whether being sure and being right go together; a count within two deviations of its share fits. */
  const fits = ({ all, ...levels }) => {
    const off = (way) =>
      Object.entries(levels).some(([sure, [hits, n]]) => {
        const p = sure / 100;
        return n >= 4 && way * (hits - n * p) > 2 * Math.sqrt(n * p * (1 - p));
      });
    if (off(-1)) return "You are surer than you are right: say “fairly sure” or “a guess” more often.";
    if (off(1)) return "You are right more often than you are sure: trust your guesses more.";
    if (Object.values(levels).some(([, n]) => n >= 4))
      return "How sure you say you are fits how often you are right: a guess should be right about once in two, fairly sure three times in four, sure nineteen times in twenty.";
    return "Say how sure you are of four guesses or more, and a sentence here says whether it fits.";
  };
  const unasked = h("input", { type: "checkbox", id: "progress-unasked" });
  unasked.addEventListener("change", () => store.set("setting", "guesses", { open: unasked.checked || undefined }));
  const guesses = () => {
    const { tally, words } = guessed();
    const chapters = [
      ...new Set(
        course
          .map(numberOf)
          .filter(Boolean)
          .map(([digit]) => digit),
      ),
    ];
    const rows = chapters
      .filter((chapter) => guessed(chapter).tally.all[1])
      .map((chapter) => h("li", {}, `Chapter ${chapter}: ${guessed(chapter).words}.`));
    unasked.checked = !asked();
    return [
      h("h2", {}, "What you expected"),
      h(
        "p",
        {},
        tally.all[1]
          ? `${words[0].toUpperCase()}${words.slice(1)}. ${fits(tally)}`
          : "The Predict boxes ask for a guess before an output unfolds; what they come to is counted here.",
      ),
      h("ul", {}, ...rows),
      h("p", {}, h("label", { htmlFor: "progress-unasked" }, unasked, " Show all outputs without asking for a guess")),
    ];
  };

  const table = () => {
    const rows = course.map((page) => {
      const [done, all] = share(page);
      const what = page.quiz ? "questions right" : "exercises solved";
      const bar = h("progress", { value: done, max: all, "aria-label": `${page.title}: ${done} of ${all} ${what}` });
      const goals = Object.entries(store.all("goal")).filter(
        ([id, { met }]) => met && id.startsWith(`${numberOf(page)}/`),
      );
      const ticked = page.quiz && goals.length ? `, ${counted(goals.length, "goal")}` : "";
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, h("a", { href: href(page.page) }, page.title)),
        h("td", {}, bar),
        h("td", {}, `${done} of ${all} ${what}${ticked}`),
      );
    });
    return [h("h2", {}, "Page by page"), h("table", { className: "progress-table" }, h("tbody", {}, ...rows))];
  };

  let sure = false;
  const eraser = h("button", { type: "button", className: "plain-button" });
  const askFirst = (on) => {
    sure = on;
    eraser.textContent = on ? "Yes, erase everything" : "Erase everything";
  };
  eraser.addEventListener("click", () => {
    if (!sure) {
      askFirst(true);
      status.textContent =
        "This cannot be undone. Press again to erase what is kept in this browser, or save a file first.";
      return;
    }
    askFirst(false);
    store.erase();
    show("Everything is erased.");
  });
  eraser.addEventListener("blur", () => askFirst(false));
  const save = h("button", { type: "button", className: "plain-button", textContent: "Save as a file" });
  save.addEventListener("click", () => {
    ocPage.save("optimization-progress.json", store.text());
    status.textContent = "Saved as optimization-progress.json.";
  });
  const chosen = h("input", { type: "file", accept: ".json,application/json", id: "progress-file" });
  chosen.addEventListener("change", async () => {
    const [file] = chosen.files;
    if (!file) return;
    try {
      const taken = store.read(await file.text());
      show(
        `${counted(taken, "entry", "entries")} taken in${taken ? "" : ": nothing in the file is newer than what is here"}.`,
      );
    } catch (error) {
      status.textContent = error.message;
    }
    chosen.value = "";
  });
  const tools = h(
    "div",
    {},
    h("h2", {}, "Take it along, or erase it"),
    h(
      "div",
      { className: "progress-tools" },
      save,
      h("label", { htmlFor: "progress-file" }, "Take in a file: ", chosen),
      eraser,
    ),
    status,
  );

  const report = h("div");
  const show = (words) => {
    report.replaceChildren(...summary(), ...again(), ...guesses(), ...table());
    if (words) status.textContent = words;
  };
  const blocked =
    "This browser keeps nothing for pages: what you do here is forgotten when you leave. Save it as a file and take it in next time.";
  place.replaceChildren(...(store.lasts ? [] : [h("p", { className: "progress-blocked" }, blocked)]), report, tools);
  askFirst(false);
  show();
  store.heard(() => show());
}
