"""Whose files these are, which of them count, and what cannot be opened."""

import io
import os
import zipfile

import pytest

from optcore.grading import classroom, sandbox
from optcore.grading.handins import MOST_FILES, find_handins
from tests.grading.adversaries import FIRST, GD, HONEST

EXERCISES = ["gradient-descent/gd", "gradient-descent/contraction"]
RIGHT, WRONG = (FIRST + HONEST).encode(), (FIRST + HONEST.replace("abs", "")).encode()
MOODLE = "assignsubmission_file"


def zipped(files, **how):
    """A zip of these files; the value may be a pair (content, time)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **how) as archive:
        for name, content in files.items():
            content, time = content if isinstance(content, tuple) else (content, (2026, 11, 1, 12, 0, 0))
            archive.writestr(zipfile.ZipInfo(name, time), content)
    return packed.getvalue()


def written(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def found(where):
    return {(h.student, h.id): [file.name for file in h.files] for h in find_handins(where)}


MOODLE_ZIP = {
    f"Anna Lee_123_{MOODLE}/3-gd.ipynb": b"{}",
    f"Ben Müller_124_{MOODLE}_/work.ipynb": b"{}",  # before Moodle 4.1
    f"Cem_125_{MOODLE}_work.py": b"",  # without folders
    f"Dana_126_{MOODLE}/all.zip": zipped({"mine/a.py": b"", "mine/deep.zip": zipped({"b.py": b"x = 1"})}),
    "Eve_127_assignsubmission_onlinetext/onlinetext.html": b"<p>later</p>",
    f"Participant 9_128_{MOODLE}/a.py": b"",
    f"Anna Lee_129_{MOODLE}/other Anna.py": b"",
    f"__MACOSX/Anna Lee_123_{MOODLE}/._3-gd.ipynb": b"\0",
    f"Anna Lee_123_{MOODLE}/._3-gd.ipynb": b"\0",
    f"Anna Lee_123_{MOODLE}/.ipynb_checkpoints/3-gd-checkpoint.ipynb": b"{}",
    f"Anna Lee_123_{MOODLE}/.DS_Store": b"\0",
}
IN_MOODLE = {
    ("Anna Lee", "123"): ["3-gd.ipynb"],
    ("Ben Müller", "124"): ["work.ipynb"],
    ("Cem", "125"): [f"Cem_125_{MOODLE}_work.py"],
    ("Dana", "126"): ["a.py", "b.py"],
    ("Eve", "127"): [],
    ("Participant 9", "128"): ["a.py"],
    ("Anna Lee", "129"): ["other Anna.py"],
}


def test_moodles_zip_is_read_as_it_comes(tmp_path):
    (tmp_path / "download.zip").write_bytes(zipped(MOODLE_ZIP))
    assert found(tmp_path / "download.zip") == IN_MOODLE
    assert found(tmp_path) == IN_MOODLE  # the folder that it lies in
    again = tmp_path / "unpacked and packed again"
    (again / "sent").mkdir(parents=True)
    (again / "mac.zip").write_bytes(zipped({f"submissions/{name}": content for name, content in MOODLE_ZIP.items()}))
    assert found(again / "mac.zip") == IN_MOODLE
    assert found(written(tmp_path / "unpacked", MOODLE_ZIP)) == IN_MOODLE


def test_of_canvas_attempts_the_last_one_counts(tmp_path):
    (tmp_path / "submissions.zip").write_bytes(
        zipped(
            {
                "leeanna_LATE_123_456_name-2.ipynb": (b"{}", (2026, 1, 1, 0, 0, 0)),
                "leeanna_LATE_123_455_name-10.ipynb": (b"{}", (2020, 1, 1, 0, 0, 0)),
                "leeanna_LATE_123_454_name.ipynb": (b"{}", (2026, 1, 1, 0, 0, 0)),
                "leeanna_LATE_123_457_other.py": b"",
                "mullerben_77_458_a_b_c.py": b"",
            }
        )
    )
    anna, ben = find_handins(tmp_path / "submissions.zip")
    assert (anna.student, anna.id, anna.late) == ("leeanna", "123", True)
    assert {file.name for file in anna.files} == {
        "leeanna_LATE_123_455_name-10.ipynb",
        "leeanna_LATE_123_457_other.py",
    }
    assert "newest by attempt is leeanna_LATE_123_455_name-10.ipynb" in anna.notes[0]
    assert (ben.student, ben.id, ben.late) == ("mullerben", "77", False)


def test_a_flat_folder_a_folder_of_folders_and_zips(tmp_path):
    folder = written(
        tmp_path / "class",
        {
            "anna.ipynb": b"{}",
            "ben.IPYNB": b"",
            "cem.ipynb.txt": b"",
            "dana/a.py": b"",
            "dana/sub/b.py": b"",
            "eve.zip": zipped({"x.py": b""}),
            "essay.pdf": b"",
            "fay/essay.pdf": b"",
            ".hidden": b"",
            "gus.rar": b"Rar!",
            "hal.zip": b"PK no zip",
        },
    )
    (folder / "ida").mkdir()
    (folder / "jon.py").symlink_to(folder / "anna.ipynb")
    everyone = {h.student: h for h in find_handins(folder)}
    assert {name: len(h.files) for name, h in everyone.items()} == {
        "anna": 1, "ben": 1, "cem": 1, "dana": 2, "eve": 1, "essay": 0, "fay": 0, "gus": 0, "hal": 0,
        "ida": 0, "jon": 0,
    }  # fmt: skip
    assert everyone["essay"].notes == everyone["gus"].notes == ["neither a notebook nor a script"]
    assert everyone["fay"].notes == ["no notebook in the folder, but essay.pdf"]
    assert everyone["ida"].notes == ["no notebook in the folder"]
    assert everyone["hal"].notes[0].startswith("a zip that cannot be read")
    assert everyone["jon"].notes == ["a symbolic link"]


def test_hostile_zips_cost_their_owner_only(tmp_path):
    bomb = zipped({"a.py": bytes(50 << 20)}, compression=zipfile.ZIP_DEFLATED)
    nested = zipped({"a.py": b""})
    for _ in range(6):
        nested = zipped({"in.zip": nested})
    written(
        tmp_path,
        {
            "anna.zip": zipped({"a.py": RIGHT}),
            "bomb.zip": bomb,
            "deep.zip": nested,
            "two.zip": zipped({"in.zip": zipped({"in.zip": zipped({"a.py": b""})})}),
            "three.zip": zipped({"in.zip": zipped({"in.zip": zipped({"in.zip": zipped({"a.py": b""})})})}),
            "many.zip": zipped({f"{i}.py": b"" for i in range(1001)}),
            "names.zip": zipped({"../../../etc/a.py": RIGHT, "/root/b.py": b"", "..\\c.py": b""}),
        },
    )
    everyone = {h.student: h for h in find_handins(tmp_path)}
    assert everyone["bomb"].files[0].read(20 << 20) == (b"", "cannot be read: larger than 20 MB")
    assert "too many zips within zips" in everyone["deep"].notes[0]
    assert [file.name for file in everyone["two"].files] == ["a.py"] and not everyone["two"].notes
    assert "too many zips within zips" in everyone["three"].notes[0]
    assert "more than 1000 files" in everyone["many"].notes[0]
    assert {file.name for file in everyone["names"].files} == {"a.py", "b.py", "c.py"}
    assert everyone["anna"].files[0].read(1 << 20) == (RIGHT, "")


def test_a_file_that_is_no_zip_is_an_error(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="neither a folder nor a zip"):
        find_handins(tmp_path / "a.zip")
    with pytest.raises(OSError):
        find_handins(tmp_path / "absent")


# --- one hand-in per student ------------------------------------------------------------------------------------------


def graded(folder, **how):
    journal = folder.parent / "j.jsonl"
    return classroom.grade_class(folder, "s", journal, only=how.pop("only", EXERCISES), quiet=True, **how)


def test_several_files_do_not_make_a_choice_free(tmp_path):
    (exercise, *_) = [e for e in classroom.choose([]) if e.kind == "explain"]
    letters = [exercise.reference, *(m.wrong for m in exercise.misconceptions)]
    assert len(letters) > 2
    for last in letters:
        folder = tmp_path / last / "class"
        others = [letter for letter in letters if letter != last]
        for age, letter in enumerate([last, *others]):
            path = folder / "anna" / f"{letter}.py"
            written(folder, {f"anna/{letter}.py": f"{exercise.name} = {letter!r}".encode()})
            os.utime(path, (1e9 - age * 60,) * 2)
        (anna,) = graded(folder, only=[exercise.id])
        assert anna.points == (last == exercise.reference), last
        assert anna.notes == [f"{len(letters)} files, the newest by time is {last}.py"]
        assert anna.files[exercise.id] == f"{last}.py"


@pytest.mark.parametrize("newest, points", [(WRONG, 0), (RIGHT, 1), (b"", 1), (FIRST.encode() + b"1/0", 1)])
def test_the_newest_answer_counts_and_an_empty_file_is_none(tmp_path, newest, points):
    folder = written(tmp_path / "class", {"anna/a.py": RIGHT, "anna/b.py": newest})
    for name, when in (("a.py", 1e9), ("b.py", 1e9 + 100)):
        os.utime(folder / "anna" / name, (when, when))
    (anna,) = graded(folder)
    assert anna.points == points


def test_files_of_one_time_are_told_apart_by_name(tmp_path):
    folder = written(tmp_path / "class", {"anna/try-9.py": WRONG, "anna/try-10.py": RIGHT})
    for name in ("try-9.py", "try-10.py"):
        os.utime(folder / "anna" / name, (1e9, 1e9))
    (anna,) = graded(folder)
    assert anna.points == 1 and anna.notes[0] == "2 files, the newest by name is try-10.py"


def test_a_hand_in_of_two_chapters_is_one(tmp_path):
    folder = written(tmp_path / "class", {"anna/a.py": RIGHT, "anna/b.py": (FIRST + GD).encode()})
    (anna,) = graded(folder)
    assert anna.points == 2


def test_files_and_seconds_are_bounded(tmp_path):
    slow = (FIRST + "import time\nfor _ in range(9): time.sleep(0.2)").encode()
    folder = written(tmp_path / "class", {f"anna/{i}.py": slow for i in range(30)})
    ran = []
    with pytest.MonkeyPatch.context() as patch:
        attempt = sandbox.Sandbox.run
        patch.setattr(sandbox.Sandbox, "run", lambda self, name, source, wall, only: ran.append((name, wall)) or
                      attempt(self, name, source, wall, only))  # fmt: skip
        (anna,) = graded(folder, limits=sandbox.Limits(wall=4.0))
    assert f"{MOST_FILES} of them count" in anna.notes[0]
    assert 2 <= len(ran) <= MOST_FILES and [name for name, _ in ran][:2] == ["29.py", "28.py"]
    assert all(later < earlier for (_, earlier), (_, later) in zip(ran, ran[1:], strict=False)) and ran[0][1] <= 4
    assert sandbox.attempt(b"", 0.0, False, [("a.py", b"")]) == [("a.py", "no time is left", b"")]
