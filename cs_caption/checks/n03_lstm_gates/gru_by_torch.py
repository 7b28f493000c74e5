"""What torch says of a GRU's step in float64: the step, its gradients, and those of mistakes.

`torch.nn.GRUCell` resets after the product, so the equations stand here, of torch's own functions.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

_SWAPPED = "the blocks of r and z are swapped: the order is r, z, g"
GATES = {"r": "the reset gate r", "z": "the gate z", "g": "the candidate g"}


def step(inputs: tuple) -> np.ndarray:
    """Return next_h."""
    return _next_h(list(map(_tensor, inputs)))[0].numpy()


def step_gradients(inputs: tuple, dnext_h: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of sum(dnext_h * next_h) by autograd, in the order of the inputs."""
    return _gradients(inputs, dnext_h)[0]


def step_lookalikes(i: int, inputs: tuple, dnext_h: np.ndarray) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of gradient `i`, each under the words that name it."""
    right, seen = _gradients(inputs, dnext_h)
    found = {
        words: _gradients(inputs, dnext_h, factors)[0][i]
        for words, factors in _wrong_factors(inputs, seen).items()
    }
    if i == 3:
        found |= _other_left_sides(seen, right[3])
    found[_SWAPPED] = _swapped(i, inputs, seen, right)
    for row, words in ((0, "first"), (-1, "last")):
        only = np.zeros_like(dnext_h)
        only[row] = dnext_h[row]
        found[f"only the {words} of the N sequences counts"] = _gradients(inputs, only)[0][i]
    return found


def _wrong_factors(inputs: tuple, seen: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By what each mistake multiplies the gradient, and on which way."""
    r, z, g, h = (seen[name].detach() for name in ("r", "z", "g", "h"))
    slopes = {"r": r * (1 - r), "z": z * (1 - z), "g": 1 - g**2}
    found = {
        f"the derivative of {GATES[gate]} is missing": {f"a{gate}": 1 / slope}
        for gate, slope in slopes.items()
    }
    found |= {
        f"in the derivative of {GATES[gate]} one of its two factors is missing: {words}": {
            f"a{gate}": 1 / value
        }
        for gate, value, words in (
            ("r", r, "r"),
            ("r", 1 - r, "1 - r"),
            ("z", z, "z"),
            ("z", 1 - z, "1 - z"),
        )
    }
    return found | {
        "all three derivatives are missing": {f"a{k}": 1 / slope for k, slope in slopes.items()},
        "the derivative of g is a sigmoid's: g is a tanh": {"ag": g * (1 - g) / slopes["g"]},
        "the square in the derivative of g's tanh is missing": {"ag": (1 - g) / slopes["g"]},
        "r and z have the derivative of a tanh: they are sigmoids": {
            "ar": (1 - r**2) / slopes["r"], "az": (1 - z**2) / slopes["z"],
        },
        "nothing comes back through r": {"r": 0},
        "nothing comes back through z": {"z of h": 0, "z of g": 0},
        "nothing comes back through g": {"g": 0},
        "nothing comes back through r and z": {"r": 0, "z of h": 0, "z of g": 0},
        "the way by z * prev_h is missing": {"kept h": 0},
        "the way by r * prev_h is missing": {"reset h": 0},
        "the ways by prev_h Wh into r and z are missing": {"gates' h": 0},
        "the way by prev_h Wh into r is missing": {"r's h": 0},
        "the way by prev_h Wh into z is missing": {"z's h": 0},
        "dnext_h comes back whole by z * prev_h: multiply it by z": {"kept h": 1 / z},
        "dnext_h comes back times 1 - z by z * prev_h: multiply it by z": {"kept h": (1 - z) / z},
        "on the way by r * prev_h the factor r is missing": {"reset h": 1 / r},
        "the way by r * prev_h counts twice": {"reset h": 2},
        "the gradient of r * prev_h is added twice, with the factor r and without": {
            "reset h": 1 + 1 / r
        },
        "Wh of g must be transposed on the way back": {"Wg": True},
        "Wh of r and z must be transposed on the way back": {"Wr, Wz": True},
        "it is that of a reset after the product, as in torch's GRUCell": {"after": True},
        "it is that of a reset after the product, but for the block of g": {"after": False},
        "on the way through r the factor prev_h is missing": {"r": 1 / h},
        "on the way through g the factor 1 - z is missing": {"g": 1 / (1 - z)},
        "on the way through g the factor is z: it is 1 - z": {"g": z / (1 - z)},
        "on the way through z the sign is turned": {"z of h": -1, "z of g": -1},
        "on the way through z prev_h is missing": {"z of h": 0},
        "on the way through z g is missing": {"z of g": 0},
        "on the way through z g has the wrong sign": {"z of g": -1},
    }  # fmt: skip


