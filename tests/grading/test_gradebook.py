"""From the LMS and back: who is in the class, what answers are worth, what the gradebook imports."""

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from optcore.grading import gradebook
from optcore.grading.classroom import Grade
from optcore.grading.feedback import CORRECT, HINT, MISSING, WORKING, Feedback
from optcore.grading.handins import File, HandIn
from optcore.grading.points import Late, Scheme, mark, number, read_scheme
from optcore.grading.report import cell, write_csv, write_feedback, write_html, write_mistakes
from optcore.grading.roster import Person, join, read_roster

IDS = ["a/one", "a/two"]
WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 123,Anna Lee,anna@uni.example,Submitted,,10.00,Yes,"Monday, 30 November 2026, 11:52 PM",-,\n'
    'Participant 124,Zoë Müller,zoe@uni.example,Submitted,,10.00,Yes,"Wednesday, 2 December 2026, 10:00 AM",'
    '"Thursday, 3 December 2026, 9:00 AM",\n'
    "Participant 125,Ben Doe,ben@uni.example,No submission,,10.00,Yes,-,-,\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Exercises 3 (98765)\n"
    "    Points Possible,,,,,10\n"
    '"Lee, Anna",123,u1,anna1,A,\n"Müller, Zoë",124,u2,zoe1,A,\n"Student, Test",9,,,A,\n'
)


def grade(name="anna", share=1.0, handin=None, **more):
    first = Feedback("a/one", CORRECT if share == 1 else WORKING, "One.")
    two = Feedback("a/two", MISSING, "Two.")
    handin = handin or HandIn(name, files=[File(Path("x"), ("x.py",))])
    return Grade(name, {"a/one": first, "a/two": two}, handin=handin, shares={"a/one": share}, **more)


# --- the roster -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_roster_is_read_as_spreadsheets_write_it(tmp_path, encoding, delimiter):
    rows = [["First name", "Last name", "ID number", "Email address"], ["Zoë", "Müller", "0042", "zoe@uni.example"]]
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter).writerows(rows)
    (tmp_path / "r.csv").write_bytes(made.getvalue().encode(encoding))
    assert read_roster(tmp_path / "r.csv") == [Person("Zoë Müller", number="0042", email="zoe@uni.example")]


def test_moodles_worksheet_and_canvas_gradebook_are_rosters(tmp_path):
    (tmp_path / "moodle.csv").write_text(WORKSHEET, encoding="utf-8")
    anna, zoe, ben = read_roster(tmp_path / "moodle.csv")
    assert (anna.name, anna.id, anna.sent) == ("Anna Lee", "123", datetime(2026, 11, 30, 23, 52))
    assert zoe.graded == "Thursday, 3 December 2026, 9:00 AM" and ben.sent is None
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    anna, zoe = read_roster(tmp_path / "canvas.csv")
    assert zoe == Person("Zoë Müller", id="124", number="u2", login="zoe1", section="A")


@pytest.mark.parametrize(
    "text, why",
    [("a,b\n1,2\n", "needs a column 'Full name'"), ("Full name\n", "holds nobody"), ("", "holds nobody"),
     ("Full name,Last modified (submission)\nAnna,yesterday\n", "cannot read the time 'yesterday'")],
)  # fmt: skip
def test_a_roster_that_says_nothing_is_an_error(tmp_path, text, why):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ValueError, match=why):
        read_roster(tmp_path / "r.csv")


def test_hand_ins_are_joined_by_number_mail_or_name_and_everybody_has_a_row():
    people = [
        Person("Anna Lee", "123"), Person("Anna Lee", "129"), Person("Zoë Müller", email="ZOE@uni.example"),
        Person("Ben Doe", number="0042"), Person("Cem Öz"), Person("Dana Van Dyk"), Person("Eve Absent"),
    ]  # fmt: skip
    handed = [
        HandIn("Anna Lee", "129"), HandIn("zoe@uni.example"), HandIn("0042"), HandIn("cem oz"), HandIn("dykdanavan"),
        HandIn("Anna Lee"), HandIn("stranger"),
    ]  # fmt: skip
    rows = {(h.label, h.id): h for h in join(handed, people)}
    assert set(rows) == {
        ("Anna Lee", "129"), ("Anna Lee", "123"), ("Zoë Müller", ""), ("Ben Doe", ""), ("Cem Öz", ""),
        ("Dana Van Dyk", ""), ("Eve Absent", ""), ("Anna Lee", ""), ("stranger", ""),
    }  # fmt: skip
    assert rows["Eve Absent", ""].notes == rows["Anna Lee", "123"].notes == ["nothing was handed in"]
    assert rows["stranger", ""].notes == rows["Anna Lee", ""].notes == ["not on the roster"]


