# SPDX-License-Identifier: Apache-2.0
"""What takes the place of functions that NumPy, Keras and TensorFlow have under other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._held import Tensor

# The operations by name; `_apply.operation` fills it. (They return values of the kind they are
# given; what type checkers see is a tensor, which all kinds of them stand for.)
OPERATIONS: dict[str, Callable[..., Tensor]] = {}

# Operations that are called otherwise here.
OTHER_NAMES = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "array_split": "split",
    "average": "mean",
    "concat": "concatenate",
    "dot": "matmul",
    "einsum": "matmul",
    "empty_like": "zeros_like",
    "fabs": "abs",
    "float_power": "power",
    "full_like": "ones_like",
    "gather": "take",
    "hstack": "concatenate",
    "inner": "matmul",
    "invert": "logical_not",
    "linalg.norm": "norm",
    "moveaxis": "transpose",
    "nan_to_num": "where",
    "pow": "power",
    "ravel": "reshape",
    "reduce_logsumexp": "logsumexp",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_std": "std",
    "reduce_sum": "sum",
    "reduce_variance": "var",
    "repeat": "broadcast_to",
    "select": "where",
    "swapaxes": "transpose",
    "tensordot": "matmul",
    "tile": "broadcast_to",
    "true_divide": "divide",
    "vstack": "concatenate",
}
# What is no operation of its own.
_WRITTEN = {
    "ceil": "-laminar.ops.floor(-x)",
    "cosh": "(laminar.ops.exp(x) + laminar.ops.exp(-x)) / 2",
    "diagonal": "laminar.ops.sum(a * b, axis=-1), which is that of a @ b.T",
    "flip": "x[:, ::-1]",
    "fmod": "x % y",
    "l2_normalize": "x / laminar.ops.norm(x, axis=-1, keepdims=True)",
    "log10": "laminar.ops.log(x) / math.log(10)",
    "log2": "laminar.ops.log(x) / math.log(2)",
    "mod": "x % y",
    "normalize": "x / laminar.ops.norm(x, axis=-1, keepdims=True)",
    "reciprocal": "1 / x",
    "remainder": "x % y",
    "rint": "laminar.ops.floor(x + 0.5)",
    "round": "laminar.ops.floor(x + 0.5)",
    "sinh": "(laminar.ops.exp(x) - laminar.ops.exp(-x)) / 2",
    "squared_difference": "laminar.ops.square(x - y)",
    "take_along_axis": "laminar.ops.sum(x * laminar.ops.one_hot(indices, n), axis=-1)",
    "tan": "laminar.ops.sin(x) / laminar.ops.cos(x)",
}
_CONSTANTS = ("arange", "array", "eye", "full", "identity", "linspace", "ones", "tri", "zeros")


def advice_for(name: str) -> str:
    """Return what takes the place of a function of NumPy."""
    known = instead(name)
    if known is None and name in OPERATIONS:
        known = f"write laminar.ops.{name}"
    return known or "write it with the operations of laminar.ops"


def instead(name: str) -> str | None:
    """Return what takes the place of a function that is not here under its name, if it is known."""
    if name in OTHER_NAMES:
        return f"write laminar.ops.{OTHER_NAMES[name]}"
    if name in _WRITTEN:
        return f"write {_WRITTEN[name]}"
    if name in _CONSTANTS:
        return f"arrays are constants here: write numpy.{name}"
    return None
