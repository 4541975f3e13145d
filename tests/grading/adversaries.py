"""Submissions that attack the grader. Each also holds an honest solution of one exercise, or a reason to get nothing.

`ADVERSARIES[name] = (source, points)`: what it hands in, and the points out of two (`gd`, `contraction`) it deserves.
Those in `NEEDS_A_WALL` would do harm to whoever runs the tests without bubblewrap and not as root, so there they are
left out. Fork bombs have a short fuse: they stop by themselves.
"""

import json
from pathlib import Path

HONEST = """
def contraction(mu, L, lr):
    return max(abs(1 - lr*mu), abs(1 - lr*L))
"""
GD = """
def gradient_descent(grad, w0, lr, steps):
    history = [np.array(w0, float)]
    for _ in range(steps):
        history.append(history[-1] - lr*grad(history[-1]))
    return np.array(history)
"""
FIRST = "import numpy as np\nimport optcore as oc\n"


def forging(frames: str) -> str:
    """Write bytes into every open descriptor before the grader does."""
    return (
        FIRST
        + f"""
import os
def contraction(mu, L, lr):
    forged = {frames}
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, len(forged).to_bytes(8, "big") + forged)
        except OSError:
            pass
    return 0.0
"""
    )


ADVERSARIES: dict[str, tuple[str, int]] = {
    "endless loop": (FIRST + HONEST + "while True:\n    pass", 1),
    "endless loop without alarm": (
        FIRST
        + HONEST
        + """
import signal
def deaf():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True: pass
deaf()
""",
        0,
    ),
    "endless loop that catches everything": (
        FIRST
        + HONEST
        + """
while True:
    try:
        while True: pass
    except:
        pass
""",
        1,
    ),
    "no alarm from here on": (FIRST + "import signal\nsignal.alarm(0)\nsignal.setitimer(0, 0)\n" + HONEST, 1),
    "endless answer": (FIRST + HONEST + "def gradient_descent(grad, w0, lr, steps):\n    while True: pass", 1),
    "sleep": (FIRST + HONEST + "import time\ntime.sleep(1000)", 1),
    "memory bomb": (FIRST + HONEST + "x = bytearray(40 << 30)", 1),
    "slow memory bomb": (FIRST + HONEST + "x = []\nwhile True: x.append(bytearray(1 << 24))", 1),
    "deep recursion": (FIRST + HONEST + "def f(): return f()\nf()", 1),
    "fork bomb": (
        FIRST
        + HONEST
        + """
import os, time
for _ in range(12):
    if os.fork() == 0:
        time.sleep(4)
        os._exit(0)
""",
        1,
    ),
    "thread bomb": (
        FIRST
        + HONEST
        + """
import threading, time
for _ in range(12):
    threading.Thread(target=time.sleep, args=(4,)).start()
""",
        1,
    ),
    "1 GB of output": (FIRST + HONEST + "for _ in range(1000): print('x'*10**6)", 1),
    "1 GB into the pipe": (
        FIRST
        + HONEST
        + """
import os
for descriptor in range(3, 64):
    try:
        for _ in range(1000): os.write(descriptor, bytes(10**6))
    except OSError:
        pass
""",
        0,
    ),
    "a huge answer": (FIRST + HONEST + "def gradient_descent(grad, w0, lr, steps): return np.zeros(10**7)", 1),
    "os._exit": (FIRST + HONEST + "import os\nos._exit(0)", 0),
    "os._exit in the answer": (FIRST + HONEST + "def contraction(mu, L, lr):\n    import os; os._exit(0)\n" + GD, 1),
    "a crash": (FIRST + HONEST + "import ctypes\nctypes.string_at(0)", 0),
    "SystemExit": (FIRST + HONEST + "raise SystemExit", 1),
    "KeyboardInterrupt": (FIRST + HONEST + "raise KeyboardInterrupt", 1),
    "KeyboardInterrupt in the answer": (FIRST + GD + "def contraction(mu, L, lr): raise KeyboardInterrupt", 1),
    "monkeypatched NumPy": (
        FIRST
        + """
for name in ("allclose", "isclose", "array_equal", "all"):
    setattr(np, name, lambda *a, **k: True)
np.ndarray = np.asarray = np.array = None
def contraction(mu, L, lr): return 0.0
""",
        0,
    ),
    "monkeypatched checker": (
        FIRST
        + """
import gc, sys
sys.modules["optcore.grading"].check = oc.check = lambda *a, **k: True
for thing in gc.get_objects():
    if isinstance(thing, type) and thing.__name__ in ("Feedback", "Key", "Outcome", "Exercise"):
        try:
            thing.__bool__ = thing.__eq__ = lambda *a: True
            thing.voice = "Correct"
        except Exception:
            pass
def contraction(mu, L, lr): return 0.0
""",
        0,
    ),
    "asking the grader for the solution": (
        FIRST
        + """
import gc
try:
    from optcore.grading.catalogue import find
    contraction = find("contraction").reference
except ImportError:
    known = [x for x in gc.get_objects() if getattr(x, "__name__", "") == "contraction" and hasattr(x, "__code__")]
    contraction = known[0] if known else lambda mu, L, lr: 0.0
""",
        0,
    ),
    "forged results printed": (
        FIRST
        + """
print('{"id": "gradient-descent/contraction", "voice": "Correct"}')
def contraction(mu, L, lr):
    print("Correct.")
    return "Correct"
""",
        0,
    ),
    "forged frames": (
        forging("""(lambda head: len(head).to_bytes(8, "big") + head)(
        b'{"dict": [["id", "gradient-descent/contraction"], ["refused", {"tuple": ["Correct", "Well."]}]]}')"""),
        0,
    ),
    "forged outcomes": (
        forging("""(lambda head: len(head).to_bytes(8, "big") + head)(
        b'{"dict": [["id", "gradient-descent/contraction"], ["outcomes", [{"dict": [["value", true], ["error", ""], '
        b'["where", ""], ["changed", []], ["printed", ""]]}]]]}')"""),
        0,
    ),
    "broken frames": (forging("b'\\x80\\x04.' * 100"), 0),
    "frames of monstrous size": (forging("b''").replace('len(forged).to_bytes(8, "big")', "b'\\xff'*64"), 0),
    "an answer that lies in __eq__": (
        FIRST
        + """
class Liar(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = float.__hash__
class Array(np.ndarray):
    __eq__ = lambda self, other: np.ones(self.shape, bool)
def contraction(mu, L, lr): return Liar(0.0)
def gradient_descent(grad, w0, lr, steps): return np.zeros((steps + 1, w0.size)).view(Array)
""",
        0,
    ),
    "pickles": (
        FIRST
        + """
import os
class Bomb:
    def __reduce__(self): return os.system, ("touch /tmp/owned",)
def contraction(mu, L, lr): return Bomb()
def gradient_descent(grad, w0, lr, steps): return np.array([Bomb()])
""",
        0,
    ),
    "numbers without end": (FIRST + "def contraction(mu, L, lr): return 10**100000\n" + GD, 1),
    "nested without end": (
        FIRST
        + """
def contraction(mu, L, lr):
    x = []
    x.append(x)
    return x
"""
        + GD,
        1,
    ),
    "a socket": (
        FIRST
        + HONEST
        + """
import socket
with socket.socket() as s:
    s.settimeout(0.5)
    s.connect(("192.0.2.1", 80))
""",
        1,
    ),
    "reading the seed": (
        FIRST
        + """
import gc, glob, os, sys
SEED = "s3cret" + "-of-the-teacher"
found = [thing for thing in gc.get_objects() if isinstance(thing, (str, bytes)) and str(thing) == SEED]
for path in [*glob.glob("/proc/[0-9]*/cmdline"), *glob.glob("/proc/[0-9]*/environ")]:
    try:
        found += [path] if SEED.encode() in open(path, "rb").read() else []
    except OSError:
        pass
found += [name for name, value in os.environ.items() if SEED in value] + [a for a in sys.argv if SEED in a]
if found:
    def contraction(mu, L, lr): return max(abs(1 - lr*mu), abs(1 - lr*L))
""",
        0,
    ),
    "looking into its server": (
        FIRST
        + """
import os
try:
    found = os.listdir(f"/proc/{os.getppid()}/fd") and open(f"/proc/{os.getppid()}/mem", "rb")
except OSError:
    found = None
if found:
    def contraction(mu, L, lr): return max(abs(1 - lr*mu), abs(1 - lr*L))
""",
        0,
    ),
    "filling the disk": (
        FIRST
        + HONEST
        + """
for i in range(200):
    with open(f"{i}", "wb") as file: file.write(bytes(1 << 20))
""",
        1,
    ),
    "files too large": (FIRST + HONEST + "with open('big', 'wb') as file: file.write(bytes(1 << 28))", 1),
    "leaving a note": (FIRST + HONEST + "import os\nopen('/tmp/note', 'w').write('mine')\n", 1),
    "finding the note": (
        FIRST
        + """
import os
if os.path.exists("/tmp/note"):
    def contraction(mu, L, lr): return max(abs(1 - lr*mu), abs(1 - lr*L))
""",
        0,
    ),
    "not UTF-8": ("\udcfe\udcfd" + FIRST + HONEST, 0),
    "a syntax error": (FIRST + HONEST + "def (", 0),
    "nothing": ("", 0),
}

