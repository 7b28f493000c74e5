"""Figures as plain tables in a terminal."""

from collections.abc import Sequence

from cs_caption.evaluation import Bar, Calibration, Evaluation, Measures
from cs_caption.metrics import PointingScore
from cs_caption.ranking import Ranked

COLUMNS = ("", "refs", "BLEU-4", "CIDEr-D", "object F1", "exact set", "nats/token")


def format_lines(lines: Sequence[Measures]) -> str:
    """The table of a model and its baselines, a line each."""
    return format_table([COLUMNS, *map(_cells, lines)])


def format_bars(bars: Sequence[Bar]) -> str:
    """Each bar, what was reached with its 95% interval, and whether that is enough."""
    rows = [("bar", "least", "reached", "95% interval", "")]
    for bar in bars:
        interval = "-" if bar.interval is None else "{:.3f} to {:.3f}".format(*bar.interval)
        verdict = "met" if bar.met else "MISSED"
        rows.append((bar.name, _number(bar.least), _number(bar.value), interval, verdict))
    return format_table(rows)


def format_pointing(pointing: PointingScore | None) -> str:
    """Where attention was strongest, beside what pointing without looking would score."""
    if pointing is None or pointing.accuracy is None:
        return "attention pointing: not measured (no attention, or no truth)"
    return (
        f"attention pointing {pointing.accuracy:.3f} on {pointing.counted:,} words; beside it: "
        f"centre {pointing.centre:.3f}, uniform {pointing.uniform:.3f}, "
        f"random object {pointing.random_object:.3f}"
    )


def format_bins(evaluation: Evaluation) -> str:
    """How many captions name every object rightly, some or none; does log-probability tell?"""
    bins = evaluation.bins
    counts = f"{bins['all']:,} pictures with every object right, {bins['some']:,} with some, "
    return counts + f"{bins['none']:,} with none; " + _foretells(evaluation.calibration)


def format_evaluation(evaluation: Evaluation, data: str) -> str:
    """What `evaluate` found, for a terminal."""
    title = f"{len(evaluation.results):,} pictures of {data}, beam {evaluation.beam}"
    measures = evaluation.measures
    others = (
        f"BLEU-1 {_number(measures.bleu[0])}, ROUGE-L {_number(measures.rouge_l)}, METEOR-ES "
        f"{_number(measures.meteor_es)} (exact and stem: lower than COCO's METEOR)"
    )
    parts = [title, format_lines([measures]), others, format_pointing(evaluation.pointing)]
    if evaluation.objects:
        parts.append(format_bins(evaluation))
    return "\n".join(parts)


def format_ranked(found: Ranked, data: str, pointing: PointingScore | None) -> str:
    """What a ranking model finds, beside what chance would, for a terminal."""
    rows = [("", "R@1", "R@5", "R@10", "median rank", "among")]
    for name, score, among in (
        ("sentence -> picture", found.to_image, found.pictures),
        ("picture -> sentence", found.to_sentence, found.sentences),
    ):
        shares = (f"{share:.3f}" for share in (score.r1, score.r5, score.r10))
        rows.append((name, *shares, f"{score.median:g}", f"{among:,}"))
    title = f"{found.pictures:,} pictures of {data}; ties count against the model"
    return "\n".join([title, format_table(rows), _grounded(pointing)])


def _grounded(pointing: PointingScore | None) -> str:
    if pointing is None or pointing.accuracy is None:
        return "words on regions: not measured (no truth)"
    return (
        f"nouns whose region lies on what they name: {pointing.accuracy:.3f} of "
        f"{pointing.counted:,}; beside it: random object {pointing.random_object:.3f}, centre "
        f"{pointing.centre:.3f}, any region {pointing.uniform:.3f}"
    )


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _cells(line: Measures) -> tuple[str, ...]:
    figures = (line.bleu[-1], line.cider_d, line.object_f1, line.exact_set, line.nats_per_token)
    return (line.name, str(line.references), *map(_number, figures))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _foretells(calibration: Calibration | None) -> str:
    if calibration is None or calibration.total is None:
        return "all in one bin, so log-probability has nothing to foretell"
    return (
        "the log-probability foretells 'every object right' with AUC "
        f"{_number(calibration.total)} (mean a word {_number(calibration.per_word)}, least "
        f"probable word {_number(calibration.least_word)}, among pictures with as many objects "
        f"{_number(calibration.as_many_objects)})"
    )
