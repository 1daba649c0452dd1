# SPDX-License-Identifier: Apache-2.0
"""What integers stand for: scales that lose least on samples.

Where few values are far from all others, they are cut off if that makes the error of all smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._integer_arithmetic import LIMITS, Scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

_MOST = 200_000  # values that are looked at
_ROWS = 1000
_NEARLY = 1.05  # of two errors that are no more apart the wider range wins
_LARGEST_SUM = 2**31 - 1
# Between an input's own range (1) and that of the weights behind it: Xiao et al. (2023),
# "SmoothQuant", arXiv:2211.10438, equation (4).
_SHARES = (1.0, 0.75, 0.5)
_GAIN = 0.25  # a factor of its own for each input has to lower the mean square to this share


def uniform(factor: float, offset: float, width: int) -> Scale:
    """Return one scale for all values."""
    return Scale(np.full(width, factor), np.full(width, offset))


def sample(values: Array) -> Array:
    """Return some of many values, as one axis."""
    flat = values.ravel()
    return flat[:: max(1, -(-flat.size // _MOST))]


def narrow(values: Array, function: Callable[[Array], Array] | None = None) -> tuple[float, int]:
    """Return factor and zero of 8 bits: what a function makes of the rounded values errs least."""
    some = sample(values)
    exact = some if function is None else function(some)
    low, high = min(float(some.min()), 0.0), max(float(some.max()), 0.0)
    if low == high:
        return 1.0, 0
    found: list[tuple[float, float, int]] = []
    for i in range(20):
        part = 2.0 ** (-i / 4)
        factor = (high - low) * part / 255
        zero = round(-128 - low * part / factor)
        rounded = factor * (np.clip(np.rint(some / factor) + zero, -128, 127) - zero)
        near = rounded if function is None else function(rounded)
        found.append((float(np.mean(np.square(near - exact))), factor, zero))
    least = min(error for error, _, _ in found)
    factor, zero = next((f, z) for error, f, z in found if error <= least * _NEARLY)
    return factor, zero


def wide(values: Array, function: Callable[[Array], Array] | None = None) -> float:
    """Return the factor of 16 bits: twice the range, or what a function's table needs."""
    some = sample(values)
    most = 2 * float(np.abs(some).max())
    if most == 0:
        return 1.0 / 32768
    if function is None:
        return most / LIMITS[16][1]
    exact = function(some)
    found: list[tuple[float, float]] = []
    for i in range(28):
        factor = most * 2.0 ** (-i / 2) / 32768
        q, step = table_of(function, factor)
        places = np.arange(len(q)) * 256.0 - 32768
        inside = np.clip(some / factor, -32768, 32767)
        at = np.interp(inside, places, q) if len(q) == 257 else q[(inside + 32768).astype(int) >> 8]
        error = float(np.mean(np.square(at * step - exact)))
        if np.isfinite(error):
            found.append((error, factor))
    if not found:
        return most / 32768
    least = min(error for error, _ in found)
    return next(factor for error, factor in found if error <= least * _NEARLY)


def table_of(function: Callable[[Array], Array], factor: float) -> tuple[Array, float]:
    """Return a function at every 256th of 16 bits, as integers, and what they stand for.

    There are 257 values with lines between them; of a function that jumps 256, each for all up to
    the next.
    """
    places = np.arange(257) * 256.0 - 32768
    values = function(places * factor)
    with np.errstate(invalid="ignore"):
        rises = np.abs(np.diff(values))
        steepest = int(np.argmax(rises))
        fine = np.abs(np.diff(function((places[steepest] + np.arange(257)) * factor)))
    if fine.max() > rises[steepest] / 2:
        values = function((places[:-1] + 128) * factor)
    largest = float(np.abs(values).max())
    step = 1 / 32768 if largest <= 1 else largest / LIMITS[16][1]
    if not np.isfinite(step):
        return np.zeros(257, np.int64), step
    return np.clip(np.rint(values / step), *LIMITS[16]).astype(np.int64), step


def rounded_kernel(kernel: Array, bias: Array) -> tuple[Array, Array, Array]:
    """Return weights of 8 bits, biases of 32 and the factor of each column; no sum overflows."""
    largest = np.abs(kernel).max(axis=0, initial=0.0)
    factor = np.where(largest > 0, largest / 127, np.abs(bias) / 2**20)
    factor = np.where(factor > 0, factor, 1.0)
    # A sum is at most |bias| + 128 * (the sum of |weights|).
    room = _LARGEST_SUM - 128 * 127 * len(kernel) - 1
    if room <= 0:
        raise ValueError(f"a product of {len(kernel)} inputs has sums of more than 32 bits")
    factor = np.maximum(factor, np.abs(bias) / room)
    weights = np.rint(kernel / factor).astype(np.int64)
    return weights, np.rint(bias / factor).astype(np.int64), factor


def of_inputs(values: Array, kernel: Array) -> Scale:
    """Return the scale of 8 bits of what a product reads: one for all, or one for each input."""
    rows = values[:: max(1, -(-len(values) // _ROWS))]
    low, high = values.min(axis=0), values.max(axis=0)
    exact = rows @ kernel

    def error(scale: Scale) -> float:
        q = np.clip(np.rint((rows - scale.offset) / scale.factor), *LIMITS[8])
        behind = kernel * scale.factor[:, None]
        weights, bias, factor = rounded_kernel(behind, scale.offset @ kernel)
        return float(np.mean(np.square((q @ weights + bias) * factor - exact)))

    factor, zero = narrow(values)
    best = uniform(factor, -factor * zero, values.shape[1])
    least = error(best) * _GAIN
    spread = high - low
    constant = spread <= 0
    own = np.where(constant, np.maximum(np.abs(low), 1.0), spread) / 255
    largest = np.abs(kernel).max(axis=1)
    largest = np.where(largest > 0, largest, 1 / own)
    for share in _SHARES:
        raw = own**share / largest ** (1 - share)
        factors = raw * float((own / raw).max(initial=0.0, where=~constant) or 1.0)
        factors = np.where(constant, own, factors)
        scale = Scale(factors, np.where(constant, low, low + 128 * factors))
        if (found := error(scale)) < least:
            best, least = scale, found
    return best
