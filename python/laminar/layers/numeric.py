# SPDX-License-Identifier: Apache-2.0
"""Single numbers as several values, so that a network bends where the data do.

A dense layer on standardized numbers learns steep and irregular functions of one of them slowly.
These layers take every feature apart first. Gorishniy, Rubachev and Babenko (2022), "On Embeddings
for Numerical Features in Tabular Deep Learning", arXiv:2203.05556. They are written in operations,
as a layer of the user's own is, so that the core, files and exports know them already.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _arrays, initializers
from .._component import integer, number
from .._spelling import keywords
from ._definable import once
from .base import Layer, Shape, tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Recorded(Layer):
    """Base of laminar's layers that are written in operations."""

    _own = True
    _ours = True
    _entry = "operations"
    _named: ClassVar[str]

    def _word(self) -> str:
        return self._named


class PiecewiseLinearEncoding(Recorded, variant=True):
    """How far each number has come through each of its bins: 1 for those behind it, 0 before it.

    For a feature with edges b_0 < … < b_T value t is (x - b_(t-1)) / (b_t - b_(t-1)), but at least
    0 if t > 1 and at most 1 if t < T: equation (1) of the paper. A feature of one bin is only
    shifted and scaled: edges 0 and 1 leave it as it is. Values of all features follow each other:
    (…, features) becomes (…, bins of all features). Nothing is trained, and the input has a slope.

    Parameters
    ----------
    edges : sequence of sequences of float, optional
        For each feature at least two numbers that increase. Without them `adapt` finds some.
    bins : int
        How many bins of a feature `adapt` makes at most.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        There is nothing to train.

    Examples
    --------
    >>> from laminar import layers
    >>> import numpy as np
    >>> layer = layers.PiecewiseLinearEncoding(edges=[[0.0, 1.0, 3.0]])
    >>> layer(np.array([[0.5], [2.0]]))
    array([[0.5, 0. ],
           [1. , 0.5]], dtype=float32)
    """

    _named = "piecewise_linear_encoding"

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        edges: Sequence[Sequence[float]] | None = None,
        bins: int = 16,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.edges = None if edges is None else _checked(edges)
        self.bins = integer(bins, "PiecewiseLinearEncoding: bins", minimum=1)

    @keywords()
    def adapt(self, data: ArrayLike) -> None:
        """Take the edges from data: quantiles, so that each bin holds as many values as others.

        A value that is more frequent than a bin holds is an edge. Where there are few different
        values there are fewer bins; a constant becomes its distance from itself.

        Parameters
        ----------
        data : array_like
            Samples, (n, features) or of more axes; the last one holds the features.

        Raises
        ------
        AttributeError
            Where a model has the edges already.
        TypeError, ValueError
            Where it holds no finite numbers.
        """
        array = _arrays.features(data, "adapt: data", np.dtype(np.float64))
        if not array.size or not np.isfinite(array).all():
            raise ValueError("adapt: data must be finite numbers, and at least one sample")
        self.edges = _checked(
            [edges_between(column, self.bins) for column in array.reshape(-1, array.shape[-1]).T]
        )

    def call(self, inputs: Any) -> Any:
        """Return the encoding of a batch."""
        from .. import ops  # which few programs need

        if self.edges is None:
            raise ValueError(
                f"{self._label()}: its edges are not known: give them, or let adapt(data) find them"
            )
        features = inputs.shape[-1]
        if features != len(self.edges):
            raise ValueError(
                f"{self._label()}: has the edges of {len(self.edges)} features, got {features}"
            )
        counts = [len(edges) - 1 for edges in self.edges]
        ends = np.cumsum(counts)
        low, high = np.zeros(ends[-1]), np.ones(ends[-1])
        low[ends - counts] = -math.inf
        high[ends - 1] = math.inf
        left = np.concatenate([edges[:-1] for edges in self.edges])
        width = np.concatenate([np.diff(edges) for edges in self.edges])
        each = ops.take(inputs, np.repeat(np.arange(features), counts), axis=-1)
        return ops.clip((each - left) / width, low, high)


