# SPDX-License-Identifier: Apache-2.0
"""Losses, as objects that carry their arguments.

A loss is computed per row; what is minimized and reported is its mean over the rows, weighted by
``sample_weight``: a row of weight 2 equals the row twice. (Keras divides by the number of rows
instead of the sum of weights.) y is the target and p the output of the network, of k columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from . import _component
from ._component import Component
from ._spelling import keywords, module_getattr

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]


class Loss(Component, family="loss"):
    """Base of all losses."""

    # Whether targets are classes: then laminar looks at them as classes where it warns.
    _classifies: ClassVar[bool] = False

    @property
    def _labels(self) -> bool:
        """Whether a target is one class number a row."""
        return bool(_component.entries("loss")[self._entry]["labels"])


class MeanSquaredError(Loss, entry="mse"):
    """Mean over the columns of (y - p)**2, without a factor ½."""


class MeanAbsoluteError(Loss, entry="mae"):
    """Mean over the columns of abs(y - p); the slope at 0 is 0."""


class Huber(Loss, entry="huber"):
    """Mean over the columns of e**2 / 2 where abs(e) <= delta, else delta * (abs(e) - delta / 2).

    Here e = y - p; P. J. Huber (1964). With the ½ the two branches meet at delta.

    Parameters
    ----------
    delta : float
        Error above which the loss grows linearly, in units of y.
    """

    @keywords()
    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta


class BinaryCrossentropy(Loss, entry="binary_crossentropy"):
    """Mean over the columns of -y ln(p) - (1 - y) ln(1 - p).

    Computed on the logits z as max(z, 0) - z y + log1p(exp(-abs(z))) where the last activation is
    a sigmoid or ``from_logits`` is True.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not a probability.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / 2.
    """

    _classifies = True

    @keywords()
    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(Loss, entry="categorical_crossentropy"):
    """Cross-entropy -sum_j y_j ln(p_j) with one-hot or soft targets of k columns.

    Computed on the logits where the last activation is a softmax or ``from_logits`` is True.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not probabilities.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / k.
    """

    _classifies = True

    @keywords()
    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0) -> None:
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class SparseCategoricalCrossentropy(Loss, entry="sparse_categorical_crossentropy"):
    """Cross-entropy -ln(p_y) with one class number 0..k-1 a row.

    Loss and gradient equal those of `CategoricalCrossentropy` with one-hot targets.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not probabilities.
    """

    _classifies = True

    @keywords()
    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = from_logits


Identifier: TypeAlias = "str | Mapping[str, Any] | type[Loss] | Loss"


def get(identifier: Identifier) -> Loss:
    """Return the loss that a user named.

    Parameters
    ----------
    identifier : str, mapping or Loss
        A name such as ``"mse"``, a configuration ``{"name": "huber", "delta": 2.0}``, or an
        object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such loss; the message names the nearest one.
    """
    return _component.get(Loss, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
