import pytest

pytest.importorskip("pycocoevalcap", reason="pycocoevalcap is not installed: nothing to time")

from benchmarks import metrics


def test_both_sides_of_the_benchmark_score_the_same_captions_alike(monkeypatch):
    monkeypatch.setattr(metrics, "REPEATS", 1)
    figures = metrics.compare(*metrics.corpus(60))
    assert figures["captions"] == 60
    assert figures["largest difference of any score"] < 1e-9


def test_the_candidates_of_self_critical_training_are_of_as_many_pictures_as_it_says(monkeypatch):
    monkeypatch.setattr(metrics, "REPEATS", 1)
    seen = []

    def scored(candidates, references, items):
        seen.append((len(candidates), len(set(items.tolist()))))

    monkeypatch.setattr(metrics, "rouge_l", scored)
    metrics.reuse(*metrics.corpus(300))
    assert set(seen) == {(250, 50)}
