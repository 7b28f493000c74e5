"""What likely mistakes make of an LSTM's step, by torch: each a wrong cell, under words for it.

A mistake on the way forward changes what a cell returns. One on the way back leaves that as it is
and changes the gradient: `with_slope_of` gives a value the gradient of another.
"""

from collections.abc import Callable
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np

from cs_caption.checks.n03_lstm_gates.by_torch import (
    ORDER,
    Cell,
    gradient,
    gradients,
    results,
    right_cell,
    tensor,
)

Gates = SimpleNamespace  # i, f, o, g, and prev_h, prev_c

NAMES = {"i": "the input gate i", "f": "the forget gate f", "o": "the output gate o", "g": "g"}


def in_words(gates: str) -> str:
    """Name gates: "the forget gate f and g"."""
    *first, last = [NAMES[gate] for gate in gates]
    return f"{', '.join(first)} and {last}" if first else last


# ------------------------------------------------------------------------------- one step forward


def step_lookalikes(inputs: tuple) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what likely mistakes make of next_h and next_c."""
    return {words: results(cell, inputs) for words, cell in _wrong_steps().items()}


def _wrong_steps() -> dict[str, Cell]:
    found = {
        **{words: _cell(memory=memory) for words, memory in _memories().items()},
        **{words: _cell(finish=finish) for words, finish in _states().items()},
        **{words: _cell(squash=squash) for words, squash in _squashes().items()},
        **{words: _cell(total=total) for words, total in _totals().items()},
        "only the first of the N sequences is looked at": _first_row,
    }
    for order in permutations(ORDER):
        if "".join(order) != ORDER:
            words = f"the four blocks of columns are taken for {in_order(order)}"
            found[words] = _cell(order="".join(order))
    return found


def in_order(order: tuple[str, ...]) -> str:
    whose = " (as torch has them)" if "".join(order) == "ifgo" else ""
    return f"{', '.join(order)}{whose}: here they are {', '.join(ORDER)}"


def _memories() -> dict[str, Callable[[Gates], Any]]:
    return {
        "i and f are swapped: f says what of prev_c stays (are the blocks taken for f, i, o, g?)": (
            lambda s: s.i * s.prev_c + s.f * s.g
        ),
        "1 - f multiplies prev_c: f near 1 keeps the memory": (
            lambda s: (1 - s.f) * s.prev_c + s.i * s.g
        ),
        "1 - f is used in the place of i": lambda s: s.f * s.prev_c + (1 - s.f) * s.g,
        "1 - i is used in the place of f": lambda s: (1 - s.i) * s.prev_c + s.i * s.g,
        "prev_h is used where prev_c belongs": lambda s: s.f * s.prev_h + s.i * s.g,
        "prev_c leaves no trace in it": lambda s: s.i * s.g,
        "g leaves no trace in it": lambda s: s.f * s.prev_c,
        "f leaves no trace in it: prev_c goes in whole": lambda s: s.prev_c + s.i * s.g,
        "i leaves no trace in it: g goes in whole": lambda s: s.f * s.prev_c + s.g,
        "o is used in the place of i": lambda s: s.f * s.prev_c + s.o * s.g,
        "o is used in the place of f": lambda s: s.o * s.prev_c + s.i * s.g,
        "the memory of the first sequence is used for all": (
            lambda s: s.f * s.prev_c[:1] + s.i * s.g
        ),
        "tanh is taken of g a second time": lambda s: s.f * s.prev_c + s.i * s.g.tanh(),
        "tanh is taken of prev_c": lambda s: s.f * s.prev_c.tanh() + s.i * s.g,
        "the two terms are subtracted: add them": lambda s: s.f * s.prev_c - s.i * s.g,
        "the two terms are multiplied: add them": lambda s: s.f * s.prev_c * s.i * s.g,
    }


def _states() -> dict[str, Callable[[Gates, Any], tuple[Any, Any]]]:
    return {
        "tanh is missing: next_h takes next_c as it is": lambda s, c: (s.o * c, c),
        "o leaves no trace in it": lambda s, c: (c.tanh(), c),
        "tanh is taken of the product with o: it is taken of next_c alone": (
            lambda s, c: ((s.o * c).tanh(), c)
        ),
        "sigmoid is taken of next_c: take tanh": lambda s, c: (s.o * c.sigmoid(), c),
        "prev_c is used where next_c belongs": lambda s, c: (s.o * s.prev_c.tanh(), c),
        "i is used in the place of o": lambda s, c: (s.i * c.tanh(), c),
        "f is used in the place of o": lambda s, c: (s.f * c.tanh(), c),
        "g is used in the place of next_c": lambda s, c: (s.o * s.g, c),
        "1 - o is used in the place of o": lambda s, c: ((1 - s.o) * c.tanh(), c),
        "the tanh is returned: the memory goes on as it is, only next_h takes its tanh": (
            lambda s, c: (s.o * c.tanh(), c.tanh())
        ),
        "tanh is taken of the memory before it goes on: only next_h takes its tanh": (
            lambda s, c: (s.o * c.tanh().tanh(), c.tanh())
        ),
        "it is next_h": lambda s, c: (s.o * c.tanh(), s.o * c.tanh()),
        "it is next_c": lambda s, c: (c, c),
    }


def _squashes() -> dict[str, dict[str, Callable[[Any], Any]]]:
    import torch

    sigmoid, tanh = torch.sigmoid, torch.tanh
    found = {
        "g is a sigmoid: it is a tanh, so that the memory can go down as well": {"g": sigmoid},
        "i, f and o are tanh: gates are sigmoids, between 0 and 1": dict.fromkeys("ifo", tanh),
        "the tanh of g is missing": {"g": lambda a: a},
        "g is a ReLU: it is a tanh": {"g": torch.relu},
        "g is the tanh of a sigmoid: it is the tanh of the sum": {"g": lambda a: tanh(sigmoid(a))},
        "the sigmoids of i, f and o are missing": dict.fromkeys("ifo", lambda a: a),
        "neither sigmoid nor tanh is taken of the sums": dict.fromkeys(ORDER, lambda a: a),
        "the sigmoids of i, f and o are taken twice": dict.fromkeys(
            "ifo", lambda a: sigmoid(sigmoid(a))
        ),
        "the sign in the sigmoids of i, f and o is wrong: exp(-a), not exp(a)": dict.fromkeys(
            "ifo", lambda a: sigmoid(-a)
        ),
        "the sums of i, f and o are halved: sigmoid(a) = (1 + tanh(a / 2)) / 2 is what is meant": (
            dict.fromkeys("ifo", lambda a: sigmoid(a / 2))
        ),
        "the sums of i, f and o are doubled: sigmoid(a) = (1 + tanh(a / 2)) / 2 is what is meant": (
            dict.fromkeys("ifo", lambda a: sigmoid(2 * a))
        ),
    }
    for gate in "ifo":
        found[f"{NAMES[gate]} is a tanh: gates are sigmoids, between 0 and 1"] = {gate: tanh}
        found[f"the sigmoid of {NAMES[gate]} is missing"] = {gate: lambda a: a}
    return found


def _totals() -> dict[str, Callable[..., Any]]:
    return {
        "b is not added": lambda x, h, c, Wx, Wh, b: x @ Wx + h @ Wh,
        "b is added twice": lambda x, h, c, Wx, Wh, b: x @ Wx + h @ Wh + 2 * b,
        "b is subtracted": lambda x, h, c, Wx, Wh, b: x @ Wx + h @ Wh - b,
        "prev_h is ignored": lambda x, h, c, Wx, Wh, b: x @ Wx + b,
        "x is ignored": lambda x, h, c, Wx, Wh, b: h @ Wh + b,
        "prev_c is multiplied by Wh: prev_h is": lambda x, h, c, Wx, Wh, b: x @ Wx + c @ Wh + b,
        "the gates look at prev_c as well (peepholes): here they see x and prev_h only": (
            lambda x, h, c, Wx, Wh, b: x @ Wx + h @ Wh + b + c.repeat(1, 4) * _of_gates(b)
        ),
        "the four columns of a unit lie side by side in it: a gate has a block of H columns": (
            lambda x, h, c, Wx, Wh, b: _unit_by_unit(x @ Wx + h @ Wh + b)
        ),
        "prev_h is added as it is, without Wh": (
            lambda x, h, c, Wx, Wh, b: x @ Wx + b + h.repeat(1, 4)
        ),
        "each block of Wh is transposed": (
            lambda x, h, c, Wx, Wh, b: x @ Wx + h @ _turned_blocks(Wh) + b
        ),
    }


def _of_gates(b: Any) -> Any:
    """1 for the columns of i, f and o, 0 for those of g."""
    return 1.0 * (b.new_ones(len(b)).cumsum(0) <= 3 * len(b) // 4)


def _unit_by_unit(a: Any) -> Any:
    return a.reshape(len(a), -1, 4).swapaxes(1, 2).reshape(a.shape)


def _turned_blocks(Wh: Any) -> Any:
    import torch

    return torch.cat([block.T for block in Wh.chunk(4, -1)], -1)


def _first_row(x: Any, prev_h: Any, prev_c: Any, *weights: Any) -> tuple[Any, Any]:
    first = (each[:1].expand_as(each) for each in (x, prev_h, prev_c))
    return right_cell(*first, *weights)


# ---------------------------------------------------------------------------------- one step back


def step_gradient_lookalikes(
    i: int, inputs: tuple, next_h: np.ndarray, dnext_h: np.ndarray, dnext_c: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of gradient i of a step."""
    inputs = tuple(map(tensor, inputs))
    truths = gradients(right_cell, inputs, dnext_h, dnext_c)
    douts = {
        "dnext_c does not reach it: what the later steps say of the memory is lost": (dnext_h,),
        "dnext_h does not reach it": (0 * dnext_h, dnext_c),
    }
    found = {words: gradient(i, right_cell, inputs, *dout) for words, dout in douts.items()}
    if i in (1, 2):
        other = "dprev_c" if i == 1 else "dprev_h"
        found[f"it is {other}: the order is dx, dprev_h, dprev_c, dWx, dWh, db"] = truths[3 - i]
    if i == 1:
        found["dnext_h is added: it reaches prev_h only through Wh"] = truths[1] + dnext_h
    if i == 2:
        found["it is dnext_c, unchanged"] = dnext_c
        found["dnext_c is added a second time"] = truths[2] + dnext_c
        found["dnext_h is added to it"] = truths[2] + dnext_h
    else:
        found |= _other_orders(i, inputs, dnext_h, dnext_c)
    for words, cell in _wrong_ways_back(i, next_h).items():
        found[words] = gradient(i, cell, inputs, dnext_h, dnext_c)
    for row, words in ((0, "first"), (-1, "last")):
        only = [_only(dout, row) for dout in (dnext_h, dnext_c)]
        found[f"only the {words} of the N sequences counts"] = gradient(
            i, right_cell, inputs, *only
        )
        if i < 3:
            copies = truths[i][[row] * len(dnext_h)]
            found[f"all N sequences get the gradient of the {words}"] = copies
    return found


