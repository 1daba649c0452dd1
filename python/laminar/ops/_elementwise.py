# SPDX-License-Identifier: Apache-2.0
"""Operations element by element, with NumPy's rules for shapes that differ."""

from __future__ import annotations

import math

from ._apply import Value, number, operation, record
from ._traced import Traced

_INFINITY = math.inf


@operation(2)
def add(x1: Value, x2: Value) -> Value:
    """Return x1 + x2.

    Parameters
    ----------
    x1, x2 : value
        Arrays, numbers, tensors or what a layer's `call` has, of shapes that broadcast.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.add([1.0, 2.0], 10.0)
    array([11., 12.], dtype=float32)
    """
    return record("add", x1, x2)


@operation(2)
def subtract(x1: Value, x2: Value) -> Value:
    """Return x1 - x2.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.subtract([1.0, 2.0], [0.5, 4.0])
    array([ 0.5, -2. ], dtype=float32)
    """
    return record("subtract", x1, x2)


@operation(2)
def multiply(x1: Value, x2: Value) -> Value:
    """Return x1 * x2.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.multiply([1.0, 2.0], [3.0, 4.0])
    array([3., 8.], dtype=float32)
    """
    return record("multiply", x1, x2)


@operation(2)
def divide(x1: Value, x2: Value) -> Value:
    """Return x1 / x2.

    Parameters
    ----------
    x1, x2 : value
        As in `add`; x / 0 is infinite, 0 / 0 NaN.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.divide([1.0, 2.0], 4.0)
    array([0.25, 0.5 ], dtype=float32)
    """
    return record("divide", x1, x2)


@operation(2, constants=True)
def power(x1: Value, x2: Value) -> Value:
    """Return x1 to the power of x2; NaN where x1 is negative and x2 is no whole number.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.power([1.0, 2.0, 3.0], 2.0)
    array([1., 4., 9.], dtype=float32)
    """
    exponent = None if x2.shape else constant_of(x2)
    if exponent == 1:
        return x1
    if exponent == 2:
        return record("square", x1)
    return record("power", x1, x2)


@operation(1)
def negative(x: Value) -> Value:
    """Return -x.

    Parameters
    ----------
    x : value
        An array, a number, a tensor or what a layer's `call` has, of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.negative([1.0, -2.0])
    array([-1.,  2.], dtype=float32)
    """
    return record("negative", x)


@operation(1)
def abs(x: Value) -> Value:
    """Return the absolute value; its slope at 0 is 0.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.abs([-1.5, 2.0])
    array([1.5, 2. ], dtype=float32)
    """
    return record("abs", x)


@operation(1)
def sign(x: Value) -> Value:
    """Return -1, 0 or 1; it has no slope.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sign([-1.5, 0.0, 2.0])
    array([-1.,  0.,  1.], dtype=float32)
    """
    return record("sign", x)


@operation(1)
def floor(x: Value) -> Value:
    """Return the largest whole number that is not larger; it has no slope.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.floor([-1.5, 0.5, 2.0])
    array([-2.,  0.,  2.], dtype=float32)
    """
    return record("floor", x)


@operation(1)
def exp(x: Value) -> Value:
    """Return e to the power of x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.exp([0.0, 1.0]).round(4)
    array([1.    , 2.7183], dtype=float32)
    """
    return record("exp", x)


@operation(1)
def expm1(x: Value) -> Value:
    """Return exp(x) - 1, exact near 0.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.expm1([0.0, 1.0]).round(4)
    array([0.    , 1.7183], dtype=float32)
    """
    return record("expm1", x)


@operation(1)
def log(x: Value) -> Value:
    """Return the natural logarithm: -inf for 0, NaN for negative numbers.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.log([1.0, 10.0]).round(4)
    array([0.    , 2.3026], dtype=float32)
    """
    return record("log", x)


@operation(1)
def log1p(x: Value) -> Value:
    """Return log(1 + x), exact near 0.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.log1p([0.0, 1.0]).round(4)
    array([0.    , 0.6931], dtype=float32)
    """
    return record("log1p", x)


@operation(1)
def sqrt(x: Value) -> Value:
    """Return the square root: NaN for negative numbers.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sqrt([4.0, 9.0])
    array([2., 3.], dtype=float32)
    """
    return record("sqrt", x)


