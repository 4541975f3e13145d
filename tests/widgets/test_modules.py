"""The modules of common.js, each on its own in Node, and what pages get of them."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from optcore.widgets.base import HERE, page_source
from tests.javascript import node

TESTS = Path(__file__).with_name("modules")
MODULES = sorted(file.stem for file in (HERE / "common").glob("*.js"))
SCRIPTS = [*HERE.rglob("*.js")]


def test_every_module_has_a_test():
    assert len(MODULES) > 10
    assert MODULES == sorted(file.stem for file in TESTS.glob("*.mjs") if file.stem != "dom")


@pytest.mark.parametrize("name", MODULES)
def test_module(name):
    done = subprocess.run(
        [compute_driver_executable()[0], str(TESTS / f"{name}.mjs")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_scripts_can_be_read_in_one_sitting():
    long = {file.name: n for file in SCRIPTS if (n := len(file.read_text(encoding="utf-8").splitlines())) >= 400}
    wide = [
        f"{file.name}: {line}" for file in SCRIPTS for line in file.read_text("utf-8").splitlines() if len(line) > 120
    ]
    assert len(SCRIPTS) > 25 and not long, "at most 400 lines"
    assert not wide, "at most 120 characters a line, in strings too"


def test_pages_get_one_script_that_defines_oc_alone():
    code = page_source("common.js")
    assert not re.search(r"^(import|export) ", code, re.MULTILINE)
    before = "const before = Object.getOwnPropertyNames(globalThis);"
    after = "console.log(Object.getOwnPropertyNames(globalThis).filter(n => !before.includes(n)).join(), typeof oc.ui)"
    assert node(f"{before}\n{code}\n{after}").split() == ["function"]


def test_a_module_is_joined_once(tmp_path, monkeypatch):
    for name, text in {
        "a": 'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\nexport default b + c;\n',
        "b": 'import { c } from "./c.js";\nexport const b = c + 1;\n',
        "c": "export const c = 1;\n",
    }.items():
        (tmp_path / f"{name}.js").write_text(text)
    monkeypatch.setattr("optcore.widgets.base.HERE", tmp_path)
    assert page_source("a.js") == "const c = 1;\nconst b = c + 1;\nexport default b + c;\n"
