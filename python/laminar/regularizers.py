# SPDX-License-Identifier: Apache-2.0
"""Penalties on weights, as objects that carry their arguments and as functions of an array.

A layer adds the penalty of its kernel, bias or output to the loss that is minimized. w are the
weights of one tensor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _arrays, _component, _core
from ._component import Component
from ._spelling import keywords, module_getattr

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
]


class Regularizer(Component, family="regularizer"):
    """Base of all regularizers."""

    @keywords()
    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array.

        Parameters
        ----------
        x : array_like
            Weights of any shape, `OrthogonalRegularizer`: of two axes. Summed in double.

        Returns
        -------
        float
            NaN where a weight is NaN. For a variable or a tensor a tensor, which a
            `laminar.GradientTape` follows.
        """
        if getattr(x, "_held", False):
            from ._tape import losses  # needed by few programs

            return losses.penalty(self, x)
        weights = _arrays.real(x, f"{type(self).__name__}: x")
        return _core.penalty(json.dumps(self._spec()), weights)


class L1(Regularizer, entry="l1"):
    """Sum l1 * abs(w), which makes weights zero; its gradient at 0 is 0.

    Parameters
    ----------
    l1 : float
        The factor, at least 0.
    """

    @keywords()
    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = l1


class L2(Regularizer, entry="l2"):
    """Sum l2 * w**2, which makes weights small; there is no factor ½.

    Parameters
    ----------
    l2 : float
        The factor, at least 0.
    """

    @keywords()
    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = l2


class L1L2(Regularizer, entry="l1_l2"):
    """Sum l1 * abs(w) + l2 * w**2, the elastic net.

    Parameters
    ----------
    l1, l2 : float
        The factors, at least 0.
    """

    @keywords()
    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = l1
        self.l2 = l2


class OrthogonalRegularizer(Regularizer, entry="orthogonal"):
    """Mean of ``factor`` * abs(cosine) over all pairs of rows or of columns of a matrix.

    A single row or column has penalty 0; one of norm below 1e-7 counts as nearly zero, as in Keras.

    Parameters
    ----------
    factor : float
        The factor, at least 0.
    mode : {"rows", "columns"}
        What shall be orthogonal. The columns of a kernel are the units of its layer.
    """

    @keywords()
    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = factor
        self.mode = mode


# The other names that Keras has for them.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

Identifier: TypeAlias = "str | Mapping[str, Any] | type[Regularizer] | Regularizer"


def get(identifier: Identifier) -> Regularizer:
    """Return the regularizer that a user named.

    Parameters
    ----------
    identifier : str, mapping or Regularizer
        A name such as ``"l2"``, a configuration, or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such regularizer; the message names the nearest one.
    """
    return _component.get(Regularizer, identifier)


def optional(identifier: Identifier | None) -> Regularizer | None:
    """Return the regularizer that a user named, or None for none."""
    return None if identifier is None else get(identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
