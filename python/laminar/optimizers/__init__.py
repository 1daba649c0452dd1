# SPDX-License-Identifier: Apache-2.0
"""Optimizers, as objects that carry their arguments; `schedules` change the learning rate.

They train models, and update NumPy arrays of a user's own loop: `Optimizer.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import _component
from .._spelling import module_names
from . import schedules
from ._adam import Adam, Adamax, AdamW, Nadam, RAdam
from ._base import Optimizer
from ._gradient import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop, Rprop
from ._tensor import Adafactor, Lamb, Muon

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "get",
    "schedules",
]

Identifier: TypeAlias = "str | Mapping[str, Any] | type[Optimizer] | Optimizer"


def get(identifier: Identifier) -> Optimizer:
    """Return the optimizer that a user named.

    Parameters
    ----------
    identifier : str, mapping or Optimizer
        A name such as ``"adam"``, a configuration ``{"name": "sgd", "momentum": 0.9}``, or an
        object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such optimizer; the message names the nearest one.

    Examples
    --------
    >>> from laminar import optimizers
    >>> optimizers.get("adam").learning_rate
    0.001
    >>> optimizers.get({"name": "sgd", "learning_rate": 0.1}).learning_rate
    0.1
    """
    return _component.get(Optimizer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
