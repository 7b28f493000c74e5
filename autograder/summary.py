"""A page on one assignment of a class: what a person must do first, then how it went.

One file that opens from file://: no script, nothing fetched, every chart with words and a table.
"""

import itertools
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autograder.progress import plain
from autograder.similarity import ALIKE, COMMON, OWN, Similarity
from autograder.standing import GRADED, NONE, NOT_YET, REVIEW, ClassStanding, Part, Standing
from autograder.summary_style import STYLE
from cs_caption.viz.html import Ids, escaped, page, scroll_box, table, tag

SLOW = 3  # times the median: a submission that is worth a look for its time
_SHOWN = 15


@dataclass(frozen=True)
class Diagnosis:
    """What a check said is probably wrong, and who was told so."""

    exercise: str
    message: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class CaseRate:
    """One case of an exercise: of how many students it passed, with public and hidden numbers."""

    title: str
    public: tuple[int, int] | None
    hidden: tuple[int, int] | None


@dataclass(frozen=True)
class Summary:
    """A class in one assignment, and what is alike in it; counts are made when they are asked for.

    `similarity` is None where answers were not compared; `no_similarity` says why.
    """

    standing: ClassStanding
    similarity: Similarity | None = None
    no_similarity: str = ""

    def of(self, state: str) -> list[Standing]:
        """The students in a state."""
        return [one for one in self.standing.standings if one.state == state]

    @cached_property
    def graded(self) -> list[Standing]:
        """The students with a grade."""
        return self.of(GRADED)

    @cached_property
    def verdicts(self) -> dict[str, list[tuple[str, dict]]]:
        """(student, verdict) by exercise, of the graded."""
        found = defaultdict(list)
        for one in self.graded:
            for verdict in (one.record or {}).get("verdicts", ()):
                found[verdict["grade_id"].removeprefix("test_")].append((one.student, verdict))
        return dict(found)

    @cached_property
    def diagnoses(self) -> list[Diagnosis]:
        """What was told most often first; a student counts once for each message."""
        told: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for exercise, judged in self.verdicts.items():
            for student, verdict in judged:
                for message in _messages(verdict):
                    told[exercise, message][student] = None
        found = [Diagnosis(*about, tuple(students)) for about, students in told.items()]
        return sorted(found, key=lambda one: -len(one.students))

    @cached_property
    def hidden_only(self) -> dict[str, list[str]]:
        """Who passed every public case of an exercise and failed with other numbers."""
        found = {
            exercise: [student for student, verdict in judged if _only_hidden(verdict)]
            for exercise, judged in self.verdicts.items()
        }
        return {exercise: students for exercise, students in found.items() if students}

    @cached_property
    def repairs(self) -> list[tuple[str, list[str]]]:
        """What was mended, the most frequent first, with whose."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for one in self.standing.standings:
            for repair in (one.record or {}).get("repairs", ()):
                found[f"{repair['where']}: {repair['what']}"][one.student] = None
        return sorted(((what, list(who)) for what, who in found.items()), key=lambda r: -len(r[1]))

    @property
    def mended(self) -> list[str]:
        """Whose submission was mended."""
        return [s.student for s in self.standing.standings if (s.record or {}).get("repairs")]

    @cached_property
    def died(self) -> list[Standing]:
        """Whose process had to be started again, or was stopped, or left some other note."""
        return [one for one in self.graded if one.record and one.record["notes"]]

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long running and judging took, by student."""
        return {one.student: one.record["seconds"] for one in self.graded if one.record}

    @cached_property
    def slow(self) -> list[str]:
        """Who took more than SLOW times the median, the slowest first."""
        if not self.seconds:
            return []
        limit = SLOW * statistics.median(self.seconds.values())
        slow = [student for student, seconds in self.seconds.items() if seconds > limit]
        return sorted(slow, key=lambda student: -self.seconds[student])

    def rates(self, exercise: str) -> list[CaseRate]:
        """How often each case of an exercise passed."""
        passed: dict[str, dict[bool, list[bool]]] = defaultdict(lambda: {True: [], False: []})
        for _, verdict in self.verdicts.get(exercise, ()):
            for case in verdict["cases"]:
                passed[case["title"]][case["hidden"]].append(case["passed"])
        return [
            CaseRate(title, _count(of[False]), _count(of[True])) for title, of in passed.items()
        ]


