"""The picture at the head of a notebook."""

import pytest

from cs_caption.viz.pipeline import STAGES, show_pipeline


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_is_marked_in_words_and_once(stage):
    view = show_pipeline(stage)
    assert view.html.count("you are here") == 1
    assert f"<b>{stage}</b>" in view.html
    assert repr(view).endswith(f"this notebook builds the {stage}.")


def test_an_unknown_stage_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no stage 'encoder': choose one of picture"):
        show_pipeline("encoder")