@operation(1)
def rsqrt(x: Value) -> Value:
    """Return 1 / sqrt(x).

    Parameters
    ----------
    x : value
        Of any shape; 0 gives infinity.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.rsqrt([4.0, 16.0])
    array([0.5 , 0.25], dtype=float32)
    """
    return record("divide", number(1.0), record("sqrt", x))


@operation(1)
def square(x: Value) -> Value:
    """Return x * x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.square([-3.0, 4.0])
    array([ 9., 16.], dtype=float32)
    """
    return record("square", x)


@operation(1)
def sin(x: Value) -> Value:
    """Return the sine of an angle in radians.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sin([0.0, 1.0]).round(4)
    array([0.    , 0.8415], dtype=float32)
    """
    return record("sin", x)


@operation(1)
def cos(x: Value) -> Value:
    """Return the cosine of an angle in radians.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.cos([0.0, 1.0]).round(4)
    array([1.    , 0.5403], dtype=float32)
    """
    return record("cos", x)


@operation(1)
def erf(x: Value) -> Value:
    """Return the error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.erf([0.0, 1.0]).round(4)
    array([0.    , 0.8427], dtype=float32)
    """
    return record("erf", x)


@operation(1)
def tanh(x: Value) -> Value:
    """Return the hyperbolic tangent.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.tanh([0.0, 1.0]).round(4)
    array([0.    , 0.7616], dtype=float32)
    """
    return record("tanh", x)


@operation(1)
def sigmoid(x: Value) -> Value:
    """Return 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sigmoid([0.0, 2.0]).round(4)
    array([0.5   , 0.8808], dtype=float32)
    """
    return record("sigmoid", x)


@operation(2)
def logaddexp(x1: Value, x2: Value) -> Value:
    """Return log(exp(x1) + exp(x2)), which overflows nowhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.logaddexp([0.0, 100.0], [0.0, 0.0]).round(4)
    array([  0.6931, 100.    ], dtype=float32)
    """
    # Equal infinities have no difference: they are put aside, so that no NaN gets into slopes.
    endless = logical_and(equal(x1, x2), isinf(x1))
    a, b = where(endless, 0.0, x1), where(endless, 0.0, x2)
    first = greater(a, b)
    less_than_first = where(first, b - a, a - b)
    return where(endless, x1, where(first, a, b) + log1p(exp(less_than_first)))


@operation(2)
def maximum(x1: Value, x2: Value) -> Value:
    """Return the larger of two, NaN where one is NaN; where they are equal x1 has the slope.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.maximum([1.0, 5.0], 2.0)
    array([2., 5.], dtype=float32)
    """
    return record("maximum", x1, x2)


@operation(2)
def minimum(x1: Value, x2: Value) -> Value:
    """Return the smaller of two, NaN where one is NaN; where they are equal x1 has the slope.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.minimum([1.0, 5.0], 2.0)
    array([1., 2.], dtype=float32)
    """
    return record("minimum", x1, x2)


@operation(3)
def clip(x: Value, x_min: Value, x_max: Value) -> Value:
    """Return x, but not less than x_min and not more than x_max.

    Parameters
    ----------
    x : value
        Of any shape.
    x_min, x_max : value
        The bounds, of shapes that broadcast with x.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.clip([-1.0, 0.5, 7.0], 0.0, 1.0)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return record("minimum", record("maximum", x, x_min), x_max)


@operation(3)
def where(condition: Value, x1: Value, x2: Value) -> Value:
    """Return x1 where the condition is not 0, x2 where it is.

    A slope of the one that is not taken counts nothing, whatever it is.

    Parameters
    ----------
    condition : value
        Of any shape.
    x1, x2 : value
        What is chosen between, of shapes that broadcast with the condition.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.where([1.0, 0.0], [10.0, 20.0], -1.0)
    array([10., -1.], dtype=float32)
    """
    return record("where", condition, x1, x2)


@operation(2)
def equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 == x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.equal([1.0, 2.0], [1.0, 3.0])
    array([1., 0.], dtype=float32)
    """
    return record("equal", x1, x2)


