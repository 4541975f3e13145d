"""Steps a second of the network that learns in the page: `python -m bench.classifier`.

A 2-16-16-1 network on 100 points, each rule of the widget, mini-batches of 1, 4 and 16: processor time of the page's
thread for the loop of steps alone, without looking at the losses or drawing (goal: ten thousand steps a second).
"""

import optcore as oc
from bench.widgets import busy
from book.browser import chromium, require_browser
from optcore.widgets.base import page_source
from optcore.widgets.classifier import RULES

WARM, STEPS, BATCHES = 20_000, 40_000, (1, 4, 16)
#: The loop, driven as `parts/experiment.js` does it.
LOOP = """([spec, value, steps]) => {
  const run = experiment(oc.revive(spec))({ ...value, steps });
  for (let k = 0; k < steps; k++) run.update();
}"""


def main() -> None:
    require_browser()
    with chromium() as browser:
        page = browser.new_page()
        code = page_source("classifier.js").replace("export default", "const none =")
        page.set_content(
            f"<script>{page_source('common.js')}</script><script>{{{code}; window.experiment = experiment;}}</script>"
        )
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        print(f"{'steps a second, 2-16-16-1':26}" + "".join(f"{f'batch {b}':>12}" for b in BATCHES))
        for activation in ("relu", "tanh"):
            for rule in RULES:
                rates = []
                for batch in BATCHES:
                    widget = oc.classifier(rule=rule, activation=activation, batch=batch, lr=1e-3)
                    page.evaluate(LOOP, [widget.spec, widget.value, WARM])
                    before = busy(session)
                    page.evaluate(LOOP, [widget.spec, widget.value, STEPS])
                    rates.append(STEPS / (busy(session) - before))
                print(f"{f'{rule}, {activation}':26}" + "".join(f"{rate:12,.0f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