def summary_html(summary: Summary) -> str:
    """The page as text."""
    ids = Ids()
    sections = [
        (title, ids(title.lower().replace(" ", "-")), content)
        for title, content in _sections(summary)
        if content
    ]
    links = (tag("li", tag("a", escaped(title), href=f"#{name}")) for title, name, _ in sections)
    head = tag("h1", escaped(summary.standing.assignment)) + _tiles(summary)
    body = tag("header", head, tag("nav", tag("ul", *links), aria_label="On this page"))
    body += tag(
        "main",
        *(
            tag("section", tag("h2", escaped(title), id=name), content, aria_labelledby=name)
            for title, name, content in sections
        ),
    )
    body += tag("footer", tag("p", escaped(_FOOT)))
    return page(f"{summary.standing.assignment}: the class", STYLE, body)


_FOOT = (
    "Points are the gradebook's. Verdicts, words and times are those of the last grading; "
    "hidden cases are the public ones with other numbers."
)


def summary_text(summary: Summary) -> str:
    """The same in short, for a terminal: what to do, means, the most frequent diagnoses."""
    lines = [f"{summary.standing.assignment}: " + ", ".join(_counts(summary))]
    lines += [f"  {one.student}: {REVIEW}: {one.problem}" for one in summary.of(REVIEW)]
    for part in summary.standing.parts:
        known = [p.points for p in _parts(summary, part) if p.points is not None]
        if known:
            bonus = ", bonus" if part.bonus else ""
            mean = f"{statistics.mean(known):.2f} of {part.max_points:g}"
            lines.append(f"  {part.name}: {mean} points on average{bonus} ({len(known)} graded)")
    lines += [f"  {line}" for line in _means(summary)]
    for one in summary.diagnoses[:5]:
        lines.append(f"  told {len(one.students)} times: {one.exercise}: {one.message}")
    for exercise, students in summary.hidden_only.items():
        lines.append(f"  {exercise}: {len(students)} passed the public cases only")
    pairs = summary.similarity.pairs if summary.similarity else ()
    lines += [f"  alike: {' and '.join(pair.students)} ({pair.overall:.0%})" for pair in pairs[:5]]
    return "\n".join(map(plain, lines))


def _means(summary: Summary) -> Iterator[str]:
    found = summary.standing
    if summary.graded:
        core = statistics.mean(one.core for one in summary.graded)
        yield f"all: {core:.2f} of {found.core_max:g} points on average, the core alone"
        if found.bonus_max:
            bonus = statistics.mean(one.bonus for one in summary.graded)
            yield f"bonus: {bonus:.2f} of {found.bonus_max:g} points on average"


def _counts(summary: Summary) -> Iterator[str]:
    yield f"{len(summary.graded)} graded"
    for state in (REVIEW, NOT_YET, NONE):
        if summary.of(state):
            yield f"{len(summary.of(state))} {state}"
    if summary.mended:
        yield f"{len(summary.mended)} mended"
    to_do = sum(one.to_do for one in summary.graded)
    if to_do:
        yield f"{to_do} answers to grade by hand"


