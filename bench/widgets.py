"""Every widget of the gallery: script per frame while its handle or slider is dragged, frames a second when the
processor is slowed down six-fold, and the size of its code.

Goals: 8 ms at the 95th percentile, 50 ms for the phase diagram; 4 ms in the median frame while any one of its controls
is moved (`python -m bench.widgets controls` measures these alone); 30 frames a second, but for the phase diagram
("possible" counts the work of the page's main thread alone, where other programs slow the machine); and
75 kB gzipped for all widget code together, as the built book holds it.
"""

import gzip
import sys
from statistics import median

import numpy as np

import optcore as oc
from book.browser import chromium
from book.course import SITE, require_site
from book.widgets import frame_times, live

RULES = ["gd", "momentum", "nesterov", "adam"]
FRAMES = 120
SLOWED = 6
_two_wells = lambda w: 0.1 + (w[..., 0] ** 2 - 1) ** 2 + w[..., 1] ** 2
WIDGETS = {
    "explore, 4 rules x 500 steps": lambda: oc.explore(oc.rosenbrock, RULES, steps=500, lr=1e-3),
    "explore, phase diagram": lambda: oc.explore(oc.bowl, ["momentum"], steps=100, lr=0.05, phase=("momentum", "beta")),
    "regression": oc.regression,
    "loss_curves": oc.loss_curves,
    "backprop": oc.backprop,
    "chord": oc.chord,
    "critical_points": oc.critical_points,
    "constrained": lambda: oc.constrained("disk"),
    "moments": oc.moments,
    "schedule": oc.schedule,
    "feedback": oc.feedback,
    "newton": oc.newton,
    "signal": oc.signal,
    "fit": oc.fit,
    "classifier": oc.classifier,
    "classifier, 8 layers of 32": lambda: oc.classifier(depth=8, width=32),
    "spectrum": oc.spectrum,
    "gradient_cloud": oc.gradient_cloud,
    "workers": oc.workers,
    "plane": lambda: oc.plane({"three": [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.5]]}, _two_wells, _two_wells),
    "training": lambda: oc.training({k: {"loss": np.arange(1, 100.0) ** -k} for k in range(1, 9)}, curves=["loss"]),
}


def drag_handle(page, handle) -> None:
    """Circle the handle around the middle of its plot."""
    box = handle.evaluate_handle("e => e.closest('.oc-canvas')").as_element().bounding_box()
    turn = np.linspace(0, 4 * np.pi, FRAMES)
    handle.hover()
    page.mouse.down()
    x = box["x"] + box["width"] * (0.5 + 0.25 * np.cos(turn))
    y = box["y"] + box["height"] * (0.5 + 0.25 * np.sin(turn))
    for to in zip(x, y, strict=True):
        page.mouse.move(*to)
    page.mouse.up()


def sweep_slider(page) -> None:
    """Move the first slider through its range, one frame at a time."""
    page.evaluate(
        """async frames => {
          const slider = document.querySelector('.oc-widget input[type=range]');
          for (let i = 0; i < frames; i++) {
            slider.value = +slider.min + (slider.max - slider.min) * (0.5 + 0.5 * Math.sin(i / 8));
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await new Promise(requestAnimationFrame);
          }
        }""",
        FRAMES,
    )


# Circles the first handle, or moves the first slider, as fast as frames come; returns the frames and the seconds.
DRIVE = """async milliseconds => {
  const handle = [...document.querySelectorAll(".oc-canvas .oc-handle")].find(e => e.checkVisibility());
  const slider = document.querySelector(".oc-widget input[type=range]");
  const send = (type, x, y) => handle.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true }));
  const box = (handle ?? slider).parentElement.getBoundingClientRect();
  if (handle) {
    const at = handle.getBoundingClientRect();
    handle.setPointerCapture = () => {};  // there is no pointer
    send("pointerdown", at.x + at.width / 2, at.y + at.height / 2);
  }
  const begun = performance.now();
  let frames = 0;
  for (; performance.now() - begun < milliseconds; frames++) {
    const [p, q] = [0.5 + 0.25 * Math.cos(frames / 20), 0.5 + 0.25 * Math.sin(frames / 20)];
    if (handle) send("pointermove", box.x + p * box.width, box.y + q * box.height);
    else {
      slider.value = +slider.min + (slider.max - slider.min) * p;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    await new Promise(requestAnimationFrame);
  }
  if (handle) send("pointerup", 0, 0);
  return [frames, (performance.now() - begun) / 1000];
}"""


