"""What cannot be sent: models and step functions, made where the student's function runs.

    model = module({"project": ("Linear", weight, bias), "dropout": ("Dropout", 0.5)})
    step = table_step(log_probs, following)
    subject.call((model, features, tokens))       # the function gets an nn.ModuleDict

Both are recipes of plain data. They may stand wherever an argument, or an item of one, may stand;
each call gets a thing of its own. What a function does to a model that is an argument (weights,
train or eval mode, requires_grad, .grad) is reported as a change of that argument.

The far side calls `make`, `plain` and `gradients`; a check never does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cs_caption.checks.wire import Recipe


def module(parts: Mapping[str, tuple], *, training: bool = False) -> Recipe:
    """Return the recipe of an nn.ModuleDict, in eval mode unless `training`.

    parts: by name ("Linear", weight, bias), ("Embedding", weight), ("LSTMCell", weight_ih,
    weight_hh, bias_ih, bias_hh) or ("Dropout", p), the weights being tensors, shaped as torch has
    them. They become the module's own parameters, with their dtype and strides.
    """
    return Recipe("module", (dict(parts), training))


def table_step(log_probs: Any, following: Any, *, watched: str = "rows") -> Recipe:
    """Return the recipe of a `step(tokens, state) -> (log_probs, state)` that looks in a table.

    Shapes: log_probs (S, V, V), following (S, V) int64: after a row whose state is s has read word
    w, it has log-probabilities log_probs[s, w] and state following[s, w]. A state is int64 (R,),
    tokens too. Both tables are tensors, and then the step takes and gives tensors, as in
    `cs_caption.decoding`, or both are NumPy arrays, and then it takes and gives arrays (of whole
    numbers of any size). A state may have k columns, (R, k): log_probs (S1, .., Sk, V, V),
    following (S1, .., Sk, V, k).
    Where following is below 0 no word may be read: step raises ValueError, in words.
    watched: what is reported as a change of the step: "rows", writing into the log_probs that it
    returned; "random", whatever moves or seeds the global random numbers of torch (of NumPy).
    """
    return Recipe("table_step", (log_probs, following, watched))


def make(recipe: Recipe) -> Any:
    """Make the thing. Raises: ValueError for a recipe of an unknown kind; ImportError."""
    makers = {"module": _module, "table_step": _table_step}
    if recipe.kind not in makers:
        raise ValueError(f"there is no recipe of {recipe.kind!r}")
    return makers[recipe.kind](*recipe.contents)


def plain(made: Any) -> Any:
    """Return what a made thing is at the moment, as plain data; anything else as it is."""
    if isinstance(made, _TableStep):
        return made.seen()
    if not hasattr(made, "named_parameters"):
        return made
    try:
        modes = {name: part.training for name, part in made.named_modules()}
        state = {
            name: (weight, weight.requires_grad, weight.grad)
            for name, weight in made.named_parameters()
        }
    except Exception:  # taken apart
        return None
    return modes, state


def gradients(
    function: Callable, args: Sequence, wanted: Sequence[int], dout: Any, result: int | None
) -> tuple[Any, list]:
    """Call the function; return what it returns, and the gradients of sum(dout * that).

    Of several results, `result` says which. There is a gradient for each position in `wanted`: for
    a tensor one of its shape, for a module one a parameter, by name. It is None where autograd does
    not reach, and everywhere where the result is no tensor of dout's shape.
    """
    import torch

    with torch.enable_grad():
        leaves = [_leaves(args[at]) for at in wanted]
        value = function(*args)
        out = _entry(value, result)
        found = {}
        if isinstance(out, torch.Tensor) and out.requires_grad and out.shape == dout.shape:
            tensors = [tensor for named in leaves for tensor in named.values()]
            # of a sum: with grad_outputs torch would import sympy, most of a second
            total = (out * dout).sum()
            slopes = torch.autograd.grad(total, tensors, allow_unused=True)
            found = {id(t): slope for t, slope in zip(tensors, slopes, strict=True)}
    named = [{name: found.get(id(t)) for name, t in each.items()} for each in leaves]
    return value, [each.get("", each) for each in named]


def _leaves(arg: Any) -> dict[str, Any]:
    """The tensors that get gradients: a tensor itself, under no name, or a module's parameters."""
    if hasattr(arg, "named_parameters"):
        return dict(arg.named_parameters())
    return {"": arg.requires_grad_()}


def _entry(value: Any, result: int | None) -> Any:
    if result is None:
        return value
    several = type(value) in (tuple, list) and len(value) > result
    return value[result] if several else None


