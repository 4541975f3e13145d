"""The layout of optcore: a module knows those above it and keeps to a size; the public names stay what they are."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest

import optcore as oc
from book.course import GALLERY, ROOT, notebooks

PACKAGE = ROOT / "optcore"

#: In the order in which data flows: a module imports only modules that stand before it.
ORDER = """
symbolic support losses surfaces rule_spec hyper links rules matrix_rules precision schedules descent optimizer
second_order line_search solvers constraints initializers layers network transformer regularizers curvature fisher data
training_loop palette drawn claims intervals sweeps verdicts comparison plotting widgets grading
""".split()
SYMBOLIC = "graph operations array to_numpy to_javascript to_latex to_numba tracing differentiable".split()


def files():
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def imported(path):
    """What a file names in relative imports, as paths below the package: ("symbolic", "graph"), ("rules",)."""
    folder = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = folder[: len(folder) - node.level + 1]
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                yield (*base, *name.split("."))


def test_imports_point_upward_only():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in files()} - {"__init__"}
    assert rooms == set(ORDER), f"give these their place in ORDER: {rooms ^ set(ORDER)}"
    arrows = 0
    for path in files():
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for other, *_ in imported(path):
            if room not in (other, "__init__"):
                assert ORDER.index(other) < ORDER.index(room), f"{path.relative_to(PACKAGE)} imports {other}"
                arrows += 1
    assert arrows >= 100


def test_a_folder_imports_only_those_before_it():
    """What is published knows nothing of the site, the site nothing of its tests; benchmarks grade the tests' class."""
    order = ["optcore", "book", "tests", "bench"]
    seen = set()
    for at, folder in enumerate(order):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
                tops = {name.split(".")[0] for name in names} & set(order)
                assert all(order.index(top) <= at for top in tops), f"{path.relative_to(ROOT)} imports {tops}"
                seen |= {(folder, top) for top in tops}
    assert seen >= {("book", "optcore"), ("tests", "book"), ("bench", "book"), ("bench", "tests")}


@pytest.mark.parametrize("folder", ["symbolic", "widgets", "grading"])
def test_no_circles_inside_a_package(folder):
    own = {path.stem: path for path in (PACKAGE / folder).glob("*.py") if path.stem != "__init__"}
    needs = {name: {p[1] for p in imported(path) if p[0] == folder and len(p) > 1} for name, path in own.items()}
    assert len(needs) >= 8
    if folder == "symbolic":
        assert set(SYMBOLIC) == set(needs)
        for k, name in enumerate(SYMBOLIC):
            assert needs[name] <= set(SYMBOLIC[:k]), name
    while needs:
        free = [name for name in needs if not needs[name] & set(needs)]
        assert free, f"a circle among {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


def test_no_private_name_crosses_a_module():
    looked_at = 0
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                assert not private, f"{path.relative_to(PACKAGE)} imports {private}"
                looked_at += 1
    assert looked_at >= 150


def test_no_module_outgrows_its_subject():
    counted = [path for path in files() if "catalogue" not in path.parts]
    assert len(counted) >= 60
    lines = {p.relative_to(PACKAGE).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in counted}
    assert not {name: n for name, n in lines.items() if n >= 450}
    scripts = {p.relative_to(PACKAGE).as_posix(): p for p in (PACKAGE / "widgets").rglob("*.js")}
    assert len(scripts) >= 25
    lines = {name: len(p.read_text(encoding="utf-8").splitlines()) for name, p in scripts.items()}
    assert not {name: n for name, n in lines.items() if n >= 400}


#: Errors that are read inside another sentence, after a colon or as a note; and those that Python itself goes on with.
PARTS = {"NotPlain", "EOFError", "Breakdown", "AttributeError"}
PARTS_IN = {"optcore/grading/cells.py", "optcore/grading/handins.py", "optcore/grading/wire.py"}
SENTENCES = re.compile(r"\b(error|amiss|problems|stderr|_sentence)\b")


