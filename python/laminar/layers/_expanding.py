# SPDX-License-Identifier: Apache-2.0
"""What layers of laminar's compute, in operations: for calls of layers of the user's own.

Their weights become variables, which are weights of the outer layer. Each function takes a layer,
the traced values that it reads and whether training is traced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import ops
from ..ops._activations import activated
from ..ops._traced import Traced
from ._variable import Variable

if TYPE_CHECKING:
    from .base import Layer

Expansion: TypeAlias = "Callable[[Any, Sequence[Traced], bool], Any]"

_SELU_LIMIT = -1.7580993408473766  # -scale * alpha of selu


def expanded(layer: Layer, values: Sequence[Traced], training: bool) -> Any:
    """Return what a layer makes of traced values; ValueError for one that cannot be there."""
    function = _EXPANSIONS.get(layer._entry)
    if function is None:
        reason = _REASONS.get(layer._entry, "its computation is no program of operations")
        raise ValueError(
            f"{layer._label()}: {type(layer).__name__} cannot be inside a layer of one's own: "
            f"{reason}; put it before or behind that in the model"
        )
    return function(layer, values, training)


_REASONS = {
    "batch_normalization": "its output for a row depends on the whole batch",
    "discretization": "it has no slope",
    "category_encoding": "laminar.ops.one_hot does the same there",
}


def _weight(layer: Any, name: str, shape: Sequence[int], trainable: bool = True) -> Variable:
    """Return a variable of a layer's: the same one in each call."""
    for variable in layer._variables:
        if variable.name == name:
            if variable.shape != tuple(shape):
                raise ValueError(
                    f"{layer._label()}: its {name} is of shape {variable.shape}, these values "
                    f"need {tuple(shape)}"
                )
            return variable  # type: ignore[no-any-return]  # a layer's, of any kind
    made = Variable(
        layer,
        tuple(shape),
        getattr(layer, f"{name}_initializer", "ones" if name in ("gamma", "scale") else "zeros"),
        getattr(layer, f"{name}_regularizer", None),
        getattr(layer, f"{name}_constraint", None),
        trainable,
        name,
    )
    layer._variables = [*layer._variables, made]
    return made


