# SPDX-License-Identifier: Apache-2.0
"""``tf.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._spelling import module_names
from ._functions import matmul, norm, tensor

__all__ = ["matmul", "matvec", "norm"]


def matvec(a: Any, b: Any, name: str | None = None) -> Any:
    """Return the product of a matrix and a vector.

    Parameters
    ----------
    a : value
        The first factor.
    b : value
        The second factor.
    name : str, optional
        Accepted for TensorFlow's sake.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.linalg.matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
    Tensor([3., 7.], dtype=float32)
    """
    return ops.squeeze(ops.matmul(tensor(a), ops.expand_dims(tensor(b), -1)), -1)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
