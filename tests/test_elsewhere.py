"""What runs the course on other machines names things that exist, and cannot pass by looking away."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from book.course import ROOT
from book.pages import setup_cells
from optcore.grading import classroom

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def requirements(name: str) -> dict[str, Requirement]:
    """The requirements in a file, and in those that it names, by name."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    named = [one for line in lines if line.startswith("-r ") for one in requirements(line[3:]).values()]
    own = [Requirement(line) for line in lines if line and not line.startswith("-r ")]
    return {one.name: one for one in named + own}


def jobs() -> dict[str, dict]:
    """The jobs of all workflows; their names differ."""
    found = [yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"] for path in WORKFLOWS]
    merged = {name: job for one in found for name, job in one.items()}
    assert len(merged) == sum(map(len, found)) >= 5
    return merged


def steps(job: dict, kind: str) -> list[str]:
    """What the steps of a job run, or the actions that they use."""
    return [step[kind].strip() for step in job["steps"] if kind in step]


# ---- workflows ----------------------------------------------------------------------------------------------


def faults(workflow: str) -> list[str]:
    """What would let a workflow pass without doing its work, or do what a laptop cannot repeat."""
    looks_away = ("continue-on-error", "always()", "actions/cache", "cache:")
    found = [f"{words} in it" for words in looks_away if words in workflow]
    content = yaml.safe_load(workflow)
    tested = {name for name, job in content["jobs"].items() if ".ci/run" in steps(job, "run")}
    for name, job in content["jobs"].items():
        commands, actions = steps(job, "run"), steps(job, "uses")
        deploys = any("deploy" in use for use in actions)
        found += [] if commands or deploys else [f"{name} runs nothing"]
        if deploys:
            groups = [one.get("concurrency", {}) for one in (content, job)]
            found += [f"{name} may be stopped half-way"] if any(one.get("cancel-in-progress") for one in groups) else []
            found += [] if job.get("needs") in tested else [f"{name} publishes what was not tested"]
            found += [f"{name} builds again what was tested"] if commands else []
        found += [] if "timeout-minutes" in job else [f"{name} may run for ever"]
        for command in commands:
            target = re.fullmatch(r"make ([a-z-]+)", command)
            good = (target and target[1] in TARGETS) or (command == ".ci/run" and os.access(ROOT / command, os.X_OK))
            found += [] if good else [f"{name}: {command!r} is no make target"]
        found += [f"{name}: {use}" for use in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", use)]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_make_targets_and_fail_closed(path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("step, complaint", [
    ("run: make tset", "no make target"), ("run: make test || true", "no make target"), ("run: ':'", "no make target"),
    ("run: |\n          make test\n          true", "no make target"), ("uses: actions/checkout@v4", "runs nothing"),
    ("run: make test\n        continue-on-error: true", "continue-on-error"),
    ("run: make test\n        if: always()", "always()"), ("run: make test\n      - uses: actions/cache@v4", "cache"),
    ("run: make test\n      - uses: someone/else@v1", "someone/else")])  # fmt: skip
def test_canary_a_workflow_that_looks_away_is_noticed(step, complaint):
    (found,) = faults(f"jobs:\n  test:\n    timeout-minutes: 9\n    steps:\n      - {step}\n")
    assert complaint in found


TESTED = """jobs:
  test:
    timeout-minutes: 9
    steps:
      - run: .ci/run
      - uses: actions/upload-pages-artifact@v3
  publish:
    timeout-minutes: 9
    needs: test
    concurrency: {group: publish, cancel-in-progress: false}
    steps:
      - uses: actions/deploy-pages@v4
"""


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        ("    needs: test\n", "", "publishes what was not tested"),
        ("run: .ci/run", "run: make book", "publishes what was not tested"),
        ("in-progress: false", "in-progress: true", "stopped half-way"),
        ("jobs:", "concurrency: {group: all, cancel-in-progress: true}\njobs:", "stopped half-way"),
        ("      - uses: actions/deploy", "      - run: make run\n      - uses: actions/deploy", "builds again"),
    ],
)
def test_canary_a_careless_publication_is_noticed(old, new, complaint):
    assert faults(TESTED) == []
    (found,) = faults(TESTED.replace(old, new))
    assert complaint in found


def test_every_target_that_tests_is_run_by_a_workflow():
    recipes = dict(re.findall(r"^([a-z-]+):[^\n]*\n((?:\t[^\n]*\n)+)", MAKEFILE, re.MULTILINE))
    tests = {name for name, recipe in recipes.items() if re.search(r"-m pytest|tests\.elsewhere|test$", recipe)}
    commands = {command.removeprefix("make ") for job in jobs().values() for command in steps(job, "run")}
    assert {"test", "oldest", "colab", "peers", "firefox", "processors"} <= tests <= commands | {
        "test"
    } and ".ci/run" in commands


