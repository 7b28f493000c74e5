"""What is kept of a graded submission, and the salt."""

import stat
import threading

import nbformat
import pytest

from autograder import records
from autograder.records import (
    SALT,
    digest_of,
    fingerprint,
    new_record,
    read_record,
    salt_of,
    write_record,
)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = new_record("zoë", "02_hello_rnn", notes=["a kernel died"])
    write_record(tmp_path, record)
    assert read_record(tmp_path, "02_hello_rnn", "zoë") == record


@pytest.mark.parametrize("student", ["a/b", "..", "x" * 255, "é" * 120, "\udcff", "a.json", ""])
def test_any_name_of_a_student_gives_a_file_in_the_folder_of_the_assignment(tmp_path, student):
    path = write_record(tmp_path, new_record(student, "02_hello_rnn"))
    assert path.parent == tmp_path / "judged" / "02_hello_rnn"
    assert read_record(tmp_path, "02_hello_rnn", student)["student"] == student


def test_two_long_names_do_not_share_a_file(tmp_path):
    paths = {write_record(tmp_path, new_record("é" * 100 + end, "02")) for end in "ab"}
    assert len(paths) == 2


def test_records_come_by_student(tmp_path):
    for student in ("c", "a b", "b"):
        write_record(tmp_path, new_record(student, "02"))
    assert [one["student"] for one in records.records(tmp_path, "02")] == ["a b", "b", "c"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0}'])
def test_what_is_no_record_of_this_version_is_none(tmp_path, text):
    path = write_record(tmp_path, new_record("ann", "02"))
    path.write_text(text)
    assert read_record(tmp_path, "02", "ann") is None
    assert not list(records.records(tmp_path, "02"))


def test_a_record_has_its_fields_and_no_others():
    with pytest.raises(ValueError, match="no score"):
        new_record("ann", "02", score=9)


def test_the_salt_is_made_once_for_the_owner_alone(tmp_path):
    salt = salt_of(tmp_path)
    assert len(salt) == 32
    assert salt_of(tmp_path) == salt
    assert stat.S_IMODE((tmp_path / SALT).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SALT]


def test_graders_that_start_at_once_share_one_salt(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(salt_of(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_a_salt_that_is_too_short_is_refused(tmp_path):
    (tmp_path / SALT).write_text("short")
    with pytest.raises(ValueError, match="at least 16"):
        salt_of(tmp_path)


def test_the_digest_of_a_notebook_follows_its_code_and_its_labels_alone():
    def notebook(source="a = 1", grade_id="x", text="why"):
        cell = nbformat.v4.new_code_cell(source, outputs=[])
        cell.metadata["nbgrader"] = {"grade_id": grade_id}
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), cell])

    assert digest_of(notebook()) == digest_of(notebook(text="because"))
    assert digest_of(notebook()) != digest_of(notebook(source="a = 2"))
    assert digest_of(notebook()) != digest_of(notebook(grade_id="y"))


def test_a_fingerprint_tells_apart_what_is_split_elsewhere():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint(b"a") != fingerprint(b"b")
    assert fingerprint(b"a") == fingerprint(b"a")


def test_the_log_says_what_was_done_and_keeps_control_characters_out(tmp_path):
    case = {"title": "a ramp", "passed": False, "message": "sign\x1b[2J", "hidden": True}
    verdict = {
        "grade_id": "test_one_hot",
        "exercise": "one_hot",
        "points": 0.5,
        "max_points": 1.0,
        "bonus": False,
        "seconds": 0.1,
        "words": "",
        "cases": [case, case | {"passed": True, "title": "kept out"}],
    }
    repairs = [{"where": "the check of one_hot", "what": "it was deleted; put back"}]
    found = new_record("a.b", "02", verdicts=[verdict], repairs=repairs, notes=["cell 3: died"])
    log = write_record(tmp_path, found).with_suffix(".log").read_text()
    assert "mended: the check of one_hot: it was deleted; put back" in log
    assert "note: cell 3: died" in log
    assert "one_hot: 0.5 of 1 points" in log
    assert "failed: a ramp (hidden numbers): sign?[2J" in log
    assert "kept out" not in log


def test_the_log_of_one_that_was_not_graded_says_why(tmp_path):
    path = write_record(tmp_path, new_record("ann", "02", problem="it is not JSON"))
    assert path.with_suffix(".log").read_text().endswith("NOT GRADED: it is not JSON\n")
