"""What the tests of metrics share: stored cases, random corpora and the reference code."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

CASES = json.loads(
    (Path(__file__).parent / "data" / "metric_cases.json").read_text(encoding="utf-8")
)["cases"]

# Few words, so that n-grams meet; blanks of all kinds, U+2028 among them; words that look alike.
_WORDS = st.sampled_from(["a", "the", "dog", "runs", "café", "cafe\u0301", "<unk>", "."])
_BLANKS = st.sampled_from([" ", "  ", "\t", "\u2028", "\r", "\n"])
_CAPTIONS = st.lists(st.tuples(_WORDS, _BLANKS), max_size=9).map(
    lambda pairs: "".join(word + blank for word, blank in pairs)
)
_ITEMS = st.tuples(_CAPTIONS, st.lists(_CAPTIONS, min_size=1, max_size=5))
CORPORA = st.lists(_ITEMS, min_size=1, max_size=6).map(
    lambda items: ([c for c, _ in items], [r for _, r in items])
)

HUNDRED = settings(max_examples=100, deadline=None, derandomize=True)
THOUSAND = settings(max_examples=1000, deadline=None, derandomize=True)


def agrees(score, corpus: float, per_item) -> None:
    """Assert that a score is what the reference code has, to 1e-9."""
    assert score.corpus == pytest.approx(corpus, rel=0, abs=1e-9)
    np.testing.assert_allclose(score.per_item, per_item, rtol=0, atol=1e-9)


def reference_scores(module: str, name: str, candidates, references):
    """Corpus and per-item figures of pycocoevalcap's scorer, its prints swallowed."""
    scorer = pytest.importorskip(
        f"pycocoevalcap.{module}", reason="pycocoevalcap is not installed: nothing to compare with"
    )
    gts = dict(enumerate(references))
    res = {i: [caption] for i, caption in enumerate(candidates)}
    with contextlib.redirect_stdout(io.StringIO()):
        return getattr(scorer, name)().compute_score(gts, res)
