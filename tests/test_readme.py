"""What the README promises: its code runs, its links lead somewhere, its make targets exist."""

import re

import numpy as np

import optcore as oc
from book.course import ROOT
from tests.test_rooms import ORDER

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    space: dict = {}
    exec(blocks[0], space)
    run = oc.descend(space["my_rule"], oc.rosenbrock, [-1.5, 2.0], steps=500, lr=0.01)
    assert run.loss[-1] < run.loss[0] and np.all(np.isfinite(run.points))


def test_its_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", README) if not link.startswith(("http", "#"))]
    assert len(links) >= 3
    assert [link for link in links if not (ROOT / link.split("#")[0]).exists()] == []


def test_its_make_targets_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)\b", README))
    assert {"book", "test"} <= named <= targets, named - targets


def test_its_list_of_modules_is_complete_and_in_order():
    (listed,) = re.findall(r"^In `optcore`, in the order (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert re.findall(r"`(\w+)`", listed) == ORDER and len(ORDER) > 25
