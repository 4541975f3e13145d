/* Runs inside a page under test: reads widgets, moves their controls. */
window.sitecheck = (() => {
  const hash = text => {  // FNV-1a, enough to tell two drawings apart
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return h >>> 0;
  };
  const controlsOf = el => [...el.querySelectorAll("input, select, button")];
  const shown = el => el.checkVisibility() && !el.disabled;

  const drawing = el => {
    const parts = [...el.querySelectorAll("canvas")].map(c => c.toDataURL())
      .concat([...el.querySelectorAll("svg")].map(s => s.outerHTML));
    if (!parts.length) parts.push(...[...el.querySelectorAll("td, [data-oc-drawing]")].map(n => n.outerHTML));
    return hash(parts.join());
  };
  const status = el => [...el.querySelectorAll("output[role=status]")].map(o => o.textContent).join(" | ");
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));

  const emit = input => ["input", "change"].forEach(type => input.dispatchEvent(new Event(type, { bubbles: true })));
  const set = (input, value) => { input.value = value; emit(input); };
  const isStepped = input => input.type === "range" || input.type === "number";

  // The ways to move one control, each a function.
  const moves = control => {
    if (control.tagName === "SELECT")
      return [...control.options].filter(o => !o.selected).map(o => () => set(control, o.value));
    if (isStepped(control)) {
      const [lo, hi] = [Number(control.min || 0), Number(control.max || 100)];
      return [0.25, 0.75, 0.5, 1, 0].map(part => lo + part*(hi - lo)).map(value => () => set(control, value));
    }
    return [() => control.click()];
  };

  const name = control =>
    `${control.tagName.toLowerCase()}[${control.type || ""}] “${
      (control.labels?.[0]?.textContent || control.getAttribute("aria-label") || control.textContent).trim().slice(0, 40)}”`;

  // Resolves to true once both the drawing and the status text differ from before.
  async function changes(el, act, patience = 700) {
    const before = [drawing(el), status(el)];
    act();
    const end = performance.now() + patience;
    do {
      await frame();
      if (drawing(el) !== before[0] && status(el) !== before[1]) return true;
    } while (performance.now() < end);
    return false;
  }

  async function alive(el, control) {
    for (const move of moves(control)) if (await changes(el, move)) return true;
    if (control.tagName !== "BUTTON") return false;
    // A reset has nothing to do before something else has moved.
    for (const other of controlsOf(el).filter(c => isStepped(c) && shown(c))) {
      for (const move of moves(other).slice(0, 2)) { move(); await frame(); }
      if (await changes(el, () => control.click())) return true;
    }
    return false;
  }

  // { controls: how many were moved, dead: names of those that did nothing }
  async function exercise(el) {
    el.scrollIntoView();
    await frame();
    const dead = [], seen = new Set();
    let waiting = controlsOf(el).filter(shown);
    while (waiting.length) {       // a control may reveal others
      for (const control of waiting) {
        seen.add(control);
        if (control.isConnected && shown(control) && !(await alive(el, control))) dead.push(name(control));
      }
      waiting = controlsOf(el).filter(c => shown(c) && !seen.has(c));
    }
    return { controls: seen.size, dead };
  }

  return { exercise, drawing, status, controlsOf, shown, frame };
})();
