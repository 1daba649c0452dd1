# SPDX-License-Identifier: Apache-2.0
"""Initial values of weights, as objects that carry their arguments.

The core draws the numbers: a draw depends on the model's seed, the tensor and the index alone,
so that the same seed gives the same weights in C++ and in Python with any number of threads.
``fan_in`` and ``fan_out`` are the widths of a layer's input and output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _component
from ._component import Component
from ._spelling import keywords, module_getattr

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "Zeros",
    "get",
]


class Initializer(Component, family="initializer"):
    """Base of all initializers."""


class Zeros(Initializer, entry="zeros"):
    """All values 0."""


class Ones(Initializer, entry="ones"):
    """All values 1."""


class GlorotUniform(Initializer, entry="glorot_uniform"):
    """Uniform on ±sqrt(6 / (fan_in + fan_out)), also called Xavier (Glorot and Bengio, 2010)."""


class GlorotNormal(Initializer, entry="glorot_normal"):
    """Normal with variance 2 / (fan_in + fan_out), truncated as in Keras."""


class HeUniform(Initializer, entry="he_uniform"):
    """Uniform on ±sqrt(6 / fan_in) (He, Zhang, Ren and Sun, 2015, arXiv:1502.01852)."""


class HeNormal(Initializer, entry="he_normal"):
    """Normal with variance 2 / fan_in, truncated as in Keras; made for ReLU."""


class RandomUniform(Initializer, entry="random_uniform"):
    """Uniform on [minval, maxval).

    Parameters
    ----------
    minval, maxval : float
        The bounds.
    """

    @keywords()
    def __init__(self, minval: float = -0.05, maxval: float = 0.05) -> None:
        self.minval = minval
        self.maxval = maxval


class RandomNormal(Initializer, entry="random_normal"):
    """Normal, not truncated.

    Parameters
    ----------
    mean, stddev : float
        Mean and standard deviation.
    """

    @keywords()
    def __init__(self, mean: float = 0.0, stddev: float = 0.05) -> None:
        self.mean = mean
        self.stddev = stddev


class Orthogonal(Initializer, entry="orthogonal"):
    """Random matrix with orthonormal rows or columns (Saxe et al., 2014, arXiv:1312.6120).

    Parameters
    ----------
    gain : float
        Factor on all values.
    """

    @keywords()
    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain


Identifier: TypeAlias = "str | Mapping[str, Any] | type[Initializer] | Initializer"


def get(identifier: Identifier) -> Initializer:
    """Return the initializer that a user named.

    Parameters
    ----------
    identifier : str, mapping or Initializer
        A name such as ``"he_normal"``, a configuration, or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such initializer; the message names the nearest one.
    """
    return _component.get(Initializer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
