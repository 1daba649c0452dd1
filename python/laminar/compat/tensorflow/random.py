# SPDX-License-Identifier: Apache-2.0
"""``tf.random``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops, utils
from ..._spelling import module_names
from ...ops._trace import active

__all__ = ["normal", "set_seed", "uniform"]


def set_seed(seed: int) -> None:
    """Begin a new sequence of seeds, from which all draws follow.

    Parameters
    ----------
    seed : int
        Of all draws that follow.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.random.set_seed(1)
    >>> first = tf.random.normal((3,)).numpy()
    >>> tf.random.set_seed(1)
    >>> bool((tf.random.normal((3,)).numpy() == first).all())
    True
    """
    utils.set_random_seed(seed)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values with a normal distribution; a seed of their own is not taken.

    Parameters
    ----------
    shape : tuple of int
        The shape of the result.
    mean : float
        Of the draws.
    stddev : float
        Of the draws.
    dtype : dtype, optional
        float64, or else float32 is computed in.
    seed : int, optional
        Accepted for TensorFlow's sake: draws follow `set_seed`.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.random.normal((2, 3)).shape
    (2, 3)
    """
    return _tensor(ops.random.normal(shape, mean, stddev))


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values that are spread evenly; a seed of their own is not taken.

    Parameters
    ----------
    shape : tuple of int
        The shape of the result.
    minval : float
        The lower bound.
    maxval : float
        The upper bound.
    dtype : dtype, optional
        float64, or else float32 is computed in.
    seed : int, optional
        Accepted for TensorFlow's sake: draws follow `set_seed`.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.random.uniform((2, 3), 0.0, 1.0).shape
    (2, 3)
    """
    return _tensor(ops.random.uniform(shape, minval, maxval))


def _tensor(value: Any) -> Any:
    return value if active() is not None else ops.convert_to_tensor(value)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