def _sections(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "Look at these first", _to_do(summary)
    yield "Points", _points(summary)
    yield "Exercises", _exercises(summary)
    yield "What they were told most often", _told(summary)
    yield "Right with the public numbers only", _hidden_only(summary)
    yield "Mended before grading", _mended(summary)
    yield "Stopped or started again", _died(summary)
    yield "Time", _time(summary)
    yield "Alike", _alike(summary)
    yield "Every student", _everyone(summary)


def _tiles(summary: Summary) -> str:
    to_do = sum(one.to_do for one in summary.graded)
    late = sum(one.penalty > 0 for one in summary.graded)
    tiles = [
        (len(summary.graded), "graded", False),
        (len(summary.of(REVIEW)), REVIEW, True),
        (to_do, "answers to grade by hand", True),
        (len(summary.of(NOT_YET)), NOT_YET, True),
        (len(summary.of(NONE)), NONE, False),
        (len(summary.mended), "mended", False),
        (late, "with a late penalty", False),
    ]
    return tag(
        "ul",
        *(
            tag("li", tag("b", str(n)), tag("span", escaped(what)), class_=_act(act and n))
            for n, what, act in tiles
        ),
        class_="tiles",
    )


def _act(needed: int) -> str | None:
    return "act" if needed else None


def _to_do(summary: Summary) -> str:
    rows = [(_who(one.student), escaped(one.problem)) for one in summary.of(REVIEW)]
    content = ""
    if rows:
        caption = "Submissions that a person must look at"
        content += _table(caption, ("student", "why"), rows, "first")
    parts = (part for one in summary.graded for part in one.parts)
    waiting = Counter(part.name for part in parts if part.points is None)
    if waiting:
        rows = [(escaped(name), str(n)) for name, n in waiting.most_common()]
        content += _table("Answers to grade by hand, in formgrader", ("answer", "waiting"), rows)
    if summary.of(NOT_YET):
        names = _names(one.student for one in summary.of(NOT_YET))
        content += tag("p", f"Handed in and not graded yet: {names}.")
    return content or tag("p", "Nothing here needs a person.")


def _points(summary: Summary) -> str:
    totals = [one.total for one in summary.graded]
    if not totals:
        return tag("p", "Nothing is graded yet.")
    core, bonus = summary.standing.core_max, summary.standing.bonus_max
    quartiles = statistics.quantiles(totals, n=4) if len(totals) > 1 else [totals[0]] * 3
    words = (
        f"Of {core:g} points the mean is {statistics.mean(totals):.1f}, the median "
        f"{quartiles[1]:.1f}; the middle half of the class lies from {quartiles[0]:.1f} to "
        f"{quartiles[2]:.1f}."
    )
    if bonus:
        words += f" Bonus tests add up to {bonus:g} points and are counted in here."
    if any(one.penalty for one in summary.graded):
        words += " Late penalties are taken off."
    top = max(core, max(totals))
    return tag("p", escaped(words)) + _histogram("Points of all students", totals, top, "points")


def _exercises(summary: Summary) -> str:
    return tag("div", *(_exercise(summary, p) for p in summary.standing.parts), class_="cards")


def _exercise(summary: Summary, part: Part) -> str:
    graded = [p.points for p in _parts(summary, part) if p.points is not None]
    kind = ", bonus" if part.bonus else ", by hand" if part.by_hand else ""
    points = "1 point" if part.max_points == 1 else f"{part.max_points:g} points"
    head = tag("h3", escaped(f"{part.name} ({points}{kind})"))
    if not graded:
        return tag("div", head, tag("p", "No points yet."), class_="card")
    full = sum(points >= part.max_points for points in graded)
    words = f"Mean {statistics.mean(graded):.2f}; {full} of {len(graded)} have full points."
    content = tag("p", escaped(words))
    content += _histogram(f"Points for {part.name}", graded, part.max_points, "points")
    rows = [
        (escaped(rate.title), _gauge(rate.public), _gauge(rate.hidden, "hidden-too"))
        for rate in summary.rates(part.name)
    ]
    if rows:
        heads = ("case", "passed", "with hidden numbers")
        content += _table(f"How often each case of {part.name} passed", heads, rows)
    return tag("div", head, content, class_="card")


def _told(summary: Summary) -> str:
    rows = [
        (escaped(one.exercise), str(len(one.students)), _words(one.message))
        for one in summary.diagnoses[:_SHOWN]
    ]
    if not rows:
        return ""
    heads = ("exercise", "students", "what is probably wrong")
    content = _table("The most frequent diagnoses", heads, rows)
    more = len(summary.diagnoses) - len(rows)
    words = f"{more} other diagnoses were given less often."
    return content + (tag("p", words, class_="soft") if more > 0 else "")


def _hidden_only(summary: Summary) -> str:
    rows = [
        (escaped(exercise), str(len(students)), _names(students))
        for exercise, students in sorted(summary.hidden_only.items(), key=lambda e: -len(e[1]))
    ]
    if not rows:
        return ""
    words = (
        "These answers pass every case of the notebook's own check and fail with other numbers. "
        "A few have often overlooked a case; many point at a public check that sees too little; "
        "an answer that returns the known results is among them as well."
    )
    return tag("p", words) + _table("Losses with hidden numbers only", _WHO, rows)


_WHO = ("exercise", "students", "who")


def _mended(summary: Summary) -> str:
    rows = [(escaped(what), str(len(who)), _names(who)) for what, who in summary.repairs]
    return _table("What was mended", ("what", "students", "who"), rows) if rows else ""


def _died(summary: Summary) -> str:
    rows = [
        (_who(one.student), str(one.record["kernels"]), _lines(one.record["notes"]))
        for one in summary.died
    ]
    heads = ("student", "processes", "what happened")
    return _table("Submissions that did not run through", heads, rows) if rows else ""


def _time(summary: Summary) -> str:
    if not summary.seconds:
        return ""
    all_of_them = list(summary.seconds.values())
    median = statistics.median(all_of_them)
    words = (
        f"A submission took {median:.1f} s (median) and {max(all_of_them):.1f} s at most; "
        f"{sum(all_of_them):.0f} s of work in all."
    )
    content = tag("p", escaped(words))
    content += _histogram("Seconds for a submission", all_of_them, max(all_of_them), "s")
    rows = [(_who(who), f"{summary.seconds[who]:.1f}") for who in summary.slow[:_SHOWN]]
    if rows:
        caption = f"Slow: more than {SLOW} times the median ({len(summary.slow)} in all)"
        content += _table(caption, ("student", "seconds"), rows)
    return content


def _alike(summary: Summary) -> str:
    found = summary.similarity
    if found is None:
        return tag("p", escaped(summary.no_similarity)) if summary.no_similarity else ""
    words = (
        f"Pairs of students of whom one holds at least {ALIKE:.0%} of the other's own code, once "
        "names, comments and the text of the release are taken away. It is a list to read side by "
        "side, never a proof: a short answer has few ways to be written. What more than "
        f"{COMMON} answers share counts as the natural way, and an answer with fewer than {OWN} "
        "characters of its own is not compared by itself."
    )
    content = tag("p", escaped(words))
    if found.left_out:
        names = ", ".join(found.left_out)
        content += tag("p", escaped(f"Alike by nature, and so not compared alone: {names}."))
    rows = [
        (" and ".join(map(_who, pair.students)), f"{pair.overall:.0%}", _alike_in(pair.alike))
        for pair in found.pairs[: 2 * _SHOWN]
    ]
    if not rows:
        return content + tag("p", "No two students' answers are that alike.")
    caption = f"The most alike pairs, {len(rows)} of {len(found.pairs)}"
    return content + _table(caption, ("students", "over all", "alike in"), rows)


def _alike_in(alike: Mapping[str, float]) -> str:
    named = ", ".join(f"{escaped(name)} {share:.0%}" for name, share in alike.items())
    return named or "many small things together"


def _everyone(summary: Summary) -> str:
    parts = summary.standing.parts
    heads = [*(part.name + (" (bonus)" if part.bonus else "") for part in parts)]
    heads = ["student", "state", "grade", "late penalty", *heads]
    rows = [
        (
            tag("bdi", escaped(_label(one))),
            escaped(one.state),
            "" if one.total is None else f"{one.total:g}",
            f"{one.penalty:g}" if one.penalty else "",
            *_cells(one, len(parts)),
        )
        for one in summary.standing.standings
    ]
    title = f"All {len(rows)} students; the grade is core and bonus less the penalty"
    return _table(title, map(escaped, heads), rows, "number wide")


def _cells(one: Standing, count: int) -> list[str]:
    if not one.parts:
        return [""] * count
    return ["to do" if part.points is None else f"{part.points:g}" for part in one.parts]


def _label(one: Standing) -> str:
    return one.student if one.name == one.student else f"{one.name} ({one.student})"


def _histogram(title: str, values: Sequence[float], top: float, unit: str) -> str:
    """Bars, their words and their table; the last bin holds its upper edge."""
    step = _step(top)
    counts = [0] * max(1, math.ceil(top / step - _TINY))
    edges = [step * k for k in range(len(counts) + 1)]
    for value in values:
        counts[max(0, min(int(value / step + _TINY), len(counts) - 1))] += 1
    ranges = [f"{low:.3g} to {high:.3g}" for low, high in itertools.pairwise(edges)]
    shown = zip(ranges, counts, strict=True)
    alt = f"{title}: " + "; ".join(f"{n} from {r} {unit}" for r, n in shown if n)
    rows = [(r, str(n)) for r, n in zip(ranges, counts, strict=True)]
    numbers = _table(f"{title}, the numbers", (unit, "students"), rows, "number")
    chart = _bars(counts, edges, alt)
    return tag("figure", tag("figcaption", escaped(title)), chart) + tag(
        "details", tag("summary", "The numbers"), numbers
    )


_TINY = 1e-9  # 0.3 / 0.1 is a little less than 3


def _step(top: float) -> float:
    """A round width of which at most twelve reach `top`."""
    least = max(top, _TINY) / 12
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * width for width in (1, 2, 2.5, 5, 10) if power * width >= least - _TINY)


