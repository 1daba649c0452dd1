# SPDX-License-Identifier: Apache-2.0
"""Sequential: a network in which each layer reads the one before."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ._base_model import BaseModel
from ._graph import Free
from ._guard import CoreModel
from ._saving import layer_config
from ._spelling import keywords
from ._types import Array
from .layers import Input, Layer
from .layers import get as get_layer
from .layers.base import Shape, sample_shape
from .layers.lookup import Lookup
from .layers.symbol import Symbol

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

S = TypeVar("S", bound="Sequential")


class Sequential(BaseModel[Array]):
    """A network in which each layer reads the one before.

    The shape of a sample is given by an `Input`, by the first layer's ``input_shape``, by `build`,
    or inferred from the first data. With it the model is built: it has weights.

    Parameters
    ----------
    layers : iterable of Layer, optional
        The layers from input to output, which may start with an `Input`. A layer belongs to one
        model; those of a Sequential among them become layers of this one too, see `add`.
    name : str, optional
        Kept for the reader.
    dtype : {"float32", "float64"}
        The type of weights and of all computation. Data of other types are converted: integers
        beyond 2**24 and float64 are rounded to float32.
    seed : int, optional
        0 ≤ seed < 2**64: the source of initial weights, shuffling and dropout. Without it, see
        `laminar.utils.set_random_seed`.
    precision : {None, "float32", "float64", "bfloat16"}
        What the operands of products are rounded to, in training and in prediction: None, for the
        dtype, or "bfloat16" with float32. Weights, sums, activations, losses and updates stay
        float32. Products take half the time then on processors with AVX512-BF16, and on all others
        give the same sums more slowly. Exported models know nothing of it.

    Attributes
    ----------
    stop_training : bool
        A callback sets it to end fit after the epoch.
    history : History or None
        That of the last fit.
    feature_names : tuple of str or None
        The columns of the table that it was trained with. Later tables must have the same in the
        same order, or ValueError is raised; None lifts that.
    class_names : tuple of str or None
        The classes in the order of their numbers, where targets were texts or a Dataset of files.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import Sequential, layers
    >>> x = np.random.default_rng(0).normal(size=(200, 30))
    >>> y = x.sum(axis=1)
    >>> model = Sequential([layers.Input(shape=(30,)), layers.Dense(64, "relu"), layers.Dense(1)])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(x, y, epochs=10, validation_split=0.2, verbose=0)
    """

    @keywords()
    def __init__(
        self,
        layers: Iterable[Layer | Input | Sequential] | None = None,
        name: str | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
        precision: str | None = None,
    ) -> None:
        self._begin(name, dtype, seed, precision)
        self._layers: list[Layer] = []
        self._given_names: set[str] = set()  # of layers
        self._parts: list[tuple[weakref.ref[Sequential], int]] = []  # and their first layers
        self._chain: list[Symbol] | None = None  # the input and what each layer makes
        for layer in layers or ():
            self.add(layer)
        self._draw_seed()
        self._build_if_known()

    def _how_to_change(self, name: str) -> str:
        return "; add and pop change its layers" if name == "layers" else ""

    def add(self, layer: Layer | Input | Sequential) -> None:
        """Append a layer, or give the input to a model that has no layers yet.

        Parameters
        ----------
        layer : Layer, Input or Sequential
            A layer that no other model has. Or another model, whose layers become layers of this
            one too: the two share their weights from now on.

        Raises
        ------
        TypeError, ValueError
            Where it is none, its name is taken, or it belongs to a model already.
        """
        self._not_in_training("add")
        if isinstance(layer, Input):
            if self._layers or self._input:
                raise ValueError("add: an Input must come first, and once")
            self._input = layer.shape
            return
        if isinstance(layer, Sequential):
            self._add_all_of(layer)
            return
        if not isinstance(layer, Layer):
            raise TypeError(
                f"add: layer must be a Layer or an Input, got {layer!r}" + _advice(layer)
            )
        if layer._merges:
            raise TypeError(
                f"add: {type(layer).__name__} reads several inputs, a layer of a Sequential one; "
                "a Model can have it"
            )
        if layer._owner() is not None:
            raise ValueError(
                f"add: layer {layer.name or layer._word()!r} belongs to a model already; "
                f"make another with {type(layer).__name__}.from_config(layer.get_config())"
            )
        if layer._name is not None and layer._name in self._given_names:
            raise ValueError(f"add: the model has a layer named {layer._name!r} already")
        if not self._layers and layer.input_shape is not None:
            if self._input not in (None, layer.input_shape):
                raise ValueError(
                    f"add: the Input has shape {self._input}, the first layer's input_shape "
                    f"is {layer.input_shape}"
                )
            self._input = layer.input_shape
        self._append([layer])

    def _add_all_of(self, other: Sequential) -> None:
        """Append the layers of another model, which keeps them; ValueError where it cannot be."""
        for layer in other._layers:
            if layer in self._layers:
                raise ValueError(
                    f"add: the model has {layer._label()} of {other.name!r} already; in a Model a "
                    "layer can be called twice"
                )
            if layer._name is not None and layer._name in self._given_names:
                raise ValueError(f"add: the model has a layer named {layer._name!r} already")
        if not other._layers:
            raise ValueError(f"add: the model {other.name!r} has no layers")
        if not self._layers:
            if self._input is not None and other._input not in (None, self._input):
                raise ValueError(
                    f"add: the Input has shape {self._input}, the model {other.name!r} takes "
                    f"{other._input}"
                )
            self._input = self._input or other._input
        other._build_if_known()
        self._parts.append((weakref.ref(other), len(self._layers)))
        self._append(other._layers)

    def _build(self, shape: tuple[int, ...]) -> CoreModel:
        core = super()._build(shape)
        for part, start in self._parts:
            other = part()
            if other is not None and other._model is None and other._input is None:
                other._build(core.layer(start - 1)["output_shape"] if start else shape)
        return core

    def _append(self, layers: Sequence[Layer]) -> None:
        with self._lock:
            self._not_in_training("add")
            self._take_apart(keep=True)
            self._chain = None
            for layer in layers:
                layer._use(self)
                self._layers.append(layer)
                if layer._name is not None:
                    self._given_names.add(layer._name)

    def pop(self) -> Layer:
        """Remove the last layer and return it; ValueError if there is none."""
        with self._lock:
            self._not_in_training("pop")
            if not self._layers:
                raise ValueError("pop: the model has no layers")
            self._take_apart(keep=True)
            self._chain = None
            layer = self._layers.pop()
            layer._leave(self)
            if layer._name is not None:
                self._given_names.discard(layer._name)
            return layer

    @keywords()
    def build(self, input_shape: Shape | None = None) -> None:
        """Make the weights.

        Parameters
        ----------
        input_shape : tuple of int or int, optional
            ``(None, features)``, ``(features,)`` or ``features``; the first of several axes is that
            of the rows. Not needed where the model has an `Input`.

        Raises
        ------
        ValueError
            Where the width is unknown, differs from what is known, or the layers do not fit.
        """
        shape = self._input
        if input_shape is not None:
            whole = isinstance(input_shape, Sequence) and len(input_shape) > 1
            given = input_shape[1:] if whole else input_shape  # type: ignore[index]
            shape = sample_shape(given, "build: input_shape")
        if shape is None:
            raise ValueError("build: the input width is unknown; give input_shape or an Input")
        if self._input is not None and shape != self._input:
            raise ValueError(f"build: the model takes input of shape {self._input}, got {shape}")
        if self._model is None:
            self._build(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model, without weights, in a form that JSON can carry."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "seed": self._seed,
            "precision": None if self._precision == self.dtype else self._precision,
            "input_shape": None if self._input is None else list(self._input),
            "layers": [layer._entry_in_config() for layer in self._layers],
        }

    @classmethod
    def from_config(cls: type[S], config: Mapping[str, Any]) -> S:
        """Make a model of what `get_config` returned; its initial weights are the same.

        Parameters
        ----------
        config : mapping
            A configuration.
        """
        shape = config["input_shape"]
        start = [] if shape is None else [Input(shape)]
        stack = [get_layer(layer) for layer in config["layers"]]
        precision = config.get("precision")  # which configurations of an earlier version lack
        return cls([*start, *stack], config["name"], config["dtype"], config["seed"], precision)

    @property
    def inputs(self) -> list[Symbol]:
        """The symbol that the first layer reads, in a list; ValueError if its shape is unknown."""
        return [self._symbols("inputs")[0]]

    @property
    def outputs(self) -> list[Symbol]:
        """The last layer's symbol, in a list; ValueError while the input's shape is unknown."""
        return [self._symbols("outputs")[-1]]

    def _symbol_of(self, layer: Layer) -> Symbol:
        return self._symbols("output")[self._layers.index(layer) + 1]

    def _symbols(self, where: str) -> list[Symbol]:
        """Return the input and what each layer makes of it as symbols."""
        if self._chain is None:
            if self._input is None:
                self._core(where)  # which raises
            assert self._input is not None
            self._chain = self._drawn(Input(self._input))
        return self._chain

    def _drawn(self, start: Symbol) -> list[Symbol]:
        symbols = [start]
        for layer in self._layers:
            symbols.append(layer._called_on(symbols[-1:]))
        return symbols

    def _called_on(self, inputs: Any) -> Symbol:
        symbol = self._one(inputs, "symbol")
        self._check_input(symbol.shape)
        symbols = self._drawn(symbol)
        self._build(symbol.shape)
        return symbols[-1]

    def _inside(self, inputs: Any, training: bool | None) -> Any:
        value = self._one(inputs, "value")
        self._check_input(value.shape[1:])
        for layer in self._layers:
            value = layer(value, training=training)
        return value

    def _one(self, inputs: Any, what: str) -> Any:
        """Return the one input; ValueError where there are several, or no layers."""
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if len(given) != 1:
            raise ValueError(f"model {self.name!r}: takes one {what}, got a list of {len(given)}")
        if not self._layers:
            raise ValueError(f"model {self.name!r}: has no layers to call")
        return given[0]

    def _check_input(self, shape: tuple[int, ...]) -> None:
        if self._input not in (None, shape):
            raise ValueError(
                f"model {self.name!r}: input must have shape {self._input}, got {shape}"
            )

    @classmethod
    def _network_config(cls, network: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "input_shape": network["input_shape"],
            "layers": [layer_config(layer) for layer in network["layers"]],
        }

    def _start(self, config: Mapping[str, Any]) -> None:
        precision = config.get("precision")  # which files of an earlier version lack
        Sequential.__init__(self, None, config["name"], config["dtype"], config["seed"], precision)
        for layer in config["layers"]:
            self.add(get_layer(layer))
        if config["input_shape"] is not None:
            self._input = tuple(config["input_shape"])

    def _network(self, shape: tuple[int, ...]) -> dict[str, Any]:
        layers, given = [], shape
        taken = {layer._name for layer in self._layers if layer._name is not None}
        free = Free(taken)
        programs = any(layer._is_traced for layer in self._layers)  # which need their shapes
        for layer in self._layers:
            spec = layer._spec_for([given])
            if layer._is_traced:
                taken.add(spec.setdefault("name", free(layer._word())))
            if programs:
                given = layer._output_shape([given])
            layers.append(spec)
        return {"input_shape": shape, "layers": layers}

    def _input_of(self, network: Mapping[str, Any]) -> tuple[int, ...]:
        if "input_shape" not in network:  # some layer could read several inputs
            return tuple(network["inputs"][0]["shape"])
        return tuple(network["input_shape"])

    def _outputs_of(self, core: CoreModel) -> tuple[int, ...]:
        return tuple(core.layer(len(self._layers) - 1)["output_shape"])

    def _last_layers(self, output: int = 0) -> Sequence[Layer]:
        return self._layers


def _advice(layer: object) -> str:
    """Return what to do with something that cannot be added."""
    if isinstance(layer, Lookup):
        return "; call it on the data instead: fit(lookup(words), y)"
    if isinstance(layer, BaseModel):
        return "; call it on a symbol, and make a Model of that"
    return ""