class PeriodicEmbedding(Recorded, variant=True):
    """Each number as sines and cosines of frequencies that are learned, its own ones.

    [sin(v), cos(v)] with v = 2 pi c x, and c drawn from a normal distribution of mean 0 and
    deviation sigma: equation (2) of the paper. With ``units``, relu(W [sin(v), cos(v)] + b)
    follows, of which all features share W and b: PLR(lite) of Gorishniy et al. (2023),
    arXiv:2307.14338. (…, features) becomes (…, features, units), or (…, features,
    2 * frequencies); `Flatten` makes one vector of them.

    Parameters
    ----------
    frequencies : int
        How many of them a feature has.
    sigma : float
        The deviation of the first frequencies, greater than 0: what matters most, between 0.01
        and 10 for standardized numbers. Large ones bend more often.
    units : int, optional
        How many values a feature becomes; without it there are the sines and cosines alone.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential
    >>> model = Sequential([layers.Input(3), layers.PeriodicEmbedding(frequencies=4)], seed=1)
    >>> model.output_shape
    (None, 3, 8)
    """

    _named = "periodic_embedding"

    coefficients = tensor("coefficients", "The frequencies c, (features, frequencies).")
    kernel = tensor("kernel", "W, (2 * frequencies, units); None without units.")
    bias = tensor("bias", "b, (units,); None without units.")

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        frequencies: int = 16,
        sigma: float = 0.1,
        units: int | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.frequencies = integer(frequencies, "PeriodicEmbedding: frequencies", minimum=1)
        self.sigma = number(sigma, "PeriodicEmbedding: sigma")
        if self.sigma <= 0:
            raise ValueError(f"PeriodicEmbedding: sigma must be greater than 0, got {sigma!r}")
        self.units = None if units is None else integer(units, "PeriodicEmbedding: units", 1)

    @once
    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self.add_weight(
            (input_shape[-1], self.frequencies),
            initializers.RandomNormal(stddev=self.sigma),
            name="coefficients",
        )
        if self.units is not None:
            self.add_weight((2 * self.frequencies, self.units), "he_uniform", name="kernel")
            self.add_weight((self.units,), "zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return the embedding of a batch."""
        from .. import ops  # which few programs need

        angles = ops.expand_dims(inputs, -1) * (2 * math.pi * self.coefficients)
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        if self.units is None:
            return waves
        return ops.relu(ops.matmul(waves, self.kernel) + self.bias)


class SmoothClip(Recorded, variant=True):
    """Values bent so that none is beyond a limit: x / sqrt(1 + (x / limit)**2).

    Small values stay nearly as they are, and there is a slope everywhere. Behind a `Normalization`
    a value far from all others, a wrong cell of a table perhaps, then cannot outweigh them.
    Holzmüller, Grinsztajn and Steinwart (2024), arXiv:2407.04491.

    Parameters
    ----------
    limit : float
        From 1e-6 to 1e6.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        There is nothing to train.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.SmoothClip(8.0)([[0.0, 6.0, 1e6]]).round(4)
    array([[0. , 4.8, 8. ]], dtype=float32)
    """

    _named = "smooth_clip"

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        limit: float = 8.0,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.limit = number(limit, "SmoothClip: limit")
        if not 1e-6 <= self.limit <= 1e6:
            raise ValueError(f"SmoothClip: limit must be from 1e-6 to 1e6, got {limit!r}")

    def call(self, inputs: Any) -> Any:
        """Return the bent values of a batch."""
        from .. import ops  # which few programs need

        # Beyond the root is the quotient; its square would not be finite somewhere.
        most = 1e9 * self.limit
        values = ops.clip(inputs, -most, most)
        return values / ops.sqrt(1.0 + ops.square(values / self.limit))


def edges_between(values: NDArray[Any], bins: int) -> NDArray[Any]:
    """Return the edges of at most so many bins, which hold as many of the values each.

    A value that is more frequent than that is an edge, and the other edges are quantiles of what
    is left: else a column that mostly is 0 would have no bins for all that it is elsewhere.
    """
    found, counts = np.unique(values, return_counts=True)
    if len(found) == 1:
        return np.array([found[0], found[0] + 1])
    frequent = np.zeros(len(found), bool)
    free = bins
    while free > 1:
        more = ~frequent & (counts * free > counts[~frequent].sum())
        if not more.any():
            break
        frequent[np.flatnonzero(more)[np.argsort(-counts[more], kind="stable")[: free - 1]]] = True
        free = bins - np.count_nonzero(frequent)
    others = np.repeat(found[~frequent], counts[~frequent])
    edges = np.quantile(others, np.linspace(0, 1, free + 1)) if len(others) else found[:0]
    return np.unique([*found[[0, -1]], *found[frequent], *edges])


def _checked(edges: object) -> tuple[tuple[float, ...], ...]:
    """Return edges as numbers; an error that names the feature where they are none."""
    where = "PiecewiseLinearEncoding: edges"
    if isinstance(edges, (str, bytes)) or not isinstance(edges, Iterable):
        raise TypeError(f"{where} must be a list of numbers for each feature, got {edges!r}")
    made = []
    for feature, values in enumerate(edges):
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise TypeError(f"{where}[{feature}] must be a list of numbers, got {values!r}")
        numbers = [number(value, f"{where}[{feature}][{i}]") for i, value in enumerate(values)]
        if len(numbers) < 2 or any(a >= b for a, b in itertools.pairwise(numbers)):
            raise ValueError(
                f"{where}[{feature}] must be at least two numbers that increase, got {numbers!r}"
            )
        made.append(tuple(float(value) for value in numbers))
    if not made:
        raise ValueError(f"{where} must be those of at least one feature, got none")
    return tuple(made)
