"""The page against NumPy: the same rule, the same thousand steps; and the script time of a frame while dragging.

python -m bench.page prints ratios and frame times measured in one run, round by round.
"""

import time
from statistics import median

import numpy as np

import optcore as oc
from book.browser import chromium, require_browser
from book.widgets import frame_times, live
from optcore.rule_spec import rule_program

STEPS, ROUNDS = 1000, 15
START, LR = [-1.5, 2.0], 0.01


def in_numpy() -> tuple[float, np.ndarray]:
    begun = time.perf_counter()
    path = oc.descend(oc.adam, oc.rosenbrock, START, steps=STEPS, lr=LR)
    return time.perf_counter() - begun, path.final


def in_page(page) -> tuple[float, np.ndarray]:
    seconds, final = page.evaluate(
        """([surface, rule, start, lr, steps]) => {
          const surf = oc.surface(surface), hyper = Object.fromEntries(rule.hyper.map(h => [h.name, h.default]));
          const params = Object.fromEntries(surface.params.map(p => [p.name, p.default]));
          const run = () => oc.descend(surf, rule, { start, lr, steps, params, hyper });
          for (let i = 0; i < 20; i++) run();
          const begun = performance.now();
          let last;
          for (let i = 0; i < 50; i++) last = run();
          return [(performance.now() - begun) / 50e3, [...last.points.slice(-2)]];
        }""",
        [oc.rosenbrock.program(), rule_program(oc.adam), START, LR, STEPS],
    )
    return seconds, np.array(final)


def in_optax():
    """A jitted scan of the same steps, compiled beforehand; None where optax is not installed."""
    try:
        import jax
        import optax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    adam = optax.adam(LR)
    grad = jax.grad(lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2)

    @jax.jit
    def run(w):
        def step(carry, _):
            w, state = carry
            updates, state = adam.update(grad(w), state)
            return (optax.apply_updates(w, updates), state), None

        return jax.lax.scan(step, (w, adam.init(w)), None, length=STEPS)[0][0]

    start = jax.numpy.array(START)
    run(start).block_until_ready()

    def timed():
        begun = time.perf_counter()
        final = run(start).block_until_ready()
        return time.perf_counter() - begun, np.array(final)

    return timed


def main() -> None:
    require_browser()
    rules = ["gd", "momentum", "nesterov", "adam"]
    widget = oc.explore(oc.rosenbrock, rules, steps=500, lr=1e-3)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.set_content(f"<!DOCTYPE html><body><main>{live(widget)}</main>")
        page.wait_for_function("document.querySelector('output').textContent")
        contenders = {"NumPy": in_numpy, "page": lambda: in_page(page), "optax": in_optax()}
        contenders = {k: f for k, f in contenders.items() if f}
        times: dict[str, list[float]] = {k: [] for k in contenders}
        finals = {}
        for _ in range(ROUNDS):
            for name, run in contenders.items():
                seconds, finals[name] = run()
                times[name].append(seconds)
        base = median(times["NumPy"])
        print(f"{STEPS} Adam steps on Rosenbrock, median of {ROUNDS} rounds, as a share of NumPy's time")
        for name, seconds in times.items():
            gap = np.abs(finals[name] - finals["NumPy"]).max()
            print(f"  {name:6} {median(seconds) / base:8.4f}   end point differs by {gap:.1e}")

        handle = page.locator(".oc-canvas").first
        box = handle.bounding_box()

        def drag() -> None:
            turn = np.linspace(0, 4 * np.pi, 150)
            x = box["x"] + box["width"] * (0.5 + 0.3 * np.cos(turn))
            y = box["y"] + box["height"] * (0.5 + 0.3 * np.sin(turn))
            page.mouse.move(x[0], y[0])
            page.mouse.down()
            for px, py in zip(x, y, strict=True):
                page.mouse.move(px, py)
            page.mouse.up()

        drag()
        spent = frame_times(page, drag)
        print(f"script per frame while dragging, {len(rules)} rules x 500 steps, {len(spent)} frames")
        print(f"  median {median(spent):.2f} ms, 95th percentile {np.percentile(spent, 95):.2f} ms (goal 4 ms)")


if __name__ == "__main__":
    main()
