"""A captioner for functions that know NumPy alone: its step on arrays, its state one array."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def array_step(model: Any, image: np.ndarray) -> tuple[Step, np.ndarray]:
    """The step of a captioner that looks at one picture (H, W, 3), and the state it begins with.

    step(tokens (R,), state (R, D)) -> log_probs (R, V), state (R, D): float64 but for the tokens.
    A state is all that the model keeps of a row, written into one row of numbers, so that rows are
    taken, repeated and joined like those of any array. <NULL>, <START> and <UNK> get -inf.

    Raises: ValueError where image is no picture, or a state is not one of this step's.
    """
    if np.ndim(image) != 3:
        raise ValueError(f"image has shape {np.shape(image)}: expected one picture (H, W, 3)")
    with torch.inference_mode():
        first = model.start(np.asarray(image)[None])
    shapes = {name: tuple(value.shape[1:]) for name, value in first.items()}
    width = sum(int(np.prod(shape)) for shape in shapes.values())

    def step(tokens: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if np.ndim(state) != 2 or np.shape(state)[1] != width or len(tokens) != len(state):
            raise ValueError(
                f"tokens of shape {np.shape(tokens)} and a state of shape {np.shape(state)}: "
                f"expected (R,) and (R, {width}), with as many rows"
            )
        words = torch.as_tensor(np.array(tokens, dtype=np.int64), device=model.device)
        with torch.inference_mode():
            log_probs, after = model.step(words, _unpacked(state, shapes, first))
        return log_probs.double().cpu().numpy(), _packed(after)

    return step, _packed(first)


def _packed(state: Mapping[str, Tensor]) -> np.ndarray:
    rows = [value.flatten(1) for value in state.values()]
    return torch.cat(rows, dim=1).double().cpu().numpy()


def _unpacked(
    state: np.ndarray, shapes: Mapping[str, tuple[int, ...]], like: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    parts = torch.tensor(np.asarray(state, dtype=np.float64)).split(sizes, dim=1)
    return {
        name: part.reshape(len(state), *shapes[name]).to(like[name])
        for name, part in zip(shapes, parts, strict=True)
    }
