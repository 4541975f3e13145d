"""The judge of `make processors`: a run that differs and a claim at the edge of its band are named."""

import json
import platform

import pytest

from tests.elsewhere.processors import Band, Run, bands, report, run, variants
from tests.strict import SAME, another_processor, processor

X86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these kernels are for x86-64 alone")


@X86
def test_the_other_processor_is_another():
    own, other = processor(), processor(tuple(another_processor().items()))
    assert other.kernels and not set(own.kernels) & set(other.kernels)
    assert set(other.kernels) <= SAME["Prescott"] | {"Nehalem"}
    assert other.features == () and own.features


@X86
def test_variants_differ_and_what_cannot_be_had_is_said(capsys):
    found, missing = variants()
    told = [processor(tuple(settings.items())) for settings in found.values()]
    assert len(told) == len(set(told)) >= 4 and told[0] == processor()
    assert len(found) + len(missing) == 10
    assert capsys.readouterr().out.count("\n") == len(found)


def test_a_kernel_that_ends_python_is_reported():
    with pytest.raises(OSError, match="ended with"):
        processor((("PYTHONHOME", "nowhere"),))


def claim(value, low=0.0, high=1.0, name="share"):
    return {"claim": name, "value": value, "low": low, "high": high, "band": True}


@pytest.mark.parametrize(
    ("low", "high", "values", "fault"),
    [
        (0.0, 1.0, [0.4, 0.6], False),
        (0.0, 1.0, [0.12, 0.6], False),
        (0.0, 1.0, [0.09, 0.6], True),
        (0.0, 1.0, [0.4, 0.91], True),
        (0.0, 1.0, [0.99, 0.99], False),  # no processor moves it
        (0.5, None, [0.52, 0.9], True),
        (0.5, None, [0.9, 0.92], False),
        (None, 0.5, [0.1, 0.1], False),
        (None, 0.5, [0.45, 0.49], True),
    ],
)
def test_canary_a_claim_at_the_edge_of_its_band_is_at_fault(low, high, values, fault, capsys):
    runs = [Run("1.ipynb", str(k), claims=[claim(value, low, high)]) for k, value in enumerate(values)]
    (band,) = bands(runs)
    assert band.values == values and band.at_fault == fault
    assert report(runs, []) == fault
    assert ("AT AN EDGE" in capsys.readouterr().out) == fault


def test_the_used_part_of_a_band_is_printed(capsys):
    runs = [Run("1.ipynb", str(k), claims=[claim(v), claim(3, 3, 3, "whole")]) for k, v in enumerate((0.25, 0.5))]
    assert report(runs, ["Zen: cannot"]) == 0
    told = capsys.readouterr().out
    assert " 25.0%  [0 … 1]  0.25 … 0.5  1.ipynb: share" in told and "NOT RUN  Zen: cannot" in told
    assert "1 notebooks, 2 variants: 0 of 2 runs differ; 0 of 1 claims come near an edge; 0 do not move at all." in told


def test_claims_of_one_name_are_told_apart_by_their_order():
    runs = [Run("1.ipynb", name, claims=[claim(0.3), claim(0.7)]) for name in "ab"]
    assert [band.values for band in bands(runs)] == [[0.3, 0.3], [0.7, 0.7]]
    assert Band("1.ipynb", "share", 0.0, 2.0, [0.5, 1.0]).used == 0.25


def test_canary_a_notebook_that_differs_is_named_and_claims_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.elsewhere.processors.ROOT", tmp_path)
    path = tmp_path / "a.ipynb"
    stated = "from optcore import Claims\nclaims = Claims()\nclaims('x', (0, 1), 0.5)\nclaims.table();\n"
    shown = "import os\ndisplay(claims.table())\nprint(os.environ['TRIED'])"
    table = "claim   stated  measured\nx       0 to 1  within\n1 numbers, all as stated"
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {"text/plain": table}}]
    outputs.append({"output_type": "stream", "name": "stdout", "text": "own\n"})
    cells = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": text, "execution_count": k + 1, "outputs": made}
        for k, (text, made) in enumerate([(stated, []), (shown, outputs)])
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells, "metadata": {}}))
    other = run(path, "tried", {"TRIED": "another"})
    assert other.faults[0] == "Cell 1 differs" and any("another" in line for line in other.faults)
    assert [one["value"] for one in other.claims] == [0.5]
    assert report([other], []) == 1
