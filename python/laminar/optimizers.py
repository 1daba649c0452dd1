# SPDX-License-Identifier: Apache-2.0
"""Optimizers, as objects that carry their arguments.

An object is a configuration until a model is compiled with it; from then on its
``learning_rate`` is the live one of that model. The state (momenta, averages, step counter) is
the core's and belongs to the model. g is the gradient of a weight w, η the learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import _component
from ._component import Component
from ._spelling import argument_names, hint, keywords, module_getattr

if TYPE_CHECKING:
    from ._core import ModelFloat32, ModelFloat64

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "get"]


Used = TypeVar("Used", bound="Optimizer")


class Optimizer(Component, family="optimizer"):
    """Base of all optimizers."""

    _model: ModelFloat32 | ModelFloat64 | None = None
    _learning_rate: float = 0.0
    _owner: Callable[[], object] | None = None

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse what would silently change nothing: misspelt names, and late changes."""
        if not name.startswith("_") and name != "learning_rate":
            known = argument_names(type(self).__init__)
            kind = type(self).__name__
            if name not in known:
                raise AttributeError(f"{kind} has no attribute {name!r}; {hint(name, known)}")
            if self._model is not None:
                raise AttributeError(
                    f"{kind}: only learning_rate can be changed after compile; "
                    f"compile again to change {name}"
                )
        super().__setattr__(name, value)

    @property
    def learning_rate(self) -> float:
        """The factor η on each update; setting it acts on the model at once."""
        return self._learning_rate if self._model is None else self._model.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if self._model is not None:
            self._model.learning_rate = value
        self._learning_rate = value

    @property
    def iterations(self) -> int:
        """The number of updates that the model has had since it was compiled."""
        return 0 if self._model is None else self._model.iterations

    def _for(self: Used, owner: object) -> Used:
        """Return the object for a model to use: itself, or a copy if another model uses it."""
        user = None if self._owner is None else self._owner()
        return self if user is None or user is owner else self.from_config(self.get_config())

    def _bind(self, model: ModelFloat32 | ModelFloat64 | None) -> None:
        """Become the live optimizer of a compiled core model, or of none."""
        self._learning_rate = self.learning_rate
        self._model = model


class SGD(Optimizer, entry="sgd"):
    """Gradient descent, w -= η g; with momentum v = momentum * v - η g and w += v.

    With ``nesterov`` the update is w += momentum * v - η g, v being updated first.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead along the momentum (Sutskever et al., 2013).
    """

    @keywords(lr="learning_rate")
    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov


class RMSprop(Optimizer, entry="rmsprop"):
    """Steps divided by the root of a running mean of squares (Tieleman and Hinton, 2012).

    s = rho * s + (1 - rho) g**2, then w -= η g / sqrt(s + epsilon).

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    rho : float
        In [0, 1): memory of the running mean.
    momentum : float
        In [0, 1): accumulates the steps.
    epsilon : float
        Keeps the division finite.
    centered : bool
        Subtract the square of the running mean of g from s.
    """

    @keywords(lr="learning_rate")
    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
    ) -> None:
        self.learning_rate = learning_rate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered


class Adam(Optimizer, entry="adam"):
    """Steps from running means of g and g**2, both corrected for their start at 0.

    D. P. Kingma and J. Ba (2015), arXiv:1412.6980, in the form that Keras computes.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    beta_1, beta_2 : float
        In [0, 1): memory of the running means of g and of g**2.
    epsilon : float
        Keeps the division finite.
    """

    @keywords(lr="learning_rate")
    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon


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
    """
    return _component.get(Optimizer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
