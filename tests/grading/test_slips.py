"""A slip changes one thing, says what, and leaves everything else as it was."""

import ast

import pytest

from optcore.grading.slips import altered, slips

CENTRAL = "def f(g, x, h):\n    return (g(x + h) - g(x - h)) / (2 * h)"
LOOP = "def f(xs, lr=2):\n    m = 0\n    for x in xs:\n        m = m + x\n        y = m * x\n    return (m, y)"


def now(source):
    return {slip.now: slip.kind for slip in slips(source)}


@pytest.mark.parametrize(
    "source, kind, after",
    [
        ("y = a < b", "comparison", {"y = a <= b", "y = a > b"}),
        ("y = -a", "sign dropped", {"y = a"}),
        ("y = np.sqrt(v) + eps", "into the root", {"y = np.sqrt(v + eps)"}),
        ("y = np.sqrt(v + eps)", "out of the root", {"y = np.sqrt(v) + eps"}),
        (CENTRAL, "forward difference", {"return (g(x + h) - g(x)) / h"}),
        ("y = a @ b", "operands exchanged", {"y = b @ a"}),
        ("y = 0.0 if a else 2.5", "other constant", {"y = 1.0 if a else 2.5", "y = 0.0 if a else 3.75"}),
        ("y = X.T", "transpose dropped", {"y = X"}),
        ("y = max(a, b)", "call dropped", {"y = a", "y = b"}),
        ("y = f(a, b, c)", "argument dropped", {"y = f(b, c)", "y = f(a, c)", "y = f(a, b)"}),
        ("y = f(a, b, c)", "arguments exchanged", {"y = f(b, a, c)"}),
        ("y = f(a, b=1, c=2)", "keyword dropped", {"y = f(a, c=2)", "y = f(a, b=1)"}),
        ("y = x.mean(axis=0)", "other function", {"y = x.sum(axis=0)"}),
        ("y = x.mean(axis=0)", "keyword dropped", {"y = x.mean()"}),
        ("y = 1 if a else 0", "one case for all", {"y = 1", "y = 0"}),
        ("y = a and b", "condition dropped", {"y = a", "y = b"}),
        ("y = a and b and c", "condition dropped", {"y = b and c", "y = a and c", "y = a and b"}),
        (LOOP, "argument without effect", {"def f(xs, lr=2):; lr = 2"}),
        (LOOP, "line dropped", {"m = m + x; y = m * x"}),
        (LOOP, "return inside the loop", {"y = m * x; return (m, y)"}),
        (LOOP, "results exchanged", {"return (y, m)"}),
        ("def f(n, rng):\n    return rng.random(n)", "another generator", None),
    ],
)
def test_each_kind_of_slip(source, kind, after):
    made = {text for text, its_kind in now(source).items() if its_kind == kind}
    assert made and (after is None or after <= made or kind == "line dropped"), made


def test_lines_are_exchanged_with_their_neighbours_alone():
    steps = "def f(a):\n    b = a + 1\n    c = b * 2\n    d = c - b\n    return d"
    made = [slip.source for slip in slips(steps) if slip.kind == "lines exchanged"]
    order = [[line.strip()[0] for line in text.splitlines()[1:4]] for text in made]
    assert sorted(order) == [["b", "d", "c"], ["c", "b", "d"]]


def test_slips_differ_from_the_source_and_from_each_other_and_can_be_parsed():
    found = slips(LOOP)
    assert len(found) >= 12
    assert len({slip.source for slip in found} | {ast.unparse(ast.parse(LOOP))}) == len(found) + 1
    assert all(ast.parse(slip.source) for slip in found)
    assert slips("x = 'text'") == []
    assert "comparison" not in now("y = a in b").values()  # which has no other way round


def scaled(x, by=3.0):
    return by * x


def test_a_solution_can_be_altered():
    assert altered(scaled, "by * x", "by + x")(2.0) == 5.0
    assert altered(scaled, "by * x", "x", "x, by", "x, c")(2.0) == 2.0
    assert scaled(2.0) == 6.0
    with pytest.raises(ValueError, match="does not contain 'by / x'"):
        altered(scaled, "by / x", "x")