def _only(dout: np.ndarray, row: int) -> np.ndarray:
    only = np.zeros_like(dout)
    only[row] = dout[row]
    return only


def _other_orders(i: int, inputs: tuple, *douts: np.ndarray) -> dict[str, np.ndarray]:
    """Gradient i (not that of prev_c) where the four blocks are put together in another order."""
    *others, b = inputs
    rows = b.expand(len(inputs[0]), -1)
    parts = dict(
        zip(ORDER, np.split(gradient(5, _cell(), (*others, rows), *douts), 4, 1), strict=True)
    )
    orders = [order for order in permutations(ORDER) if "".join(order) != ORDER]
    das = [np.concatenate([parts[gate] for gate in order], 1) for order in orders]
    # a copy of argument i for each order, so that one walk back serves all of them
    many = inputs[i].expand(len(orders), *(1,) * (2 - inputs[i].ndim), *inputs[i].shape)
    found = gradient(i, _sums, (*inputs[:i], many, *inputs[i + 1 :]), np.stack(das))
    words = (f"the four blocks are put together as {in_order(order)}" for order in orders)
    return dict(zip(words, found.reshape(-1, *inputs[i].shape), strict=True))


def _sums(x: Any, prev_h: Any, prev_c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any]:
    return (x @ Wx + prev_h @ Wh + b,)


