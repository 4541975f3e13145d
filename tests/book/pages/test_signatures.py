"""Names, parameters and the values that are left out: notebooks and readers' own code count on each of them."""

import pytest

from book.pages import signatures


def test_what_can_be_called_takes_what_it_took():
    stored = signatures.STORED.read_text(encoding="utf-8").splitlines()
    assert len(stored) >= 200
    changed = set(stored) ^ set(signatures.render().splitlines())
    assert not changed, "if that is meant, `make sync` notes it"


def test_a_signature_is_noted_with_its_defaults():
    lines = signatures.render().splitlines()
    assert "adam(g, m=0.0, v=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-08)" in lines
    assert "Optimizer.step(self, grads)" in lines
    assert not [line for line in lines if " at 0x" in line or line.startswith("_")]


@pytest.mark.parametrize("noted", [True, False])
def test_it_is_written_when_it_differs(noted, tmp_path, monkeypatch):
    stored = tmp_path / "signatures.txt"
    stored.write_text(signatures.render() if noted else "adam(g)\n", encoding="utf-8")
    monkeypatch.setattr(signatures, "STORED", stored)
    assert signatures.stale() == ({} if noted else {stored: signatures.render()})
