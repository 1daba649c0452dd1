# SPDX-License-Identifier: Apache-2.0
"""The steps of an integer program, which compute in NumPy what their C computes, to the bit.

Rows of integers are held as int64, whatever their width is in C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._integer_arithmetic import LIMITS, Line, Multiplier, powers_of_two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass
class Product:
    """Sums of products with weights, rounded to ``bits``; a straight function follows.

    Parameters
    ----------
    weights : ndarray
        (units, inputs), from -127 to 127.
    bias : ndarray
        Of 32 bits, as every sum is.
    multiplier : Multiplier
        Of each unit.
    zero, low, high : int
        What stands for 0, and between what results are kept.
    slope : Multiplier or None
        Of sums below 0.
    bits : int
        Of the results; inputs have 8.
    """

    weights: Array
    bias: Array
    multiplier: Multiplier
    zero: int
    low: int
    high: int
    slope: Multiplier | None
    bits: int
    in_bits: int = 8

    @property
    def width(self) -> int:
        """Values written."""
        return len(self.weights)

    def run(self, q: Array) -> Array:
        """Return the results for rows. Sums of so few bits are exact in double."""
        sums = (q.astype(np.float64) @ self.weights.T.astype(np.float64)).astype(np.int64)
        sums += self.bias
        if self.slope is not None:
            sums = np.where(sums < 0, self.slope.of(sums), sums)
        found: Array = np.clip(self.multiplier.of(sums) + self.zero, self.low, self.high)
        return found


@dataclass
class Table:
    """A function by its values: all 256 of 8 bits; of 16 bits lines between 257, or 256 steps."""

    values: Array
    bits: int
    width: int

    @property
    def in_bits(self) -> int:
        """Bits of what is read."""
        return self.bits

    @property
    def smooth(self) -> bool:
        """Whether there are lines between the values."""
        return len(self.values) == 257

    def run(self, q: Array) -> Array:
        """Return the function's values."""
        if self.bits == 8:
            found: Array = self.values[q + 128]
            return found
        i, rest = (q + 32768) >> 8, q & 255
        found = self.values[i]
        if self.smooth:
            found = found + (((self.values[i + 1] - found) * rest + 128) >> 8)
        return found


@dataclass
class Lines:
    """A straight line for each value; it may read others, and turn 16 bits into 8."""

    line: Line
    in_bits: int
    bits: int

    @property
    def width(self) -> int:
        """Values written."""
        return len(self.line.m)

    def run(self, q: Array) -> Array:
        """Return the values on the lines."""
        return self.line.of(q, self.bits)


@dataclass
class Softmax:
    """Probabilities in 1 / 32768, of so many logits of 16 bits after each other.

    ``multiplier`` turns their differences into powers of 2, in 1 / 65536.
    """

    group: int
    multiplier: Multiplier
    width: int
    bits: int = 16
    in_bits: int = 16

    def run(self, q: Array) -> Array:
        """Return the probabilities."""
        rows = q.reshape(len(q), -1, self.group)
        below = rows.max(axis=2, keepdims=True) - rows
        e = powers_of_two((below * self.multiplier.m) >> self.multiplier.e)
        total = e.sum(axis=2, keepdims=True)
        shares = (e * 32768 + (total >> 1)) // total
        found: Array = np.minimum(shares, LIMITS[16][1]).reshape(q.shape)
        return found


Stage = Product | Table | Lines | Softmax