def pythons() -> list[str]:
    """The versions that are tested every week."""
    return jobs()["newest"]["strategy"]["matrix"]["python"]


def test_the_pythons_that_the_package_claims_are_tested_every_week():
    claimed = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if ":: Python ::" in one]
    (oldest,) = (step["with"]["python-version"] for step in jobs()["oldest"]["steps"] if "with" in step)
    assert pythons() == claimed and len(claimed) > 2
    assert PROJECT["requires-python"] == f">={claimed[0]}" == f">={oldest}"


def test_continuous_integration_asks_for_every_tool():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8") + MAKEFILE
    asked = set(re.findall(r"OC_REQUIRE_[A-Z]+(?==1)", script))
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py"))
    known = {name for source in sources for name in re.findall(r'environ\.get\("(OC_REQUIRE_[A-Z]+)"', source)}
    assert asked == known != set()


# ---- versions -----------------------------------------------------------------------------------------------


def test_make_oldest_installs_the_floor_of_every_requirement():
    make = ["make", "-s", "--no-print-directory", "-C", str(ROOT), "floors"]
    floors = {one.name: one for one in map(Requirement, subprocess.check_output(make, text=True).splitlines())}
    wanted = requirements("requirements.txt") | requirements("requirements-test.txt")
    assert floors.keys() == wanted.keys() and len(floors) >= 20
    for name, floor in floors.items():
        (pin,) = floor.specifier
        lower = {one.version for one in wanted[name].specifier if one.operator in (">=", "==")}
        assert pin.operator == "==" and lower == {pin.version}


def test_the_package_has_floors_and_no_caps_and_the_book_agrees():
    own = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["notebooks"]]]
    assert len(own) >= 5
    book = requirements("requirements.txt")
    for one in own:
        (floor,) = one.specifier
        assert floor.operator == ">=", one
        if one.name != "ipywidgets":  # older where anywidget is missing, which the book does not lack
            assert floor.version in {same.version for same in book[one.name].specifier if same.operator == ">="}, one


def test_what_the_class_grader_needs_is_stated_once():
    extra = [Requirement(text).name for text in PROJECT["optional-dependencies"]["grading"]]
    assert tuple(extra) == classroom.NEEDS != ()
    workflow = (ROOT / "exercises" / "github-classroom.yml").read_text(encoding="utf-8")
    assert '"optcore[grading] @ git+' in workflow and not re.search("|".join(extra), workflow)


def test_colab_meets_the_floors_of_the_package():
    stand_in = {name: next(iter(one.specifier)).version for name, one in requirements("requirements-colab.txt").items()}
    own = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["notebooks"]]]
    missing = {one.name for one in own if one.name not in stand_in}
    assert missing == {"anywidget", "latex2mathml"}  # the widgets do without one; the set-up cell installs the other
    assert all(one.specifier.contains(stand_in[one.name]) for one in own if one.name in stand_in)
    assert "--no-deps" in setup_cells.CELL and setup_cells.CELL.endswith(" latex2mathml")


# ---- Binder, dev container -----------------------------------------------------------------------------------


