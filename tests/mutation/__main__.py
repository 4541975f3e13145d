"""Change the code in one place at a time and run the tests that must notice: `make mutants`.

    python -m tests.mutation [--sample 200] [--seed N] [--jobs 2] [FILE ...]

Without files a sample is drawn from all modules of optcore and from all scripts of the widgets; the seed is the number
of the week, so that each week looks elsewhere. What came out is kept in tests/mutation/last.json, from which the page
"What is tested" is written. A survivor is either a gap in the tests, or equal: then tests/mutation/equal.md says why.
Run it where `make test` passes: tests that fail anyway notice everything.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from book.course import ROOT
from tests.copies import Copy

from .mutants import Mutant, mutants
from .run import KILLED, import_what_all_tests_need, verdicts

HERE = Path(__file__).parent
LAST = HERE / "last.json"
EQUAL = HERE / "equal.md"

#: Modules whose tests have another name than theirs, or need more than their own tests.
TESTS = {
    "optcore/__init__.py": ["tests/test_import.py", "tests/test_rooms.py"],
    "optcore/palette.py": ["tests/test_plotting.py", "tests/widgets/test_explore.py"],
    "optcore/support.py": ["tests/test_rooms.py", "tests/test_surfaces.py", "tests/test_sweeps.py"],
    "optcore/rule_spec.py": ["tests/test_rule_spec.py", "tests/test_rules.py", "tests/test_descent.py"],
    "optcore/rules.py": ["tests/test_parity.py", "tests/test_rules.py"],
    "optcore/links.py": ["tests/test_links.py", "tests/test_parity.py", "tests/test_rules.py"],
    "optcore/matrix_rules.py": ["tests/test_matrix_rules.py", "tests/test_parity.py"],
    "optcore/schedules.py": ["tests/test_schedules.py", "tests/test_parity.py"],
    "optcore/descent.py": ["tests/test_descent.py", "tests/test_rules.py"],
    "optcore/second_order.py": ["tests/test_second_order.py", "tests/test_solvers.py", "tests/test_parity.py"],
    "optcore/line_search.py": ["tests/test_line_search.py", "tests/test_solvers.py"],
    "optcore/layers.py": ["tests/test_layers.py", "tests/test_network.py"],
    "optcore/claims.py": ["tests/test_claims.py", "tests/test_comparison.py"],
    "optcore/intervals.py": ["tests/test_intervals.py"],
    "optcore/verdicts.py": ["tests/test_comparison.py"],
    "optcore/network.py": ["tests/test_network.py", "tests/test_layers.py", "tests/test_curvature.py"],
}
SIGNATURES = "tests/book/pages/test_signatures.py"
SYMBOLIC = ["tests/symbolic", "tests/test_surfaces.py"]
PICTURES = "tests/widgets/test_pictures.py"
COMMON_JS = ["tests/widgets/test_modules.py", "tests/widgets/test_page.py", "tests/widgets/test_explore.py", PICTURES]
GRADING = {
    "judge": "check",
    "answer_key": "check",
    "compare": "check",
    "feedback": "check",
    "show": "check",
    "portable": "catalogue",
    "progress": "check",
    "report": "classroom",
    "__main__": "classroom",
}
TESTS["optcore/grading/notebooks.py"] = ["tests/grading/test_notebooks.py", "tests/book/commands/test_sync.py"]
GRADING |= {"demo": "notebooks", "wire": "sandbox", "points": "gradebook", "roster": "gradebook"}
LEFT_OUT = {
    "optcore/grading/catalogue/": "slips in its solutions are tried by tests/grading/test_catalogue.py",
    "optcore/grading/child.py": "it ends processes and removes files: changed, it could end or remove others",
    "optcore/grading/sandbox.py": "the same",
    "optcore/grading/run.py": "it is part of what runs in the sandbox",
}


def sources() -> list[str]:
    """Every file that is changed."""
    found = [*(ROOT / "optcore").rglob("*.py"), *(ROOT / "optcore" / "widgets").rglob("*.js")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return [name for name in names if not name.startswith(tuple(LEFT_OUT))]


def users(module: str) -> list[str]:
    """The widgets whose scripts import a module, themselves or through others."""
    found = set[str]()
    for path in (ROOT / "optcore" / "widgets").rglob("*.js"):
        if f'/{Path(module).name}"' in path.read_text(encoding="utf-8"):
            found |= {path.stem} if path.parent.name == "widgets" else {*users(path.name)}
    return sorted(found)


def whose_tests(file: str) -> list[str]:
    """The tests that must notice a change of a file, quick ones first: the run ends at the first failure."""
    path = Path(file)
    own = ROOT / "tests" / path.relative_to("optcore").parent / f"test_{path.stem}.py"
    found = [own.relative_to(ROOT).as_posix()] if own.is_file() else []
    if file in TESTS:
        found = TESTS[file]
    elif path.parts[1] == "symbolic":
        found += [test for test in SYMBOLIC if test not in found]
    elif path.parts[1] == "grading" and path.stem in GRADING:
        found = [f"tests/grading/test_{GRADING[path.stem]}.py"]
    elif "common" in path.parts:
        found = COMMON_JS
    elif path.parts[1] == "widgets" and found:
        # its own tests have its name, and so its rows in what walks over all
        found += [PICTURES, "tests/widgets/test_every.py", "-k", f"{path.stem} or signatures or nonsense"]
    elif path.suffix == ".js" and (names := users(file)):
        found = [*(f"tests/widgets/test_{name}.py" for name in names), PICTURES, "tests/widgets/test_every.py"]
        found += ["-k", " or ".join(names)]
    elif path.parts[1] == "widgets":
        found += ["tests/widgets/test_base.py", PICTURES, "tests/widgets/test_every.py"]
    if path.parts[1] == "grading" and "ArgumentParser(" in (ROOT / file).read_text(encoding="utf-8"):
        found = [*found, "tests/grading/test_commands.py"]
    if not found:
        raise SystemExit(f"{file} has no tests: give it some, or name them in tests/mutation/__main__.py")
    if path.suffix == ".js":
        return found
    doctests = [file] if path.stem != "__main__" else []
    return doctests + found[:1] + [SIGNATURES] + found[1:]


def equal() -> dict[str, str]:
    """Mutants that change nothing that could be noticed, and why, from equal.md."""
    found, file = {}, ""
    lines = EQUAL.read_text(encoding="utf-8").splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("## "):
            file = line[3:]
        elif line.startswith("- `"):
            found[f"{file}: {line[3:].rstrip('`')}"] = below.strip()
    return found


def drawn(files: list[str], count: int | None, seed: int) -> list[Mutant]:
    """Mutants of the files, all or a sample; those known to be equal are left out."""
    known = equal()
    all_ = [
        m for file in files for m in mutants(file, (ROOT / file).read_text(encoding="utf-8")) if m.name not in known
    ]
    chosen = all_ if count is None else random.Random(seed).sample(all_, min(count, len(all_)))
    return sorted(chosen, key=lambda mutant: mutant.file)


def main(argv: list[str]) -> int:
    year, week, _ = date.today().isocalendar()
    parser = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sample", type=int, help="how many; a fifth of them from the widgets' scripts")
    parser.add_argument("--seed", type=int, default=100 * year + week)
    parser.add_argument(
        "--again", action="store_true", help="those that went unnoticed the last time (in FILE …), and no others"
    )
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(argv)
    last = json.loads(LAST.read_text(encoding="utf-8")) if asked.again else {"files": {}, "survivors": []}
    if asked.again:
        left = set(last["survivors"])
        files = sorted({name.split(": ")[0] for name in left})
        there = [mutant for mutant in drawn(files, None, 0) if mutant.name in left]
        for name in left - {mutant.name for mutant in there}:  # equal, or code that is no more
            last["files"][name.split(": ")[0]][1] -= 1
        chosen = [mutant for mutant in there if not asked.files or mutant.file in asked.files]
        asked.seed = last["seed"]
    elif asked.files:
        chosen = drawn(asked.files, asked.sample, asked.seed)
    else:
        python, scripts = ([f for f in sources() if f.endswith(suffix)] for suffix in (".py", ".js"))
        share = asked.sample and asked.sample // 5
        chosen = drawn(python, asked.sample and asked.sample - share, asked.seed) + drawn(scripts, share, asked.seed)
    import_what_all_tests_need()
    made, killed, survivors = Counter[str](), Counter[str](), []
    if asked.again:
        survivors = [mutant.name for mutant in there if mutant not in chosen]
    with tempfile.TemporaryDirectory() as folder:
        copies = [Copy(Path(folder) / str(k)) for k in range(asked.jobs)]
        for number, (mutant, verdict) in enumerate(verdicts(chosen, whose_tests, copies), 1):
            made[mutant.file] += 1
            killed[mutant.file] += verdict == KILLED
            if verdict != KILLED:
                survivors.append(mutant.name)
            print(f"[{number}/{len(chosen)}] {verdict:8} {mutant.name}", flush=True)
    print(f"{killed.total()} of {made.total()} changes were noticed; {len(equal())} are known to be equal")
    there = {m.name for file in sources() for m in mutants(file, (ROOT / file).read_text(encoding="utf-8"))}
    print(*(f"equal.md: no longer in the code: {name}" for name in equal().keys() - there), sep="\n")
    counts = {file: [killed[file], made[file]] for file in made}
    if asked.again:
        counts = {file: [k + killed[file], m] for file, (k, m) in last["files"].items()}
    result = {"seed": asked.seed, "files": dict(sorted(counts.items())), "survivors": sorted(survivors)}
    if asked.again or not asked.files:
        LAST.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(killed.total() < 0.75 * made.total() and not asked.again)  # far fewer than ever: tests got lost


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