def _wrong_ways_back(i: int, next_h: np.ndarray) -> dict[str, Cell]:
    found = {
        **{words: _cell(finish=finish) for words, finish in _state_slopes().items()},
        **{words: _cell(memory=memory) for words, memory in _memory_slopes().items()},
    }
    if i == 2:
        return found
    return {
        **found,
        **{words: _cell(squash=squash) for words, squash in _gate_slopes().items()},
        **{words: _cell(total=total) for words, total in _total_slopes(next_h).items()},
        "do is multiplied by dc, not by dnext_h": _output_gate_from_dc,
    }


def _state_slopes() -> dict[str, Callable[[Gates, Any], tuple[Any, Any]]]:
    def state(slope: Callable[[Any], Any]) -> Callable[[Gates, Any], tuple[Any, Any]]:
        return lambda s, c: (s.o * _with_slope(c.tanh(), slope(c), c), c)

    def as_if(memory: Callable[[Gates, Any], Any]) -> Callable[[Gates, Any], tuple[Any, Any]]:
        return lambda s, c: (s.o * c.tanh(), with_slope_of(c, memory(s, c)))

    def product(way: Callable[[Gates, Any], Any]) -> Callable[[Gates, Any], tuple[Any, Any]]:
        return lambda s, c: (with_slope_of(s.o * c.tanh(), way(s, c)), c)

    return {
        "dnext_h does not reach next_c: next_h is made of it": state(lambda c: 0 * c),
        "the derivative of tanh(next_c) is missing": state(lambda c: 0 * c + 1),
        "the square in the derivative of tanh(next_c) is missing": state(lambda c: 1 - c.tanh()),
        "the derivative of tanh takes tanh(next_c), not next_c": state(lambda c: 1 - c**2),
        "the derivative of tanh takes tanh(next_c), not next_h": (
            lambda s, c: (s.o * _with_slope(c.tanh(), 1 - (s.o * c.tanh()) ** 2, c), c)
        ),
        "the derivative of tanh(next_c) is tanh(next_c) squared: 1 minus it": (
            state(lambda c: c.tanh() ** 2)
        ),
        "tanh is taken of tanh(next_c) a second time": state(lambda c: 1 - c.tanh().tanh() ** 2),
        "o is missing where dnext_h goes on to next_c": (
            product(lambda s, c: s.o * c.tanh().detach() + c.tanh())
        ),
        "o and the derivative of tanh are missing where dnext_h goes on to next_c": (
            product(lambda s, c: s.o * c.tanh().detach() + c)
        ),
        "the gradient of o takes next_c, but next_h has its tanh": (
            product(lambda s, c: s.o * c.detach() + s.o.detach() * c.tanh())
        ),
        "the gradient of o is dnext_h as it is": product(
            lambda s, c: s.o + s.o.detach() * c.tanh()
        ),
        "o gets no gradient": product(lambda s, c: s.o.detach() * c.tanh()),
        "dnext_c goes through the derivative of tanh: only dnext_h does": (
            as_if(lambda s, c: c.tanh())
        ),
        "dnext_c goes through o and the derivative of tanh: only dnext_h does": (
            as_if(lambda s, c: s.o.detach() * c.tanh())
        ),
        "dnext_c goes through o: only dnext_h does": as_if(lambda s, c: s.o.detach() * c),
        "dnext_c is added behind the forget gate: it comes in before the gates": (
            as_if(lambda s, c: s.prev_c)
        ),
        "dnext_c reaches prev_c only: i, f and g change next_c too": (
            as_if(lambda s, c: s.f.detach() * s.prev_c)
        ),
        "dnext_c does not reach prev_c": (as_if(lambda s, c: s.f * s.prev_c.detach() + s.i * s.g)),
        "dnext_h does not reach prev_c: next_h is made of next_c, and that of prev_c": (
            lambda s, c: (s.o * (s.f * s.prev_c.detach() + s.i * s.g).tanh(), c)
        ),
        "only dnext_c reaches i, f and g: dnext_h does as well, through next_c": (
            lambda s, c: (s.o * (s.f.detach() * s.prev_c + (s.i * s.g).detach()).tanh(), c)
        ),
    }