def test_two_hand_ins_of_one_person_are_both_kept_and_named():
    one, two = join([HandIn("Anna Lee"), HandIn("anna@uni.example")], [Person("Anna Lee", email="anna@uni.example")])
    assert one.notes == [f"the same person also handed in as {two.student}"] and two.notes


# --- points -----------------------------------------------------------------------------------------------------------


def scheme(tmp_path, text):
    (tmp_path / "grading.toml").write_text(text, encoding="utf-8")
    return read_scheme(tmp_path / "grading.toml", IDS)


def test_points_partial_credit_and_overrides(tmp_path):
    made = scheme(
        tmp_path,
        """partial = true
[points]
"a/one" = 3
[[override]]
student = "ben"
exercise = "a/two"
points = 1
reason = "the text was ambiguous"
[[override]]
student = "cem"
points = 0.5
reason = "oral exam"
""",
    )
    grades = [grade("anna", 0.5), grade("ben"), grade("cem")]
    mark(grades, made)
    assert [g.points for g in grades] == [1.5, 4, 0.5] and {g.of for g in grades} == {4}
    assert grades[0].remarks == ["a/one: 50% of the cases agree"]
    assert grades[1].remarks == ["a/two: 1 points by hand, the text was ambiguous"]
    assert grades[2].remarks[-1] == "all together: 0.5 points by hand, oral exam"


def test_without_a_file_an_exercise_is_worth_a_point():
    grades = [grade("anna", 0.99), grade("ben")]
    mark(grades, Scheme())
    assert [g.points for g in grades] == [0, 1] and grades[0].of == 2


@pytest.mark.parametrize(
    "handin, sent, days",
    [
        (HandIn("a"), datetime(2026, 11, 30, 23, 59), 0),
        (HandIn("a"), datetime(2026, 12, 1, 0, 29), 0),  # within the grace
        (HandIn("a"), datetime(2026, 12, 1, 0, 30), 1),
        (HandIn("a"), datetime(2026, 12, 2, 0, 29), 1),
        (HandIn("a"), datetime(2026, 12, 2, 0, 30), 2),
        (HandIn("a", lms="canvas", late=True), None, 1),
        (HandIn("a", lms="canvas"), None, 0),
        (HandIn("a", lms="canvas"), datetime(2026, 12, 1, 0, 30), 1),
        (HandIn("a"), None, 0),
    ],
)
def test_days_late(handin, sent, days):
    handin.sent = sent
    handin.files = [File(Path("x"), ("x.py",), datetime(2027, 1, 1) if handin.lms else None)]
    assert Late(datetime(2026, 11, 30, 23, 59), grace=30).days(handin) == days


def test_late_work_loses_what_the_policy_says_and_reads_why(tmp_path):
    made = scheme(tmp_path, "[late]\ndue = 2026-11-30T12:00:00\nper_day = 10\nmost = 25\n")
    grades = [grade(f"{days}", handin=HandIn("x", sent=datetime(2026, 11, 30 - 0, 13), files=[File(Path("x"), ("x",))]))
              for days in range(1)]  # fmt: skip
    very = grade("very", handin=HandIn("x", sent=datetime(2027, 1, 1), files=[File(Path("x"), ("x",))]))
    absent = grade("absent", 0.0, handin=HandIn("x", sent=None))
    mark([*grades, very, absent], made)
    assert [g.points for g in (*grades, very, absent)] == [0.9, 0.75, 0]
    assert grades[0].remarks == ["1 day late: 10 % of the points earned, 0.1, is off"]
    assert "25 %" in very.remarks[0] and absent.remarks == []