# Moves one control, or circles one handle, a frame at a time; returns the milliseconds of script of each frame.
MOVE = """async ([control, frames]) => {
  const handle = control.matches(".oc-handle"), times = [];
  const box = (handle ? control.closest(".oc-canvas") : control).getBoundingClientRect();
  const at = control.getBoundingClientRect();
  const send = (type, x, y) => control.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true }));
  oc.onframe = (_, ms) => times.push(ms);
  control.setPointerCapture = () => {};  // there is no pointer
  if (handle) send("pointerdown", at.x + at.width / 2, at.y + at.height / 2);
  for (let i = 0; i < frames; i++) {
    const [p, q] = [0.5 + 0.3 * Math.cos(i / 6), 0.5 + 0.3 * Math.sin(i / 6)];
    if (handle) send("pointermove", box.x + p * box.width, box.y + q * box.height);
    else {
      control.value = Math.round(+control.min + (control.max - control.min) * p);
      control.dispatchEvent(new Event("input", { bubbles: true }));
    }
    await new Promise(requestAnimationFrame);
  }
  if (handle) send("pointerup", at.x, at.y);
  oc.onframe = null;
  return times;
}"""


def by_control(page) -> dict[str, list[float]]:
    """Name of each slider and handle -> script of the frames while it is moved; folded controls too."""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => (d.open = true))")
    times = {}
    for control in page.query_selector_all(".oc-widget :is(input[type=range], .oc-handle)"):
        if control.is_visible():
            name = control.evaluate("e => e.ariaLabel ?? e.labels[0].textContent").removesuffix(", arrow keys move it")
            page.evaluate("() => [...document.querySelectorAll('button')].find(b => b.innerText === 'Reset').click()")
            page.evaluate(MOVE, [control, 10])  # once for the compiler
            times[name] = page.evaluate(MOVE, [control, 40])
    return times


def shown(browser, widget):
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.set_content(f"<!DOCTYPE html><body><main>{live(widget)}</main>")
    page.wait_for_function("document.querySelector('output').textContent")
    return page


def print_controls(browser) -> None:
    print(f"{'script per frame, by control':32} {'controls':>9} {'median ms':>10} {'worst ms':>9}")
    for name, make in WIDGETS.items():
        page = shown(browser, make())
        medians = {control: median(times) for control, times in by_control(page).items()}
        worst = max(medians, key=medians.__getitem__)
        middle = median(medians.values())
        print(f"{name:32} {len(medians):9} {middle:10.2f} {medians[worst]:9.2f}  {worst}", flush=True)
        page.close()


def busy(session) -> float:
    """Seconds that the page's main thread has worked, whatever else the machine does."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def slowed_rates(page) -> tuple[float, float]:
    """Frames a second on a slowed processor: those that came, and those that its main thread could draw."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.evaluate(DRIVE, 300)
    before = busy(session)
    frames, _ = page.evaluate(DRIVE, 1500)
    possible = frames / (busy(session) - before) / SLOWED
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.evaluate(DRIVE, 300)
    frames, seconds = page.evaluate(DRIVE, 1500)
    return frames / seconds, possible


def measure(browser, widget) -> tuple[list[float], tuple[float, float]]:
    page = shown(browser, widget)
    handle = next(filter(lambda h: h.is_visible(), page.query_selector_all(".oc-canvas .oc-handle")), None)
    act = (lambda: drag_handle(page, handle)) if handle else (lambda: sweep_slider(page))
    act()  # once for the compiler
    times = frame_times(page, act)
    rates = slowed_rates(page)
    page.close()
    return times, rates


def main() -> None:
    require_site()
    with chromium() as browser:
        print_controls(browser)
        if sys.argv[1:] == ["controls"]:
            return
        print()
        head = f"{'frames':>6} {'median ms':>10} {'95% ms':>8} {f'frames/s at 1/{SLOWED} speed':>24} {'possible':>9}"
        print(f"{'script per frame while dragging':32} {head}")
        for name, make in WIDGETS.items():
            times, (came, possible) = measure(browser, make())
            line = f"{len(times):6} {median(times):10.2f} {np.percentile(times, 95):8.2f} {came:24.0f} {possible:9.0f}"
            print(f"{name:32} {line}", flush=True)
    built = sorted((SITE / "_static/oc").glob("*.js"))
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in built}
    print(f"\nall widget code, {len(sizes)} files: {sum(sizes.values()) / 1000:.1f} kB gzipped (goal 75 kB)")
    print(", ".join(f"{name} {size / 1000:.1f}" for name, size in sizes.items()))


if __name__ == "__main__":
    main()
