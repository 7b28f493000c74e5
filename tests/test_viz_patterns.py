"""The five patterns, and the steps of an RNN side by side."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cs_caption.viz.patterns import PATTERNS, show_patterns, show_unrolled


def pixels(view) -> np.ndarray:
    data = re.search(r'src="data:image/png;base64,([^"]+)"', view.html).group(1)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def labels(monkeypatch, show, *args) -> list[str]:
    """All words that a figure holds."""
    from matplotlib.figure import Figure

    found = []
    kept = Figure.savefig

    def save(figure, *given, **named):
        found.extend(text.get_text() for axes in figure.axes for text in axes.texts)
        kept(figure, *given, **named)

    monkeypatch.setattr(Figure, "savefig", save)
    show(*args)
    return [text for text in found if text]


def test_the_five_patterns_are_named_with_their_examples_in_words():
    words = repr(show_patterns())
    for pattern in PATTERNS:
        assert pattern.name in words
        assert all(example in words for example in pattern.examples)
    assert len(PATTERNS) == 5
    assert 'alt="Five patterns' in show_patterns().html


def test_every_example_is_written_below_its_pattern(monkeypatch):
    drawn = " ".join(labels(monkeypatch, show_patterns)).replace("\n", " ")
    for pattern in PATTERNS:
        assert ", ".join(pattern.examples) in drawn


def test_as_many_inputs_states_and_outputs_are_drawn_as_the_patterns_have(monkeypatch):
    drawn = labels(monkeypatch, show_patterns)
    assert drawn.count("x") == sum(len(pattern.inputs) for pattern in PATTERNS)
    assert drawn.count("y") == sum(len(pattern.outputs) for pattern in PATTERNS)
    assert drawn.count("h") == sum(pattern.steps for pattern in PATTERNS)


def test_the_patterns_are_what_their_names_say():
    shapes = {one.name: (len(one.inputs), len(one.outputs)) for one in PATTERNS}
    assert shapes == {
        "one to one": (1, 1),
        "one to many": (1, 3),
        "many to one": (3, 1),
        "many to many": (3, 3),
        "many to many, in step": (3, 3),
    }
    behind, in_step = PATTERNS[3], PATTERNS[4]
    assert behind.outputs[0] == behind.inputs[-1]
    assert in_step.outputs == in_step.inputs


@pytest.mark.parametrize("steps", [2, 5])
def test_every_step_has_its_loss_and_the_last_is_step_t(monkeypatch, steps):
    drawn = labels(monkeypatch, show_unrolled, steps)
    names = [*map(str, range(1, steps)), "T"]
    for letter in "hxyL":
        assert [t for t in drawn if t.startswith(f"${letter}_") and t != "$h_0$"] == [
            f"${letter}_{name}$" for name in names
        ]
    assert drawn.count("$W$") == drawn.count("$L$") == 1
    assert "the same W" in repr(show_unrolled(steps))


@pytest.mark.parametrize("steps", [1, 9])
def test_a_number_of_steps_that_cannot_be_read_is_refused(steps):
    with pytest.raises(ValueError, match="between 2 and 8"):
        show_unrolled(steps)


@pytest.mark.parametrize("show", [show_patterns, show_unrolled])
def test_the_drawing_is_on_white_and_nothing_runs_over_its_edge(show):
    drawn = pixels(show())
    edge = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert (edge == 255).all()
    assert (drawn < 100).any()
