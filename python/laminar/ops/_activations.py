# SPDX-License-Identifier: Apache-2.0
"""The activation functions as operations; `laminar.activations` says more of each."""

from __future__ import annotations

import json
from typing import cast

from .. import _core, activations
from .._component import Component
from ._apply import Value, operation, record
from ._shapes import axis_of
from ._traced import Traced

# Operations of their own, which have slopes of slopes.
_OWN = {"exponential": "exp", "sigmoid": "sigmoid", "tanh": "tanh"}


def activated(x: Traced, function: Component) -> Traced:
    """Return what an activation makes of a traced value."""
    if isinstance(function, activations.Function):
        return cast("Traced", function(x))
    spec = function._spec()
    if spec["name"] == "linear":
        return x
    if spec["name"] in _OWN:
        return record(_OWN[spec["name"]], x)
    integers, numbers = _core.activation_operation(json.dumps(spec))
    return record("activation", x, integers=integers, numbers=numbers)


@operation(1)
def apply(x: Value, function: Component) -> Value:
    """Return what an activation of the core's list makes of values."""
    return activated(x, function)


def _along(x: Traced, axis: int, function: Component) -> Traced:
    """Return what a function of rows makes of the values along an axis."""
    place = axis_of(axis, x.ndim, function._entry, x)
    if place == x.ndim - 1:
        return activated(x, function)
    order = [i for i in range(x.ndim) if i != place] + [place]
    back = sorted(range(x.ndim), key=order.__getitem__)
    made = activated(record("transpose", x, integers=order), function)
    return record("transpose", made, integers=back)


@operation(1)
def linear(x: Value) -> Value:
    """Return x itself."""
    return activated(x, activations.Linear())


@operation(1)
def step(x: Value) -> Value:
    """Return 1 where x > 0, 0 elsewhere; it has no slope."""
    return activated(x, activations.Step())


@operation(1)
def relu(
    x: Value, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Value:
    """Return max(0, x), or with arguments the pieces of `laminar.activations.ReLU`."""
    return activated(x, activations.ReLU(negative_slope, max_value, threshold))


@operation(1)
def leaky_relu(x: Value, negative_slope: float = 0.2) -> Value:
    """Return x where it is positive, negative_slope * x elsewhere."""
    return activated(x, activations.LeakyReLU(negative_slope))


@operation(1)
def elu(x: Value, alpha: float = 1.0) -> Value:
    """Return x where it is positive, alpha * (exp(x) - 1) elsewhere."""
    return activated(x, activations.ELU(alpha))


@operation(1)
def softmax(x: Value, axis: int = -1) -> Value:
    """Return exp(x) / sum(exp(x)) along an axis."""
    return _along(x, axis, activations.Softmax())


@operation(1)
def selu(x: Value) -> Value:
    """Return the scaled exponential linear unit."""
    return activated(x, activations.SELU())


@operation(1)
def celu(x: Value, alpha: float = 1.0) -> Value:
    """Return x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere."""
    return activated(x, activations.CELU(alpha))


@operation(1)
def gelu(x: Value, approximate: bool = False) -> Value:
    """Return x times the probability that a standard normal number is less."""
    return activated(x, activations.GELU(approximate))


@operation(1)
def softplus(x: Value) -> Value:
    """Return log(1 + exp(x))."""
    return activated(x, activations.Softplus())


@operation(1)
def softsign(x: Value) -> Value:
    """Return x / (1 + abs(x))."""
    return activated(x, activations.Softsign())


@operation(1)
def silu(x: Value) -> Value:
    """Return x * sigmoid(x)."""
    return activated(x, activations.SiLU())


@operation(1)
def mish(x: Value) -> Value:
    """Return x * tanh(softplus(x))."""
    return activated(x, activations.Mish())


@operation(1)
def exponential(x: Value) -> Value:
    """Return exp(x)."""
    return activated(x, activations.Exponential())


@operation(1)
def hard_sigmoid(x: Value) -> Value:
    """Return x / 6 + 1 / 2 between 0 and 1."""
    return activated(x, activations.HardSigmoid())


@operation(1)
def hard_tanh(x: Value) -> Value:
    """Return x between -1 and 1."""
    return activated(x, activations.HardTanh())


@operation(1)
def hard_silu(x: Value) -> Value:
    """Return x * hard_sigmoid(x)."""
    return activated(x, activations.HardSiLU())


@operation(1)
def relu6(x: Value) -> Value:
    """Return x between 0 and 6."""
    return activated(x, activations.ReLU6())


@operation(1)
def log_sigmoid(x: Value) -> Value:
    """Return log(sigmoid(x))."""
    return activated(x, activations.LogSigmoid())


@operation(1)
def log_softmax(x: Value, axis: int = -1) -> Value:
    """Return the logarithm of `softmax`."""
    return _along(x, axis, activations.LogSoftmax())


@operation(1)
def tanh_shrink(x: Value) -> Value:
    """Return x - tanh(x)."""
    return activated(x, activations.TanhShrink())


@operation(1)
def hard_shrink(x: Value, threshold: float = 0.5) -> Value:
    """Return x where its absolute value is more than the threshold, 0 elsewhere."""
    return activated(x, activations.HardShrink(threshold))


@operation(1)
def soft_shrink(x: Value, threshold: float = 0.5) -> Value:
    """Return x moved towards 0 by the threshold, 0 where that is passed."""
    return activated(x, activations.SoftShrink(threshold))


@operation(1)
def squareplus(x: Value, b: float = 4.0) -> Value:
    """Return (x + sqrt(x * x + b)) / 2."""
    return activated(x, activations.Squareplus(b))


@operation(1)
def sparse_plus(x: Value) -> Value:
    """Return 0 up to -1, (x + 1)**2 / 4 up to 1, then x."""
    return activated(x, activations.SparsePlus())


@operation(1)
def sparse_sigmoid(x: Value) -> Value:
    """Return (x + 1) / 2 between 0 and 1."""
    return activated(x, activations.SparseSigmoid())


@operation(1)
def sparsemax(x: Value, axis: int = -1) -> Value:
    """Return the nearest shares that add up to 1 along an axis, many of them 0."""
    return _along(x, axis, activations.Sparsemax())


@operation(1)
def threshold(x: Value, threshold: float = 0.0, default_value: float = 0.0) -> Value:
    """Return x where it is more than the threshold, default_value elsewhere."""
    return activated(x, activations.Threshold(threshold, default_value))


hard_swish = hard_silu
swish = silu
