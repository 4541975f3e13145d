"""`import optcore` needs NumPy alone, and is quick: what needs more loads when it is first used."""

import json
import subprocess
import sys

HEAVY = {"matplotlib", "scipy", "sklearn", "joblib", "tqdm", "IPython", "ipywidgets", "anywidget", "traitlets"}
SCRIPT = """
import json, sys, time
before = time.process_time()
import optcore
seconds = time.process_time() - before
print(json.dumps([seconds, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_importing_loads_numpy_only_and_takes_at_most_three_tenths_of_a_second():
    runs = []
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
        seconds, modules = json.loads(out)
        assert {"numpy", "optcore"} <= set(modules) and not HEAVY & set(modules), sorted(HEAVY & set(modules))
        runs.append(seconds)
    assert min(runs) <= 0.3, runs


def test_every_lazy_name_can_be_reached():
    import optcore

    assert len(optcore._LAZY) >= 20
    for name in optcore._LAZY:
        assert getattr(optcore, name) is not None
        assert name in dir(optcore)