def _bars(counts: Sequence[int], edges: Sequence[float], alt: str) -> str:
    width, height, foot, head = 36, 84, 18, 16
    most = max(counts) or 1
    drawn = []
    for k, n in enumerate(counts):
        if n:
            tall = round(height * n / most, 1)
            at = {"x": k * width + 2, "y": head + height - tall, "width": width - 4}
            drawn.append(tag("rect", **at, height=tall, class_="bar"))
            drawn.append(tag("text", str(n), x=(k + 0.5) * width, y=at["y"] - 4))
    ticks = (
        tag("text", f"{edge:.3g}", x=k * width + 12, y=head + height + foot - 3, class_="soft")
        for k, edge in enumerate(edges)
    )
    line = {"x1": 0, "x2": len(counts) * width, "y1": head + height, "y2": head + height}
    shifted = tag("g", *drawn, tag("line", **line, class_="axis"), transform="translate(12 0)")
    box = f"0 0 {len(counts) * width + 24} {head + height + foot}"
    return tag("svg", shifted, *ticks, viewBox=box, role="img", aria_label=alt)


def _gauge(count: tuple[int, int] | None, class_: str = "") -> str:
    if count is None:
        return tag("span", "none", class_="soft")
    passed, of = count
    bar = tag("i", style=f"width:{passed / of:.1%}")
    gauge = tag("span", bar, class_=f"gauge {class_}".strip(), aria_hidden="true")
    return gauge + tag("span", f"{passed} of {of}", class_="of")


def _table(
    caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]], class_: str | None = None
) -> str:
    return scroll_box(table(caption, heads, rows, class_), caption)


def _who(student: str) -> str:
    return tag("bdi", escaped(student))  # a name written from the right leaves its line as it is


def _names(students: Iterable[str], most: int = 12) -> str:
    names = [_who(student) for student in students]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _words(text: str) -> str:
    return tag("span", escaped(text))


def _lines(lines: Iterable[str]) -> str:
    return "<br>".join(map(escaped, lines))


def _parts(summary: Summary, wanted: Part) -> list[Part]:
    return [part for one in summary.graded for part in one.parts if part.name == wanted.name]


def _messages(verdict: Mapping) -> Iterator[str]:
    if verdict["words"]:
        yield verdict["words"]
    for case in verdict["cases"]:
        if not case["passed"] and not case["hidden"] and case["message"]:
            yield case["message"]


def _only_hidden(verdict: Mapping) -> bool:
    failed = [case["hidden"] for case in verdict["cases"] if not case["passed"]]
    return bool(failed) and all(failed)


def _count(passed: Sequence[bool]) -> tuple[int, int] | None:
    return (sum(passed), len(passed)) if passed else None