def _dense(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    if layer.activity_regularizer is not None:
        raise ValueError(
            f"{layer._label()}: activity_regularizer does nothing inside a layer of one's own"
        )
    z = ops.matmul(values[0], _weight(layer, "kernel", (values[0]._extents[-1], layer.units)))
    if layer.use_bias:
        z = z + _weight(layer, "bias", (layer.units,))
    return activated(z, layer.activation)


def _activation(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    return activated(values[0], layer.activation)


def _prelu(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    x = values[0]
    return ops.where(x >= 0, x, x * _weight(layer, "alpha", x._extents[1:]))


def _maxout(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    width = layer.pieces * layer.units
    z = ops.matmul(values[0], _weight(layer, "kernel", (values[0]._extents[-1], width)))
    if layer.use_bias:
        z = z + _weight(layer, "bias", (width,))
    return ops.max(ops.reshape(z, (*z.shape[:-1], layer.pieces, layer.units)), axis=-2)


def _layer_normalization(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    x = values[0]
    centred = x - ops.mean(x, axis=-1, keepdims=True)
    made = centred / ops.sqrt(ops.var(x, axis=-1, keepdims=True) + layer.epsilon)
    if layer.scale:
        made = made * _weight(layer, "gamma", x._extents[-1:])
    return made + _weight(layer, "beta", x._extents[-1:]) if layer.center else made


def _rms_normalization(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    x = values[0]
    size = ops.mean(ops.square(x), axis=-1, keepdims=True)
    return x / ops.sqrt(size + layer.epsilon) * _weight(layer, "scale", x._extents[-1:])


def _embedding(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    if layer.mask_zero:
        raise ValueError(f"{layer._label()}: mask_zero does nothing inside a layer of one's own")
    table = _weight(layer, "embeddings", (layer.input_dim, layer.output_dim))
    return ops.take(table, values[0], axis=0)


def _dropout(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    _check_seed(layer)
    if not training or not layer.rate:
        return values[0]
    return ops.random.dropout(values[0], layer.rate)


def _alpha_dropout(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    _check_seed(layer)
    if not training or not layer.rate:
        return values[0]
    scale = 1 / math.sqrt((1 - layer.rate) * (1 + layer.rate * _SELU_LIMIT**2))
    kept = ops.random.uniform(values[0].shape) >= layer.rate
    return ops.where(kept, values[0], _SELU_LIMIT) * scale - scale * _SELU_LIMIT * layer.rate


def _gaussian_noise(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    _check_seed(layer)
    if not training:
        return values[0]
    return values[0] + ops.random.normal(values[0].shape, 0.0, layer.stddev)


def _gaussian_dropout(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    _check_seed(layer)
    if not training:
        return values[0]
    stddev = math.sqrt(layer.rate / (1 - layer.rate))
    return values[0] * ops.random.normal(values[0].shape, 1.0, stddev)


def _check_seed(layer: Any) -> None:
    if layer.seed is not None:
        raise ValueError(
            f"{layer._label()}: a seed of its own is not taken inside a layer of one's own, whose "
            "draws follow the model's seed"
        )


def _flatten(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    return ops.reshape(values[0], (None, *layer._output_shape([values[0]._extents[1:]])))


def _rescaling(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    return values[0] * layer.scale + layer.offset


def _normalization(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    if layer.mean is None:
        raise ValueError(
            f"{layer._label()}: adapt it, or give mean and variance, before it is used"
        )
    mean, deviation = np.array(layer.mean), np.sqrt(np.array(layer.variance))
    constant = deviation <= 4 * np.finfo(np.float32).eps * np.abs(mean)
    deviation = np.maximum(deviation, 1e-7)  # as in the core
    if layer.invert:
        return values[0] * np.where(constant, 0.0, deviation) + mean
    return (values[0] - mean) * np.where(constant, 0.0, 1 / deviation)


def _folded(function: Callable[[Any, Any], Any]) -> Expansion:
    def fold(layer: Any, values: Sequence[Traced], training: bool) -> Any:
        total: Any = values[0]
        for value in values[1:]:
            total = function(total, value)
        return total

    return fold


def _average(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    return _folded(ops.add)(layer, values, training) * (1.0 / len(values))


def _concatenate(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    return ops.concatenate(list(values), axis=-1)


def _dot(layer: Any, values: Sequence[Traced], training: bool) -> Any:
    a, b = values
    made = ops.sum(a * b, axis=-1, keepdims=True)
    if not layer.normalize:
        return made
    lengths = [ops.sum(ops.square(x), axis=-1, keepdims=True) for x in (a, b)]
    return made * ops.rsqrt(ops.maximum(lengths[0], 1e-12) * ops.maximum(lengths[1], 1e-12))


_EXPANSIONS: dict[str, Expansion] = {
    "dense": _dense,
    "activation": _activation,
    "prelu": _prelu,
    "maxout": _maxout,
    "layer_normalization": _layer_normalization,
    "rms_normalization": _rms_normalization,
    "embedding": _embedding,
    "dropout": _dropout,
    "alpha_dropout": _alpha_dropout,
    "gaussian_noise": _gaussian_noise,
    "gaussian_dropout": _gaussian_dropout,
    "flatten": _flatten,
    "reshape": _flatten,
    "rescaling": _rescaling,
    "normalization": _normalization,
    "add": _folded(ops.add),
    "subtract": _folded(ops.subtract),
    "multiply": _folded(ops.multiply),
    "average": _average,
    "maximum": _folded(ops.maximum),
    "minimum": _folded(ops.minimum),
    "concatenate": _concatenate,
    "dot": _dot,
}