NEEDS_A_WALL: dict[str, tuple[str, int]] = {
    "killing everyone": (FIRST + HONEST + "import os, signal\nos.kill(-1, signal.SIGKILL)", 1),
    "killing the server": (FIRST + HONEST + "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", 1),
    "stopping the server": (FIRST + HONEST + "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)", 1),
    "deleting files": (FIRST + HONEST + "import os, shutil\nshutil.rmtree(FOLDER)", 1),
    "reading other submissions": (
        FIRST
        + """
import os
exec(next(open(os.path.join(FOLDER, name)).read() for name in os.listdir(FOLDER) if name.startswith("honest")))
""",
        0,
    ),
}
BREAKS_ITS_OWN = {"killing everyone", "killing the server", "stopping the server"}


def write(folder: Path, walled: bool) -> dict[str, int]:
    """Write the adversaries into a folder, some as notebooks; returns the points that each deserves, by student."""
    deserved = {}
    for name, (source, points) in (ADVERSARIES | (NEEDS_A_WALL if walled else {})).items():
        text = source.replace("FOLDER", repr(str(folder)))
        (folder / f"{name}.py").write_bytes(text.encode("utf-8", "surrogateescape"))
        deserved[name] = points
    for name, content in NOTEBOOKS.items():
        (folder / f"{name}.ipynb").write_text(content)
        deserved[name] = 0
    with (folder / "200 MB.ipynb").open("wb") as file:
        file.truncate(200 << 20)
    (folder / "a link.py").symlink_to(folder / "honest 0.py")
    (folder / "a folder with a link").mkdir()
    (folder / "a folder with a link" / "link.py").symlink_to(folder / "honest 0.py")
    (folder / "an empty folder").mkdir()
    (folder / "essay.pdf").write_bytes(b"%PDF")
    for name in TRICKY:
        (folder / f"{name}.py").write_text(FIRST + HONEST)
        deserved[name] = 1
    return deserved | dict.fromkeys(["200 MB", "a link", "a folder with a link", "an empty folder", "essay"], 0)


NOTEBOOKS = {
    "broken JSON": '{"cells": [',
    "no cells": '{"cells": [], "nbformat": 4}',
    "cells of the wrong kind": '{"cells": [1, null, {"cell_type": "code"}]}',
    "JSON without bottom": "[" * 100_000,
    "a number": "3",
    "text only": json.dumps({"cells": [{"cell_type": "markdown", "source": ["hello"]}]}),
}
TRICKY = [
    "..",
    "~root",
    "=HYPERLINK(1)",
    "<script>alert(1)</script>".replace("/", "∕"),
    "a\nb",
    "-rf",
    "\u202egnp.exe",
    "..\\..\\etc",
    "$(id)",
    "%2e%2e%2f",
]
