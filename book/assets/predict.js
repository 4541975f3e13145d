/* The Predict boxes of a page. Each asks for a guess, and how sure the reader is; then its answer and the outputs of the
   cells below it unfold, up to the next box. The forms are made with the page (book/site/predictions.py), the outputs
   wait as `hidden="until-found"`, so that the browser's search and links still find them.

What is kept, in the store: guess NUMBER/BOX {guess, result, sure, seen, shown}: result is "right", "close" or "no"; sure 50,
75 or 95, in per cent, if it was said; seen, that the outputs were unfolded before, so that the guess does not count;
shown, that the answer was looked up without a guess. */
{
  const store = globalThis.ocStore;
  const { guessed, asked } = globalThis.ocProgress;
  const { h } = ocPage;
  const SURE = { 50: "as a guess", 75: "fairly sure", 95: "sure" };

  // ---- the kinds (and sketch.js): read() gives the guess or throws a sentence, put(guess) shows it, told(guess) is
  // [result, words]
  const choice = (form, { right }) => {
    const labels = [...form.querySelectorAll(".oc-options label")];
    return {
      read() {
        if (!form.elements.guess.value) throw new Error("Choose one of them first.");
        return Number(form.elements.guess.value);
      },
      put: (guess) => {
        labels.forEach((label, k) => {
          label.firstChild.checked = k === guess;
          label.className = guess === undefined ? "" : k === right ? "right" : k === guess ? "wrong" : "";
        });
      },
      told: (guess) => (guess === right ? ["right", "Right"] : ["no", "No: the right one is marked"]),
    };
  };

  /* "1 000", "0,5", "2/3", "10^-6", "3·10^5" */
  const parsed = (text) => {
    const plain = text
      .replace(/[−–]/g, "-")
      .replace(/[\s%]/g, "")
      .replace(/,(?=\d{3}(\D|$))/g, "")
      .replace(",", ".")
      .replace(/(?:[·*×x]|^(?=10\^))10\^\(?([-+]?\d+)\)?/, (_, power, at) => `${at ? "" : 1}e${power}`);
    const [over, under = "1", ...more] = plain.split("/");
    return more.length || !over || !under ? Number.NaN : Number(over) / Number(under);
  };
  const number = (form, { low, high, value, said, factor, tolerance }) => {
    const input = form.elements.guess;
    const unit = input.nextElementSibling.textContent.trim();
    const near = (guess) =>
      factor
        ? guess * value > 0 && Math.abs(Math.log(guess / value)) <= Math.log(factor) * 1.000001
        : Math.abs(guess - value) <= tolerance * 1.000001;
    return {
      read() {
        if (!Number.isFinite(parsed(input.value))) throw new Error("Type a number, such as 0.5, 2/3 or 10^6.");
        return input.value.trim();
      },
      put: (guess) => {
        if (guess !== undefined || input !== document.activeElement) input.value = guess ?? "";
      },
      told(guess) {
        const mine = parsed(guess);
        const is = `it is ${said}${unit && ` ${unit}`}, you said ${guess}`;
        if (mine >= low && mine <= high) return ["right", `Right: ${is}`];
        return near(mine) ? ["close", `Close: ${is}`] : ["no", `No: ${is}`];
      },
    };
  };

  // ---- boxes ------------------------------------------------------------------------------------------------------
  const unfold = (outputs) => outputs.forEach((output) => (output.hidden = false));
  const all = new Map();

  const box = (form) => {
    const outputs = [];
    all.set(form, outputs);
    const spec = JSON.parse(form.dataset.guess);
    const { id } = spec;
    const kind = { choice, number, sketch: ocPage.sketch }[spec.kind](form, spec);
    const verdict = form.nextElementSibling;
    const answer = verdict.nextElementSibling;
    const kept = () => store.get("guess", id);

    const show = () => {
      const item = kept();
      const done = Boolean(item);
      form.classList.toggle("done", done);
      answer.classList.toggle("done", done);
      answer.open = done;
      for (const field of form.elements) field.disabled = done;
      kind.put(item?.guess);
      verdict.className = `oc-verdict ${item?.result ?? ""}`;
      const words = [];
      if (item?.result) {
        const sure = SURE[item.sure] ? `, ${SURE[item.sure]}` : "";
        words.push(`${kind.told(item.guess)[1]}${sure}. `);
        words.push(
          h("small", {
            textContent: item.seen
              ? "The output was open before, so this does not count."
              : `Chapter ${id[0]}: ${guessed(id[0]).words}.`,
          }),
        );
      }
      verdict.replaceChildren(...words);
      if (done || !asked()) unfold(outputs);
      else for (const output of outputs) output.hidden = "until-found";
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      let guess;
      try {
        guess = kind.read();
      } catch (error) {
        verdict.textContent = error.message;
        return;
      }
      const seen = outputs.some((output) => !output.hidden) || undefined;
      const sure = Number(form.elements.sure.value) || undefined;
      store.set("guess", id, { guess, result: kind.told(guess)[0], sure, seen });
      show();
      verdict.focus({ preventScroll: true });
    });
    answer.firstChild.textContent = "Show without a guess";
    answer.addEventListener("toggle", () => {
      if (!answer.open || kept()) return;
      store.set("guess", id, { shown: true });
      show();
    });
    store.heard((kind, item) => {
      if ((kind === "guess" && item === id) || kind === "setting") show();
    });
    return show;
  };

  const shows = [];
  let form;
  for (const one of document.querySelectorAll("form.oc-guess, .oc-unseen"))
    if (one.matches("form")) {
      form = one;
      shows.push(box(one));
    } else all.get(form).push(one);
  shows.forEach((show) => show());

  // What is looked for, or linked to, is unfolded with what belongs to it.
  const find = (el) => {
    for (const outputs of all.values()) if (outputs.some((output) => output.contains(el))) unfold(outputs);
  };
  document.addEventListener("beforematch", ({ target }) => find(target));
  const named = () => {
    const el = document.getElementById(decodeURIComponent(location.hash.slice(1)).split("&")[0]);
    if (el) find(el);
  };
  addEventListener("hashchange", named, true); // before the page goes there
  named();
}
