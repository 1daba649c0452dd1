# SPDX-License-Identifier: Apache-2.0
"""``tf.random``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops, utils
from ..._spelling import module_names
from ...ops._trace import active

__all__ = ["normal", "set_seed", "uniform"]


def set_seed(seed: int) -> None:
    """Begin a new sequence of seeds, from which all draws follow."""
    utils.set_random_seed(seed)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values with a normal distribution; a seed of their own is not taken."""
    return _tensor(ops.random.normal(shape, mean, stddev))


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return values that are spread evenly; a seed of their own is not taken."""
    return _tensor(ops.random.uniform(shape, minval, maxval))


def _tensor(value: Any) -> Any:
    return value if active() is not None else ops.convert_to_tensor(value)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
