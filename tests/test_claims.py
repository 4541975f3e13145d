"""Claims: a stated number must be what was computed, to the digit stated."""

import pytest

from optcore import Claims
from optcore.claims import RECORD


@pytest.mark.parametrize(
    ("stated", "measured"),
    [
        ("0.980198", 99 / 101),
        ("2.3e-5", 2.34e-5),
        ("-0.5", -0.54),
        (691, 691),
        ((0.9, 1.0), 0.95),
        ((1.1, None), 1.2),
        ((None, 0.5), -3),
        ("20959", 20959.3),
        ("0.25", 0.255),  # which rounds either way, whatever its last bit
        ("0.26", 0.255),
    ],
)
def test_true_claims_pass_and_are_listed(stated, measured):
    claims = Claims()
    claims("a number", stated, measured, source="by hand")
    assert "1 numbers, all as stated" in repr(claims.table())


@pytest.mark.parametrize(
    ("stated", "measured"),
    [
        ("0.980199", 99 / 101),
        ("2.3e-5", 2.36e-5),
        ("0.25", 0.25501),
        (691, 692),
        ((0.9, 1.0), 1.01),
        ((1.1, None), 1.09),
        ((None, 0.5), 0.51),
        ((None, 0.5), float("nan")),
        ("1.0", float("nan")),
        ("1", float("inf")),
    ],
)
def test_false_claims_raise_with_both_values(stated, measured):
    with pytest.raises(AssertionError, match="the page states .* the computation gives"):
        Claims()("a number", stated, measured)


def test_a_line_of_a_derivation_holds_where_both_sides_are_what_is_stated():
    claims = Claims()
    claims.line(2, "a common factor", "0.49", (1 - 0.3) ** 2, 1 - 0.6 + 0.09)
    assert "line 2, a common factor" in repr(claims.table())
    with pytest.raises(AssertionError, match="Line 3, a sign: the left side is 0.51, the right side 0.49"):
        claims.line(3, "a sign", "0.51", 0.51, 0.49)
    with pytest.raises(AssertionError, match="the left side is nan"):
        claims.line(3, "a sign", "0.51", float("nan"), float("nan"))
    with pytest.raises(AssertionError, match="the page states 0.50"):
        claims.line(4, "another number", "0.50", 0.49, 0.49)


def test_an_empty_table_and_a_word_are_refused():
    with pytest.raises(AssertionError, match="No claim was made"):
        Claims().table()
    with pytest.raises(ValueError, match="is not a number"):
        Claims()("a number", "about three", 3.0)


def test_a_band_without_ends_is_refused():
    with pytest.raises(ValueError, match="A band needs an end"):
        Claims()("a number", (None, None), 3.0)


def test_the_text_says_what_is_stated_and_the_html_what_this_run_measured():
    claims = Claims()
    claims("share", (0.9, None), 0.98765, source="<counted>")
    claims("steps", 691, 691)
    (data, metadata), text = claims.table()._repr_mimebundle_(), repr(claims.table())
    assert data["text/plain"] == text and "above 0.9  within" in text and "0.98" not in text
    assert "<td>above 0.9</td><td>0.9877</td><td>&lt;counted&gt;</td>" in data["text/html"]
    first, second = metadata[RECORD]["claims"]
    assert first == {"claim": "share", "value": 0.98765, "band": True, "low": 0.9, "high": None}
    assert second == {"claim": "steps", "value": 691.0, "band": False, "low": 691.0, "high": 691.0}


def test_claims_are_shown_since_the_last_look():
    claims = Claims()
    claims("share", (0.9, None), 0.95)
    assert repr(claims.show()) == "share: above 0.9"
    claims("steps", 691, 691)
    claims("loss", (None, 0.5), 0.25)
    shown = claims.show()
    assert repr(shown) == "steps: 691\nloss: below 0.5"
    data, metadata = shown._repr_mimebundle_()
    assert "0.25" in data["text/html"] and metadata == {}
    with pytest.raises(AssertionError, match="since the last look"):
        claims.show()
    assert "3 numbers" in repr(claims.table())
