# SPDX-License-Identifier: Apache-2.0
"""Limits on weights, as objects that carry their arguments and as functions of an array.

A layer applies its constraints after every update. Norms are Euclidean and taken along ``axis``:
along axis 0 of a kernel (in, out) they are those of each unit's incoming weights. As in Keras,
1e-7 is added to a norm before it divides, so that what is scaled to 1 is shorter by about 1e-7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _arrays, _component, _core
from ._component import Component
from ._spelling import keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
]


class Constraint(Component, family="constraint"):
    """Base of all constraints."""

    @keywords()
    def __call__(self, w: ArrayLike) -> NDArray[Any]:
        """Return the constrained array.

        Parameters
        ----------
        w : array_like
            Weights; they are left as they are.

        Returns
        -------
        ndarray
            New, of the same shape; float32 where w is float32 or narrower, else float64. A NaN
            spoils the vector whose norm it enters, and no other.

        Raises
        ------
        ValueError
            If w does not have the constraint's axis.
        """
        weights: NDArray[Any] = _arrays.real(w, f"{type(self).__name__}: w").copy()
        _core.constrain(json.dumps(self._spec()), weights)
        return weights


class MaxNorm(Constraint, entry="max_norm"):
    """Norms of at most ``max_value``.

    Parameters
    ----------
    max_value : float
        The largest norm, at least 0.
    axis : int
        Along which norms are taken.
    """

    @keywords()
    def __init__(self, max_value: float = 2.0, axis: int = 0) -> None:
        self.max_value = max_value
        self.axis = axis


class NonNeg(Constraint, entry="non_neg"):
    """No negative weights: max(w, 0)."""


class UnitNorm(Constraint, entry="unit_norm"):
    """Norms of 1; a vector of zeros stays.

    Parameters
    ----------
    axis : int
        Along which norms are taken.
    """

    @keywords()
    def __init__(self, axis: int = 0) -> None:
        self.axis = axis


class MinMaxNorm(Constraint, entry="min_max_norm"):
    """Norms between ``min_value`` and ``max_value``; a vector of zeros stays.

    Parameters
    ----------
    min_value, max_value : float
        The bounds, at least 0.
    rate : float
        In [0, 1]: the share of the way to the bound that is gone at once.
    axis : int
        Along which norms are taken.
    """

    @keywords()
    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis


# The other names that Keras has for them.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

Identifier: TypeAlias = "str | Mapping[str, Any] | type[Constraint] | Constraint"


def get(identifier: Identifier) -> Constraint:
    """Return the constraint that a user named.

    Parameters
    ----------
    identifier : str, mapping or Constraint
        A name such as ``"non_neg"``, a configuration, or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such constraint; the message names the nearest one.
    """
    return _component.get(Constraint, identifier)


def optional(identifier: Identifier | None) -> Constraint | None:
    """Return the constraint that a user named, or None for none."""
    return None if identifier is None else get(identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
