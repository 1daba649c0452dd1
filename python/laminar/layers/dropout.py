# SPDX-License-Identifier: Apache-2.0
"""Layers that disturb their input in training and are the identity in prediction.

Their draws depend on the seed, the layer, the update, the row in the batch and the column.
"""

from __future__ import annotations

from typing import ClassVar

from .._component import number
from .._spelling import keywords
from .base import Layer, Shape, own_seed


def _rate(value: float, kind: str) -> float:
    """Return the fraction dropped; an error where it is not in [0, 1)."""
    rate = number(value, f"{kind}: rate")
    if not 0 <= rate < 1:
        raise ValueError(
            f"{kind}: rate must be in [0, 1), the fraction that is dropped, got {value!r}"
        )
    return rate


def _stddev(value: float, kind: str) -> float:
    """Return a standard deviation; an error where it is negative."""
    stddev = number(value, f"{kind}: stddev")
    if stddev < 0:
        raise ValueError(f"{kind}: stddev must be at least 0, got {value!r}")
    return stddev


class Dropout(Layer, entry="dropout"):
    """In training, sets a random part of its inputs to 0 and scales the rest by 1 / (1 - rate).

    In prediction it is the identity. Srivastava et al. (2014), in the inverted form.

    Parameters
    ----------
    rate : float
        The fraction dropped, in [0, 1). ``p=0.5`` works too.
    seed : int, optional
        0 ≤ seed < 2**63: fixes the draws whatever the model's seed is.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> import numpy as np
    >>> layer = layers.Dropout(0.5)
    >>> layer(np.ones((1, 4)))
    array([[1., 1., 1., 1.]], dtype=float32)
    """

    _changeable: ClassVar[frozenset[str]] = frozenset(("rate", "seed"))

    @keywords(p="rate", input_dim="input_shape")
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.rate = _rate(rate, "Dropout")
        self.seed = own_seed(seed, "Dropout: seed")


class AlphaDropout(Layer, entry="alpha_dropout"):
    """Dropout for networks of selu units, which keeps mean 0 and variance 1.

    Dropped values become selu's lower limit; all are then scaled and shifted. Klambauer et al.
    (2017), arXiv:1706.02515.

    Parameters
    ----------
    rate : float
        The fraction dropped, in [0, 1).
    seed : int, optional
        0 ≤ seed < 2**63: fixes the draws whatever the model's seed is.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.AlphaDropout(0.1)([[-1.0, 2.0]])
    array([[-1.,  2.]], dtype=float32)
    """

    _changeable: ClassVar[frozenset[str]] = frozenset(("rate", "seed"))

    @keywords(p="rate", input_dim="input_shape")
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.rate = _rate(rate, "AlphaDropout")
        self.seed = own_seed(seed, "AlphaDropout: seed")


class GaussianNoise(Layer, entry="gaussian_noise"):
    """In training, adds to each value a normal draw of mean 0.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, at least 0.
    seed : int, optional
        0 ≤ seed < 2**63: fixes the draws whatever the model's seed is.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.GaussianNoise(0.1)([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    _changeable: ClassVar[frozenset[str]] = frozenset(("stddev", "seed"))

    @keywords(sigma="stddev", input_dim="input_shape")
    def __init__(
        self,
        stddev: float,
        seed: int | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.stddev = _stddev(stddev, "GaussianNoise")
        self.seed = own_seed(seed, "GaussianNoise: seed")


class GaussianDropout(Layer, entry="gaussian_dropout"):
    """In training, multiplies each value by a normal draw of mean 1.

    Its standard deviation sqrt(rate / (1 - rate)) is that of dropout's mask. Srivastava et al.
    (2014), section 10.

    Parameters
    ----------
    rate : float
        As in `Dropout`, in [0, 1).
    seed : int, optional
        0 ≤ seed < 2**63: fixes the draws whatever the model's seed is.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.GaussianDropout(0.3)([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    _changeable: ClassVar[frozenset[str]] = frozenset(("rate", "seed"))

    @keywords(p="rate", input_dim="input_shape")
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.rate = _rate(rate, "GaussianDropout")
        self.seed = own_seed(seed, "GaussianDropout: seed")
