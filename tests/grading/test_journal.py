"""What is kept between runs, what is not, and what is done again."""

import json

import pytest

from optcore.grading import classroom, sandbox
from optcore.grading.journal import Journal
from optcore.grading.report import write_csv
from tests.grading.adversaries import FIRST, GD, HONEST

EXERCISES = ["gradient-descent/gd", "gradient-descent/contraction"]
STUDENTS = ["anna", "ben", "cem", "dana"]


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """Grades a class of four and notes who ran: `graded(...)`, `graded.ran`, `graded.journal`."""
    folder = tmp_path / "class"
    folder.mkdir()
    for student in STUDENTS:
        (folder / f"{student}.py").write_text(FIRST + GD + HONEST)
    attempt = sandbox.attempt

    def counting(plan, wall, walled, files, only=None):
        grade.ran.append((files[0][0].removesuffix(".py"), only))
        if files[0][0] in grade.breaking:
            raise sandbox.Breakdown("the server is gone")
        return attempt(plan, wall, walled, files, only)

    monkeypatch.setattr(sandbox, "attempt", counting)

    def grade(**how):
        grade.ran = []
        grades = classroom.grade_class(folder, "s", grade.journal, only=EXERCISES, quiet=True, **how)
        return {one.student: one for one in grades}

    grade.journal, grade.folder, grade.breaking = tmp_path / "grades.jsonl", folder, []
    return grade


def test_a_breakdown_is_no_grade_and_is_not_kept(graded, tmp_path):
    graded.breaking = ["ben.py"]
    first = graded()
    assert first["ben"].broken == "the server is gone" and first["anna"].points == 2
    assert "NOT GRADED" in first["ben"].notes[0]
    assert len(graded.journal.read_text().splitlines()) == 4  # a head and three students
    write_csv(tmp_path / "g.csv", list(first.values()))
    assert "\nben,,2,,," in (tmp_path / "g.csv").read_text()
    graded.breaking = []
    assert graded()["ben"].points == 2 and graded.ran == [("ben", [])]
    assert graded()["ben"].points == 2 and graded.ran == []


def test_a_share_of_nothing_is_whole(graded, capsys):
    graded()
    graded.journal.write_text(graded.journal.read_text().replace('"share": 1.0', '"share": 0.0'))
    capsys.readouterr()
    graded()
    assert graded.ran == [] and "damaged" not in capsys.readouterr().out


def test_a_student_is_graded_again(graded):
    graded()
    graded(again=["cem"])
    assert graded.ran == [("cem", [])]


def test_an_exercise_is_graded_again_and_the_others_stay(graded, monkeypatch):
    graded()
    judge_files = classroom.judge_files

    def other(ran, seed, ids):
        said, notes = judge_files(ran, seed, ids)
        return {id: one | {"voice": "Keep working", "text": "otherwise"} for id, one in said.items()}, notes

    monkeypatch.setattr(classroom, "judge_files", other)
    again = graded(again=[EXERCISES[0]])
    assert sorted(graded.ran) == [(student, [EXERCISES[0]]) for student in STUDENTS]
    assert all(one.feedback[EXERCISES[0]].text == "otherwise" for one in again.values())
    assert all(one.feedback[EXERCISES[1]].voice == "Correct" for one in again.values())
    monkeypatch.undo()
    assert {one.points for one in graded().values()} == {1}  # it was written down


def test_a_slip_in_a_name_is_an_error(graded):
    with pytest.raises(ValueError, match="no student and no exercise of this run is called ann"):
        graded(again=["ann", "ben"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: b"\xff\xfe" + line,
        lambda line: b"null",
        lambda line: b'{"at": [1, 2, 3], "notes": [], "feedback": {}}',
        lambda line: line.replace(b'"voice": "Correct"', b'"voice": "Perfect"'),
        lambda line: line.replace(b'"share": 1.0', b'"share": 1e9'),
        lambda line: b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_named_and_its_student_graded_again(graded, damage, capsys):
    first = graded()
    lines = graded.journal.read_bytes().splitlines()
    who = json.loads(lines[2])["at"][0]
    graded.journal.write_bytes(b"\n".join([*lines[:2], damage(lines[2]), *lines[3:]]) + b"\n")
    capsys.readouterr()
    assert graded() == first and graded.ran == [(who, [])]
    assert "line 3 is damaged" in capsys.readouterr().out
    assert graded() == first and graded.ran == []
    assert "damaged" not in capsys.readouterr().out


def test_a_head_that_is_damaged_is_not_thrown_away(graded):
    graded()
    whole = graded.journal.read_bytes()
    graded.journal.write_bytes(whole[10:])
    with pytest.raises(ValueError, match="another seed"):
        graded()
    assert graded.journal.read_bytes() == whole[10:]


def test_two_runs_do_not_write_one_journal(graded):
    with Journal(graded.journal, "s", EXERCISES):
        with pytest.raises(ValueError, match="Another run is writing"):
            graded()
    assert graded()["anna"].points == 2