def test_binder_and_the_dev_container_name_what_exists():
    binder, container = ROOT / ".binder", json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    included = re.findall(r"^-r (.+)$", (binder / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert included and [name for name in included if not (binder / name).is_file()] == []
    assert os.access(binder / "postBuild", os.X_OK)
    subprocess.run(["sh", "-n", binder / "postBuild"], check=True)
    assert (binder / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-") in pythons()
    assert re.search(r"/python:(3\.\d+)-", container["image"])[1] in pythons()
    assert container["postCreateCommand"].removeprefix("make ") in TARGETS
    assert f"PORT ?= {container['forwardPorts'][0]}\n" in MAKEFILE


# ---- make ---------------------------------------------------------------------------------------------------


#: A folder of one machine; tests may name some, to be refused.
OF_ONE_MACHINE = re.compile(r"""(?<![\w./:<~})$-])/(?:work|tmp|home|root|Users|private|mnt)/[\w.-]""")
BY_INTENT = {
    "tests/grading/adversaries.py", "tests/grading/test_handins.py", "tests/nbval.cfg", "tests/test_elsewhere.py",
    "book/live/assets/pyodide.asm.js", "book/live/assets/pyodide.mjs",
}  # fmt: skip


def tracked() -> list[Path]:
    """What Git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def test_nothing_that_git_keeps_leads_to_one_machine():
    files = tracked()
    assert len(files) >= 400
    assert not [path for path in files if path.is_symlink()]
    named, looked_at = {}, 0
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if not path.is_file() or b"\0" in (data := path.read_bytes()):  # removed, or no text
            continue
        looked_at += 1
        if name not in BY_INTENT and (found := OF_ONE_MACHINE.search(data.decode("utf-8"))):
            named[name] = found[0]
    assert looked_at >= 300 and not named


def test_canary_a_path_of_one_machine_is_noticed():
    for text in ('open("/home/me/data.npz")', "cd /tmp/venv", "see /Users/me/x"):
        assert OF_ONE_MACHINE.search(text), text
    for text in ("https://a.org/home/x", "~/tmp/x", "a /tmp/ folder", "/autograder/source", "chapters/home/a"):
        assert not OF_ONE_MACHINE.search(text), text


def test_what_git_keeps_is_not_what_it_is_told_to_leave_out():
    ignored = subprocess.run(
        ["git", "ls-files", "-ci", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert tracked() and not ignored.stdout


def test_what_the_makefile_runs_exists():
    programs = set(re.findall(r"(?<![\w/])(?:tests|book|bench)/[\w/.]+", MAKEFILE))
    modules = set(re.findall(r"-m (book\.[\w.]+)", MAKEFILE))
    assert len(programs) >= 4 and not [name for name in programs if not (ROOT / name).exists()]
    assert len(modules) >= 6 and not [name for name in modules if find_spec(name) is None]


def test_help_lists_targets_that_exist():
    listed = re.findall(r"make ([a-z-]+)", subprocess.check_output(["make", "-s", "-C", str(ROOT), "help"], text=True))
    assert len(listed) >= 12 and set(listed) <= TARGETS
    assert TARGETS - set(listed) <= {"help", "floors"}


@pytest.fixture
def machine(tmp_path):
    """`machine(user)`: run ensure_tools where few programs exist; gives what apt-get was asked, and what was said."""
    for name in ("sh", "env", "mktemp", "rm", "tail", "chmod", "cat"):
        (tmp_path / name).symlink_to(shutil.which(name))

    def run(user: int, *, ci: str = "", apt: str = "exit 1", present: tuple[str, ...] = ()) -> tuple[str, str]:
        programs = {"id": f"echo {user}", "apt-get": f'echo "$@" >>{tmp_path}/asked\n{apt}', "sudo": 'shift; exec "$@"'}
        for name, body in (programs | dict.fromkeys(present, "exit 0")).items():
            (tmp_path / name).write_text(f"#!{tmp_path}/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        env = {"PATH": str(tmp_path), "TMPDIR": str(tmp_path), "CI": ci}
        done = subprocess.run(
            [ROOT / "book" / "commands" / "ensure_tools"], env=env, capture_output=True, text=True, check=True
        )
        asked = tmp_path / "asked"
        return asked.read_text() if asked.exists() else "", done.stderr

    return run


def test_tools_that_are_there_are_left_alone(machine):
    assert machine(0, present=("google-chrome", "bwrap")) == ("", "")


def test_an_ordinary_user_is_told_what_is_missing_and_nothing_is_installed(machine):
    asked, said = machine(1000)
    assert asked == "" and len(said.splitlines()) == 2
    assert "Debian: apt install chromium" in said and "Debian: apt install bubblewrap" in said


@pytest.mark.parametrize("user, ci", [(0, ""), (1001, "true")])
def test_root_and_continuous_integration_install_what_is_missing(machine, user, ci, tmp_path):
    made = f"echo >{tmp_path}/bwrap; chmod +x {tmp_path}/bwrap"
    asked, said = machine(user, ci=ci, present=("chromium",), apt=f'[ "$2" = update ] || {{ {made}; }}')
    assert asked.splitlines() == ["-qq update", "-qq install -y --no-install-recommends bubblewrap"] and said == ""


def test_a_failed_installation_is_told(machine):
    asked, said = machine(0, present=("chromium",), apt='echo "E: no such host"; exit 100')
    assert asked == "-qq update\n"
    assert "E: no such host" in said and "Not found: bubblewrap" in said


def test_the_book_can_be_built_again_where_nothing_has_changed(built_book):
    folder, first = built_book
    assert first.returncode == 0, first.stdout[-4000:]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.html")}
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "--path-output", folder.parents[1], ROOT]
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stdout[-2000:] + again.stderr[-2000:]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.html")} == before and len(before) >= 30