def _other_left_sides(seen: Mapping[str, Any], dWh: np.ndarray) -> dict[str, np.ndarray]:
    """dWh where another array than its own meets what comes back to a gate."""
    r, h, *arrived = (seen[name].detach().numpy() for name in ("r", "h", "dar", "daz", "dag"))
    kept, reset = ([np.einsum("nh,nk->hk", side, da) for da in arrived] for side in (h, r * h))
    right = np.split(dWh, 3, axis=1)
    return {
        "in the block of g r * prev_h belongs, not prev_h itself": np.hstack([*right[:2], kept[2]]),
        "in the blocks of r and z prev_h itself belongs, not r * prev_h": (
            np.hstack([*reset[:2], right[2]])
        ),
    }


def _gradients(
    inputs: tuple, dnext_h: np.ndarray, factors: Mapping[str, Any] | None = None
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The gradients, and what was seen on the way: r, z, g, h, and dar, daz, dag."""
    import torch

    arguments = [_tensor(each).requires_grad_() for each in inputs]
    next_h, seen = _next_h(arguments, factors or {})
    sums = [seen[f"a{gate}"] for gate in GATES]
    # of a sum: with grad_outputs torch would import sympy, most of a second
    found = torch.autograd.grad((next_h * _tensor(dnext_h)).sum(), [*arguments, *sums])
    seen |= dict(zip(("dar", "daz", "dag"), found[5:], strict=True))
    return [each.numpy() for each in found[:5]], seen


def _next_h(inputs: list, factors: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
    """next_h, and what was made on the way; `factors` multiply the gradient, by the way's name."""
    import torch

    def by(way: str, value: Any) -> Any:
        if not factors or way not in factors:
            return value
        return value.detach() + (value - value.detach()) * factors[way]

    x, h, Wx, Wh, b = inputs
    (xr, xz, xg), (Wr, Wz, Wg) = _blocks(x @ Wx + b), _blocks(Wh)
    hs, factors = by("gates' h", h), factors or {}
    times = _times_turned if "Wr, Wz" in factors else torch.matmul
    ar, az = xr + times(by("r's h", hs), Wr), xz + times(by("z's h", hs), Wz)
    r, z = torch.sigmoid(by("ar", ar)), torch.sigmoid(by("az", az))
    times = _times_turned if "Wg" in factors else torch.matmul
    new = times(by("r", r) * by("reset h", h), Wg)
    if "after" in factors:
        new = new.detach() + _reset_after(r, h, Wg, whole=factors["after"])
    ag = xg + new
    g = torch.tanh(by("ag", ag))
    next_h = by("z of h", z) * by("kept h", h) + (1 - by("z of g", z)) * by("g", g)
    return next_h, {"r": r, "z": z, "g": g, "h": h, "ar": ar, "az": az, "ag": ag}


def _times_turned(value: Any, W: Any) -> Any:
    """value W, with W in the place of its transpose on the way back."""
    moved = value - value.detach()
    return value.detach() @ W + moved @ W.detach().T


def _reset_after(r: Any, h: Any, W: Any, *, whole: bool) -> Any:
    """Zeros with the gradients of r * (h W); if not `whole`, with W's of (r * h) W."""
    after = r * (h @ (W if whole else W.detach()))
    if not whole:
        after = after + (r * h).detach() @ W
    return after - after.detach()


def _swapped(i: int, inputs: tuple, seen: Mapping[str, Any], right: list) -> np.ndarray:
    """Gradient i where what comes back to r and z is put together in the other order."""
    if i > 1:
        r, z, g = np.split(right[i], 3, axis=-1)
        return np.concatenate([z, r, g], axis=-1)
    (dar, daz), weights = (seen[name].numpy() for name in ("dar", "daz")), inputs[2 + i]
    Wr, Wz, _ = np.split(weights, 3, axis=1)
    return right[i] + np.einsum("nk,hk->nh", daz - dar, Wr - Wz)


def _blocks(value: Any) -> tuple:
    return value.chunk(3, dim=1)


def _tensor(value: np.ndarray) -> Any:
    import torch

    return torch.tensor(np.array(value))
