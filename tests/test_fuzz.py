"""Whatever a public function is given, it gives a result, or says in a sentence of its own what it cannot work with.

Each argument of a call that works is made hostile alone, then several at once: some hundred calls in `make test`, and
FUZZ=20000 of them in `make fuzz`.
"""

import itertools
import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import optcore as oc
from tests.fuzz import CALLS, HOSTILE, WIDGETS, is_ours, outcome, result_of

COUNT = int(os.environ.get("FUZZ", 600))


def hostile_call(seed: int) -> tuple[str, dict[str, str]]:
    """A function, and hostile values for up to three of its arguments."""
    rng = random.Random(seed)
    function = rng.choice(sorted(CALLS))
    names = sorted(CALLS[function])
    return function, {
        name: rng.choice(sorted(HOSTILE)) for name in rng.sample(names, min(len(names), rng.randint(1, 3)))
    }


def test_calls_that_work_do():
    assert len(CALLS) >= 85 and len(HOSTILE) >= 35
    for function in CALLS:
        assert outcome(function, {}) == ""


@pytest.mark.parametrize("function", CALLS)
def test_one_hostile_argument(function):
    raw = [outcome(function, {argument: value}) for argument in CALLS[function] for value in HOSTILE]
    assert len(raw) >= 35 and not list(filter(None, raw))


@settings(
    max_examples=COUNT, derandomize=COUNT < 1000, deadline=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.integers(0, 2**32).map(hostile_call))
def test_several_hostile_arguments(call):
    assert outcome(*call) == ""


@pytest.mark.parametrize("factory", WIDGETS)
def test_no_argument_of_a_widget_takes_nonsense(factory):
    """What is refused is said in one sentence; what is not would be drawn as something else."""
    seen, taken = 0, []
    for argument, bad in itertools.product(WIDGETS[factory], (np.nan, "nonsense", [["x"]], object())):
        if bad == "nonsense" and argument in {"settings", "xlabel", "title"}:
            continue  # any text will do
        seen += 1
        try:
            result_of(factory, {argument: bad})
            taken.append(f"{argument} = {bad!r}")
        except (TypeError, ValueError, LookupError, OSError) as error:
            assert str(error).strip("'").endswith(".") and "\n" not in str(error), str(error)
    assert seen >= 4 and not taken


def test_whole_numbers_count_as_the_floats_that_they_are():
    seen, differ = 0, []
    for function, arguments in CALLS.items():
        for name, value in arguments.items():
            array = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim
            if not array or function == "Optimizer":  # which changes its arrays in place, and refuses whole numbers
                continue
            told = []
            for kind in (int, float):
                try:
                    told.append(str(result_of(function, {name: np.round(4 * value).astype(kind)})))
                except ValueError as error:
                    told.append(str(error))
            seen += 1
            differ += [f"{function}({name}): {told}"] * (told[0] != told[1])
    assert seen >= 60 and not differ, "\n".join(differ)


def test_the_sentence_names_what_was_given():
    with pytest.raises(TypeError, match=r"^newton_step cannot work with H = 'much'; see help\(newton_step\)\.$"):
        oc.newton_step(np.ones(2), "much")
    with pytest.raises(ValueError, match=r"^What newton_step was given does not fit together: g array \(7,\), H array"):
        oc.newton_step(np.ones(7), np.eye(3))
    with pytest.raises(TypeError, match=r"^cosine_decay\('fast', 10\) cannot be worked out at 3\.$"):
        oc.cosine_decay("fast", 10)(3)


def test_the_errors_of_a_callers_own_function_go_through():
    def f(x):
        raise KeyError("my own")

    with pytest.raises(KeyError, match="my own"):
        oc.minimize(f, [1.0, 1.0], grad=lambda x: x)
    with pytest.raises(ZeroDivisionError):
        oc.descend(oc.gd, None, [1.0], grad=lambda w: 1 // 0)


def test_canary_an_error_of_numpy_is_seen():
    """The same function without its sentence: what the test above would say."""
    with pytest.raises(ValueError) as told:
        oc.newton_step.__wrapped__(np.ones(7), np.eye(3))
    assert not is_ours(told.value)
