/* One question at a time. Settings: `at`, the one shown; `answers`, by question id; `done`, the ids checked. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { h, newId } = oc,
      { questions } = ui.spec;
    el.classList.add("oc-quiz");
    const nav = h("nav", { class: "oc-quiz-nav", "aria-label": "Questions" }),
      form = h("form", { novalidate: true });
    ui.plots.replaceWith(nav, form);

    ui.field("at", (v) => (Number.isInteger(v) ? oc.clamp(v, 0, questions.length - 1) : 0));
    ui.field("answers", (v) => (v && typeof v === "object" ? v : {}));
    ui.field("done", (v) => (Array.isArray(v) ? v.filter((id) => questions.some((q) => q.id === id)) : []));

    const chosen = (q) => [ui.value.answers[q.id] ?? []].flat();
    const answered = (q) => (q.kind === "number" ? Number.isFinite(ui.value.answers[q.id]) : chosen(q).length > 0);
    const isRight = (q) =>
      q.kind === "number"
        ? Math.abs(ui.value.answers[q.id] - q.answer) <= q.tolerance
        : q.options.every((o, k) => o.right === chosen(q).includes(k));
    const answer = (q, v) => ui.set({ answers: { ...ui.value.answers, [q.id]: v } });
    const go = (at) => {
      ui.set({ at });
      requestAnimationFrame(() => form.querySelector("legend")?.focus());
    };

    const buttons = questions.map((_, k) => ui.button(k + 1, () => go(k), { in: nav }));

    const option = (q, o, k, done) => {
      const id = newId(),
        input = h("input", { id, type: q.kind === "one" ? "radio" : "checkbox", name: q.id, disabled: done });
      input.addEventListener("change", () =>
        answer(q, q.kind === "one" ? [k] : q.options.map((_, j) => j).filter((j) => form.elements[q.id][j].checked)),
      );
      const verdict = o.right ? "Right" : "Wrong",
        label = h("label", { for: id, html: o.text }),
        spoken = label.cloneNode(true);
      for (const math of spoken.querySelectorAll("math")) math.replaceWith(math.getAttribute("alttext"));
      input.setAttribute("aria-label", spoken.textContent);
      return h(
        "div",
        { class: `oc-option ${done ? verdict.toLowerCase() : ""}` },
        input,
        label,
        done &&
          h("p", {
            class: "oc-why",
            html: `${verdict}${chosen(q).includes(k) ? " (your choice)" : ""}. ${o.why}`,
          }),
      );
    };

    const number = (q, done) => {
      const id = newId(),
        input = h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", disabled: done });
      input.addEventListener("input", () =>
        answer(q, input.value.trim() ? Number(input.value.replace(",", ".").replace("−", "-")) : null),
      );
      const trap = q.traps.find((t) => Math.abs(ui.value.answers[q.id] - t.value) <= q.tolerance);
      const verdict = isRight(q)
        ? `Right. ${q.why}`
        : `Wrong: the answer is ${oc.fmt(q.answer, 6)}. ${trap ? trap.why + " " : ""}${q.why}`;
      return h(
        "div",
        { class: `oc-option ${done ? (isRight(q) ? "right" : "wrong") : ""}` },
        h("label", { for: id }, "Your answer"),
        input,
        done && h("p", { class: "oc-why", html: verdict }),
      );
    };

    // built again only when the question or its checked state changes, so that typing keeps the focus
    const build = oc.memo((at, done) => {
      const q = questions[at],
        last = at === questions.length - 1;
      const act = h("button", { type: "submit", class: "oc-button" }, done ? "Try again" : "Check");
      const hint = { many: " Choose all that are right.", number: " Give a number." }[q.kind] ?? "";
      form.replaceChildren(
        h(
          "fieldset",
          {},
          h("legend", {
            tabindex: -1,
            html: `<strong>Question ${at + 1} of ${questions.length}.</strong> ${q.text}${hint}`,
          }),
          ...(q.kind === "number" ? [number(q, done)] : q.options.map((o, k) => option(q, o, k, done))),
        ),
        h(
          "div",
          { class: "oc-foot" },
          act,
          done &&
            !last &&
            h("button", { type: "button", class: "oc-button", onclick: () => go(at + 1) }, "Next question"),
        ),
      );
    });

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const q = questions[ui.value.at],
        { done } = ui.value;
      if (done.includes(q.id))
        ui.set({
          done: done.filter((id) => id !== q.id),
          answers: { ...ui.value.answers, [q.id]: undefined },
        });
      else if (answered(q)) ui.set({ done: [...done, q.id] });
      else ui.set({}, { note: q.kind === "number" ? "Type a number first" : "Choose an option first" });
      requestAnimationFrame(() => (form.querySelector(".oc-foot button:last-child") ?? form).focus());
    });

    const shown = ui.run(({ at, done }) => {
      const q = questions[at],
        checked = done.includes(q.id),
        right = questions.filter((k) => done.includes(k.id) && isRight(k)).length;
      build(at, checked);
      const inputs = [...form.querySelectorAll("input")];
      if (q.kind !== "number") inputs.forEach((input, k) => (input.checked = chosen(q).includes(k)));
      else if (inputs[0] !== document.activeElement) inputs[0].value = ui.value.answers[q.id] ?? "";
      buttons.forEach((b, k) => {
        const id = questions[k].id,
          mark = !done.includes(id) ? "" : isRight(questions[k]) ? " ✓" : " ✗";
        b.textContent = `${k + 1}${mark}`;
        b.setAttribute("aria-label", `Question ${k + 1}${{ "": "", " ✓": ", right", " ✗": ", wrong" }[mark]}`);
        if (k === at) b.setAttribute("aria-current", "step");
        else b.removeAttribute("aria-current");
      });
      const verdict = !checked
        ? answered(q)
          ? "Answer chosen."
          : "Not answered yet."
        : isRight(q)
          ? "Right."
          : "Not right; see the explanations.";
      return `Question ${at + 1} of ${questions.length}: ${verdict} Score: ${right} right of ${done.length} answered.`;
    });
    oc.onquiz?.(ui, { questions, isRight }); // set by a page that remembers answers
    return shown;
  },
};
