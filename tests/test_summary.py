"""The instructor's page: what must be done first, every number twice, no script, no name twice."""

import argparse
import itertools
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import report
from autograder.course import ROOT, Course
from autograder.records import new_record, write_record
from autograder.similarity import Compared, Pair, Similarity
from autograder.standing import GRADED, NONE, NOT_YET, REVIEW, ClassStanding, Part, Standing
from autograder.summary import Summary, summary_html, summary_text

VOID = {"meta", "br", "img"}
SWAPPED = "your H and W are swapped"
PARTS = (
    Part("f", None, 2, bonus=False, by_hand=False),
    Part("g", None, 1, bonus=True, by_hand=False),
    Part("why", None, 4, bonus=False, by_hand=True),
)


def case(title, passed, message="", hidden=False):
    return {"title": title, "passed": passed, "message": message, "hidden": hidden}


def verdict(name, cases, words=""):
    return {"grade_id": f"test_{name}", "exercise": name, "words": words, "cases": cases}


def graded(student, points, f_cases, **more):
    kept = {"repairs": [], "notes": [], "kernels": 1, "seconds": 1.0, **more.pop("kept", {})}
    kept["verdicts"] = [verdict("f", f_cases), verdict("g", [case("one", True)])]
    parts = zip(PARTS, points, strict=True)
    mine = tuple(Part(p.name, n, p.max_points, p.bonus, p.by_hand) for p, n in parts)
    return Standing(student, GRADED, "", mine, record=kept, **more)


def right(hidden=True):
    return [case("by hand", True), case("ragged", True), case("ragged", hidden, "SECRET", True)]


WRONG = [case("by hand", False, SWAPPED), case("ragged", False, SWAPPED)]
REPAIR = [{"where": "the check of f", "what": "it was deleted; put back"}]


@pytest.fixture
def summary():
    standings = (
        graded("ann", (2, 1, 4), right(), first_name="<script>alert(1)</script>"),
        graded("bob", (0, 0.5, None), WRONG, kept={"repairs": REPAIR, "seconds": 9.0}),
        graded("eva", (1.5, 0, 2), right(hidden=False), penalty=0.5, last_name='"x" & עברית'),
        graded("jim", (0, 0, 0), WRONG, kept={"notes": ["cell 7 died"], "kernels": 2}),
        Standing("kai", REVIEW, "no notebook, but <b>bold</b>"),
        Standing("lea", NONE),
        Standing("mia", NOT_YET),
    )
    pairs = (Pair(("bob", "jim"), {"f": 0.91}, 0.87),)
    exercises = (Compared("f", 4, 4), Compared("g", 4, 0))
    return Summary(ClassStanding("hw", standings, PARTS), Similarity(pairs, exercises))


