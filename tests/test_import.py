"""`import optcore` needs NumPy alone, and is quick: what needs more loads when it is first used."""

import json
import subprocess
import sys

HEAVY = {"matplotlib", "scipy", "sklearn", "joblib", "tqdm", "IPython", "ipywidgets", "anywidget", "traitlets"}
SCRIPT = "import json, sys, optcore; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def test_importing_loads_numpy_only():
    out = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    modules = set(json.loads(out))
    assert {"numpy", "optcore"} <= modules and not HEAVY & modules, sorted(HEAVY & modules)


def test_every_lazy_name_can_be_reached():
    import optcore

    assert len(optcore._LAZY) >= 20
    for name in optcore._LAZY:
        assert getattr(optcore, name) is not None
        assert name in dir(optcore)
