# SPDX-License-Identifier: Apache-2.0
"""Layers that multiply their input by a kernel."""

from __future__ import annotations

from collections.abc import Sequence

from .. import activations, constraints, initializers, regularizers
from .._component import flag, integer
from .._spelling import keywords
from .base import Layer, Shape, tensor


class Dense(Layer, entry="dense"):
    """Units that each see all inputs: Z = X W + b, output activation(Z).

    X is (n, in), the kernel W (in, units), the bias b (units,).

    Parameters
    ----------
    units : int
        Width of the output, at least 1.
    activation : str, mapping, Activation or None
        See `laminar.activations`; None is the identity.
    use_bias : bool
        Whether there is a b.
    kernel_initializer, bias_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    kernel_regularizer, bias_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    activity_regularizer : str, mapping or Regularizer, optional
        The same of the outputs, its mean over the rows of a batch.
    kernel_constraint, bias_constraint : str, mapping or Constraint, optional
        See `laminar.constraints`.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample. ``input_dim=30`` works too.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential
    >>> model = Sequential([layers.Input(4), layers.Dense(3, "relu")], seed=1)
    >>> model.output_shape
    (None, 3)
    >>> [weight.shape for weight in model.weights]
    [(4, 3), (3,)]
    """

    kernel = tensor("kernel", "The kernel, (in, units).")
    bias = tensor("bias", "The bias, (units,); None without one.")

    @keywords(
        input_dim="input_shape", output_dim="units", init="kernel_initializer", bias="use_bias"
    )
    def __init__(
        self,
        units: int,
        activation: activations.Identifier = None,
        use_bias: bool = True,
        kernel_initializer: initializers.Identifier = "glorot_uniform",
        bias_initializer: initializers.Identifier = "zeros",
        kernel_regularizer: regularizers.Identifier | None = None,
        bias_regularizer: regularizers.Identifier | None = None,
        activity_regularizer: regularizers.Identifier | None = None,
        kernel_constraint: constraints.Identifier | None = None,
        bias_constraint: constraints.Identifier | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.units = integer(units, "Dense: units", minimum=1)
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, "Dense: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.optional(kernel_regularizer)
        self.bias_regularizer = regularizers.optional(bias_regularizer)
        self.activity_regularizer = regularizers.of_outputs(activity_regularizer, "Dense")
        self.kernel_constraint = constraints.optional(kernel_constraint)
        self.bias_constraint = constraints.optional(bias_constraint)

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return (self.units,)


class Maxout(Layer, entry="maxout"):
    """Units that are each the largest of some linear pieces: a = max over j of (X W_j + b_j).

    Goodfellow et al. (2013), arXiv:1302.4389. The kernel W is (in, pieces * units), the bias
    (pieces * units,): all units of piece 0, then those of piece 1, … With two pieces, of which
    the second is 0, a unit is a relu; with W_1 = 0.01 W_0 a leaky relu.

    Parameters
    ----------
    units : int
        Width of the output, at least 1.
    pieces : int
        Linear pieces a unit, at least 1.
    use_bias : bool
        Whether there is a b.
    kernel_initializer, bias_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    kernel_regularizer, bias_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    kernel_constraint, bias_constraint : str, mapping or Constraint, optional
        See `laminar.constraints`.
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
    >>> model = Sequential([layers.Input(4), layers.Maxout(3, pieces=2)], seed=1)
    >>> model.output_shape
    (None, 3)
    """

    kernel = tensor("kernel", "The kernel, (in, pieces * units).")
    bias = tensor("bias", "The bias, (pieces * units,); None without one.")

    @keywords(input_dim="input_shape", output_dim="units", nb_feature="pieces", bias="use_bias")
    def __init__(
        self,
        units: int,
        pieces: int = 2,
        use_bias: bool = True,
        kernel_initializer: initializers.Identifier = "glorot_uniform",
        bias_initializer: initializers.Identifier = "zeros",
        kernel_regularizer: regularizers.Identifier | None = None,
        bias_regularizer: regularizers.Identifier | None = None,
        kernel_constraint: constraints.Identifier | None = None,
        bias_constraint: constraints.Identifier | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.units = integer(units, "Maxout: units", minimum=1)
        self.pieces = integer(pieces, "Maxout: pieces", minimum=1)
        self.use_bias = flag(use_bias, "Maxout: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.optional(kernel_regularizer)
        self.bias_regularizer = regularizers.optional(bias_regularizer)
        self.kernel_constraint = constraints.optional(kernel_constraint)
        self.bias_constraint = constraints.optional(bias_constraint)

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return (self.units,)
