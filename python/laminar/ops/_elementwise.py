# SPDX-License-Identifier: Apache-2.0
"""Operations element by element, with NumPy's rules for shapes that differ."""

from __future__ import annotations

import math

from ._apply import Value, number, operation, record
from ._traced import Traced

_INFINITY = math.inf


@operation(2)
def add(x1: Value, x2: Value) -> Value:
    """Return x1 + x2."""
    return record("add", x1, x2)


@operation(2)
def subtract(x1: Value, x2: Value) -> Value:
    """Return x1 - x2."""
    return record("subtract", x1, x2)


@operation(2)
def multiply(x1: Value, x2: Value) -> Value:
    """Return x1 * x2."""
    return record("multiply", x1, x2)


@operation(2)
def divide(x1: Value, x2: Value) -> Value:
    """Return x1 / x2."""
    return record("divide", x1, x2)


@operation(2, constants=True)
def power(x1: Value, x2: Value) -> Value:
    """Return x1 to the power of x2; NaN where x1 is negative and x2 is no whole number."""
    exponent = None if x2.shape else constant_of(x2)
    if exponent == 1:
        return x1
    if exponent == 2:
        return record("square", x1)
    return record("power", x1, x2)


@operation(1)
def negative(x: Value) -> Value:
    """Return -x."""
    return record("negative", x)


@operation(1)
def abs(x: Value) -> Value:
    """Return the absolute value; its slope at 0 is 0."""
    return record("abs", x)


@operation(1)
def sign(x: Value) -> Value:
    """Return -1, 0 or 1; it has no slope."""
    return record("sign", x)


@operation(1)
def floor(x: Value) -> Value:
    """Return the largest whole number that is not larger; it has no slope."""
    return record("floor", x)


@operation(1)
def exp(x: Value) -> Value:
    """Return e to the power of x."""
    return record("exp", x)


@operation(1)
def expm1(x: Value) -> Value:
    """Return exp(x) - 1, exact near 0."""
    return record("expm1", x)


@operation(1)
def log(x: Value) -> Value:
    """Return the natural logarithm: -inf for 0, NaN for negative numbers."""
    return record("log", x)


@operation(1)
def log1p(x: Value) -> Value:
    """Return log(1 + x), exact near 0."""
    return record("log1p", x)


@operation(1)
def sqrt(x: Value) -> Value:
    """Return the square root: NaN for negative numbers."""
    return record("sqrt", x)


@operation(1)
def rsqrt(x: Value) -> Value:
    """Return 1 / sqrt(x)."""
    return record("divide", number(1.0), record("sqrt", x))


@operation(1)
def square(x: Value) -> Value:
    """Return x * x."""
    return record("square", x)


@operation(1)
def sin(x: Value) -> Value:
    """Return the sine of an angle in radians."""
    return record("sin", x)


@operation(1)
def cos(x: Value) -> Value:
    """Return the cosine of an angle in radians."""
    return record("cos", x)


@operation(1)
def erf(x: Value) -> Value:
    """Return the error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return record("erf", x)


@operation(1)
def tanh(x: Value) -> Value:
    """Return the hyperbolic tangent."""
    return record("tanh", x)


@operation(1)
def sigmoid(x: Value) -> Value:
    """Return 1 / (1 + exp(-x))."""
    return record("sigmoid", x)


@operation(2)
def logaddexp(x1: Value, x2: Value) -> Value:
    """Return log(exp(x1) + exp(x2)), which overflows nowhere."""
    # Equal infinities have no difference: they are put aside, so that no NaN gets into slopes.
    endless = logical_and(equal(x1, x2), isinf(x1))
    a, b = where(endless, 0.0, x1), where(endless, 0.0, x2)
    first = greater(a, b)
    less_than_first = where(first, b - a, a - b)
    return where(endless, x1, where(first, a, b) + log1p(exp(less_than_first)))


@operation(2)
def maximum(x1: Value, x2: Value) -> Value:
    """Return the larger of two, NaN where one is NaN; where they are equal x1 has the slope."""
    return record("maximum", x1, x2)


@operation(2)
def minimum(x1: Value, x2: Value) -> Value:
    """Return the smaller of two, NaN where one is NaN; where they are equal x1 has the slope."""
    return record("minimum", x1, x2)


@operation(3)
def clip(x: Value, x_min: Value, x_max: Value) -> Value:
    """Return x, but not less than x_min and not more than x_max."""
    return record("minimum", record("maximum", x, x_min), x_max)


@operation(3)
def where(condition: Value, x1: Value, x2: Value) -> Value:
    """Return x1 where the condition is not 0, x2 where it is.

    A slope of the one that is not taken counts nothing, whatever it is.
    """
    return record("where", condition, x1, x2)


@operation(2)
def equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 == x2, 0 elsewhere."""
    return record("equal", x1, x2)


@operation(2)
def not_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 != x2, 0 elsewhere."""
    return record("not_equal", x1, x2)


@operation(2)
def less(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 < x2, 0 elsewhere."""
    return record("less", x1, x2)


@operation(2)
def less_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 <= x2, 0 elsewhere."""
    return record("less_equal", x1, x2)


@operation(2)
def greater(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 > x2, 0 elsewhere."""
    return record("greater", x1, x2)


@operation(2)
def greater_equal(x1: Value, x2: Value) -> Value:
    """Return 1 where x1 >= x2, 0 elsewhere."""
    return record("greater_equal", x1, x2)


@operation(2)
def logical_and(x1: Value, x2: Value) -> Value:
    """Return 1 where neither is 0, 0 elsewhere."""
    return record("multiply", truth(x1), truth(x2))


@operation(2)
def logical_or(x1: Value, x2: Value) -> Value:
    """Return 1 where one of the two is not 0, 0 elsewhere."""
    return record("maximum", truth(x1), truth(x2))


@operation(1)
def logical_not(x: Value) -> Value:
    """Return 1 where x is 0, 0 elsewhere."""
    return record("equal", x, number(0.0))


@operation(1)
def isnan(x: Value) -> Value:
    """Return 1 where x is NaN, 0 elsewhere."""
    return record("not_equal", x, x)


@operation(1)
def isinf(x: Value) -> Value:
    """Return 1 where x is infinite, 0 elsewhere."""
    return record("equal", record("abs", x), number(_INFINITY))


@operation(1)
def isfinite(x: Value) -> Value:
    """Return 1 where x is a finite number, 0 elsewhere."""
    return record("less", record("abs", x), number(_INFINITY))


@operation(1)
def stop_gradient(variable: Value) -> Value:
    """Return the value itself, which counts as a constant where slopes are computed."""
    return record("stop_gradient", variable)


@operation(1)
def zeros_like(x: Value) -> Value:
    """Return zeros in the shape of x."""
    return filled(x, 0.0)


@operation(1)
def ones_like(x: Value) -> Value:
    """Return ones in the shape of x."""
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
