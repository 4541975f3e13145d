/* A guess that is drawn: a curve over a few places, by pointer, or by a slider for each. For predict.js, where a page has one. */
ocPage.sketch = (form, { curve, xs, close, ends: [low, high, log] }) => {
  const svg = form.querySelector("svg");
  const [right, mine] = svg.querySelectorAll("polyline");
  const sliders = [...form.querySelectorAll("[type=range]")];
  const [top, bottom] = [8, 156];
  const line = (parts) => parts.map((part, k) => `${xs[k]},${bottom - part * (bottom - top)}`).join(" ");
  let touched = false;
  const parts = () => sliders.map(({ value }) => value / 100);
  const draw = () => {
    mine.setAttribute("points", touched ? line(parts()) : "");
    for (const slider of sliders) {
      const part = slider.value / 100;
      const value = log ? low * (high / low) ** part : low + part * (high - low);
      slider.setAttribute("aria-valuetext", Number(value.toPrecision(2)));
    }
  };
  const set = () => {
    touched = true;
    draw();
  };
  for (const slider of sliders) slider.addEventListener("input", set);
  let last;
  const to = (event) => {
    const box = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((at) => (at / box.width) * 360);
    const k = xs.reduce((best, at, k) => (Math.abs(at - x) < Math.abs(xs[best] - x) ? k : best), 0);
    const value = (100 * (bottom - y)) / (bottom - top);
    const from = last ?? [k, value];
    for (let at = from[0]; ; at += Math.sign(k - at)) {
      // a fast stroke leaves no point out
      sliders[at].value = at === k ? value : from[1] + ((value - from[1]) * (at - from[0])) / (k - from[0]);
      if (at === k) break;
    }
    last = [k, value];
    set();
  };
  svg.addEventListener("pointerdown", (event) => {
    if (sliders[0].disabled) return;
    svg.setPointerCapture(event.pointerId);
    last = undefined;
    to(event);
  });
  svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && to(event));
  draw();
  return {
    read() {
      if (!touched) throw new Error("Draw the curve first, or move the sliders.");
      return sliders.map(({ value }) => Number(value));
    },
    put(guess) {
      touched = guess !== undefined;
      sliders.forEach((slider, k) => (slider.value = guess?.[k] ?? 50));
      right.setAttribute("points", guess || form.classList.contains("done") ? line(curve) : "");
      draw();
    },
    told(guess) {
      const hits = curve.filter((part, k) => Math.abs(part - guess[k] / 100) <= close).length;
      const words = `${hits} of ${curve.length} points lie near the curve of the page`;
      if (hits === curve.length) return ["right", `Right: ${words}`];
      return hits >= (2 * curve.length) / 3 ? ["close", `Close: ${words}`] : ["no", `No: ${words}`];
    },
  };
};
