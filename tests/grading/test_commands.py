"""What the commands of the grader say of themselves."""

import argparse
import importlib
import sys

import pytest

from book.course import ROOT

COMMANDS = sorted(
    path.stem for path in (ROOT / "optcore/grading").glob("*.py") if "ArgumentParser(" in path.read_text("utf-8")
)


class Asked(Exception):
    """A parser was about to read its arguments."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_what_each_argument_means(name, monkeypatch):
    assert len(COMMANDS) >= 4

    def stop(parser, *_):
        raise Asked(parser)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    module = importlib.import_module(f"optcore.grading.{name}")
    with pytest.raises(Asked) as asked:
        module.main([]) if name == "__main__" else module.main()
    (parser,) = asked.value.args
    assert parser.prog == f"python -m optcore.grading.{name}".removesuffix(".__main__")
    assert parser.prog in module.__doc__ and len(parser.description) > 20
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "__main__"])
def test_a_command_without_its_arguments_names_what_is_missing(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name])
    with pytest.raises(SystemExit):
        importlib.import_module(f"optcore.grading.{name}").main()
    assert "are required: " in capsys.readouterr().err