def _memory_slopes() -> dict[str, Callable[[Gates], Any]]:
    def memory(way: Callable[[Gates], Any]) -> Callable[[Gates], Any]:
        return lambda s: with_slope_of(s.f * s.prev_c + s.i * s.g, way(s))

    def kept(way: Callable[[Gates], Any]) -> Callable[[Gates], Any]:
        return memory(lambda s: s.f * s.prev_c.detach() + way(s) + s.i * s.g)

    return {
        "the forget gate is missing": kept(lambda s: s.prev_c),
        "it is multiplied by i, not by f": kept(lambda s: s.i.detach() * s.prev_c),
        "it is multiplied by 1 - f, not by f": kept(lambda s: (1 - s.f.detach()) * s.prev_c),
        "it is multiplied by o, not by f": kept(lambda s: s.o.detach() * s.prev_c),
        "the gradient of the forget gate takes next_c: it multiplies prev_c": (
            lambda s: _with_next_c(s, lambda next_c: s.f * next_c)
        ),
        "the gradient of the forget gate takes prev_h: it multiplies prev_c": (
            memory(lambda s: s.f * s.prev_h.detach() + s.f.detach() * s.prev_c + s.i * s.g)
        ),
        "the gradients of i and g are swapped: each is multiplied by the other": (
            memory(lambda s: s.f * s.prev_c + s.i * s.i.detach() + s.g * s.g.detach())
        ),
        "the gradient of the input gate takes prev_c: it multiplies g": (
            memory(lambda s: s.f * s.prev_c + s.i * s.prev_c.detach() + s.i.detach() * s.g)
        ),
        "the gradients of i and f are swapped": (
            memory(
                lambda s: (
                    s.f.detach() * s.prev_c
                    + s.f * s.g.detach()
                    + s.i * s.prev_c.detach()
                    + s.i.detach() * s.g
                )
            )
        ),
        "the gradient of g is not multiplied by i": (
            memory(lambda s: s.f * s.prev_c + s.i * s.g.detach() + s.g)
        ),
        "the gradient of g is multiplied by f: by i": (
            memory(lambda s: s.f * s.prev_c + s.i * s.g.detach() + s.f.detach() * s.g)
        ),
        "the gradient of i is not multiplied by g": (
            memory(lambda s: s.f * s.prev_c + s.i + s.i.detach() * s.g)
        ),
        "the gradient of f is not multiplied by prev_c": (
            memory(lambda s: s.f + s.f.detach() * s.prev_c + s.i * s.g)
        ),
        "i gets no gradient": memory(lambda s: s.f * s.prev_c + s.i.detach() * s.g),
        "f gets no gradient": memory(lambda s: s.f.detach() * s.prev_c + s.i * s.g),
        "g gets no gradient": memory(lambda s: s.f * s.prev_c + s.i * s.g.detach()),
    }


