# SPDX-License-Identifier: Apache-2.0
"""Layers other than activations as ONNX graphs have them, with their weights.

A pattern's maker returns a `Piece`, an `Affine` map, of which `_onnx_model` makes a layer when it
knows its neighbours, a `Merge`, or None where laminar has no such layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import layers
from ._moments import LEAST, deviation
from ._onnx_file import File
from ._onnx_match import Bound
from ._onnx_patterns import number


class Piece(NamedTuple):
    """A layer and its weights, in the order of `Layer.get_weights`; smaller ones are repeated."""

    layer: layers.Layer
    weights: list[NDArray[Any]]


class Affine(NamedTuple):
    """(x - center) * scale + shift, with one number or one for each feature."""

    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]

    def then(self, after: Affine) -> Affine:
        """Return the map that applies ``after`` to what this one gives."""
        if np.all(self.scale == 1) and np.all(self.shift == 0):
            return Affine(self.center + after.center, after.scale, after.shift)
        shift = (self.shift - after.center) * after.scale + after.shift
        return Affine(self.center, self.scale * after.scale, shift)


class Formula(NamedTuple):
    """What operations make of a batch, a layer for the shape that it has."""

    name: str
    function: Callable[[Any], Any]


class Merge(NamedTuple):
    """A layer that reads several values, by its kind, and its arguments."""

    kind: str
    arguments: dict[str, Any]


Made: TypeAlias = "Piece | Affine | Formula | Merge | None"
Make: TypeAlias = Callable[[File, str, Bound], Made]

_EPSILON = 1e-3


def affine(center: Any = 0.0, scale: Any = 1.0, shift: Any = 0.0) -> Affine:
    """Return a map of numbers or arrays; ValueError where one has several axes."""
    parts = [without_rows(np.asarray(v, np.float64)) for v in (center, scale, shift)]
    if any(part.ndim > 1 for part in parts):
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ValueError(f"a map must have one number, or one a feature, got shapes {shapes}")
    return Affine(*parts)


def without_rows(value: NDArray[Any]) -> NDArray[Any]:
    """Return an array without leading axes of extent 1."""
    while value.ndim > 0 and value.shape[0] == 1:
        value = value[0]
    return value


def layer_of(
    found: Affine, trained_before: bool, features: int, most: int, is_output: bool = False
) -> Piece:
    """Return the layer that computes a map; one with weights if something before it is trained.

    At the output a scale and a shift bring numbers back to their units, which training leaves.

    ValueError where it would have weights for more than ``most`` features.
    """
    if all(part.size == 1 for part in found):
        factor = float(found.scale.reshape(()))
        offset = float(found.shift.reshape(())) - float(found.center.reshape(())) * factor
        return Piece(layers.Rescaling(factor, offset), [])
    if features > most:
        raise ValueError(f"{features:,} features are too many for a file of its size")
    center, scale, shift = (np.broadcast_to(part, (features,)) for part in found)
    if not trained_before or is_output:
        fits = (scale == 0) | ((scale > LEAST) & (scale < 1 / LEAST))
        variance = np.square(np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0))
        if not trained_before and np.all(shift == 0) and _kept(center, variance, fits):
            return Piece(layers.Normalization(mean=center, variance=variance), [])
        if np.all(center == 0) and _kept(shift, scale**2, fits):
            return Piece(layers.Normalization(mean=shift, variance=scale**2, invert=True), [])
    gamma = scale * np.sqrt(1 + _EPSILON)
    layer = layers.BatchNormalization(epsilon=_EPSILON)
    return Piece(layer, [gamma, shift, center, np.ones(features)])


def _kept(mean: NDArray[Any], variance: NDArray[Any], fits: NDArray[Any]) -> bool:
    """Whether a Normalization divides by these deviations, and takes none for rounding."""
    single = {"mean": mean.astype(np.float32), "variance": variance.astype(np.float32)}
    found = deviation(single, False)
    return bool(np.all(fits & (np.isfinite(found) | (variance == 0))))


def _dense(kernel: NDArray[Any], bias: Any) -> Piece | None:
    if kernel.ndim != 2 or kernel.dtype.kind != "f":
        return None
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None)
    return Piece(layer, [kernel] if bias is None else [kernel, without_rows(bias)])


def _gemm(file: File, name: str, bound: Bound) -> Made:
    if bound["trans_a"] != 0:
        return None
    kernel = bound["kernel"].T if bound["trans_b"] else bound["kernel"]
    bias = bound["bias"]
    if bound["beta"] != 1 and bias is not None:
        bias = bias * bound["beta"]
    return _dense(kernel if bound["alpha"] == 1 else kernel * bound["alpha"], bias)


def _matmul(file: File, name: str, bound: Bound) -> Made:
    bias = bound.get("bias")
    if bias is not None and np.size(bias) not in (1, bound["kernel"].shape[-1]):
        return None
    return _dense(bound["kernel"], bias)


def _maxout(file: File, name: str, bound: Bound) -> Made:
    shape = np.asarray(bound["shape"]).tolist()
    dense = _gemm(file, name, bound)
    if len(shape) != 3 or not isinstance(dense, Piece):
        return None
    use_bias = len(dense.weights) == 2
    return Piece(layers.Maxout(shape[2], shape[1], use_bias=use_bias), dense.weights)


def _batch_normalization(file: File, name: str, bound: Bound) -> Made:
    # Not rounded as numbers are: in float64 the variances hold what the attribute cannot.
    epsilon = float(bound["epsilon"])
    if file.dtype == "float32":
        epsilon = number(epsilon) or 0.0
    layer = layers.BatchNormalization(momentum=number(bound["momentum"]) or 0.0, epsilon=epsilon)
    return Piece(layer, [bound[key] for key in ("gamma", "beta", "mean", "variance")])


def _layer_normalization(file: File, name: str, bound: Bound) -> Made:
    shape, epsilon = file.shape(name), number(bound["epsilon"])
    axis = int(np.asarray(bound["axis"]).reshape(()))
    if epsilon is None or (axis != -1 and (shape is None or axis != len(shape))):
        return None
    parts = [bound.get("gamma"), bound.get("beta")]
    scale, center = (part is not None for part in parts)
    layer = layers.LayerNormalization(epsilon=epsilon, center=center, scale=scale)
    return Piece(layer, [without_rows(part) for part in parts if part is not None])


def _rms_normalization(file: File, name: str, bound: Bound) -> Made:
    shape, epsilon = file.shape(name), number(bound["epsilon"])
    axis = int(np.asarray(bound["axis"]).reshape(()))
    if epsilon is None or (axis != -1 and (shape is None or axis != len(shape))):
        return None
    return Piece(layers.RMSNormalization(epsilon=epsilon), [without_rows(bound["scale"])])


def _softmax(kind: str) -> Make:
    def make(file: File, name: str, bound: Bound) -> Made:
        shape, axis = file.shape(name), int(bound["axis"])
        if axis != -1 and (shape is None or axis != len(shape)):
            return None
        return Piece(layers.Activation(kind), [])

    return make


def _prelu(file: File, name: str, bound: Bound) -> Made:
    alpha = np.asarray(bound["alpha"])
    if file.nodes[name].kind == "Where" and alpha.size == 1 and alpha.min() >= 0:
        return None  # a leaky relu
    return Piece(layers.PReLU(), [without_rows(bound["alpha"])])


def _prelu_of_negative(file: File, name: str, bound: Bound) -> Made:
    return Piece(layers.PReLU(), [-without_rows(bound["alpha"])])


def _dropout(file: File, name: str, bound: Bound) -> Made:
    if bound["training"] is not None and np.any(bound["training"]):
        return None
    ratio = number(bound["given"])
    return Piece(layers.Dropout(bound["ratio"] if ratio is None else ratio), [])


def _flatten(file: File, name: str, bound: Bound) -> Made:
    return Piece(layers.Flatten(), []) if bound["axis"] == 1 else None


def _unsqueeze(file: File, name: str, bound: Bound) -> Made:
    if file.is_flat(bound["x"]):
        return Piece(layers.Flatten(), []) if np.all(np.isin(bound["axis"], (1, -1))) else None
    return _of_shape(file.shape(name))


def _squeeze(file: File, name: str, bound: Bound) -> Made:
    """One number a row loses its axis, others an axis that is not that of the rows."""
    if file.is_flat(name):
        return Piece(layers.Flatten(), []) if file.shape(bound["x"]) == (1,) else None
    return _of_shape(file.shape(name))


def _of_shape(shape: tuple[int, ...] | None) -> Made:
    if shape is None:
        return None
    return Piece(layers.Flatten() if len(shape) == 1 else layers.Reshape(shape), [])


def _reshape(file: File, name: str, bound: Bound) -> Made:
    given = np.asarray(bound["shape"]).ravel().tolist()
    shape = tuple(given[1:]) if min(given[1:], default=0) > 0 else file.shape(name)
    return _of_shape(shape)


def _discretization(file: File, name: str, bound: Bound) -> Made:
    return Piece(layers.Discretization(np.asarray(bound["bounds"], np.float64).tolist()), [])


def _category_encoding(mode: str) -> Make:
    def make(file: File, name: str, bound: Bound) -> Made:
        numbers = np.asarray(bound["numbers"])
        if not np.array_equal(numbers, np.arange(numbers.size)):
            return None
        if not np.all(np.isnan(bound["nan"])):
            return None
        return Piece(layers.CategoryEncoding(numbers.size, mode), [])

    return make


def _embedding(file: File, name: str, bound: Bound) -> Made:
    table = np.asarray(bound["table"])
    if table.ndim != 2 or (file.nodes[name].kind == "Gather" and file.is_flat(bound["x"])):
        return None
    return Piece(layers.Embedding(*table.shape), [table])


def _affine(**parts: float | str) -> Make:
    """Return the maker of a map, whose parts are numbers or the constant c, or its inverse."""

    def make(file: File, name: str, bound: Bound) -> Made:
        c = np.asarray(bound.get("c", 0.0), np.float64)
        if parts.get("scale") == "1 / c" and np.any(c == 0):
            return None
        values = {"c": c, "1 / c": 1 / np.where(c == 0, 1, c)}
        return affine(**{k: values[v] if isinstance(v, str) else v for k, v in parts.items()})

    return make


_GEMM = "Gemm(x, kernel, bias, alpha, beta, trans_a, trans_b)"
_CENTERED = "Sub(x, ReduceMean(x, axis, 1))"
_NORMALIZED = [
    f"Div({_CENTERED}, Sqrt(Add(ReduceMean({square}, axis, 1), epsilon)))"
    for square in (f"Mul({_CENTERED}, {_CENTERED})", f"Pow({_CENTERED}, 2)")
]
_ROOTS = [
    f"Sqrt(Add(ReduceMean({square}, axis, 1), epsilon))" for square in ("Mul(x, x)", "Pow(x, 2)")
]
_BY_ROOT = [f"Div(x, {root})" for root in _ROOTS]
_BY_ROOT += [f"Mul(x, {f}{root}))" for f in ("Reciprocal(", "Div(1, ") for root in _ROOTS]
_INT64 = 7  # TensorProto's number
_EQUAL = "Equal(Unsqueeze(x, -1), numbers)"
_HOT = f"Where(Equal(ReduceSum({_EQUAL}, axes, 1), size), {_EQUAL}, nan)"

LAYERS: list[tuple[str, Make]] = [
    (f"ReduceMax(Reshape({_GEMM}, shape), 1, 0)", _maxout),
    (_GEMM, _gemm),
    ("Add(MatMul(x, kernel), bias)", _matmul),
    ("MatMul(x, kernel)", _matmul),
    (
        "BatchNormalization(x, gamma, beta, mean, variance, epsilon, momentum, 0)",
        _batch_normalization,
    ),
    ("LayerNormalization(x, gamma, beta, axis, epsilon)", _layer_normalization),
    *((f"Add(Mul({a}, gamma), beta)", _layer_normalization) for a in _NORMALIZED),
    *((f"Mul({a}, gamma)", _layer_normalization) for a in _NORMALIZED),
    *((f"Add({a}, beta)", _layer_normalization) for a in _NORMALIZED),
    *((a, _layer_normalization) for a in _NORMALIZED),
    ("RMSNormalization(x, scale, axis, epsilon)", _rms_normalization),
    *((f"Mul({a}, scale)", _rms_normalization) for a in _BY_ROOT),
    ("Softmax(x, axis)", _softmax("softmax")),
    ("LogSoftmax(x, axis)", _softmax("log_softmax")),
    ("PRelu(x, alpha)", _prelu),
    ("Where(Less(x, 0), Mul(x, alpha), x)", _prelu),
    ("Add(Relu(x), Mul(Relu(Neg(x)), alpha))", _prelu_of_negative),
    ("Dropout(x, given, training, ratio)", _dropout),
    ("Flatten(x, axis)", _flatten),
    ("Squeeze(x, axis)", _squeeze),
    ("Squeeze(x)", _squeeze),
    ("Unsqueeze(x, axis)", _unsqueeze),
    ("Reshape(x, shape)", _reshape),
    (
        "Where(IsNaN(x), x, ReduceSum(GreaterOrEqual(Unsqueeze(x, -1), bounds), -1, 0))",
        _discretization,
    ),
    (f"ReduceSum({_HOT}, 1, 0)", _category_encoding("count")),
    (f"ReduceMax({_HOT}, 1, 0)", _category_encoding("multi_hot")),
    (f"Reshape({_HOT}, shape)", _category_encoding("one_hot")),
    (f"Gather(table, Cast(x, {_INT64}), 0)", _embedding),
    ("Gather(table, x, 0)", _embedding),
    ("Rows(table, x)", _embedding),
]
MAPS: list[tuple[str, Make]] = [
    ("Add(x, c)", _affine(shift="c")),
    ("Sub(x, c)", _affine(center="c")),
    ("Sub(c, x)", _affine(scale=-1.0, shift="c")),
    ("Mul(x, c)", _affine(scale="c")),
    ("Div(x, c)", _affine(scale="1 / c")),
    ("Neg(x)", _affine(scale=-1.0)),
]