def _module(parts: Mapping[str, tuple], training: bool) -> Any:
    from torch import nn

    made = {name: _PARTS[kind](*contents) for name, (kind, *contents) in parts.items()}
    return nn.ModuleDict(made).train(training)


def _linear(weight: Any, bias: Any) -> Any:
    return _part("Linear", weight.shape[::-1], weight=weight, bias=bias)


def _embedding(weight: Any) -> Any:
    return _part("Embedding", weight.shape, weight=weight)


def _lstm_cell(weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
    sizes = weight_ih.shape[1], weight_hh.shape[1]
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    return _part("LSTMCell", sizes, **weights, bias_ih=bias_ih, bias_hh=bias_hh)


def _dropout(p: float) -> Any:
    from torch import nn

    return nn.Dropout(p)


def _part(kind: str, sizes: Sequence[int], **weights: Any) -> Any:
    from torch import nn, random

    # What it draws for itself is not taken from the notebook's random stream. (On "meta" it would
    # draw nothing, but torch would import its compiler: seconds, and files where none may be.)
    with random.fork_rng(devices=[]):
        part = getattr(nn, kind)(*sizes)
    part.load_state_dict(weights, assign=True)
    return part.requires_grad_()


_PARTS = {
    "Linear": _linear,
    "Embedding": _embedding,
    "LSTMCell": _lstm_cell,
    "Dropout": _dropout,
}


def _table_step(log_probs: Any, following: Any, watched: str = "rows") -> Any:
    kind = _ArrayStep if isinstance(log_probs, np.ndarray) else _TensorStep
    return kind(log_probs, following, watched)


class _TableStep:
    """A step function that says what it is given wrongly; of arrays or tensors."""

    def __init__(self, log_probs: Any, following: Any, watched: str) -> None:
        self.log_probs, self.following, self._watched = log_probs, following, watched
        self._returned: list[tuple] = []

    def __call__(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        V, axes = self.log_probs.shape[-1], self.log_probs.ndim - 2
        self._require_rows("tokens", tokens, ())
        self._require_rows("the state", state, () if axes == 1 else (axes,))
        if len(tokens) != len(state):
            raise ValueError(f"step was given {len(tokens)} tokens and {len(state)} states")
        outside = tokens[(tokens < 0) | (tokens >= V)]
        if len(outside):
            raise ValueError(f"step was given word {int(outside[0])}: there are {V} words")
        at = ((state,) if axes == 1 else tuple(state.T)) + (tokens,)
        after = self.following[at]
        dead = after < 0 if axes == 1 else (after < 0).any(1)
        if dead.any():
            raise ValueError(
                f"step was given word {int(tokens[dead][0])}, after which nothing can come"
            )
        found = self.log_probs[at]
        self._returned.append((found, found + 0))
        return found, after

    def seen(self) -> Any:
        """What is watched, as it is now."""
        if self._watched == "random":
            return self._random_numbers()
        intact = all(self._equal(found, was) for found, was in self._returned)
        return self.log_probs, self.following, intact

    def _require_rows(self, name: str, rows: Any, columns: tuple[int, ...]) -> None:
        if not self._is_mine(rows):
            kind = type(rows).__name__
            raise TypeError(f"step was given {name} of type {kind}: expected {self._mine}")
        if not self._is_whole(rows) or rows.ndim < 1 or tuple(rows.shape[1:]) != columns:
            kind = str(rows.dtype).removeprefix("torch.")
            axes = f"two axes ({columns[0]} columns)" if columns else "one axis"
            raise ValueError(
                f"step was given {name} of shape {tuple(rows.shape)} and type {kind}: expected "
                f"int64 with {axes}, a row a caption"
            )


class _TensorStep(_TableStep):
    _mine = "a tensor"

    def _is_mine(self, rows: Any) -> bool:
        import torch

        return isinstance(rows, torch.Tensor)

    def _is_whole(self, rows: Any) -> bool:
        import torch

        return rows.dtype == torch.int64

    def _equal(self, found: Any, was: Any) -> bool:
        import torch

        try:
            return torch.equal(found, was)
        except (RuntimeError, TypeError):  # of another type than it was returned with
            return False

    def _random_numbers(self) -> bytes:
        import torch

        return torch.get_rng_state().numpy().tobytes()


class _ArrayStep(_TableStep):
    _mine = "a NumPy array"

    def _is_mine(self, rows: Any) -> bool:
        return isinstance(rows, np.ndarray)

    def _is_whole(self, rows: Any) -> bool:
        return rows.dtype.kind in "iu"

    def _equal(self, found: Any, was: Any) -> bool:
        return np.array_equal(found, was)

    def _random_numbers(self) -> bytes:
        _, keys, *rest = np.random.get_state()
        return keys.tobytes() + repr(rest).encode()
