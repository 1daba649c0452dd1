# SPDX-License-Identifier: Apache-2.0
"""Categories and tokens as vectors that are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import constraints, initializers, regularizers
from .._component import flag, integer
from .._spelling import keywords
from .base import Layer, Shape, tensor


class Embedding(Layer, entry="embedding"):
    """Whole numbers below input_dim as vectors of output_dim values, which are learned.

    Samples of shape (k,), such as k tokens or k columns of categories with one vocabulary, become
    (k, output_dim); `Flatten` makes one vector of them. Numbers of words are made by `StringLookup`
    and `IntegerLookup`.

    A batch reads few vectors, and a step takes time and memory for those alone: the optimizer
    leaves all others, and what it keeps of them, as they are. Momenta do not move them on, and
    weight decay does not shrink them, as with PyTorch's SparseAdam; Adagrad and plain SGD learn the
    same as if all took part. All of them do take part where the layer has a regularizer or a
    constraint, or the optimizer averages weights (``use_ema``), accumulates gradients, or looks at
    whole tensors, as Lamb, Adafactor and Muon do. A model's `summary` tells whose rows are updated
    alone.

    Parameters
    ----------
    input_dim : int
        The size of the vocabulary, up to 2**24: numbers are from 0 to ``input_dim - 1``.
    output_dim : int
        The length of a vector.
    embeddings_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    embeddings_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    embeddings_constraint : str, mapping or Constraint, optional
        See `laminar.constraints`.
    mask_zero : bool
        Only False: there are no layers that would leave out masked positions.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample, Keras's ``input_length``.
    trainable : bool
        Whether training changes the weights.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential
    >>> model = Sequential([layers.Input(2), layers.Embedding(10, 3)], seed=1)
    >>> model.predict([[1, 7]], verbose=0).shape
    (1, 2, 3)
    """

    embeddings = tensor("embeddings", "The vectors, (input_dim, output_dim).")

    @keywords(input_length="input_shape")
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: initializers.Identifier = "uniform",
        embeddings_regularizer: regularizers.Identifier | None = None,
        embeddings_constraint: constraints.Identifier | None = None,
        mask_zero: bool = False,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.input_dim = integer(input_dim, "Embedding: input_dim", minimum=1)
        self.output_dim = integer(output_dim, "Embedding: output_dim", minimum=1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.optional(embeddings_regularizer)
        self.embeddings_constraint = constraints.optional(embeddings_constraint)
        self.mask_zero = flag(mask_zero, "Embedding: mask_zero")
        if self.mask_zero:
            raise ValueError(
                "Embedding: mask_zero must be False, as no layer leaves out masked positions; give "
                "0 a vector like any other number"
            )

    def _options(self) -> dict[str, Any]:
        options = super()._options()
        del options["mask_zero"]
        return options

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return (*shapes[0], self.output_dim)
