# SPDX-License-Identifier: Apache-2.0
"""Layers that bring their input to mean 0 and variance 1, learned scale and shift included."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers
from .._component import flag, number
from .._spelling import keywords
from .base import Layer, Shape, last_axis, tensor


class BatchNormalization(Layer, entry="batch_normalization"):
    """Each column shifted and scaled to mean 0 and variance 1, then by beta and gamma.

    a = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments of the batch in
    training and their running means in prediction. Ioffe and Szegedy (2015), arXiv:1502.03167.

    Parameters
    ----------
    momentum : float
        In [0, 1]: memory of the running means.
    epsilon : float
        Keeps the division finite.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    moving_mean_initializer, moving_variance_initializer : str, mapping or Initializer
        What the running means start with.
    beta_regularizer, gamma_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    beta_constraint, gamma_constraint : str, mapping or Constraint, optional
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
    >>> model = Sequential([layers.Input(8), layers.Dense(4), layers.BatchNormalization()])
    >>> [weight.shape for weight in model.layers[1].weights]
    [(4,), (4,), (4,), (4,)]
    """

    gamma = tensor("gamma", "The factors, one a column; None without.")
    beta = tensor("beta", "The shifts, one a column; None without.")
    moving_mean = tensor("moving_mean", "The mean of each column that prediction takes.")
    moving_variance = tensor("moving_variance", "The variance of each column that it takes.")

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Identifier = "zeros",
        gamma_initializer: initializers.Identifier = "ones",
        moving_mean_initializer: initializers.Identifier = "zeros",
        moving_variance_initializer: initializers.Identifier = "ones",
        beta_regularizer: regularizers.Identifier | None = None,
        gamma_regularizer: regularizers.Identifier | None = None,
        beta_constraint: constraints.Identifier | None = None,
        gamma_constraint: constraints.Identifier | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.momentum = number(momentum, "BatchNormalization: momentum")
        self.epsilon = number(epsilon, "BatchNormalization: epsilon")
        self.center = flag(center, "BatchNormalization: center")
        self.scale = flag(scale, "BatchNormalization: scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.optional(beta_regularizer)
        self.gamma_regularizer = regularizers.optional(gamma_regularizer)
        self.beta_constraint = constraints.optional(beta_constraint)
        self.gamma_constraint = constraints.optional(gamma_constraint)


class LayerNormalization(Layer, entry="layer_normalization"):
    """Each sample to mean 0 and variance 1 over its last axis, then gamma * x + beta.

    a = gamma * (x - mean) / sqrt(variance + epsilon) + beta, in training as in prediction. Ba,
    Kiros and Hinton (2016), arXiv:1607.06450.

    Parameters
    ----------
    axis : int
        -1, the last axis: the only one there is.
    epsilon : float
        Added to the variance, greater than 0.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    beta_regularizer, gamma_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    beta_constraint, gamma_constraint : str, mapping or Constraint, optional
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
    >>> layers.LayerNormalization(epsilon=1e-6)([[1.0, 2.0, 3.0]]).round(3)
    array([[-1.225,  0.   ,  1.225]], dtype=float32)
    """

    gamma = tensor("gamma", "The factors, one a column; None without.")
    beta = tensor("beta", "The shifts, one a column; None without.")

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Identifier = "zeros",
        gamma_initializer: initializers.Identifier = "ones",
        beta_regularizer: regularizers.Identifier | None = None,
        gamma_regularizer: regularizers.Identifier | None = None,
        beta_constraint: constraints.Identifier | None = None,
        gamma_constraint: constraints.Identifier | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.axis = last_axis(axis, "LayerNormalization: axis")
        self.epsilon = number(epsilon, "LayerNormalization: epsilon")
        if self.epsilon <= 0:
            raise ValueError(f"LayerNormalization: epsilon must be greater than 0, got {epsilon!r}")
        self.center = flag(center, "LayerNormalization: center")
        self.scale = flag(scale, "LayerNormalization: scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.optional(beta_regularizer)
        self.gamma_regularizer = regularizers.optional(gamma_regularizer)
        self.beta_constraint = constraints.optional(beta_constraint)
        self.gamma_constraint = constraints.optional(gamma_constraint)

    def _options(self) -> dict[str, Any]:
        options = super()._options()
        del options["axis"]
        return options


class RMSNormalization(Layer, entry="rms_normalization"):
    """Each sample by the root of its mean square over the last axis: scale * x / sqrt(mean + eps).

    Zhang and Sennrich (2019), arXiv:1910.07467. The mean of x**2 is over the last axis.

    Parameters
    ----------
    axis : int
        -1, the last axis: the only one there is.
    epsilon : float
        Added to the mean, greater than 0.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.RMSNormalization()([[3.0, 4.0]]).round(3)
    array([[0.849, 1.131]], dtype=float32)
    """

    scale = tensor("scale", "The factors, one a column.")

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-6,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.axis = last_axis(axis, "RMSNormalization: axis")
        self.epsilon = number(epsilon, "RMSNormalization: epsilon")
        if self.epsilon <= 0:
            raise ValueError(f"RMSNormalization: epsilon must be greater than 0, got {epsilon!r}")

    def _options(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}
