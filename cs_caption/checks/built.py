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

    Shapes: log_probs (S, V, V) a float tensor, following (S, V) int64: after a row whose state is
    s has read word w, it has log-probabilities log_probs[s, w] and state following[s, w]. A state
    is an int64 tensor (R,), tokens too: as in `cs_caption.decoding`. Where following is below 0 no
    word may be read: step raises ValueError, in words.
    watched: what is reported as a change of the step: "rows", writing into the log_probs that it
    returned; "random", whatever moves or seeds torch's global random numbers.
    """
    return Recipe("table_step", (log_probs, following, watched))


def make(recipe: Recipe) -> Any:
    """Make the thing. Raises: ValueError for a recipe of an unknown kind; ImportError."""
    makers = {"module": _module, "table_step": _TableStep}
    if recipe.kind not in makers:
        raise ValueError(f"there is no recipe of {recipe.kind!r}")
    return makers[recipe.kind](*recipe.contents)


def plain(made: Any) -> Any:
    """Return what a made thing is at the moment, as plain data; anything else as it is."""
    if type(made) is _TableStep:
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


class _TableStep:
    """A step function that says what it is given wrongly."""

    def __init__(self, log_probs: Any, following: Any, watched: str = "rows") -> None:
        self.log_probs, self.following, self._watched = log_probs, following, watched
        self._returned: list[tuple] = []

    def __call__(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        for name, rows in (("tokens", tokens), ("the state", state)):
            _require_rows(name, rows)
        if len(tokens) != len(state):
            raise ValueError(f"step was given {len(tokens)} tokens and {len(state)} states")
        V = self.following.shape[1]
        outside = tokens[(tokens < 0) | (tokens >= V)]
        if len(outside):
            raise ValueError(f"step was given word {int(outside[0])}: there are {V} words")
        after = self.following[state, tokens]
        if (after < 0).any():
            word = int(tokens[after < 0][0])
            raise ValueError(f"step was given word {word}, after which nothing can come")
        found = self.log_probs[state, tokens]
        self._returned.append((found, state.clone(), tokens.clone()))
        return found, after

    def seen(self) -> Any:
        """What is watched, as it is now."""
        import torch

        if self._watched == "random":
            return torch.get_rng_state().numpy().tobytes()
        return self.log_probs, self.following, self._intact()

    def _intact(self) -> bool:
        import torch

        if not self._returned:
            return True
        found, states, tokens = zip(*self._returned, strict=True)
        try:
            return torch.equal(
                torch.cat(found), self.log_probs[torch.cat(states), torch.cat(tokens)]
            )
        except (RuntimeError, TypeError):  # of another shape than it was returned with
            return False


def _require_rows(name: str, rows: Any) -> None:
    import torch

    if not isinstance(rows, torch.Tensor):
        raise TypeError(f"step was given {name} of type {type(rows).__name__}: expected a tensor")
    if rows.dtype != torch.int64 or rows.ndim != 1:
        kind = str(rows.dtype).removeprefix("torch.")
        raise ValueError(
            f"step was given {name} of shape {tuple(rows.shape)} and type {kind}: expected int64 "
            "with one axis, a row a caption"
        )
