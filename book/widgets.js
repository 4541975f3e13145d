/* Runs inside a page under test: reads widgets, moves their controls. */
window.sitecheck = (() => {
  const hash = (numbers) => {
    // FNV-1a, enough to tell two drawings apart
    let h = 0x811c9dc5;
    for (let i = 0; i < numbers.length; i++) h = Math.imul(h ^ numbers[i], 0x01000193);
    return h >>> 0;
  };
  const codes = (text) => Array.from(text, (letter) => letter.codePointAt(0));
  const controlsOf = (el) => [...el.querySelectorAll("input, select, button")];
  const shown = (el) => el.checkVisibility() && !el.disabled;

  const drawing = (el) => {
    const pixels = (canvas) =>
      canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1).data.buffer;
    const parts = [...el.querySelectorAll("canvas")]
      .map((c) => new Uint32Array(pixels(c)))
      .concat([...el.querySelectorAll("svg")].map((s) => codes(s.outerHTML)));
    if (!parts.length) parts.push(...[...el.querySelectorAll("td, [data-oc-drawing]")].map((n) => codes(n.outerHTML)));
    return parts.map(hash).join();
  };
  const status = (el) => [...el.querySelectorAll("output[role=status]")].map((o) => o.textContent).join(" | ");
  const frame = () => new Promise(requestAnimationFrame); // after the widget's own drawing, which was asked for before

  const emit = (input) =>
    ["input", "change"].forEach((type) => input.dispatchEvent(new Event(type, { bubbles: true })));
  const set = (input, value) => {
    input.value = value;
    emit(input);
  };
  const isReset = (control) => control.textContent.trim() === "Reset";
  const isStepped = (input) => input.type === "range" || input.type === "number";

  // The ways to move one control, each a function.
  const moves = (control) => {
    if (control.tagName === "SELECT")
      return [...control.options].filter((o) => !o.selected).map((o) => () => set(control, o.value));
    if (isStepped(control)) {
      const [lo, hi] = [Number(control.min || 0), Number(control.max || 100)];
      return [0.25, 0.75, 0.5, 1, 0].map((part) => lo + part * (hi - lo)).map((value) => () => set(control, value));
    }
    return [() => control.click()];
  };

  const name = (control) =>
    `${control.tagName.toLowerCase()}[${control.type || ""}] “${(
      control.labels?.[0]?.textContent ||
      control.getAttribute("aria-label") ||
      control.textContent
    )
      .trim()
      .slice(0, 40)}”`;

  // Which of drawing, status text and the control's own text are different after act()? Waits until they are enough.
  async function changes(el, control, act, patience = 700) {
    const seen = () => [drawing(el), status(el), control.textContent],
      before = seen(),
      { value } = control;
    act();
    if (isStepped(control) && control.value === value) return before.map(() => false); // it was there already
    const end = performance.now() + patience;
    let differ,
      frames = 0;
    do {
      await frame();
      differ = seen().map((now, k) => now !== before[k]);
    } while (!enough(control, differ) && (performance.now() < end || ++frames < 20)); // frames are rare on a busy machine
    return differ;
  }

  // A button may just say what it did.
  const enough = (control, [redrawn, resaid, renamed]) =>
    control.tagName === "BUTTON" ? redrawn || resaid || renamed : redrawn && resaid;

  const restore = (control, value, checked) => {
    // so that the next control meets the widget as it was
    if (control.type === "checkbox" && control.checked !== checked) control.click();
    if (isStepped(control) || control.tagName === "SELECT") set(control, value);
  };

  // What a control fails to change, in words; "" if it is alive.
  async function fault(el, control) {
    let best = [false, false, false];
    const attempt = async (act) => {
      const differ = await changes(el, control, act);
      best = best.map((was, k) => was || differ[k]);
      return enough(control, differ);
    };
    // A reset has nothing to do before something else has moved.
    for (const move of isReset(control) ? [] : moves(control)) if (await attempt(move)) return "";
    for (const other of control.tagName === "BUTTON"
      ? controlsOf(el).filter((c) => c.tagName !== "BUTTON" && shown(c))
      : []) {
      for (const move of moves(other).slice(0, 2)) {
        // one of the two is not where it started
        move();
        await frame();
        if (await attempt(() => control.click())) return "";
      }
    }
    return (
      ["the drawing", "the status line"].filter((_, k) => !best[k]).join(" and ") || "drawing and status line at once"
    );
  }

  // { controls: how many were moved, dead: those that did not do what they should }
  async function exercise(el) {
    el.scrollIntoView();
    for (const group of el.querySelectorAll("details")) group.open = true;
    await frame();
    const dead = [],
      seen = new Set(),
      reset = controlsOf(el).find(isReset);
    let waiting = controlsOf(el).filter(shown);
    while (waiting.length) {
      // a control may reveal others
      for (const control of waiting) {
        seen.add(control);
        if (!control.isConnected || !shown(control)) continue;
        if (reset && control !== reset) reset.click();
        await frame();
        const { value, checked } = control;
        const unchanged = await fault(el, control);
        if (unchanged) dead.push(`${name(control)} does not change ${unchanged}`);
        restore(control, value, checked);
        await frame();
      }
      waiting = controlsOf(el).filter((c) => shown(c) && !seen.has(c));
    }
    return { controls: seen.size, dead };
  }

  const words = (markup) => Object.assign(document.createElement("div"), { innerHTML: markup }).textContent.trim();

  // { answers: how many were given, faults: what the page did not say }
  async function answer(el) {
    const { questions } = JSON.parse(el.querySelector("script[type='application/json']").textContent).spec;
    const faults = [];
    let answers = 0;
    for (const [place, q] of questions.entries()) {
      el.querySelectorAll("nav button")[place].click();
      await frame();
      const alone = q.kind === "one" || (q.options ?? []).filter((o) => o.right).length === 1;
      const tries =
        q.kind === "number"
          ? [{ value: q.answer, right: true, why: q.why }, ...q.traps.map((trap) => ({ ...trap, right: false }))]
          : q.options.map((option, k) => ({ ...option, k, right: option.right && alone }));
      for (const { k, value, right, why } of tries) {
        const inputs = [...el.querySelectorAll("form input")];
        if (q.kind === "number") set(inputs[0], value);
        else inputs[k].click();
        await frame();
        const submit = () => el.querySelector("form button[type=submit]").click();
        submit();
        await frame();
        answers++;
        if (status(el).includes(right ? ": Not right" : ": Right."))
          faults.push(`${q.id}: ${value ?? k} is judged wrongly`);
        if (!el.querySelector("form").textContent.includes(words(why)))
          faults.push(`${q.id}: ${value ?? k} is not explained`);
        submit(); // "Try again"
        await frame();
      }
    }
    return { answers, faults };
  }

  return { exercise, answer, drawing, status, controlsOf, shown, frame };
})();