def _with_next_c(s: Gates, forget: Callable[[Any], Any]) -> Any:
    next_c = s.f * s.prev_c + s.i * s.g
    return with_slope_of(next_c, forget(next_c.detach()) + s.f.detach() * s.prev_c + s.i * s.g)


def _gate_slopes() -> dict[str, dict[str, Callable[[Any], Any]]]:
    import torch

    def sigmoid(slope: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
        return lambda a: _with_slope(torch.sigmoid(a), slope(a, torch.sigmoid(a)), a)

    def tanh(slope: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
        return lambda a: _with_slope(torch.tanh(a), slope(a, torch.tanh(a)), a)

    def one(a: Any, s: Any) -> Any:
        return 0 * a + 1

    found = {
        "the derivatives of sigmoid and tanh are missing": {
            **dict.fromkeys("ifo", sigmoid(one)), "g": tanh(one),
        },
        "the derivatives of the sigmoids are missing": dict.fromkeys("ifo", sigmoid(one)),
        "the derivative of g is missing": {"g": tanh(one)},
        "the derivative of the sigmoids takes the gates, not the sums before them": (
            dict.fromkeys("ifo", sigmoid(lambda a, s: a * (1 - a)))
        ),
        "the derivative of g takes g, not the sum before it": {"g": tanh(lambda a, g: 1 - a**2)},
        "the square in the derivative of g is missing": {"g": tanh(lambda a, g: 1 - g)},
        "the derivative of g is a sigmoid's: it is a tanh's": {"g": tanh(lambda a, g: g * (1 - g))},
        "tanh is taken of g a second time": {"g": tanh(lambda a, g: 1 - g.tanh() ** 2)},
        "sigmoid is taken of the gates a second time": dict.fromkeys(
            "ifo", sigmoid(lambda a, s: s.sigmoid() * (1 - s.sigmoid()))
        ),
        "the derivative of the gates is a tanh's: it is a sigmoid's": (
            dict.fromkeys("ifo", sigmoid(lambda a, s: 1 - s**2))
        ),
        "half of the sigmoids' derivative is missing: 1 minus the gate": (
            dict.fromkeys("ifo", sigmoid(lambda a, s: 1 - s))
        ),
        "half of the sigmoids' derivative is missing: the gate itself": (
            dict.fromkeys("ifo", sigmoid(lambda a, s: s))
        ),
    }  # fmt: skip
    for gate in "ifo":
        words = f"the derivative of {NAMES[gate]}"
        found[f"{words} is missing"] = {gate: sigmoid(one)}
        found[f"{words} is a tanh's: it is a sigmoid's"] = {gate: sigmoid(lambda a, s: 1 - s**2)}
    return found


def stale_cell(state: np.ndarray | None, memory: np.ndarray | None) -> Cell:
    """Return the step whose cache has another prev_h, or prev_c, by the time that it is read."""
    own, kept = (None if each is None else tensor(each) for each in (state, memory))
    return _cell(
        total=None if own is None else _from_state(lambda h, c: own),
        memory=None if kept is None else lambda s: with_slope_of(
            s.f * s.prev_c + s.i * s.g, s.f * kept + s.f.detach() * s.prev_c + s.i * s.g
        ),
    )  # fmt: skip


def _from_state(state: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda x, h, c, Wx, Wh, b: with_slope_of(
        x @ Wx + h @ Wh + b,
        x @ Wx + h @ Wh.detach() + state(h, c).detach() @ Wh + b,
    )


def _total_slopes(next_h: np.ndarray) -> dict[str, Callable[..., Any]]:
    return {
        "next_h is used where prev_h belongs": _from_state(lambda h, c: tensor(next_h)),
        "prev_c is used where prev_h belongs": _from_state(lambda h, c: c),
        "each block of Wh must be transposed on the way back": (
            lambda x, h, c, Wx, Wh, b: with_slope_of(
                x @ Wx + h @ Wh + b, x @ Wx + h @ _turned_blocks(Wh) + b
            )
        ),
    }


def _output_gate_from_dc(*inputs: Any) -> tuple[Any, Any]:
    def memory(s: Gates) -> Any:
        c = s.f * s.prev_c + s.i * s.g
        return with_slope_of(c, c + s.o * c.tanh().detach())

    return _cell(memory=memory, finish=lambda s, c: (s.o.detach() * c.tanh(), c))(*inputs)


# ------------------------------------------------------------------------------------------ cells


def _cell(
    *,
    order: str = ORDER,
    squash: dict[str, Callable[[Any], Any]] | None = None,
    total: Callable[..., Any] | None = None,
    memory: Callable[[Gates], Any] | None = None,
    finish: Callable[[Gates, Any], tuple[Any, Any]] | None = None,
) -> Cell:
    """Return a cell that is right but for what is given."""

    def cell(x: Any, prev_h: Any, prev_c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any]:
        a = total(x, prev_h, prev_c, Wx, Wh, b) if total else x @ Wx + prev_h @ Wh + b
        parts = zip(order, a.chunk(4, -1), strict=True)
        own = squash or {}
        values = {
            gate: own[gate](part) if gate in own else part.tanh() if gate == "g" else part.sigmoid()
            for gate, part in parts
        }
        s = Gates(**values, prev_h=prev_h, prev_c=prev_c)
        next_c = memory(s) if memory else s.f * s.prev_c + s.i * s.g
        return finish(s, next_c) if finish else (s.o * next_c.tanh(), next_c)

    return cell


def _with_slope(value: Any, slope: Any, of: Any) -> Any:
    """The value, whose derivative by `of` is the slope."""
    return with_slope_of(value, slope.detach() * of)


def with_slope_of(value: Any, way: Any) -> Any:
    """The value, with the gradient of `way`."""
    return value.detach() + way - way.detach()