def endings(text: ast.expr) -> Iterator[ast.expr]:
    """The last pieces that a text may have."""
    match text:
        case ast.JoinedStr(values=[*_, last]):
            yield from endings(last)
        case ast.BinOp(left, ast.Add(), right):
            for end in endings(right):
                yield from endings(left) if ast.unparse(end) == "''" else [end]
        case ast.IfExp(_, one, other):
            yield from [*endings(one), *endings(other)]
        case _:
            yield text


def test_every_error_is_a_sentence_that_ends():
    """Texts that end in a value may end in that value's own full stop only where it is made of other sentences."""
    seen, amiss = Counter(), []
    for path in [*files(), *sorted((ROOT / "book").rglob("*.py"))]:
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            call = node.exc if isinstance(node, ast.Raise) else None
            if not (isinstance(call, ast.Call) and call.args) or ast.unparse(call.func) in PARTS or place in PARTS_IN:
                continue
            for end in endings(call.args[0]):
                said = end.value if isinstance(end, ast.Constant) else ""
                seen["optcore/grading" if "grading" in place else place.split("/")[0]] += bool(said)
                if not (said.endswith((".", "?")) or SENTENCES.search(ast.unparse(end))):
                    amiss.append(f"{place}:{node.lineno}: {ast.unparse(end)}")
    assert amiss == []
    assert seen["optcore/grading"] >= 30 and seen["book"] >= 10 and seen["optcore"] >= 150, seen


# ------------------------------------------------------------------------------------------------------ public names


def names_in_notebooks():
    """Every `oc.name` and `from optcore import name` in the notebooks and exercises, with where it stands."""
    found = {}
    paths = [*notebooks(), GALLERY, *sorted((ROOT / "exercises").glob("*.ipynb"))]
    assert len(paths) >= 30
    for path in paths:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            names = re.findall(r"\b(?:oc|optcore)\.([A-Za-z]\w*)", text)
            names += [
                n.split(" as ")[0].strip()
                for line in re.findall(r"from optcore import (.+)", text)
                for n in line.split(",")
            ]
            found |= {name: path.name for name in names}
    return found


def test_every_name_that_a_notebook_uses_is_there():
    names = names_in_notebooks()
    assert len(names) >= 100
    missing = {name: where for name, where in names.items() if not hasattr(oc, name)}
    assert not missing


def test_a_result_is_read_by_the_same_names_everywhere():
    bowl, start = oc.bowl.at(kappa=2.0), [1.0, 1.0]
    path = oc.descend(oc.gd, bowl, start, steps=5)
    found = oc.minimize(bowl, start)
    inside = oc.penalty_method(bowl, lambda w: w[..., :1] - 1.0, start)
    for result in (path, found, inside):
        assert result.points.shape[1:] == result.x.shape == (2,)
        assert (result.points[-1] == result.x).all()
    assert (path.final == path.x).all() and found.path is found.points and inside.path is inside.points


def test_what_is_handed_out_does_not_change():
    """Records are values; those that are filled in step by step are named here."""
    filled = {"Grade", "Key", "HandIn", "Outcome", "Scheme", "History"}
    frozen, others = set(), set()
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                (said,) = [text for text in map(ast.unparse, node.decorator_list) if "dataclass" in text] or [""]
                (frozen if "frozen=True" in said else others if said else set()).add(node.name)
    assert len(frozen) >= 15 and others == filled


def test_machinery_stays_in_its_module():
    machinery = {
        "JS_HELPERS", "Traced", "Spec", "RANGES", "DIVERGED", "RULE_COLORS", "is_elementwise", "rule_program",
        "newton_schulz_step", "import_module", "exported", "choice", "take", "load_quiz", "known", "as_floats",
        "name_of", "SPARE_COLORS",
    }  # fmt: skip
    assert not machinery & set(dir(oc))


def test_a_new_widget_is_reached_by_being_exported_once():
    """The names that load widgets are those that `widgets` exports."""
    from optcore import widgets

    factories = {name for name in widgets.__all__ if name.islower()}
    assert len(factories) >= 17 and factories <= set(dir(oc))
    assert all(getattr(oc, name) is getattr(widgets, name) for name in factories)