@pytest.mark.parametrize(
    "text, why",
    [
        ("points = 3", "grading.toml"),
        ('[points]\n"a/on" = 1', "no exercise of this run is called 'a/on'; they are a/one, a/two"),
        ('[points]\n"a/one" = -1', "points for a/one: -1 is not a number from 0 up"),
        ('[points]\n"a/one" = "2"', "'2' is not a number"),
        ('partial = ["a/x"]', "called 'a/x'"),
        ("[late]\nper_day = 1", "needs a date and time"),
        ("[late]\ndue = 2026-11-30T12:00:00\ngrase = 1", "no entry grase"),
        ('[[override]]\nstudent = "anna"\npoints = 1', "has student, points and reason"),
        ("extra = 1", "unknown entry extra; known are late, override, partial, points"),
        ("points = ", "grading.toml"),
    ],
)
def test_a_slip_in_grading_toml_is_one_sentence(tmp_path, text, why):
    with pytest.raises(ValueError, match=why) as caught:
        scheme(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name, why", [("dora", "no such student"), ("anna", "are 2 of that name")])
def test_an_override_of_nobody_or_of_two_is_an_error(tmp_path, name, why):
    made = scheme(tmp_path, f'[[override]]\nstudent = "{name}"\npoints = 1\nreason = "r"')
    with pytest.raises(ValueError, match=why):
        mark([grade("anna"), grade("anna")], made)


# --- the gradebook ----------------------------------------------------------------------------------------------------


def import_into_moodle(content, participants, maximum, graded=None):
    """What mod/assign/feedback/offline does with an uploaded worksheet: {number: (grade, comment)}.

    It finds three columns by their English names, takes the number from behind "Participant ", and leaves out who is
    not in the course, empty grades, grades out of range, and those changed in Moodle after the worksheet was written.
    """
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    at = {name: rows[0].index(name) for name in ("Identifier", "Grade", "Last modified (grade)", "Feedback comments")}
    taken = {}
    for row in rows[1:]:
        number = int(row[at["Identifier"]][len("Participant ") :])
        points, changed = row[at["Grade"]], row[at["Last modified (grade)"]]
        if number not in participants or points == "" or not 0 <= float(points) <= maximum:
            continue
        if (graded or {}).get(number) and graded[number] != changed:
            continue
        taken[number] = float(points), row[at["Feedback comments"]]
    return taken


def test_moodle_takes_the_worksheet(tmp_path):
    people = [Person("Anna Lee", "123"), Person("Zoë Müller", "124", email="zoe@uni.example", graded="Thursday, 3 …")]
    handed = join([HandIn("Anna Lee", "123"), HandIn("Zoë Müller", "124"), HandIn("nobody")], people)
    grades = [grade(h.label, 0.5, handin=h) for h in handed]
    grades[1].broken = "gone"
    mark(grades, Scheme({"a/one": 3}, {"a/one"}))
    assert [g.student for g in grades] == ["Anna Lee", "Zoë Müller", "nobody"]
    gradebook.moodle(tmp_path / "m.csv", grades)
    content = (tmp_path / "m.csv").read_bytes()
    assert import_into_moodle(content, {123, 124}, 4) == {123: (1.5, "a/one: 50% of the cases agree")}
    grades[1].broken = ""
    gradebook.moodle(tmp_path / "m.csv", grades)
    content = (tmp_path / "m.csv").read_bytes()
    assert import_into_moodle(content, {123, 124}, 4, {124: "Thursday, 3 …"})[124][0] == 1.5


def test_canvas_takes_the_gradebook(tmp_path):
    (tmp_path / "r.csv").write_text(CANVAS, encoding="utf-8")
    handed = join([HandIn("leeanna", "123", lms="canvas")], read_roster(tmp_path / "r.csv"))
    grades = [grade(h.label, handin=h) for h in handed]
    mark(grades, Scheme())
    gradebook.canvas(tmp_path / "c.csv", grades, "Exercises 3 (98765)")
    rows = list(csv.reader((tmp_path / "c.csv").open(encoding="utf-8-sig", newline="")))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Exercises 3 (98765)"],
        ["    Points Possible", "", "", "", "", "2"],
        ["Lee, Anna", "123", "u1", "anna1", "A", "1"],
        ["Müller, Zoë", "124", "u2", "zoe1", "A", "1"],
    ]


