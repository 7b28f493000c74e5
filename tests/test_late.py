"""Late submissions: what a policy takes off, and that it is taken back where it no longer holds."""

import shutil
from types import SimpleNamespace

import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from traitlets import TraitError

from autograder.course import Course
from autograder.late import (
    LatePolicy,
    Settled,
    as_utc,
    read_extensions,
    settle_penalties,
)

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
HOUR, DAY = 3600, 86400


def config_of(root, **policy):
    config = Course(root).config()
    config.AssignLatePenalties.plugin_class = "autograder.late.LatePolicy"
    for name, value in policy.items():
        config.LatePolicy[name] = value
    return config


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three submissions of 10 points: in time, 30 hours late, and 1 hour late by another clock."""
    course = Course(tmp_path_factory.mktemp("made"))
    course.config()  # puts the programs that nbgrader calls on the path
    stamps = {
        "ann": "2026-11-20 11:59:59 UTC",
        "bob": "2026-11-21 18:00:00 UTC",
        "eva": "2026-11-20 14:00:00 Europe/Berlin",
    }
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_assignment("hw", duedate="2026-11-20 12:00:00 UTC")
        gradebook.add_notebook("hw", "hw")
        gradebook.add_grade_cell("test_f", "hw", "hw", max_score=10, cell_type="code")
        for student, stamp in stamps.items():
            gradebook.add_student(student)
            gradebook.add_submission("hw", student, timestamp=as_utc(stamp))
            gradebook.find_grade("test_f", "hw", "hw", student).auto_score = 8
        gradebook.db.commit()
    return course.root / "gradebook.db"


@pytest.fixture
def course(made, tmp_path):
    """A copy of that gradebook in a course of its own."""
    shutil.copy(made, tmp_path)
    url = Course(tmp_path).db_url

    def settle(**policy):
        return settle_penalties(config_of(tmp_path, **policy), url, "hw")

    return SimpleNamespace(root=tmp_path, url=url, settle=settle)


def penalties(course):
    with Gradebook(course.url) as gradebook:
        found = gradebook.find_assignment("hw").submissions
        return {one.student.id: one.late_submission_penalty for one in found}


@pytest.mark.parametrize(
    ("policy", "seconds", "penalty"),
    [
        ({}, 100 * DAY, None),
        ({"percent_a_day": 10}, 1, 0.8),
        ({"percent_a_day": 10}, DAY, 0.8),
        ({"percent_a_day": 10}, DAY + 1, 1.6),
        ({"percent_a_day": 10, "grace_minutes": 15}, 15 * 60, None),
        ({"percent_a_day": 10, "grace_minutes": 15}, 15 * 60 + 1, 0.8),
        ({"percent_a_day": 10, "most_percent": 50}, 30 * DAY, 4.0),
        ({"percent_a_day": 30}, 30 * DAY, 8.0),
        ({"zero_after_hours": 48}, 48 * HOUR, None),
        ({"zero_after_hours": 48}, 48 * HOUR + 1, 8.0),
        ({"zero_after_hours": 0, "grace_minutes": 1}, 61, 8.0),
        ({"zero_after_hours": 48, "percent_a_day": 10, "most_percent": 10}, 50 * HOUR, 8.0),
        ({"penalty_method": "zero"}, 1, 8.0),
        ({"penalty_method": "zero", "grace_minutes": 1}, 60, None),
    ],
)
def test_the_penalty_follows_from_the_seconds_after_the_deadline(policy, seconds, penalty):
    found = LatePolicy(**policy).late_submission_penalty("ann", 8.0, seconds)
    assert found == (None if penalty is None else pytest.approx(penalty))


def test_a_policy_is_off_until_it_is_asked_for_and_takes_nothing_from_nothing(course):
    assert course.settle() == []
    assert penalties(course) == {"ann": 0, "bob": 0, "eva": 0}
    assert LatePolicy(percent_a_day=50).late_submission_penalty("ann", -1.0, DAY) == 0


@pytest.mark.parametrize(
    "wrong", [{"percent_a_day": 101}, {"percent_a_day": -1}, {"grace_minutes": -5}]
)
def test_a_policy_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(TraitError):
        LatePolicy(**wrong)


def test_days_are_counted_from_a_gradebook_with_time_zones(course):
    changed = course.settle(percent_a_day=10)
    assert changed == [Settled("bob", 0, pytest.approx(1.6)), Settled("eva", 0, pytest.approx(0.8))]
    assert penalties(course) == {"ann": 0, "bob": pytest.approx(1.6), "eva": pytest.approx(0.8)}
    assert course.settle(percent_a_day=10) == []


def test_a_penalty_goes_where_the_submission_is_no_longer_late(course):
    course.settle(percent_a_day=10)
    with Gradebook(course.url) as gradebook:
        gradebook.grant_extension("hw", "bob", hours=30)
    assert [one.student for one in course.settle(percent_a_day=10)] == ["bob"]
    with Gradebook(course.url) as gradebook:
        gradebook.update_or_create_assignment("hw", duedate="2026-11-20 13:00:00 UTC")
    assert [one.student for one in course.settle(percent_a_day=10)] == ["eva"]
    assert penalties(course) == {"ann": 0, "bob": 0, "eva": 0}


def test_a_penalty_goes_where_the_due_date_goes_and_where_the_policy_goes(course):
    course.settle(percent_a_day=10)
    assert len(course.settle()) == 2
    course.settle(percent_a_day=10)
    with Gradebook(course.url) as gradebook:
        gradebook.find_assignment("hw").duedate = None
        gradebook.db.commit()
    course.settle(percent_a_day=10)
    assert penalties(course) == {"ann": 0, "bob": 0, "eva": 0}


def test_an_extension_without_a_due_date_is_no_reason_to_stumble(course):
    with Gradebook(course.url) as gradebook:
        gradebook.grant_extension("hw", "bob", hours=1)
        gradebook.find_assignment("hw").duedate = None
        gradebook.db.commit()
    assert course.settle(percent_a_day=10) == []


def test_points_given_by_hand_since_count_too(course):
    course.settle(percent_a_day=10)
    with Gradebook(course.url) as gradebook:
        gradebook.find_grade("test_f", "hw", "hw", "bob").manual_score = 5
        gradebook.db.commit()
    (bob,) = course.settle(percent_a_day=10)
    assert bob == Settled("bob", pytest.approx(1.6), pytest.approx(1.0))


def test_of_two_extensions_the_longer_counts(course):
    (course.root / "extensions.csv").write_text("student,assignment,hours\nbob,hw,7\neva,00,9\n")
    policy = {"percent_a_day": 10, "extensions": "extensions.csv"}
    course.settle(**policy)
    assert penalties(course)["bob"] == pytest.approx(0.8)  # 30 - 7 hours: the first day
    assert penalties(course)["eva"] == pytest.approx(0.8)  # hers is for another assignment
    with Gradebook(course.url) as gradebook:
        gradebook.grant_extension("hw", "bob", hours=3)
    course.settle(**policy)
    assert penalties(course)["bob"] == pytest.approx(0.8)
    with Gradebook(course.url) as gradebook:
        gradebook.grant_extension("hw", "bob", hours=29)
    course.settle(**policy)
    assert penalties(course)["bob"] == pytest.approx(0.8)
    (course.root / "extensions.csv").write_text("student,assignment,hours\nbob,hw,30\n")
    course.settle(**policy)
    assert penalties(course)["bob"] == 0


def test_extensions_are_read_as_a_spreadsheet_writes_them(tmp_path):
    path = tmp_path / "extensions.csv"
    text = 'student,assignment,hours,why\r\n"Doe, J",hw,1.5,ill\r\nann, hw ,2,\r\nann,hw,3,\r\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_extensions(path) == {("Doe, J", "hw"): 1.5, ("ann", "hw"): 3.0}


@pytest.mark.parametrize(
    "line", ["ann,hw,soon", "ann,hw,-1", "ann,hw,nan", ",hw,1", "ann,hw", "ann"]
)
def test_a_line_that_is_no_extension_is_named(tmp_path, line):
    path = tmp_path / "extensions.csv"
    path.write_text(f"student,assignment,hours\nbob,hw,1\n{line}\n")
    with pytest.raises(ValueError, match=r"extensions\.csv, line 3"):
        read_extensions(path)


def test_a_file_of_extensions_that_is_not_there_or_has_no_head_is_an_error(course):
    with pytest.raises(FileNotFoundError, match=r"LatePolicy\.extensions"):
        course.settle(percent_a_day=10, extensions="none.csv")
    (course.root / "list.csv").write_text("ann,hw,3\n")
    with pytest.raises(ValueError, match="student,assignment,hours"):
        course.settle(percent_a_day=10, extensions="list.csv")


@pytest.mark.parametrize(
    ("stamp", "hour"),
    [
        ("2026-07-10 12:00:00", 12),
        ("2026-07-10 12:00:00.25 UTC", 12),
        ("2026-07-10 12:00:00 +0200", 10),
        ("2026-07-10 12:00:00 +02:00", 10),
        ("2026-07-10 12:00:00 -0330", 15),
        ("2026-07-10T12:00:00+02:00", 10),
        ("2026-07-10T12:00:00Z", 12),
        ("2026-07-10 12:00:00 Europe/Berlin", 10),
        ("2026-01-10 12:00:00 Europe/Berlin", 11),
    ],
)
def test_a_stamp_means_the_moment_that_it_names(stamp, hour):
    moment = as_utc(stamp)
    assert (moment.hour, moment.tzinfo) == (hour, None)
    # what is handed on is read by nbgrader as the same moment
    assert parse_utc(f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC") == moment


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "soon",
        "2026-13-01 12:00:00 UTC",
        "2026-07-10 12:00:00 XYZ",
        "0001-01-01 00:00:00 +1400",
        "2026-07-10 12:00:00 /etc/passwd",
        "2026-07-10 12:00:00 ../zoneinfo/UTC",
    ],
)
def test_a_stamp_that_names_no_moment_is_refused_in_words(stamp):
    with pytest.raises(ValueError, match="write"):
        as_utc(stamp)


def test_an_assignment_that_the_gradebook_does_not_know_has_no_penalties(course):
    assert settle_penalties(config_of(course.root), course.url, "other") == []
