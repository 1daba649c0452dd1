# SPDX-License-Identifier: Apache-2.0
"""Activation functions a = f(z), as objects that carry their arguments.

The names in small letters are ready-made objects with the default arguments, as Keras has
functions under these names: ``Dense(64, activation=activations.relu)``. Formulas and slopes are
computed by the core; the classes here are checked against its list by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _component
from ._component import Component
from ._spelling import keywords, module_getattr

__all__ = [
    "ELU",
    "Activation",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Step",
    "Tanh",
    "elu",
    "get",
    "leaky_relu",
    "linear",
    "relu",
    "sigmoid",
    "softmax",
    "step",
    "tanh",
]


class Activation(Component, family="activation"):
    """Base of all activation functions."""


class Linear(Activation, entry="linear"):
    """Identity, f(z) = z."""


class Step(Activation, entry="step"):
    """Rosenblatt's threshold, f(z) = 1 if z > 0 else 0.

    It has no useful slope: a model that contains it predicts, but refuses to be trained by
    gradient.
    """


class Sigmoid(Activation, entry="sigmoid"):
    """Logistic function, f(z) = 1 / (1 + exp(-z)); its slope a (1 - a) is at most 0.25."""


class Tanh(Activation, entry="tanh"):
    """Hyperbolic tangent; its slope is 1 - a**2."""


class ReLU(Activation, entry="relu"):
    """Rectified linear unit, f(z) = max(0, z); its slope at 0 is 0."""


class LeakyReLU(Activation, entry="leaky_relu"):
    """Leaky rectified linear unit, f(z) = z if z >= 0 else negative_slope * z.

    Parameters
    ----------
    negative_slope : float
        Slope for z < 0. The default is Keras's for the function.
    """

    @keywords(alpha="negative_slope")
    def __init__(self, negative_slope: float = 0.2) -> None:
        self.negative_slope = negative_slope


class ELU(Activation, entry="elu"):
    """Exponential linear unit, f(z) = z if z > 0 else alpha * (exp(z) - 1).

    Clevert, Unterthiner and Hochreiter (2016), arXiv:1511.07289.

    Parameters
    ----------
    alpha : float
        The function tends to -alpha for very negative z.
    """

    @keywords()
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha


class Softmax(Activation, entry="softmax"):
    """Softmax over the units of the layer, f(z)_j = exp(z_j) / sum_k exp(z_k), by max-shift."""


linear = Linear()
step = Step()
sigmoid = Sigmoid()
tanh = Tanh()
relu = ReLU()
leaky_relu = LeakyReLU()
elu = ELU()
softmax = Softmax()

Identifier: TypeAlias = "str | Mapping[str, Any] | type[Activation] | Activation | None"


def get(identifier: Identifier) -> Activation:
    """Return the activation that a user named.

    Parameters
    ----------
    identifier : str, mapping, Activation or None
        A name such as ``"relu"``, a configuration ``{"name": "elu", "alpha": 0.5}``, an object
        (returned as it is), or None for `Linear`.

    Raises
    ------
    TypeError, ValueError
        Where there is no such activation; the message names the nearest one.
    """
    if identifier is None:
        return Linear()
    return _component.get(Activation, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
