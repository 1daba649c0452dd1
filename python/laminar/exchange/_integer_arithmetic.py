# SPDX-License-Identifier: Apache-2.0
"""The fixed-point arithmetic of integer programs, in NumPy to the bit as in their C.

A number is scaled by a multiplier m of 31 bits and a shift e, as in section 2.2 of Jacob et al.
(2018), "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", arXiv:1712.05877: x M is nearly (x m + 2^(e-1)) >> e with M = m 2^-e. A product has at
most 62 bits, a tie is rounded upwards, and a shift keeps the sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRACTION_BITS = 16  # of the real numbers that programs take and give
LIMITS = {8: (-128, 127), 16: (-32768, 32767), 32: (-(2**31), 2**31 - 1)}

# 2^-(i / 64) in 1 / 65536: between two of them a line is within 2e-5.
POWERS = np.rint(65536 * 2.0 ** (-np.arange(65) / 64)).astype(np.int64)


class Scale(NamedTuple):
    """What integers stand for: factor * q + offset, for each value of a row."""

    factor: NDArray[Any]
    offset: NDArray[Any]

    def real(self, q: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers that integers stand for."""
        found: NDArray[Any] = self.factor * q + self.offset
        return found


class Multiplier(NamedTuple):
    """Factors as m 2^-e."""

    m: NDArray[Any]
    e: NDArray[Any]

    def of(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return integers of at most 32 bits times the factors, rounded."""
        found: NDArray[Any] = (x * self.m + (np.int64(1) << (self.e - 1))) >> self.e
        return found


class Line(NamedTuple):
    """Straight lines, m 2^-e x + o 2^-e, each of value ``reads`` of a row, or all in turn."""

    m: NDArray[Any]
    o: NDArray[Any]
    e: NDArray[Any]
    reads: NDArray[Any] | None = None

    def of(self, x: NDArray[Any], bits: int, fraction_bits: int = 0) -> NDArray[Any]:
        """Return integers of so many bits; x has ``fraction_bits`` behind the point."""
        x = x if self.reads is None else x[:, self.reads]
        e = self.e + fraction_bits
        found = (x * self.m + (self.o << fraction_bits) + (np.int64(1) << (e - 1))) >> e
        kept: NDArray[Any] = np.clip(found, *LIMITS[bits])
        return kept


def multiplier(factors: Any) -> Multiplier:
    """Return factors that are not negative in fixed point, to 31 bits where they are not tiny."""
    mantissa, power = np.frexp(np.asarray(factors, np.float64))
    e = np.clip(31 - power, 1, 62).astype(np.int64)
    m = np.rint(np.ldexp(mantissa, power + e)).astype(np.int64)
    over = m >= 2**31
    again = over & (e > 1)
    m, e = np.where(again, m >> 1, m), np.where(again, e - 1, e)
    return Multiplier(np.minimum(m, 2**31 - 1), e)


def line(factors: NDArray[Any], shifts: NDArray[Any], reads: NDArray[Any] | None = None) -> Line:
    """Return factors x + shifts in fixed point, for x of 32 bits: no sum has more than 62."""
    with np.errstate(divide="ignore"):
        first = 29 - np.ceil(np.log2(np.abs(factors)))
        second = 43 - np.ceil(np.log2(np.abs(shifts)))
    e = np.clip(np.minimum(first, second), 1, 44).astype(np.int64)
    m = np.clip(np.rint(np.ldexp(factors, e)), -(2.0**30), 2.0**30)
    o = np.clip(np.rint(np.ldexp(shifts, e)), -(2.0**44), 2.0**44)
    return Line(m.astype(np.int64), o.astype(np.int64), e, reads)


def powers_of_two(t: NDArray[Any]) -> NDArray[Any]:
    """Return 2^-t in 1 / 65536 for t in 1 / 65536, at least 0."""
    whole, fraction = t >> 16, t & 65535
    i, rest = fraction >> 10, fraction & 1023
    value = POWERS[i] - (((POWERS[i] - POWERS[i + 1]) * rest + 512) >> 10)
    whole = np.minimum(whole, 20)  # of which 0 is left
    found: NDArray[Any] = (value + ((np.int64(1) << whole) >> 1)) >> whole
    return found
