# SPDX-License-Identifier: Apache-2.0
"""The same values in another shape: these layers compute nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .._component import integer
from .._spelling import keywords
from .base import Layer, Shape


class Flatten(Layer, entry="flatten"):
    """Samples of any shape as plain vectors, row by row.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential
    >>> Sequential([layers.Input((8, 8)), layers.Flatten()]).output_shape
    (None, 64)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return (math.prod(shapes[0]),)


class Reshape(Layer, entry="reshape"):
    """Samples in another shape of as many values.

    Parameters
    ----------
    target_shape : tuple of int
        Without the rows; one extent may be -1: what is left for it.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential
    >>> Sequential([layers.Input(6), layers.Reshape((2, 3))]).output_shape
    (None, 2, 3)
    """

    @keywords(input_dim="input_shape", dims="target_shape")
    def __init__(
        self,
        target_shape: Sequence[int],
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        where = "Reshape: target_shape"
        if isinstance(target_shape, (str, bytes)) or not np.iterable(target_shape):
            raise TypeError(f"{where} must be a tuple of integers, got {target_shape!r}")
        self.target_shape = tuple(integer(extent, where, minimum=-1) for extent in target_shape)
        if not self.target_shape or 0 in self.target_shape or self.target_shape.count(-1) > 1:
            raise ValueError(
                f"{where} must hold positive extents and at most one -1, got {target_shape!r}"
            )

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        values = math.prod(shapes[0])
        known = math.prod(extent for extent in self.target_shape if extent != -1)
        shape = tuple(values // known if extent == -1 else extent for extent in self.target_shape)
        if math.prod(shape) != values:
            raise ValueError(
                f"{self._label()}: target_shape must hold as many values as the input, got "
                f"{self.target_shape} for samples of shape {shapes[0]}"
            )
        return shape
