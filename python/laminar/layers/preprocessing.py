# SPDX-License-Identifier: Apache-2.0
"""Layers that prepare numbers, so that what was done to the training data stays with the model.

`Discretization` and `CategoryEncoding` give no gradient to their input, so that they come before
all layers that are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays
from .._component import flag, integer, number
from .._spelling import hint, keywords
from .base import Layer, Shape, last_axis

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MODES = ("multi_hot", "one_hot", "count")


class Normalization(Layer, entry="normalization"):
    """(x - mean) / sqrt(variance) for each feature, with mean and variance of known data.

    A constant feature, whose deviation is no more than rounding (4 times the model's precision
    beside its mean), becomes 0 whatever its value is later, and the mean with ``invert``: it has
    no effect. Keras and scikit-learn let new values of it through. Mean and variance are weights
    that training leaves alone: give them, or let `adapt` compute them.

    Parameters
    ----------
    axis : int
        -1, the last axis: the only one there is.
    mean, variance : array_like, optional
        (features,), or one number for all features: both or neither.
    invert : bool
        Do the opposite, x * sqrt(variance) + mean.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layer = layers.Normalization()
    >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer([[1.0, 10.0], [3.0, 30.0]]).round(4)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        axis: int = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        invert: bool = False,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.axis = last_axis(axis, "Normalization: axis")
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: mean and variance go together; give both or neither")
        self._moments: tuple[NDArray[Any], NDArray[Any]] | None = None
        if mean is not None:
            self._moments = _moments(mean, variance)
        self.invert = flag(invert, "Normalization: invert")

    @property
    def mean(self) -> list[float] | None:
        """The mean of each feature; None before `adapt`."""
        return self._current(0)

    @property
    def variance(self) -> list[float] | None:
        """The variance of each feature; None before `adapt`."""
        return self._current(1)

    @keywords()
    def adapt(self, data: ArrayLike) -> None:
        """Take mean and variance from data, in float64.

        Parameters
        ----------
        data : array_like
            Samples, (n, features) or of more axes; the last one holds the features.

        Raises
        ------
        TypeError, ValueError
            Where it holds no finite numbers, or as many features as the layer has not.
        """
        array = _arrays.features(data, "adapt: data", np.dtype(np.float64))
        if not np.isfinite(array).all():
            raise ValueError("adapt: data must be finite")
        axes = tuple(range(array.ndim - 1))
        # A constant is its own mean, whatever rounding makes of the sum.
        first = array.reshape(-1, array.shape[-1])[0]
        constant = (array == first).all(axis=axes)
        moments = (
            np.where(constant, first, array.mean(axis=axes)),
            np.where(constant, 0.0, array.var(axis=axes)),
        )
        if self._model is not None:
            self.set_weights(moments)
        self._moments, self._kept = moments, None

    def _change(self, name: str, value: object) -> None:
        super()._change(name, value)
        if name in ("mean", "variance"):  # in place of those that a model has left behind
            self._kept = None

    def _current(self, which: int) -> list[float] | None:
        if self._model is not None:
            return [float(value) for value in self.get_weights()[which]]
        moments = self._moments if self._kept is None else self._kept
        return None if moments is None else [float(value) for value in moments[which]]

    def _options(self) -> dict[str, Any]:
        return {"invert": self.invert}

    def _brought(self) -> Sequence[ArrayLike] | None:
        if self._kept is not None or self._moments is None:
            return self._kept
        one_for_all = self._moments[0].shape == (1,)
        features = self.get_weights()[0].shape
        return [
            np.broadcast_to(value, features) if one_for_all else value for value in self._moments
        ]


class Rescaling(Layer, entry="rescaling"):
    """x * scale + offset; ``Rescaling(1 / 255)`` brings the bytes of images into [0, 1].

    Parameters
    ----------
    scale, offset : float
        The same for all features.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Rescaling(0.5, offset=-1.0)([[0.0, 4.0]])
    array([[-1.,  1.]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        scale: float,
        offset: float = 0.0,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.scale = number(scale, "Rescaling: scale")
        self.offset = number(offset, "Rescaling: offset")


class Discretization(Layer, entry="discretization"):
    """The number of a value's bin: values in [b[i-1], b[i]) become i.

    Parameters
    ----------
    bin_boundaries : sequence of float
        Increasing; one number less than there are bins.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Discretization([0.0, 1.0])([[-1.0, 0.5, 1.0]])
    array([[0., 1., 2.]], dtype=float32)
    """

    @keywords(input_dim="input_shape", bins="bin_boundaries")
    def __init__(
        self,
        bin_boundaries: Sequence[float],
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        where = "Discretization: bin_boundaries"
        if isinstance(bin_boundaries, (str, bytes)) or not np.iterable(bin_boundaries):
            raise TypeError(f"{where} must be a list of numbers, got {bin_boundaries!r}")
        self.bin_boundaries = tuple(
            number(value, f"{where}[{i}]") for i, value in enumerate(bin_boundaries)
        )
        pairs = zip(self.bin_boundaries, self.bin_boundaries[1:], strict=False)
        if not self.bin_boundaries or any(low >= high for low, high in pairs):
            raise ValueError(f"{where} must be numbers that increase, got {bin_boundaries!r}")


class CategoryEncoding(Layer, entry="category_encoding"):
    """Whole numbers below num_tokens as vectors of that length.

    Parameters
    ----------
    num_tokens : int
        At least 1.
    output_mode : {"multi_hot", "one_hot", "count"}
        "multi_hot": 1 at each number that the sample holds; "count": how often it holds it;
        "one_hot": a vector for each number, as an axis of its own unless the sample is one number.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.CategoryEncoding(4)([[0.0, 2.0]])
    array([[1., 0., 1., 0.]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        num_tokens: int,
        output_mode: str = "multi_hot",
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.num_tokens = integer(num_tokens, "CategoryEncoding: num_tokens", minimum=1)
        self.output_mode = checked_mode(output_mode, "CategoryEncoding", _MODES)

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        if self.output_mode != "one_hot":
            return (self.num_tokens,)
        before = shapes[0][:-1] if shapes[0][-1] == 1 else shapes[0]
        return (*before, self.num_tokens)


def checked_mode(mode: str, kind: str, modes: Sequence[str]) -> str:
    """Return an output mode; an error that names the nearest where there is no such mode."""
    if not isinstance(mode, str):
        raise TypeError(f"{kind}: output_mode must be one of {', '.join(modes)}, got {mode!r}")
    if mode not in modes:
        raise ValueError(f"{kind}: unknown output_mode {mode!r}; {hint(mode, modes)}")
    return mode


def _moments(mean: ArrayLike, variance: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return given moments as vectors of the same length; an error where they are none."""
    found = []
    for name, value in (("mean", mean), ("variance", variance)):
        array = _arrays.tensor(value, f"Normalization: {name}", np.dtype(np.float64))
        array = np.atleast_1d(array.squeeze())
        if array.ndim != 1 or not np.isfinite(array).all():
            raise ValueError(f"Normalization: {name} must hold one finite number a feature")
        found.append(array)
    if found[0].shape != found[1].shape:
        raise ValueError(
            f"Normalization: mean has {len(found[0])} numbers, variance {len(found[1])}"
        )
    if (found[1] < 0).any():
        raise ValueError("Normalization: variance must not be negative")
    return found[0], found[1]