@operation(2)
def not_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 != x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.not_equal([1.0, 2.0], [1.0, 3.0])
    array([0., 1.], dtype=float32)
    """
    return record("not_equal", x1, x2)


@operation(2)
def less(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 < x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.less([1.0, 2.0], 2.0)
    array([1., 0.], dtype=float32)
    """
    return record("less", x1, x2)


@operation(2)
def less_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 <= x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.less_equal([1.0, 2.0], 2.0)
    array([1., 1.], dtype=float32)
    """
    return record("less_equal", x1, x2)


@operation(2)
def greater(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 > x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.greater([1.0, 2.0], 1.0)
    array([0., 1.], dtype=float32)
    """
    return record("greater", x1, x2)


@operation(2)
def greater_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 >= x2, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.greater_equal([1.0, 2.0], 2.0)
    array([0., 1.], dtype=float32)
    """
    return record("greater_equal", x1, x2)


@operation(2)
def logical_and(x1: Value, x2: Value) -> Value:
    """Return 1 where neither is 0, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`; what is not 0 is true.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.logical_and([1.0, 0.0], [1.0, 1.0])
    array([1., 0.], dtype=float32)
    """
    return record("multiply", truth(x1), truth(x2))


@operation(2)
def logical_or(x1: Value, x2: Value) -> Value:
    """Return 1 where one of the two is not 0, 0 elsewhere.

    Parameters
    ----------
    x1, x2 : value
        As in `add`; what is not 0 is true.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.logical_or([1.0, 0.0], [0.0, 0.0])
    array([1., 0.], dtype=float32)
    """
    return record("maximum", truth(x1), truth(x2))


@operation(1)
def logical_not(x: Value) -> Value:
    """Return 1 where x is 0, 0 elsewhere.

    Parameters
    ----------
    x : value
        Of any shape; what is not 0 is true.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.logical_not([1.0, 0.0])
    array([0., 1.], dtype=float32)
    """
    return record("equal", x, number(0.0))


@operation(1)
def isnan(x: Value) -> Value:
    """Return 1 where x is NaN, 0 elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.isnan([1.0, float("nan")])
    array([0., 1.], dtype=float32)
    """
    return record("not_equal", x, x)


@operation(1)
def isinf(x: Value) -> Value:
    """Return 1 where x is infinite, 0 elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.isinf([1.0, float("-inf")])
    array([0., 1.], dtype=float32)
    """
    return record("equal", record("abs", x), number(_INFINITY))


@operation(1)
def isfinite(x: Value) -> Value:
    """Return 1 where x is a finite number, 0 elsewhere.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.isfinite([1.0, float("inf"), float("nan")])
    array([1., 0., 0.], dtype=float32)
    """
    return record("less", record("abs", x), number(_INFINITY))


@operation(1)
def stop_gradient(variable: Value) -> Value:
    """Return the value itself, which counts as a constant where slopes are computed.

    Parameters
    ----------
    variable : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> from laminar import GradientTape, Variable
    >>> w = Variable([3.0])
    >>> with GradientTape() as tape:
    ...     y = w * ops.stop_gradient(w)
    ...
    >>> tape.gradient(y, w).numpy()
    array([3.], dtype=float32)
    """
    return record("stop_gradient", variable)


@operation(1)
def zeros_like(x: Value) -> Value:
    """Return zeros in the shape of x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.zeros_like([[1.0, 2.0]])
    array([[0., 0.]], dtype=float32)
    """
    return filled(x, 0.0)


@operation(1)
def ones_like(x: Value) -> Value:
    """Return ones in the shape of x.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.ones_like([[1.0, 2.0]])
    array([[1., 1.]], dtype=float32)
    """
    return filled(x, 1.0)


def filled(x: Traced, value: float) -> Traced:
    """Return one number in the shape of a traced value."""
    return record("constant", integers=x._extents, numbers=[value])


def truth(x: Traced) -> Traced:
    """Return 1 where a value is not 0; what is a truth already stays."""
    truths = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    return x if x._trace.value(x).op in truths else record("not_equal", x, number(0.0))


def constant_of(x: Traced) -> float | None:
    """Return the number that a traced value always is, if it is one."""
    made = x._trace.value(x)
    return made.numbers[0] if made.op == "constant" and len(made.numbers) == 1 else None