class Page(HTMLParser):
    """The page as a browser would see it: every element closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs))
        self.elements.append(element)
        self.text[len(self.elements) - 1] = ""
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data):
        for place in self.open:
            self.text[place] += data

    def all(self, *tags):
        found = enumerate(self.elements)
        return [(kind, about, self.text[i]) for i, (kind, about) in found if kind in tags]

    def section(self, title):
        (text,) = (t for _, _, t in self.all("section") if t.startswith(title))
        return text

    def rows(self, caption):
        (table,) = (
            i
            for i, (tag, _) in enumerate(self.elements)
            if tag == "table" and self.text[i].startswith(caption)
        )
        rows, place = [], table + 1
        while place < len(self.elements) and self.elements[place][0] != "table":
            if self.elements[place][0] == "tr":
                rows.append([])
            elif self.elements[place][0] in ("td", "th"):
                rows[-1].append(self.text[place])
            elif self.elements[place][0] in ("section", "h3"):
                break
            place += 1
        return rows[1:]


@pytest.fixture
def page(summary):
    return Page(summary_html(summary))


def test_the_page_needs_no_script_and_no_network(summary):
    text = summary_html(summary)
    assert "<script" not in text
    assert not re.search(r"(src|href)=\"(?!#)|url\(|@import|https?:|\son\w+=", text)
    assert "prefers-color-scheme: dark" in text


def test_headings_go_down_by_one_and_links_lead_somewhere(page):
    levels = [int(tag[1]) for tag, _, _ in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [about["id"] for _, about in page.elements if "id" in about]
    assert len(ids) == len(set(ids))
    assert {about["href"] for _, about, _ in page.all("a")} == {f"#{name}" for name in ids}


def test_what_a_person_must_do_comes_first(page):
    assert page.all("h2")[0][2] == "Look at these first"
    first = page.section("Look at these first")
    assert "kai" in first
    assert "no notebook, but <b>bold</b>" in first
    assert page.rows("Answers to grade by hand") == [["why", "1"]]
    assert "not graded yet: mia" in first
    tiles = [text for _, about, text in page.all("li") if not text.startswith(" ")]
    assert {"4graded", "1to be looked at", "1mended", "1with a late penalty"} <= set(tiles)


def test_a_class_without_trouble_is_told_so(summary):
    quiet = ClassStanding("hw", summary.standing.standings[:1], PARTS)
    assert "Nothing here needs a person." in Page(summary_html(Summary(quiet))).section("Look at")


def test_every_chart_has_words_and_the_same_numbers_in_a_table(page):
    charts = page.all("svg")
    assert len(charts) == 5  # all points, three parts, the time
    assert all(about["role"] == "img" and about["aria-label"].strip() for _, about, _ in charts)
    for _, about, drawn in charts:
        title, words = about["aria-label"].split(": ", 1)
        told = {w.split(" from ")[1].rsplit(" ", 1)[0]: w.split()[0] for w in words.split("; ")}
        table = dict(page.rows(f"{title}, the numbers"))
        assert told == {between: n for between, n in table.items() if n != "0"}
        assert sum(map(int, table.values())) in (3, 4)
        assert all(n in drawn for n in told.values())


def test_every_student_stands_once_in_the_table_of_all(page):
    rows = {row[0]: row[1:] for row in page.rows("All 7 students")}
    assert len(rows) == 7
    assert rows["<script>alert(1)</script> (ann)"][:2] == ["graded", "7"]
    assert rows['"x" & עברית (eva)'] == ["graded", "3", "0.5", "1.5", "0", "2"]
    assert rows["bob"] == ["graded", "0.5", "", "0", "0.5", "to do"]
    assert rows["kai"][:2] == ["to be looked at", ""]
    assert rows["lea"] == ["no submission", "", "", "", "", ""]


def test_each_case_is_counted_with_public_and_with_hidden_numbers(page):
    assert page.rows("How often each case of f") == [
        ["by hand", "2 of 4", "none"],
        ["ragged", "2 of 4", "1 of 2"],
    ]


def test_diagnoses_count_a_student_once_and_hold_no_hidden_words(page, summary):
    assert page.rows("The most frequent diagnoses") == [["f", "2", SWAPPED]]
    assert "SECRET" not in summary_html(summary)
    assert page.rows("Losses with hidden numbers only") == [["f", "1", "eva"]]


def test_repairs_ends_and_slow_submissions_are_named(page):
    told = "the check of f: it was deleted; put back"
    assert page.rows("What was mended") == [[told, "1", "bob"]]
    assert page.rows("Submissions that did not run") == [["jim", "2", "cell 7 died"]]
    assert page.rows("Slow: more than 3 times") == [["bob", "9.0"]]


def test_alike_answers_are_listed_with_what_was_not_compared(page):
    assert page.rows("The most alike pairs") == [["bob and jim", "87%", "f 91%"]]
    assert "not compared alone: g." in page.section("Alike")
    assert "never a proof" in page.section("Alike")


def test_the_short_form_says_the_same_in_the_terminal(summary):
    lines = summary_text(summary).splitlines()
    assert lines[0] == (
        "hw: 4 graded, 1 to be looked at, 1 not graded yet, 1 no submission, 1 mended, "
        "1 answers to grade by hand"
    )
    assert "  kai: to be looked at: no notebook, but <b>bold</b>" in lines
    assert "  f: 0.88 of 2 points on average (4 graded)" in lines
    assert "  all: 2.38 of 6 points on average, the core alone" in lines
    assert f"  told 2 times: f: {SWAPPED}" in lines
    assert "  alike: bob and jim (87%)" in lines


def test_a_class_in_which_nothing_is_graded_still_has_a_page():
    standing = ClassStanding("hw", (Standing("kai", REVIEW, "empty"),), PARTS)
    page = Page(summary_html(Summary(standing, no_similarity="Not compared: no copydetect.")))
    assert "Nothing is graded yet." in page.section("Points")
    assert "no copydetect" in page.section("Alike")
    assert len(page.rows("All 1 students")) == 1


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
def test_the_command_writes_the_page_from_a_real_course(tmp_path, capsys):
    name = "00_start_here"
    course = Course(tmp_path, source=ROOT / "solutions", submitted=tmp_path / "submitted")
    course.config()  # puts the programs that nbgrader calls on the path
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_assignment(name)
        gradebook.add_notebook(name, name)
        kind = {"max_score": 2, "cell_type": "code"}
        gradebook.add_grade_cell("test_mean_colour", name, name, **kind)
        gradebook.add_student("ann")
        gradebook.add_submission(name, "ann")
        gradebook.find_grade("test_mean_colour", name, name, "ann").auto_score = 1.5
        gradebook.find_grade("test_mean_colour", name, name, "ann").needs_manual_grade = False
        gradebook.db.commit()
    folder = tmp_path / "autograded" / "ann" / name
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / name / f"{name}.ipynb", folder)
    assert nbformat.read(folder / f"{name}.ipynb", 4).cells
    write_record(tmp_path, new_record("ann", name, seconds=2.0))
    assert command(tmp_path, name) == 0
    write_record(tmp_path, new_record("zoe", name, problem="an empty file"))
    assert command(tmp_path, name) == 1
    assert "zoe: to be looked at: an empty file" in capsys.readouterr().out
    page = Page((tmp_path / "reports" / f"{name}.html").read_text(encoding="utf-8"))
    assert {row[0]: row[2] for row in page.rows("All 2 students")} == {"ann": "1.5", "zoe": ""}
    with pytest.raises(ValueError, match="no assignment 99_none"):
        command(tmp_path, "99_none")
    with pytest.raises(FileNotFoundError, match="no gradebook"):
        command(tmp_path / "elsewhere", name)


def command(course: Path, assignment: str) -> int:
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    args = ["--assignment", assignment, "--course", str(course)]
    return report.run(parser.parse_args(args))