def test_a_gradebook_needs_numbers(tmp_path):
    with pytest.raises(ValueError, match="No student has a number of Moodle: .* as --roster"):
        gradebook.moodle(tmp_path / "m.csv", [grade()])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "a;=1+1", "a; -1", "\t=1", "a\n=1", "a;\t@x"])
def test_no_cell_is_a_formula_whatever_separates_columns(text):
    for part in (part for delimiter in (";", "\t", "\n") for part in cell(text).split(delimiter)):
        assert not part.lstrip(" ").startswith(("=", "+", "-", "@"))


def test_the_table_has_a_mark_for_spreadsheets_only_where_one_is_needed(tmp_path):
    write_csv(tmp_path / "a.csv", [grade("anna")])
    assert (tmp_path / "a.csv").read_bytes().startswith(b"student,points,of")
    write_csv(tmp_path / "z.csv", [grade("Zoë")], ";")
    assert (tmp_path / "z.csv").read_bytes().startswith(b"\xef\xbb\xbfstudent;points;of;a/one")
    assert number(1e-9) == 0


# --- pages ------------------------------------------------------------------------------------------------------------


def test_every_student_has_a_page_of_their_own_and_moodle_finds_whose_it_is(tmp_path):
    handed = [
        HandIn("Anna Lee", "123", folder="Anna Lee_123_assignsubmission_file", lms="moodle"),
        HandIn("Zoë", "124", folder="Zoë_124_assignsubmission_file", lms="moodle"),
        HandIn("leeanna", "125", folder="leeanna_125_456", lms="canvas"),
        HandIn("../../etc"), HandIn(".."), HandIn("a/b"), HandIn("A-B"), HandIn("x" * 300), HandIn("\u202e\n"),
    ]  # fmt: skip
    grades = [grade(h.student, handin=h) for h in handed]
    grades[0].remarks, grades[0].notes = ["1 day late"], ["<script>"]
    packed = write_feedback(tmp_path / "feedback", grades)
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
        first = archive.read(names[0]).decode()
    assert len(set(names)) == len(handed) and not any(".." in name.split("/") or name[0] in "/." for name in names)
    for name, number_ in ((names[0], "123"), (names[1], "124")):  # as mod/assign/feedback/file reads them
        parts = name.split("/")[0].split("_", 4)
        assert len(parts) >= 4 and parts[1] == number_ and parts[2:4] == ["assignsubmission", "file"]
    assert [part for part in names[2].split("_") if part.isdigit()] == ["125", "456"]  # as Canvas does
    assert "1 day late" in first and "&lt;script&gt;" in first and "Zoë" not in first
    assert (tmp_path / "feedback" / names[0]).read_text(encoding="utf-8") == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback", "feedback.zip"]


def test_what_the_class_misunderstood_is_counted_worst_first(tmp_path):
    def of(one, two, mistake=""):
        said = {"a/one": Feedback("a/one", one, ""), "a/two": Feedback("a/two", two, "")}
        return Grade("x", said, mistakes={"a/two": mistake} if mistake else {})

    grades = [of(CORRECT, HINT, "The `sign`."), of(CORRECT, HINT, "The `sign`."), of(WORKING, HINT, "Half."),
              of(CORRECT, CORRECT), of(MISSING, MISSING), Grade("broken", {}, broken="gone")]  # fmt: skip
    write_mistakes(tmp_path / "m.html", grades)
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "5 students; the hardest exercise first" in page and page.index("a/two") < page.index("a/one")
    two, one = page[page.index("<h2>a/two") : page.index("<h2>a/one")], page[page.index("<h2>a/one") :]
    assert two.index("The <code>sign</code>.") < two.index("Half.") and "width:40.0%" in two
    assert "wrong in a way of its own" in one and "wrong in a way of its own" not in two
    write_html(tmp_path / "g.html", [grade(broken="gone")], "Isolation")
    assert "anna: not graded" in (tmp_path / "g.html").read_text(encoding="utf-8")
