# SPDX-License-Identifier: Apache-2.0
"""Layers, as objects that carry their arguments, and the input they start from.

A layer is a configuration until its model is built. The weights of all layers then lie in one
buffer of the core's model; a layer reads and writes its part of it. A layer that leaves a built
model keeps its weights, and brings them to the model it is next built in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _arrays, _component, activations, initializers
from ._component import Component, flag, integer
from ._spelling import keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._core import ModelFloat32, ModelFloat64

__all__ = ["Activation", "BatchNormalization", "Dense", "Dropout", "Input", "Layer", "get"]

Shape: TypeAlias = "int | Sequence[int]"


def feature_shape(shape: Shape, where: str) -> tuple[int]:
    """Return the shape of one sample as a tuple; an error where it is not one positive width."""
    widths = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if len(widths) != 1:
        raise ValueError(f"{where} must be the shape of one sample, (features,), got {shape!r}")
    return (integer(widths[0], where, minimum=1),)


class Input:
    """The shape of one sample; a model that starts with it is built at once.

    Parameters
    ----------
    shape : tuple of int or int
        ``(features,)``.
    name : str, optional
        Kept for the reader.
    """

    @keywords(input_shape="shape", input_dim="shape")
    def __init__(self, shape: Shape, name: str | None = None) -> None:
        self.shape = feature_shape(shape, "Input: shape")
        self.name = name

    def __repr__(self) -> str:
        return f"Input(shape={self.shape!r})"


class Layer(Component, family="layer"):
    """Base of all layers.

    Parameters
    ----------
    name : str, optional
        Unique within its model. Without it the model gives one: dense, dense_1, …
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample, in place of an `Input`.
    """

    _model: ModelFloat32 | ModelFloat64 | None = None
    _index = 0
    _kept: list[NDArray[Any]] | None = None
    _owner: Callable[[], Any] | None = None

    @keywords(input_dim="input_shape")
    def __init__(self, name: str | None = None, input_shape: Shape | None = None) -> None:
        kind = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{kind}: name must be a string, got {name!r}")
        self._name = name
        self.input_shape = (
            None if input_shape is None else feature_shape(input_shape, f"{kind}: input_shape")
        )

    @property
    def name(self) -> str | None:
        """The given name; in a built model, the unique one."""
        return self._name if self._model is None else str(self._described()["name"])

    @property
    def built(self) -> bool:
        """Whether the layer is in a built model."""
        if self._model is None and self._owner is not None and self._owner() is not None:
            self._owner()._build_if_known()
        return self._model is not None

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch that leaves the layer, (None, units); ValueError if not built."""
        return (None, *self._described()["output_shape"])

    def count_params(self) -> int:
        """Return the number of weights; ValueError if the layer is not built."""
        return int(self._described()["parameters"])

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of the weights.

        Returns
        -------
        list of ndarray
            For `Dense` the kernel (in, out) and, if used, the bias (out,).

        Raises
        ------
        ValueError
            If the layer is not in a built model.
        """
        first, last = self._part()
        return self._built().get_weights()[first:last]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace the weights.

        Parameters
        ----------
        weights : sequence of array_like
            As many arrays as `get_weights` returns, of the same shapes.

        Raises
        ------
        ValueError
            If the layer is not built, or number or shapes differ; nothing has changed then.
        """
        first, last = self._part()
        model = self._built()
        everything = model.get_weights()
        where = f"set_weights of layer {self.name!r}"
        if len(weights) != last - first:
            raise ValueError(f"{where} takes {last - first} arrays, got {len(weights)}")
        for i, value in enumerate(weights):
            array = _arrays.tensor(value, f"{where}: weights[{i}]", everything[first + i].dtype)
            expected = everything[first + i].shape
            if array.shape != expected:
                raise ValueError(f"{where}: weights[{i}] must be {expected}, got {array.shape}")
            everything[first + i] = array
        model.set_weights(everything)

    def _built(self) -> ModelFloat32 | ModelFloat64:
        owner = None if self._owner is None else self._owner()
        if self._model is None and owner is not None:
            owner._build_if_known()  # which attaches this layer
        if self._model is None:
            raise ValueError(
                f"layer {self._name or self._entry!r} has no weights and no shape yet: "
                "its model is built by Input, build, or the first data"
            )
        return self._model

    def _described(self) -> Mapping[str, Any]:
        return self._built().layers()[self._index]

    def _part(self) -> tuple[int, int]:
        """Return where the layer's tensors begin and end in the model's list."""
        tensors = self._built().tensors()
        mine = [i for i, t in enumerate(tensors) if t["name"].rpartition("/")[0] == self.name]
        return (mine[0], mine[-1] + 1) if mine else (0, 0)

    def _attach(self, model: ModelFloat32 | ModelFloat64, index: int) -> None:
        """Become layer ``index`` of a built model."""
        self._model, self._index = model, index
        if self._kept is not None:
            self.set_weights(self._kept)

    def _detach(self, keep: bool) -> None:
        """Leave the built model; with ``keep``, take the weights along."""
        if self._model is not None and keep:
            self._kept = self.get_weights() or None
        self._model = None

    def _spec(self) -> dict[str, Any]:
        spec = {"kind": self._entry, **self.get_config(), "name": self._name}
        del spec["input_shape"]
        return {key: value for key, value in spec.items() if value is not None}


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
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample. ``input_dim=30`` works too.
    """

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
        name: str | None = None,
        input_shape: Shape | None = None,
    ) -> None:
        super().__init__(name, input_shape)
        self.units = integer(units, "Dense: units", minimum=1)
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, "Dense: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)


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
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        activation: activations.Identifier,
        name: str | None = None,
        input_shape: Shape | None = None,
    ) -> None:
        super().__init__(name, input_shape)
        self.activation = activations.get(activation)


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
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    """

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
        name: str | None = None,
        input_shape: Shape | None = None,
    ) -> None:
        super().__init__(name, input_shape)
        self.momentum = _component.number(momentum, "BatchNormalization: momentum")
        self.epsilon = _component.number(epsilon, "BatchNormalization: epsilon")
        self.center = flag(center, "BatchNormalization: center")
        self.scale = flag(scale, "BatchNormalization: scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)


class Dropout(Layer, entry="dropout"):
    """In training, sets a random part of its inputs to 0 and scales the rest by 1 / (1 - rate).

    In prediction it is the identity. Srivastava et al. (2014), in the inverted form. The draws
    depend on the model's seed alone.

    Parameters
    ----------
    rate : float
        The fraction dropped, in [0, 1). ``p=0.5`` works too.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    """

    @keywords(p="rate", input_dim="input_shape")
    def __init__(
        self, rate: float, name: str | None = None, input_shape: Shape | None = None
    ) -> None:
        super().__init__(name, input_shape)
        self.rate = _component.number(rate, "Dropout: rate")
        if not 0 <= self.rate < 1:
            raise ValueError(
                f"Dropout: rate must be in [0, 1), the fraction that is dropped, got {rate!r}"
            )


def get(identifier: Mapping[str, Any] | Layer) -> Layer:
    """Return the layer that a configuration describes.

    Parameters
    ----------
    identifier : mapping or Layer
        ``{"class_name": "Dense", "config": {"units": 3}}``, or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such layer; the message names the nearest one.
    """
    return _component.get(Layer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
