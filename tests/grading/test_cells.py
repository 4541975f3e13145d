"""What runs in Jupyter runs in the grader: one class of right hand-ins in odd clothes, each worth its two points."""

import codecs
import json

import pytest

from optcore.grading import classroom, sandbox
from optcore.grading.cells import code_cells, statements
from tests.grading.adversaries import FIRST, GD, HONEST
from tests.grading.wall import require_wall

EXERCISES = ["gradient-descent/gd", "gradient-descent/contraction"]
CHECK = 'oc.check("gradient-descent/gd", gradient_descent)\n'


def notebook(*cells, **more):
    made = [{"cell_type": "code", "metadata": {}, "source": c, "outputs": [], "execution_count": None} for c in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **more}).encode()


def format_3(*cells):
    made = [{"cell_type": "code", "input": c.splitlines(keepends=True), "language": "python"} for c in cells]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": made}]}).encode()


ALL = FIRST + GD + HONEST
INDENTED = "    " + (GD + HONEST).strip().replace("\n", "\n    ")
RIGHT = {
    "bom.ipynb": codecs.BOM_UTF8 + notebook(FIRST, GD, HONEST),
    "bom script.py": codecs.BOM_UTF8 + ALL.encode(),
    "utf16.py": ALL.encode("utf-16"),
    "latin1.py": ("# -*- coding: latin-1 -*-\n# gelöst von Zoë\n" + ALL).encode("latin-1"),
    "windows.py": ALL.replace("\n", "\r\n").encode(),
    "exported.py": ("# In[1]:\nget_ipython().run_line_magic('matplotlib', 'inline')\n" + ALL).encode(),
    "exported, one cell broken.py": ("#!/usr/bin/env python\n\n# In[1]:\n\n" + FIRST + "\n# In[ ]:\n\ndef f(:\n\n"
                                     "# In[3]:\n\n" + GD + HONEST).encode(),
    "one error.py": (FIRST + "1/0\n" + GD + "undefined\n" + HONEST).encode(),
    "percent.py": ("# %% first\n%load_ext autoreload\n" + FIRST + "# %%\n!ls\n" + GD + HONEST).encode(),
    "bang.ipynb": notebook(FIRST, "files = !ls\nn = len(files)\n" + GD, HONEST),
    "help.ipynb": notebook(FIRST, GD + "np.sum?\n", "?np.sum\n" + HONEST),
    "timed.ipynb": notebook(FIRST, GD + "t = %timeit -o sum([1])\nt.best < 1\n", "%%time\n" + HONEST),
    "time of a line.ipynb": notebook(FIRST, "%time x = 1\n" + GD + "assert x == 1", "%%capture out\n" + HONEST),
    "indented.ipynb": notebook(FIRST, INDENTED),
    "prompts.ipynb": notebook(">>> import numpy as np\n>>> import optcore as oc", GD, HONEST),
    "await.ipynb": notebook(FIRST, "import asyncio\nasync def one():\n    await asyncio.sleep(0)\n    return 1\n",
                            GD + "x = await one()\nassert x == 1", "async with asyncio.Lock(): pass\n" + HONEST),
    "assert.ipynb": notebook(FIRST, GD + "assert " + CHECK + HONEST),
    "assert its voice.ipynb": notebook(
        FIRST, GD + 'if oc.check("gd", gradient_descent).voice == "Correct": 1/0\n' + HONEST
    ),
    "keywords.ipynb": notebook(FIRST, GD + 'oc.check(exercise="gd", answer=gradient_descent)\n' + HONEST),
    "endless.ipynb": notebook(FIRST, "while True: pass", GD, "while True:\n    try: pass\n    except: pass", HONEST),
    "colab.ipynb": notebook("from google.colab import drive\ndrive.mount('/content')\n" + FIRST, GD, HONEST),
    "otter.ipynb": notebook(
        "# Initialize Otter\nimport otter\ngrader = otter.Notebook('3.ipynb')", FIRST, GD, "grader.check('q1')", HONEST
    ),
    "torch.ipynb": notebook("import no_such_torch, numpy as np\nimport no_such_jax as jax, optcore as oc", GD, HONEST),
    "future.ipynb": notebook("from __future__ import annotations\n" + FIRST, GD, "def f(x: Nothing): pass\n" + HONEST),
    "random.ipynb": notebook(
        FIRST, "import os, secrets\nopen('/dev/urandom', 'rb').read(4)\n" + GD + "assert secrets.token_hex(2)", HONEST
    ),
    "shell.ipynb": notebook(
        "from IPython import get_ipython\nget_ipython().magic('pylab')\nget_ipython().x = 1\n" + FIRST, GD + HONEST
    ),
    "shouting.IPYNB": notebook(FIRST, GD, HONEST),
    "SHOUTING.PY": ALL.encode(),
    "mailed.ipynb.txt": notebook(FIRST, GD, HONEST),
    "script.py.txt": ALL.encode(),
    "renamed.py": notebook(FIRST, GD, HONEST),
    "old.ipynb": format_3(FIRST, GD, HONEST),
    "an error whose text breaks.ipynb": notebook(
        FIRST, "class E(Exception):\n    def __str__(self): raise ValueError\nraise E()", GD, HONEST
    ),
    "exit.py": (FIRST + "import sys\nsys.exit()\n" + GD + HONEST).encode(),
    "bare except.ipynb": notebook(FIRST, "try:\n    import torch_\nexcept: pass\n" + GD, HONEST),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "submissions"
    folder.mkdir()
    for name, content in RIGHT.items():
        (folder / name).write_bytes(content)
    limits = sandbox.Limits(wall=10.0)
    grades = classroom.grade_class(
        folder, "s", folder.parent / "j.jsonl", only=EXERCISES, limits=limits, jobs=2, quiet=True
    )
    return {grade.student: grade for grade in grades}


def test_every_file_is_a_student(graded):
    assert len(graded) == len(RIGHT) > 30


@pytest.mark.parametrize("name", RIGHT)
def test_right_work_in_odd_clothes_gets_its_points(graded, name):
    student = name
    while student not in graded:
        student = student.rpartition(".")[0]
    assert (graded[student].points, graded[student].broken) == (2, ""), graded[student].notes


def test_what_went_wrong_beside_it_is_still_said(graded):
    for student, words in {
        "endless": ["cell 2, line 1: stopped after", "cell 4, line 1: stopped after"],
        "one error": ["cell 1, line 3 of <module>: `1/0`: ZeroDivisionError", "NameError"],
        "colab": ["No module named 'google"],
        "exported, one cell broken": ["cell 3: SyntaxError"],
        "an error whose text breaks": ["its message cannot be read"],
    }.items():
        for word in words:
            assert any(word in note for note in graded[student].notes), graded[student].notes
    assert graded["bom"].notes == []


@pytest.mark.parametrize(
    "name, content, why",
    [
        ("a.ipynb", b"", "not a notebook"),
        ("a.ipynb", b"\xff\xfe\xfd", "not a notebook"),
        ("a.ipynb", b'{"cells": 3}', "not a notebook"),
        ("a.ipynb", b'{"metadata": {}}', "not a notebook: KeyError: 'worksheets'"),
        ("a.ipynb", b'{"cells": []}', "no code cells"),
        ("a.py", b"\xfe\xfd = 1", "save it as UTF-8"),
        ("a.py", b"# coding: no-such-thing\n", "not a script: .*unknown encoding"),
    ],
)
def test_what_is_neither_gets_a_sentence(name, content, why):
    with pytest.raises(ValueError, match=why):
        code_cells(name, content)


@pytest.mark.parametrize("source", ["a = (7\n  % 3)", "s = '''\n%time x\n!ls\n'''", "x = 1 if y else 2\nf(\n  *z)\n"])
def test_valid_python_is_left_alone(source):
    import ast

    assert [ast.dump(one) for one in statements(source)] == [ast.dump(one) for one in ast.parse(source).body]


def test_behind_the_wall_there_is_randomness():
    """Compiled libraries such as PyTorch open this device when they are imported."""
    require_wall()
    assert {"/dev/urandom", "/dev/random", "/dev/null"} <= set(sandbox.bubblewrap())


@pytest.mark.peers
def test_pytorch_runs_in_a_hand_in(tmp_path):
    require_wall()
    training = (
        "import torch\nw = torch.tensor([1.0, 2.0], requires_grad=True)\noptimizer = torch.optim.Adam([w], lr=0.1)\n"
        "(w**2).sum().backward()\noptimizer.step()\nassert w[0] < 1\n"
    )
    theirs = """
def contraction(mu, L, lr):
    return float((1 - lr*torch.tensor([mu, L], dtype=torch.float64)).abs().max())
"""
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "anna.ipynb").write_bytes(notebook(FIRST, training, GD, theirs))
    (anna,) = classroom.grade_class(tmp_path / "class", "s", tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    assert (anna.points, anna.notes) == (2, [])
