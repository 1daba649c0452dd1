# SPDX-License-Identifier: Apache-2.0
"""What ONNX files compute that no layer of laminar is for: layers of operations.

A pattern's maker returns a `Formula`, of which `layer_of` makes a layer as a file of laminar's own
holds one. It is trained, saved and exported as others are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layers
from ._onnx_file import File
from ._onnx_match import Bound
from ._onnx_patterns import number
from ._onnx_pieces import Formula, Made, Make, Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEGLIGIBLE = 1e-7  # by which a softplus that goes over to the identity may differ there
_SHORTEST = 1e-6  # below it the least length of a vector says nothing of those that occur
_MOST_CATEGORIES = 2**16


def layer_of(formula: Formula, shape: tuple[int, ...]) -> Piece:
    """Return the layer that computes a formula for samples of a shape."""
    from ..layers import _own  # which few programs need

    program = _own.recorded(layers.Lambda(formula.function), [shape]).program
    recorded = {"program": program, "weights": [], "class_name": formula.name, "config": ""}
    return Piece(layers.Operations(recorded), [])


def _clip(file: File, name: str, bound: Bound) -> Made:
    low, high = _bound(bound.get("low"), -math.inf), _bound(bound.get("high"), math.inf)
    if low is None or high is None or low > high:
        return None
    return Formula("Clip", _clipped(low, high))


def _bound(value: Any, absent: float) -> float | None:
    if value is None or (np.size(value) == 1 and np.all(np.isnan(value))):
        return absent
    return float(np.asarray(value).reshape(())) if np.size(value) == 1 else None


def _clipped(low: float, high: float) -> Callable[[Any], Any]:
    def clipped(x: Any) -> Any:
        from .. import ops

        x = x if low == -math.inf else ops.maximum(x, low)
        return x if high == math.inf else ops.minimum(x, high)

    return clipped


def _softplus(file: File, name: str, bound: Bound) -> Made:
    beta, threshold = number(bound["beta"]), number(bound["threshold"])
    if beta is None or threshold is None or beta <= 0:
        return None
    jump = math.log1p(math.exp(-abs(threshold))) / beta if threshold > 0 else math.inf
    if jump > _NEGLIGIBLE:
        raise ValueError(
            f"a Softplus that is the identity beyond {threshold:g} jumps by {jump:.1e} there; "
            "laminar's does not: export it with the threshold 20, which is PyTorch's default"
        )

    def softplus(x: Any) -> Any:
        from .. import ops

        return ops.softplus(x * beta) / beta

    return Formula("Softplus", softplus)


def _columns(file: File, name: str, bound: Bound) -> Made:
    """Make some of the features, by their numbers, in any order."""
    places = np.asarray(bound["places"])
    shape = file.shape(bound["x"])
    if shape is None or len(shape) != 1 or places.ndim > 2 or places.dtype.kind != "i":
        return None
    places = places.reshape(-1)
    if not places.size or not np.all((places >= -shape[0]) & (places < shape[0])):
        raise ValueError(f"features must be of 0 to {shape[0] - 1}, got {places.tolist()}")
    return Formula("Columns", _taken(places % shape[0]))


def _part(file: File, name: str, bound: Bound) -> Made:
    return Formula("Part", _taken(np.arange(bound["low"], bound["high"])))


def _taken(places: NDArray[Any]) -> Callable[[Any], Any]:
    def taken(x: Any) -> Any:
        from .. import ops

        return ops.take(x, places, axis=-1)

    return taken


def _unit_rows(kind: str) -> Make:
    """Return the maker of rows that are divided by their length, as scikit-learn's Normalizer."""

    def make(file: File, name: str, bound: Bound) -> Made:
        least, shape = number(bound["least"]), file.shape(name)
        if least is None or not 0 < least < _SHORTEST or shape is None or len(shape) != 1:
            return None

        def unit(x: Any) -> Any:
            from .. import ops

            size = ops.abs(x) if kind == "l1" else x * x
            total = ops.sum(size, axis=-1, keepdims=True)
            return x / ops.maximum(total if kind == "l1" else ops.sqrt(total), least)

        return Formula("UnitRows", unit)

    return make


def _one_hot(file: File, name: str, bound: Bound) -> Made:
    categories = np.asarray(bound["categories"])
    if categories.ndim != 1 or not 0 < categories.size <= _MOST_CATEGORIES:
        return None

    def one_hot(x: Any) -> Any:
        from .. import ops

        return ops.where(ops.equal(ops.expand_dims(x, -1), categories), 1.0, 0.0)

    return Formula("OneHot", one_hot)


_BY_L2 = "Div(x, Max(Sqrt(ReduceSum(Mul(x, x), {axis}, 1)), least))"
_BY_L1 = "Div(x, Max(ReduceSum(Abs(x), {axis}, 1), least))"

FORMULAS: list[tuple[str, Make]] = [
    ("Clip(x, low, high)", _clip),
    ("Max(x, low)", _clip),
    ("Min(x, high)", _clip),
    (
        "Where(Greater(Mul(x, beta), threshold), x, Div(Softplus(Mul(x, beta)), beta))",
        _softplus,
    ),
    ("Gather(x, places, 1)", _columns),
    ("Part(x, low, high)", _part),
    *((_BY_L2.format(axis=axis), _unit_rows("l2")) for axis in (1, -1)),
    *((_BY_L1.format(axis=axis), _unit_rows("l1")) for axis in (1, -1)),
    ("Where(Equal(Unsqueeze(x, -1), categories), 1, 0)", _one_hot),
]
