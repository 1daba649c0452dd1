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
    """Return x itself.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.linear([-1.0, 2.0])
    array([-1.,  2.], dtype=float32)
    """
    return activated(x, activations.Linear())


@operation(1)
def step(x: Value) -> Value:
    """Return 1 where x > 0, 0 elsewhere; it has no slope.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.step([-1.0, 0.0, 2.0])
    array([0., 0., 1.], dtype=float32)
    """
    return activated(x, activations.Step())


@operation(1)
def relu(
    x: Value, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Value:
    """Return max(0, x), or with arguments the pieces of `laminar.activations.ReLU`.

    Parameters
    ----------
    x : value
        Of any shape.
    negative_slope : float
        The slope below the threshold.
    max_value : float, optional
        What larger values become.
    threshold : float
        What counts as 0.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.relu([-1.0, 2.0, 9.0], max_value=6.0)
    array([0., 2., 6.], dtype=float32)
    """
    return activated(x, activations.ReLU(negative_slope, max_value, threshold))


@operation(1)
def leaky_relu(x: Value, negative_slope: float = 0.2) -> Value:
    """Return x where it is positive, negative_slope * x elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.
    negative_slope : float
        The slope of negative values.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.leaky_relu([-1.0, 2.0], negative_slope=0.5)
    array([-0.5,  2. ], dtype=float32)
    """
    return activated(x, activations.LeakyReLU(negative_slope))


@operation(1)
def elu(x: Value, alpha: float = 1.0) -> Value:
    """Return x where it is positive, alpha * (exp(x) - 1) elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.
    alpha : float
        Minus the limit for very negative values.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.elu([-1.0, 2.0]).round(4)
    array([-0.6321,  2.    ], dtype=float32)
    """
    return activated(x, activations.ELU(alpha))


@operation(1)
def softmax(x: Value, axis: int = -1) -> Value:
    """Return exp(x) / sum(exp(x)) along an axis.

    Parameters
    ----------
    x : value
        Of one axis or more.
    axis : int
        The axis whose values then add up to 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.softmax([[0.0, 1.0, 2.0]]).round(4)
    array([[0.09  , 0.2447, 0.6652]], dtype=float32)
    """
    return _along(x, axis, activations.Softmax())


@operation(1)
def selu(x: Value) -> Value:
    """Return the scaled exponential linear unit.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.selu([-1.0, 2.0]).round(4)
    array([-1.1113,  2.1014], dtype=float32)
    """
    return activated(x, activations.SELU())


@operation(1)
def celu(x: Value, alpha: float = 1.0) -> Value:
    """Return x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.
    alpha : float
        Minus the limit for very negative values.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.celu([-1.0, 2.0]).round(4)
    array([-0.6321,  2.    ], dtype=float32)
    """
    return activated(x, activations.CELU(alpha))


@operation(1)
def gelu(x: Value, approximate: bool = False) -> Value:
    """Return x times the probability that a standard normal number is less.

    Parameters
    ----------
    x : value
        Of any shape.
    approximate : bool
        Compute it by tanh, as some papers do.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.gelu([-1.0, 2.0]).round(4)
    array([-0.1587,  1.9545], dtype=float32)
    """
    return activated(x, activations.GELU(approximate))


@operation(1)
def softplus(x: Value) -> Value:
    """Return log(1 + exp(x)).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.softplus([-1.0, 2.0]).round(4)
    array([0.3133, 2.1269], dtype=float32)
    """
    return activated(x, activations.Softplus())


@operation(1)
def softsign(x: Value) -> Value:
    """Return x / (1 + abs(x)).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.softsign([-1.0, 3.0])
    array([-0.5 ,  0.75], dtype=float32)
    """
    return activated(x, activations.Softsign())


@operation(1)
def silu(x: Value) -> Value:
    """Return x * sigmoid(x).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.silu([-1.0, 2.0]).round(4)
    array([-0.2689,  1.7616], dtype=float32)
    """
    return activated(x, activations.SiLU())


@operation(1)
def mish(x: Value) -> Value:
    """Return x * tanh(softplus(x)).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.mish([-1.0, 2.0]).round(4)
    array([-0.3034,  1.944 ], dtype=float32)
    """
    return activated(x, activations.Mish())


@operation(1)
def exponential(x: Value) -> Value:
    """Return exp(x).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.exponential([0.0, 1.0]).round(4)
    array([1.    , 2.7183], dtype=float32)
    """
    return activated(x, activations.Exponential())


@operation(1)
def hard_sigmoid(x: Value) -> Value:
    """Return x / 6 + 1 / 2 between 0 and 1.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.hard_sigmoid([-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return activated(x, activations.HardSigmoid())


@operation(1)
def hard_tanh(x: Value) -> Value:
    """Return x between -1 and 1.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.hard_tanh([-4.0, 0.5, 4.0])
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return activated(x, activations.HardTanh())


@operation(1)
def hard_silu(x: Value) -> Value:
    """Return x * hard_sigmoid(x).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.hard_silu([-4.0, 0.0, 4.0])
    array([-0.,  0.,  4.], dtype=float32)
    """
    return activated(x, activations.HardSiLU())


@operation(1)
def relu6(x: Value) -> Value:
    """Return x between 0 and 6.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.relu6([-1.0, 3.0, 8.0])
    array([0., 3., 6.], dtype=float32)
    """
    return activated(x, activations.ReLU6())


@operation(1)
def log_sigmoid(x: Value) -> Value:
    """Return log(sigmoid(x)).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.log_sigmoid([-1.0, 2.0]).round(4)
    array([-1.3133, -0.1269], dtype=float32)
    """
    return activated(x, activations.LogSigmoid())


@operation(1)
def log_softmax(x: Value, axis: int = -1) -> Value:
    """Return the logarithm of `softmax`.

    Parameters
    ----------
    x : value
        Of one axis or more.
    axis : int
        The axis whose shares are meant.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.log_softmax([[0.0, 1.0, 2.0]]).round(4)
    array([[-2.4076, -1.4076, -0.4076]], dtype=float32)
    """
    return _along(x, axis, activations.LogSoftmax())


@operation(1)
def tanh_shrink(x: Value) -> Value:
    """Return x - tanh(x).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.tanh_shrink([-1.0, 2.0]).round(4)
    array([-0.2384,  1.036 ], dtype=float32)
    """
    return activated(x, activations.TanhShrink())


@operation(1)
def hard_shrink(x: Value, threshold: float = 0.5) -> Value:
    """Return x where its absolute value is more than the threshold, 0 elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.
    threshold : float
        The size up to which values become 0.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.hard_shrink([-1.0, 0.25, 2.0])
    array([-1.,  0.,  2.], dtype=float32)
    """
    return activated(x, activations.HardShrink(threshold))


@operation(1)
def soft_shrink(x: Value, threshold: float = 0.5) -> Value:
    """Return x moved towards 0 by the threshold, 0 where that is passed.

    Parameters
    ----------
    x : value
        Of any shape.
    threshold : float
        How far values move, at least 0.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.soft_shrink([-1.0, 0.25, 2.0])
    array([-0.5,  0. ,  1.5], dtype=float32)
    """
    return activated(x, activations.SoftShrink(threshold))


@operation(1)
def squareplus(x: Value, b: float = 4.0) -> Value:
    """Return (x + sqrt(x * x + b)) / 2.

    Parameters
    ----------
    x : value
        Of any shape.
    b : float
        How round the bend at 0 is.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.squareplus([-1.0, 0.0, 1.5]).round(4)
    array([0.618, 1.   , 2.   ], dtype=float32)
    """
    return activated(x, activations.Squareplus(b))


@operation(1)
def sparse_plus(x: Value) -> Value:
    """Return 0 up to -1, (x + 1)**2 / 4 up to 1, then x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sparse_plus([-2.0, 0.0, 2.0])
    array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return activated(x, activations.SparsePlus())


@operation(1)
def sparse_sigmoid(x: Value) -> Value:
    """Return (x + 1) / 2 between 0 and 1.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sparse_sigmoid([-2.0, 0.5, 2.0])
    array([0.  , 0.75, 1.  ], dtype=float32)
    """
    return activated(x, activations.SparseSigmoid())


@operation(1)
def sparsemax(x: Value, axis: int = -1) -> Value:
    """Return the nearest shares that add up to 1 along an axis, many of them 0.

    Parameters
    ----------
    x : value
        Of one axis or more.
    axis : int
        The axis whose values then add up to 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sparsemax([[0.0, 1.0, 1.5]])
    array([[0.  , 0.25, 0.75]], dtype=float32)
    """
    return _along(x, axis, activations.Sparsemax())


@operation(1)
def threshold(x: Value, threshold: float = 0.0, default_value: float = 0.0) -> Value:
    """Return x where it is more than the threshold, default_value elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.
    threshold : float
        Above which values stay.
    default_value : float
        What the others become.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.threshold([-1.0, 0.5, 2.0], 1.0, 0.25)
    array([0.25, 0.25, 2.  ], dtype=float32)
    """
    return activated(x, activations.Threshold(threshold, default_value))


hard_swish = hard_silu
swish = silu
