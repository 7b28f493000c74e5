"""Valid arguments of every exercise, drawn by its docstring alone and more widely than its check.

A check that never draws some kind of input is blind to the mistakes that show there, and so is a
comparison on what checks draw. These are drawn by nobody who has read the check. An exercise with
needs is a way back: it has the arguments of its forward function.
"""

import numpy as np

Random = np.random.RandomState


def draw(exercise: str, rng: Random) -> tuple:
    """Return arguments of an exercise that takes no cache.

    Raises: ValueError where none are known: a new exercise needs a line in `_DRAWS`.
    """
    if exercise not in _DRAWS:
        raise ValueError(
            f"nothing is known of the arguments of {exercise}: add what draws them to _DRAWS of "
            "autograder/wide.py, from its docstring and not from its check"
        )
    return _DRAWS[exercise](rng)


def _pictures(rng: Random) -> tuple:
    N, H, W = _some(rng, 3)
    return (rng.randint(0, 256, (N, H, W, 3)).astype(np.uint8),)


def _affine(rng: Random) -> tuple:
    shape = _some(rng, rng.randint(2, 5))
    M, D = rng.randint(1, 6), int(np.prod(shape[1:]))
    return _normal(rng, shape), _normal(rng, (D, M)), _normal(rng, (M,))


def _any_shape(rng: Random) -> tuple:
    return (_normal(rng, _some(rng, rng.randint(1, 5))),)


def _scores(rng: Random) -> tuple:
    N, C = _some(rng, 2)
    return _spread(rng, (N, C)), rng.randint(0, C, N)


def _windows(rng: Random, *, pad: int = 0) -> tuple[tuple[int, ...], int, int, int, int]:
    """The shape of x, HH, WW, stride and pad: at least one window fits."""
    N, C, HH, WW = _some(rng, 4, 4)
    H, W = (max(1, size - 2 * pad) + int(rng.randint(0, 7)) for size in (HH, WW))
    return (N, C, H, W), HH, WW, int(rng.randint(1, 5)), pad


def _steps(rng: Random) -> tuple[tuple[int, ...], int, int, tuple[int, ...]]:
    """The shape of x, HH, WW, and of stride and pad those that are given."""
    if rng.rand() < 0.2:
        shape, HH, WW, stride, _ = _windows(rng)
        return shape, HH, WW, (stride,)[: rng.randint(0, 2)]
    shape, HH, WW, *steps = _windows(rng, pad=int(rng.randint(0, 4)))
    return shape, HH, WW, tuple(steps)


def _convolution(rng: Random) -> tuple:
    shape, HH, WW, steps = _steps(rng)
    F = int(rng.randint(1, 5))
    arrays = (_normal(rng, s) for s in (shape, (F, shape[1], HH, WW), (F,)))
    return (*arrays, *steps)


def _columns(rng: Random) -> tuple:
    shape, HH, WW, steps = _steps(rng)
    return (_normal(rng, shape), HH, WW, *steps)


def _pool(rng: Random) -> tuple:
    shape, HH, WW, stride, _ = _windows(rng)
    x = _normal(rng, shape)
    return (x if rng.rand() < 0.5 else np.round(x), HH, WW, stride)  # rounded: with ties


def _momentum(rng: Random) -> tuple:
    shape = _some(rng, rng.randint(1, 4))
    return (*(_normal(rng, shape) for _ in range(3)), *_given(rng, rng.rand(), rng.rand()))


def _stack(rng: Random) -> tuple:
    C, H, W = (int(n) for n in rng.randint(1, 40, 3))
    layers = []
    while min(H, W) > 1 and rng.rand() < 0.8:
        pool = rng.rand() < 0.4
        H, W = (H // 2, W // 2) if pool else (H, W)
        layers.append("maxpool" if pool else f"conv-{rng.randint(1, 600)}")
    layers += [f"FC-{rng.randint(1, 5000)}" for _ in range(rng.randint(0, 4))]
    return layers, (C, *(int(n) for n in (rng.randint(40, 60, 2))))


def _symbols(rng: Random) -> tuple:
    V = int(rng.randint(1, 9))
    return rng.randint(0, V, _some(rng, rng.randint(1, 4))), V


def _step(rng: Random) -> tuple:
    N, D, H = _some(rng, 3)
    shapes = ((N, D), (N, H), (D, H), (H, H), (H,))
    arrays = (_normal(rng, shape) for shape in shapes)
    return (*arrays, *_given(rng, str(rng.choice(["tanh", "relu"]))))


def _tokens(rng: Random) -> tuple:
    N, T, V = _some(rng, 3)
    return _spread(rng, (N, T, V)), rng.randint(0, V, (N, T)), rng.rand(N, T) < rng.rand()


def _some(rng: Random, count: int, most: int = 5) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.randint(1, most + 1, count))


def _normal(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def _spread(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    """Scores from all but equal to far apart."""
    return _normal(rng, shape) * 10.0 ** rng.uniform(-2, 3) + rng.uniform(-1000, 1000)


def _given(rng: Random, *values: object) -> tuple:
    """The first few of the arguments that have a default; most often all."""
    return values[: rng.randint(0, len(values) + 1)] if rng.rand() < 0.2 else values


_DRAWS = {
    "mean_colour": _pictures,
    "affine_forward": _affine,
    "relu_forward": _any_shape,
    "softmax_loss": _scores,
    "conv_forward_naive": _convolution,
    "max_pool_forward": _pool,
    "im2col": _columns,
    "conv_forward": _convolution,
    "sgd_momentum": _momentum,
    "vgg_shapes": _stack,
    "one_hot": _symbols,
    "rnn_step_forward": _step,
    "temporal_softmax_loss": _tokens,
}
