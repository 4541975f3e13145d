/* Runs inside a page under test: reads widgets, moves their controls: by script, or with the mouse or the keys that the
   test has bound to `hand`. */
window.sitecheck = (() => {
  const hash = (numbers) => {
    // FNV-1a, enough to tell two drawings apart
    let h = 0x811c9dc5;
    for (let i = 0; i < numbers.length; i++) h = Math.imul(h ^ numbers[i], 0x01000193);
    return h >>> 0;
  };
  const codes = (text) => Array.from(text, (letter) => letter.codePointAt(0));
  const controlsOf = (el) => [...el.querySelectorAll("input, select, button")];
  const isHandle = (control) => control.matches(".oc-handle");
  const shown = (el) => el.checkVisibility() && !el.disabled;

  const pixels = (canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1).data.buffer;
  const drawing = (el) => {
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

  // The same with a real mouse: a page that scrolls must have come to rest.
  const DRAGS = [1, -1].flatMap((way) => [
    [40 * way, 0],
    [0, -40 * way],
  ]);
  async function centre(el, part = 0.5) {
    el.scrollIntoView({ block: "nearest" });
    let top, rect;
    do {
      top = rect?.top;
      await frame();
      rect = el.getBoundingClientRect();
    } while (rect.top !== top);
    return [rect.left + part * rect.width, top + rect.height / 2];
  }
  const click = async (control, part) => hand("click", ...(await centre(control, part)));
  const drag = async (control, by) => hand("drag", ...(await centre(control)), ...by);
  async function choose(control, key) {
    await click(control); // the list that opens is the browser's own
    await hand("press", key);
    await hand("press", "Enter");
  }
  function byMouse(control) {
    if (isHandle(control)) return DRAGS.map((by) => () => drag(control, by));
    if (control.type === "range") return [0.25, 0.75, 0.5, 1, 0].map((part) => () => click(control, part));
    if (control.tagName === "SELECT") return ["ArrowDown", "ArrowUp", "End"].map((key) => () => choose(control, key));
    return [() => click(control)];
  }

  // And with real keys. An arrow moves a slider, perhaps by too little for words to change: a further key follows it.
  const ARROWS = ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"];
  const press = (control, key) => (control.focus(), hand("press", key));
  async function slide(control, key) {
    const { value } = control;
    for (const arrow of ["ArrowRight", "ArrowLeft"]) if (control.value === value) await press(control, arrow);
    if (control.value !== value) await press(control, key);
  }
  function byKeys(control) {
    if (control.type === "range") return ["End", "Home"].map((key) => () => slide(control, key));
    const keys = { BUTTON: ["Enter"], SELECT: ["ArrowDown", "ArrowUp", "End"], SPAN: ARROWS }[control.tagName];
    return (keys ?? [" "]).map((key) => () => press(control, key));
  }
  const MOVES = { script: moves, mouse: byMouse, keys: byKeys };

  const name = (control) =>
    `${control.tagName.toLowerCase()}[${control.type || control.role || ""}] “${(
      control.labels?.[0]?.textContent ||
      control.getAttribute("aria-label") ||
      control.textContent
    )
      .trim()
      .slice(0, 40)}”`;

  // Whether a condition comes to hold.
  async function holds(condition, patience = 700) {
    const end = performance.now() + patience;
    let frames = 0;
    do await frame();
    while (!condition() && (performance.now() < end || ++frames < 20)); // frames are rare on a busy machine
    return condition();
  }

  // Until a run that takes more than a frame is done.
  async function quiet(el) {
    do await frame();
    while (el.hasAttribute("data-busy"));
  }

  // Which of drawing, status text and the control's own text are different after act()? Waits until they are enough.
  async function changes(el, control, act) {
    const seen = () => [drawing(el), status(el), control.textContent],
      before = seen(),
      { value } = control;
    await act();
    if (isStepped(control) && control.value === value) return before.map(() => false); // it was there already
    let differ;
    await holds(() => {
      differ = seen().map((now, k) => now !== before[k]);
      return enough(control, differ);
    });
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
  async function fault(el, control, how) {
    const { value } = control;
    let best = [false, false, false],
      moved = false;
    const attempt = async (act) => {
      const differ = await changes(el, control, act);
      moved ||= control.value !== value;
      best = best.map((was, k) => was || differ[k]);
      return enough(control, differ);
    };
    // A reset has nothing to do before something else has moved.
    for (const move of isReset(control) ? [] : MOVES[how](control)) if (await attempt(move)) return "";
    for (const other of control.tagName === "BUTTON"
      ? controlsOf(el).filter((c) => c.tagName !== "BUTTON" && shown(c))
      : []) {
      for (const move of moves(other).slice(0, 2)) {
        // one of the two is not where it started
        move();
        await frame();
        if (await attempt(MOVES[how](control)[0])) return "";
      }
    }
    if (isStepped(control) && !moved) return `its value, ${value}; the focus is on ${name(document.activeElement)}`;
    return (
      ["the drawing", "the status line"].filter((_, k) => !best[k]).join(" and ") || "drawing and status line at once"
    );
  }

  // { controls: how many were moved, dead: those that did not do what they should }; `how`: a key of MOVES
  async function exercise(el, how = "script") {
    el.scrollIntoView();
    for (const group of el.querySelectorAll("details")) group.open = true;
    await frame();
    const dead = [],
      seen = new Set(),
      reset = controlsOf(el).find(isReset);
    const all = () =>
      controlsOf(el)
        .concat(how === "script" ? [] : [...el.querySelectorAll(".oc-handle")])
        .filter(shown);
    let waiting = all();
    while (waiting.length) {
      // a control may reveal others
      for (const control of waiting) {
        seen.add(control);
        if (!control.isConnected || !shown(control)) continue;
        if (reset && control !== reset) reset.click();
        await quiet(el);
        const { value, checked } = control;
        const unchanged = await fault(el, control, how);
        if (unchanged) dead.push(`${name(control)} does not change ${unchanged}`);
        restore(control, value, checked);
        await frame();
      }
      waiting = all().filter((c) => !seen.has(c));
    }
    return { controls: seen.size, dead };
  }

  // The labels of the plots that show one colour and nothing else, on all their canvases.
  function oneColour(canvas) {
    const colours = new Uint32Array(pixels(canvas));
    return colours.every((colour) => colour === colours[0]);
  }
  function blank(el) {
    const plots = [...el.querySelectorAll("canvas[role=img]")].filter((canvas) => canvas.checkVisibility());
    if (!plots.length && el.dataset.oc !== "quiz") return ["a widget without a plot"];
    const empty = ({ parentElement: box }) => [...box.querySelectorAll("canvas")].every(oneColour);
    return plots.filter(empty).map((canvas) => canvas.ariaLabel);
  }

  // Moves the first thing that can be moved, handles first, and gives its name; "" if nothing moves.
  async function nudge(el, how) {
    for (const control of [...el.querySelectorAll(".oc-handle, input, select")].filter(shown))
      for (const move of MOVES[how](control))
        if (enough(control, await changes(el, control, move))) return name(control);
    return "";
  }

  const words = (markup) => Object.assign(document.createElement("div"), { innerHTML: markup }).textContent.trim();

  // { answers: how many were given, faults: what the page did not say }; the questions, where the page does not hold them
  async function answer(el, questions, how = "script") {
    questions ??= JSON.parse(el.querySelector("script[type='application/json']").textContent).spec.questions;
    const faults = [];
    let answers = 0;
    const push = (control) => (how === "script" ? control.click() : MOVES[how](control)[0]());
    const submit = () => push(el.querySelector("form button[type=submit]"));
    const type = async (input, text) => {
      input.value = "";
      if (how === "script") return set(input, text);
      await (how === "mouse" ? click(input) : input.focus());
      return hand("type", text);
    };
    const says = (...words) => holds(() => words.some((word) => status(el).includes(word)));
    for (const [place, q] of questions.entries()) {
      await push(el.querySelectorAll("nav button")[place]);
      if (!(await says(`Question ${place + 1} of`))) faults.push(`${q.id}: is not shown`);
      const alone = q.kind === "one" || (q.options ?? []).filter((o) => o.right).length === 1;
      const tries =
        q.kind === "number"
          ? [{ value: q.answer, right: true, why: q.why }, ...q.traps.map((trap) => ({ ...trap, right: false }))]
          : q.options.map((option, k) => ({ ...option, k, right: option.right && alone }));
      for (const { k, value, right, why } of tries) {
        const inputs = [...el.querySelectorAll("form input")];
        await (q.kind === "number" ? type(inputs[0], String(value)) : push(inputs[k]));
        if (!(await says("Answer chosen."))) faults.push(`${q.id}: ${value ?? k} is not taken`);
        await submit();
        answers++;
        if (!(await says(right ? ": Right." : ": Not right"))) faults.push(`${q.id}: ${value ?? k} is judged wrongly`);
        if (!el.querySelector("form").textContent.includes(words(why)))
          faults.push(`${q.id}: ${value ?? k} is not explained`);
        await submit(); // "Try again"
        if (!(await says("Not answered yet."))) faults.push(`${q.id}: ${value ?? k} cannot be tried again`);
      }
    }
    return { answers, faults };
  }

  return { exercise, answer, nudge, blank, drawing, status, controlsOf, shown, frame };
})();
