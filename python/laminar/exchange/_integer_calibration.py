# SPDX-License-Identifier: Apache-2.0
"""A chain of real numbers and samples of its inputs as an integer program.

Integers have 8 bits between products, and 16 where more costs nothing: before the first product,
if anything is computed there, and from the last one on. The scale of what is written depends on
what reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _integer_chain as real
from . import _integer_scales as scales
from ._integer_arithmetic import FRACTION_BITS, LIMITS, Line, Scale, line, multiplier
from ._integer_stages import Lines, Product, Softmax, Stage, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_FAR = 8  # outputs whose middle is so many times their spread from 0 have an offset
_MOST_CLASSES = 65535  # of which the sums of exponentials have 32 bits


@dataclass
class Integers:
    """An integer program.

    Parameters
    ----------
    inputs : Scale
        Input x becomes factor * x + offset, rounded and kept within the bits of the first stage.
    in_bits : int
        8 or 16.
    stages : list of Stage
        What is done in turn; at least one.
    outputs : Scale
        What the outputs, of 16 bits, stand for.
    """

    inputs: Scale
    in_bits: int
    stages: list[Stage]
    outputs: Scale

    def quantized(self, x: Array) -> Array:
        """Return inputs as integers."""
        limits = LIMITS[self.in_bits]
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.floor(self.inputs.real(x.astype(np.float64)) + 0.5)
        found: Array = np.clip(np.nan_to_num(rounded, nan=0.0), *limits).astype(np.int64)
        return found

    def quantized_integers(self, x: Array, fraction_bits: int = 0) -> Array:
        """Return integers, with so many bits behind the point, as the program reads them."""
        return self.input_line().of(x.astype(np.int64), self.in_bits, fraction_bits)

    def input_line(self) -> Line:
        """Return how the program itself turns integers into inputs."""
        return line(self.inputs.factor, self.inputs.offset)

    def output_line(self) -> Line:
        """Return how the program itself turns outputs into real numbers, in 1 / 65536."""
        whole = 2.0**FRACTION_BITS
        return line(self.outputs.factor * whole, self.outputs.offset * whole)

    def run(self, q: Array) -> Array:
        """Return the outputs for integers."""
        for stage in self.stages:
            q = stage.run(q)
        return q


def calibrated(chain: real.Chain, x: Array, where: str) -> Integers:
    """Return the program whose integers stand for what samples become.

    Parameters
    ----------
    chain : Chain
        Of real numbers.
    x : ndarray
        (samples, inputs), finite.
    where : str
        The caller that errors name.
    """
    v = chain.lead(x)
    body = chain.body
    products = [i for i, each in enumerate(body) if isinstance(each, real.Product)]
    first, last = (products[0], products[-1]) if products else (len(body), len(body))
    bits = 8 if first == 0 and body else 16
    scale = _of_values(v, bits, body[0] if body else None)
    in_bits = bits
    inputs = Scale(chain.lead.factor / scale.factor,
                   (chain.lead.shift - scale.offset) / scale.factor)  # fmt: skip
    stages: list[Stage] = []
    i = 0
    while i < len(body):
        operation, here = body[i], i
        straight = None
        if isinstance(operation, real.Product) and i + 1 < len(body):
            after = body[i + 1]
            straight = after if isinstance(after, real.Function) and after.straight else None
        i += 2 if straight else 1
        following = body[i] if i < len(body) else None
        wide = here >= last or (here < first and not isinstance(following, real.Product))
        out_bits = 16 if wide else 8
        v = operation(v)
        v = v if straight is None else straight(v)
        if not np.isfinite(v).all():
            raise ValueError(
                f"{where}: x leads to numbers inside the model that are not finite, which no "
                "integer stands for"
            )
        stage: Stage
        if isinstance(operation, real.Product):
            stage, scale = _product(operation, straight, scale, v, out_bits, following, where)
        elif isinstance(operation, real.Affine):
            stage, scale = _lines(operation, scale, v, bits, out_bits, following)
        elif isinstance(operation, real.Function):
            stage, scale = _table(operation, scale, bits, v.shape[1])
            out_bits = bits
        else:
            stage, scale = _softmax(operation, scale, v.shape[1], where)
        bits = out_bits
        stages.append(stage)
    if not stages or isinstance(stages[0], Softmax):  # which works on outputs
        same = np.ones(len(inputs.factor))
        stages.insert(0, Lines(line(same, 0 * same), in_bits, in_bits))
    outputs = Scale(chain.trail.factor * scale.factor,
                    chain.trail.factor * scale.offset + chain.trail.shift)  # fmt: skip
    return Integers(inputs, in_bits, stages, outputs)


def _of_values(v: Array, bits: int, following: real.Operation | None) -> Scale:
    """Return a scale for values, each its own where that which reads them can have it so."""
    width = v.shape[1]
    if isinstance(following, real.Product):
        return scales.of_inputs(v, following.kernel)
    if isinstance(following, real.Function):
        if bits == 16:
            return scales.uniform(scales.wide(v, following), 0.0, width)
        factor, zero = scales.narrow(v, following)
        return scales.uniform(factor, -factor * zero, width)
    if isinstance(following, real.Softmax):
        return scales.uniform(scales.wide(v), 0.0, width)
    low, high = v.min(axis=0), v.max(axis=0)
    if bits == 16:
        most = 2 * np.maximum(np.abs(low), np.abs(high))
        return Scale(np.where(most > 0, most, 1.0) / LIMITS[16][1], np.zeros(width))
    return _between(low, high, bits)


def _product(
    operation: real.Product,
    straight: real.Function | None,
    scale: Scale,
    v: Array,
    bits: int,
    following: real.Operation | None,
    where: str,
) -> tuple[Product, Scale]:
    """Return the stage for weights behind a scale: sum_j w_jk (f_j q_j + o_j) + b_k."""
    width = v.shape[1]
    slope, most = (1.0, np.inf) if straight is None else straight.straight or (1.0, np.inf)
    zero, offset = 0, np.zeros(width)
    if bits == 8:
        function = following if isinstance(following, real.Function) else None
        factor, zero = scales.narrow(v, function)
        out = scales.uniform(factor, -factor * zero, width)
    elif following is None or isinstance(following, real.Affine):
        low, high = v.min(axis=0), v.max(axis=0)
        if straight is None:
            middle, half = (low + high) / 2, (high - low) / 2
            offset = np.where(np.abs(middle) > _FAR * half, middle, 0.0) if len(v) > 1 else offset
        out = _of_values(v - offset, bits, None)._replace(offset=offset)
    else:
        out = _of_values(v, bits, following)
    if np.isfinite(most):  # which is one number for all
        out = scales.uniform(float(out.factor.max()), float(out.offset[0]), width)
    kernel = operation.kernel * scale.factor[:, None]
    bias = operation.bias + scale.offset @ operation.kernel - offset
    try:
        weights, biases, factors = scales.rounded_kernel(kernel, bias)
    except ValueError as error:
        raise ValueError(f"{where}: {error}, which has no form in integers") from None
    low_q, high_q = LIMITS[bits]
    if slope == 0:
        low_q = zero
    if np.isfinite(most):
        high_q = int(min(high_q, np.floor(most / out.factor[0] + zero + 0.5)))
    bend = multiplier(slope) if 0 < slope < 1 else None
    stage = Product(
        weights.T, biases, multiplier(factors / out.factor), zero, low_q, high_q, bend, bits
    )
    return stage, out


def _lines(
    operation: real.Affine,
    scale: Scale,
    v: Array,
    bits: int,
    out_bits: int,
    following: real.Operation | None,
) -> tuple[Lines, Scale]:
    out = _of_values(v, out_bits, following)
    if operation.low is not None and operation.high is not None:
        out = _bounded(operation.low, operation.high, v, out_bits)
    at = slice(None) if operation.index is None else operation.index
    factor = operation.factor * scale.factor[at] / out.factor
    shift = operation.factor * scale.offset[at] + operation.shift - out.offset
    found = line(factor, shift / out.factor, operation.index)
    return Lines(found, bits, out_bits), out


def _bounded(low: Array, high: Array, v: Array, bits: int) -> Scale:
    """Return scales that end where values do: what is beyond is cut off as it should be."""
    low = np.where(np.isfinite(low), low, v.min(axis=0))
    high = np.where(np.isfinite(high), high, v.max(axis=0))
    return _between(low, high, bits)


def _between(low: Array, high: Array, bits: int) -> Scale:
    """Return scales whose least and largest integers are two numbers."""
    spread = np.where(high > low, high - low, np.maximum(np.abs(low), 1.0))
    factor = spread / (2.0**bits - 1)
    return Scale(factor, low + 2.0 ** (bits - 1) * factor)


def _table(operation: real.Function, scale: Scale, bits: int, width: int) -> tuple[Table, Scale]:
    """Return the stage of a function; what it reads has one scale for all values."""
    factor, offset = float(scale.factor[0]), float(scale.offset[0])
    if bits == 8:
        values = np.nan_to_num(operation(np.arange(-128, 128) * factor + offset))
        low, high = values.min(), values.max()
        step = (high - low) / 255 if high > low else 1.0
        q = np.clip(np.rint((values - low) / step - 128), *LIMITS[8])
        return Table(q.astype(np.int64), 8, width), scales.uniform(step, low + 128 * step, width)
    table, step = scales.table_of(operation, factor)
    return Table(table, 16, width), scales.uniform(step, 0.0, width)


def _softmax(
    operation: real.Softmax, scale: Scale, width: int, where: str
) -> tuple[Softmax, Scale]:
    """Return e^-(f d) = 2^-(f d log2 e) for differences d from the largest, as a share of all."""
    if operation.group > _MOST_CLASSES:
        raise ValueError(
            f"{where}: a softmax of {operation.group} values has no form in integers; "
            f"at most {_MOST_CLASSES} have"
        )
    powers = multiplier(float(scale.factor[0]) * np.log2(np.e) * 65536)
    return Softmax(operation.group, powers, width), scales.uniform(1 / 32768, 0.0, width)
