# SPDX-License-Identifier: Apache-2.0
"""Which loss belongs to which last activation.

| problem               | last activation  | loss                                            |
|-----------------------|------------------|-------------------------------------------------|
| yes or no             | sigmoid, 1 unit  | binary_crossentropy                             |
| one class of several  | softmax          | categorical_ or sparse_categorical_crossentropy |
| any number of several | sigmoid, k units | binary_crossentropy                             |
| a number              | linear           | mse, mae, huber, ...                            |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import losses
from ._component import Component, entries

if TYPE_CHECKING:
    from .layers import Layer

_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
_CATEGORICAL = (
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy",
)
# Activations whose values are in [0, 1].
_PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")


def loss(stack: Sequence[Layer], y: Any = ()) -> losses.Loss:
    """Return the loss for a model whose user named none.

    Parameters
    ----------
    stack : sequence of Layer
        The model's layers.
    y : array_like
        The first targets, where they are known: rows of several columns, or class numbers.
    """
    match _last_activation(stack):
        case "sigmoid":
            return losses.BinaryCrossentropy()
        case "softmax":
            try:
                shape = np.shape(y)
            except ValueError:  # ragged: the targets are refused a moment later
                shape = ()
            if len(shape) == 2 and shape[1] > 1:
                return losses.CategoricalCrossentropy()
            return losses.SparseCategoricalCrossentropy()
        case _:
            return losses.MeanSquaredError()


def mismatch(stack: Sequence[Layer], chosen: losses.Loss) -> str | None:
    """Return what is wrong with a loss after the last activation, and what would be right."""
    activation = _last_activation(stack)
    name = chosen._entry
    if activation is None:
        return None
    units = _units(stack)
    if activation == "softmax" and units == 1:
        return (
            "softmax over one unit is always 1; use sigmoid with binary_crossentropy, "
            "or one unit for each class"
        )
    if activation == "softmax" and name in _BINARY:
        return (
            f"softmax with {name} takes classes that exclude each other for separate questions; "
            "use categorical_crossentropy for one-hot rows or sparse_categorical_crossentropy "
            "for class numbers, or sigmoid where a row may have several classes"
        )
    if activation == "sigmoid" and name in _CATEGORICAL:
        if units == 1:
            return f"sigmoid of one unit with {name}; use binary_crossentropy"
        return (
            f"sigmoid with {name}: the outputs do not sum to 1; use softmax, "
            "or binary_crossentropy where a row may have several classes"
        )
    if activation in _PROBABILITIES or name not in (*_BINARY, *_CATEGORICAL):
        return None
    if getattr(chosen, "from_logits", False):
        return None
    last = "sigmoid" if name in _BINARY else "softmax"
    return (
        f"{name} takes probabilities, which the outputs of {activation} are not; "
        f"end with {last}, or use from_logits=True"
    )


def _last_activation(stack: Sequence[Layer]) -> str | None:
    """Return the name of the activation that a model ends with, None where it ends otherwise."""
    if not stack:
        return None
    activation = getattr(stack[-1], "activation", None)
    if isinstance(activation, Component):
        return activation._entry
    entry = stack[-1]._entry  # a layer that is an activation and no more
    return entry if entry in entries("activation") else None


def _units(stack: Sequence[Layer]) -> int | None:
    """Return the width of the output where a layer tells it."""
    widths = (getattr(layer, "units", None) for layer in reversed(stack))
    return next((width for width in widths if isinstance(width, int)), None)
