"""Claims: a stated number must be what was computed, to the digit stated."""

import pytest

from optcore import Claims


@pytest.mark.parametrize(
    ("stated", "measured"),
    [("0.980198", 99 / 101), ("2.3e-5", 2.34e-5), ("-0.5", -0.54), (691, 691), ((0.9, 1.0), 0.95), ("20959", 20959.3)],
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
        (691, 692),
        ((0.9, 1.0), 1.01),
        ("1.0", float("nan")),
        ("1", float("inf")),
    ],
)
def test_false_claims_raise_with_both_values(stated, measured):
    with pytest.raises(AssertionError, match="the page states .* the computation gives"):
        Claims()("a number", stated, measured)


def test_an_empty_table_and_a_word_are_refused():
    with pytest.raises(AssertionError, match="No claim was made"):
        Claims().table()
    with pytest.raises(ValueError, match="is not a number"):
        Claims()("a number", "about three", 3.0)
