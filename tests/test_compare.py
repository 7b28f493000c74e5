import re

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics import DocumentFrequency, bleu, cider, cider_d, compare, meteor, prepare
from cs_caption.metrics.rouge import rouge_l

ALL = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider", "cider_d")
CAPTIONS = [scene.captions for scene in Scenes("val", 40, level="rich")]
REFERENCES = [own[2:] for own in CAPTIONS]
GOOD = [own[0] for own in CAPTIONS]
# Every second caption is of the picture before.
BAD = [CAPTIONS[i - i % 2][1] for i in range(len(CAPTIONS))]


def score(metric, candidates, references):
    if metric.startswith("bleu"):
        return bleu(candidates, references, int(metric[-1])).corpus
    functions = {"meteor": meteor, "rouge_l": rouge_l, "cider": cider, "cider_d": cider_d}
    return functions[metric](candidates, references).corpus


@pytest.mark.parametrize("metric", ALL)
def test_both_figures_are_what_the_metric_gives_and_the_difference_lies_in_its_interval(metric):
    line = compare(GOOD, BAD, REFERENCES, [metric], draws=200)[metric]
    assert line.a == pytest.approx(score(metric, GOOD, REFERENCES), rel=1e-12)
    assert line.b == pytest.approx(score(metric, BAD, REFERENCES), rel=1e-12)
    assert line.difference == line.a - line.b
    assert line.interval[0] < line.difference < line.interval[1]
    assert line.a_interval[0] < line.a < line.a_interval[1]
    assert line.b_interval[0] < line.b < line.b_interval[1]


@pytest.mark.parametrize("metric", ["bleu_4", "meteor"])
def test_a_draw_scores_both_systems_on_the_same_pictures_drawn(metric):
    draws, n = 5, 12
    times = np.random.RandomState(3).multinomial(n, np.full(n, 1 / n), size=draws)
    differences = []
    for row in times:
        drawn = np.repeat(np.arange(n), row)
        references = [REFERENCES[i] for i in drawn]
        a, b = ([captions[i] for i in drawn] for captions in (GOOD, BAD))
        differences.append(score(metric, a, references) - score(metric, b, references))
    found = compare(GOOD[:n], BAD[:n], REFERENCES[:n], [metric], draws=draws, seed=3)[metric]
    assert found.interval == pytest.approx(tuple(np.quantile(differences, (0.025, 0.975))))
    assert found.a_leads == np.mean(np.array(differences) > 0)


def test_a_system_against_itself_leads_in_half_the_draws_and_differs_by_nothing():
    for line in compare(GOOD, GOOD, REFERENCES, ALL, draws=50).lines:
        assert (line.difference, line.interval, line.a_leads) == (0, (0, 0), 0.5)


def test_turning_the_systems_round_turns_the_lines_round():
    line, turned = (
        compare(*two, REFERENCES, ["cider_d"], draws=100)["cider_d"]
        for two in ((GOOD, BAD), (BAD, GOOD))
    )
    assert turned.difference == -line.difference
    assert turned.interval == pytest.approx((-line.interval[1], -line.interval[0]))
    assert turned.a_leads == pytest.approx(1 - line.a_leads)
    assert turned.a_interval == line.b_interval


def test_the_same_seed_gives_the_same_comparison_and_another_seed_another():
    one, same, other = (
        compare(GOOD, BAD, REFERENCES, ["rouge_l"], draws=100, seed=seed) for seed in (0, 0, 1)
    )
    assert one == same
    assert one["rouge_l"].interval != other["rouge_l"].interval


def test_a_paired_interval_is_narrower_than_what_the_two_by_themselves_suggest():
    # The same captions but for a few: the pictures' difficulty is in both and cancels.
    nearly = [*BAD[:4], *GOOD[4:]]
    line = compare(GOOD, nearly, REFERENCES, ["rouge_l"])["rouge_l"]
    assert np.diff(line.interval) < 0.7 * np.diff(line.a_interval)


def test_prepared_references_keep_their_document_frequencies():
    df = DocumentFrequency.of(REFERENCES[:20])
    line = compare(GOOD, BAD, prepare(REFERENCES, df), ["cider_d"], draws=20)["cider_d"]
    assert line.a == pytest.approx(cider_d(GOOD, prepare(REFERENCES, df)).corpus)
    assert line.a != pytest.approx(cider_d(GOOD, REFERENCES).corpus)


def test_the_table_says_who_was_compared_on_what_as_text_and_as_html():
    names = ("greedy", "beam <5>")
    found = compare(GOOD, BAD, REFERENCES, ("bleu_4", "meteor"), draws=30, seed=2, names=names)
    text, html = repr(found), found._repr_html_()
    assert re.search(r"^metric +greedy +beam <5> +difference +95% interval of it", text)
    line = found["meteor"]
    assert f"METEOR-ES  {line.a:.3f}" in text
    assert f"{line.difference:+.3f}" in text
    assert "40 pictures, drawn anew 30 times" in text
    assert "seed 2" in text
    assert "beam &lt;5&gt;" in html
    assert "beam <5>" not in html
    assert html.count('<th scope="row"') == 2
    assert "<caption" in html


def test_one_metric_may_be_given_by_its_name():
    found = compare(GOOD, BAD, REFERENCES, "cider", draws=5)
    assert [line.metric for line in found.lines] == ["cider"]


def test_a_metric_that_was_not_compared_is_missed_in_words():
    with pytest.raises(KeyError, match="'meteor' was not compared: bleu_1"):
        compare(GOOD, BAD, REFERENCES, ["bleu_1"], draws=5)["meteor"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"metrics": ["bleu_5"]}, "metric 'bleu_5' is unknown; expected some of bleu_1"),
        ({"metrics": []}, "metrics is empty"),
        ({"names": ("A", "A")}, "names is"),
        ({"names": ("A",)}, "names is"),
        ({"draws": 0}, "draws is 0"),
        ({"candidates_b": BAD[:-1]}, "39 candidates but references for 40"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(changed, words):
    given = {"candidates_a": GOOD, "candidates_b": BAD, "references": REFERENCES, "draws": 5}
    with pytest.raises(ValueError, match=words):
        compare(**{**given, **changed})
