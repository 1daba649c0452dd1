# SPDX-License-Identifier: Apache-2.0
"""Activations as layers of their own.

To the core all of them but `PReLU`, whose slopes are learned, are one kind: an activation that
has its arguments.
"""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .._spelling import keywords
from .base import Layer, Shape, last_axis, tensor


class Activation(Layer, entry="activation"):
    """An activation function as a layer of its own.

    Parameters
    ----------
    activation : str, mapping or Activation
        See `laminar.activations`.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Activation("relu")([[-1.0, 2.0]])
    array([[0., 2.]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        activation: activations.Identifier,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.activation = activations.get(activation)

    def _options(self) -> dict[str, Any]:
        return {"activation": self.activation._spec()}


class ReLU(Activation, variant=True):
    """f(z) = max(0, z); with arguments min(z, max_value), or negative_slope * (z - threshold).

    Parameters
    ----------
    max_value : float or None
        The largest value; None for no limit.
    negative_slope : float
        Slope at and below the threshold.
    threshold : float
        Where the function leaves the lower branch.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.ReLU(max_value=6.0)([[-1.0, 2.0, 9.0]])
    array([[0., 2., 6.]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        function = activations.ReLU(negative_slope, max_value, threshold)
        super().__init__(function, name, input_shape, trainable)
        function._fix()  # its arguments are the layer's
        self.max_value = function.max_value
        self.negative_slope = function.negative_slope
        self.threshold = function.threshold


class LeakyReLU(Activation, variant=True):
    """f(z) = z if z >= 0 else negative_slope * z.

    Parameters
    ----------
    negative_slope : float
        Slope for z < 0. The default is Keras's for the layer; that of the function is 0.2.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.LeakyReLU(0.25)([[-1.0, 2.0]])
    array([[-0.25,  2.  ]], dtype=float32)
    """

    @keywords(alpha="negative_slope", input_dim="input_shape")
    def __init__(
        self,
        negative_slope: float = 0.3,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        function = activations.LeakyReLU(negative_slope)
        super().__init__(function, name, input_shape, trainable)
        function._fix()  # its arguments are the layer's
        self.negative_slope = function.negative_slope


class ELU(Activation, variant=True):
    """f(z) = z if z > 0 else alpha * (exp(z) - 1).

    Parameters
    ----------
    alpha : float
        The function tends to -alpha for very negative z.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.ELU()([[-1.0, 2.0]]).round(4)
    array([[-0.6321,  2.    ]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        alpha: float = 1.0,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        function = activations.ELU(alpha)
        super().__init__(function, name, input_shape, trainable)
        function._fix()  # its arguments are the layer's
        self.alpha = function.alpha


class Softmax(Activation, variant=True):
    """f(z)_j = exp(z_j) / sum_k exp(z_k) over the features of a sample.

    Parameters
    ----------
    axis : int
        -1, the last axis: the only one there is.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Softmax()([[0.0, 1.0, 2.0]]).round(4)
    array([[0.09  , 0.2447, 0.6652]], dtype=float32)
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        axis: int = -1,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(activations.Softmax(), name, input_shape, trainable)
        self.axis = last_axis(axis, "Softmax: axis")


class PReLU(Layer, entry="prelu"):
    """f(z) = z if z >= 0 else alpha * z, with a learned alpha for each value of a sample.

    He et al. (2015), arXiv:1502.01852.

    Parameters
    ----------
    alpha_initializer : str, mapping or Initializer
        See `laminar.initializers`.
    alpha_regularizer : str, mapping or Regularizer, optional
        See `laminar.regularizers`.
    alpha_constraint : str, mapping or Constraint, optional
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
    >>> model = Sequential([layers.Input(3), layers.PReLU("ones")])
    >>> model.predict([[-1.0, 0.0, 2.0]], verbose=0)
    array([[-1.,  0.,  2.]], dtype=float32)
    """

    alpha = tensor("alpha", "The slopes, one for each value of a sample.")

    @keywords(input_dim="input_shape", init="alpha_initializer")
    def __init__(
        self,
        alpha_initializer: initializers.Identifier = "zeros",
        alpha_regularizer: regularizers.Identifier | None = None,
        alpha_constraint: constraints.Identifier | None = None,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.optional(alpha_regularizer)
        self.alpha_constraint = constraints.optional(alpha_constraint)
