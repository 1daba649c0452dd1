# SPDX-License-Identifier: Apache-2.0
"""The layers of a model and its weights: everything about Sequential but running data through it.

A stack is built when its input width is known: then the core's model exists, and the layers are
attached to it. Adding or removing a layer takes the model apart again; the layers keep their
weights, and the next build gives them back.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from . import _arrays, _choice, _core, _seed, _summary
from ._attributes import Attributes
from ._compiled import Compiled
from ._component import flag, integer
from ._locks import Lock
from ._printable import say
from ._spelling import keywords
from .layers import Input, Layer
from .layers import get as get_layer
from .layers.base import Shape, refuse_frozen, sample_shape
from .layers.lookup import Lookup

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .losses import Identifier as LossLike
    from .losses import Loss
    from .metrics import Identifier as MetricLike
    from .metrics import Metric
    from .optimizers import Identifier as OptimizerLike
    from .optimizers import Optimizer

    CoreModel = _core.ModelFloat32 | _core.ModelFloat64

S = TypeVar("S", bound="Stack")

_MODELS: dict[str, type[_core.ModelFloat32] | type[_core.ModelFloat64]] = {
    "float32": _core.ModelFloat32,
    "float64": _core.ModelFloat64,
}


class Weight(NamedTuple):
    """What a tensor of weights is called, its shape, and whether training changes it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool


class Stack(Attributes):
    """Layers, their weights, and what they are compiled with; see `Sequential`."""

    @keywords()
    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        name: str | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
        precision: str | None = None,
    ) -> None:
        self.name = _checked_name(name or type(self).__name__.lower())
        self._dtype = _checked_dtype(dtype)
        self._precision = _checked_precision(precision, self.dtype)
        given_seed = None if seed is None else integer(seed, "Sequential: seed")
        if given_seed is not None and given_seed >= _seed.LIMIT:
            raise ValueError(f"Sequential: seed must be less than 2**64, got {seed}")
        self._layers: list[Layer] = []
        self._given_names: set[str] = set()  # of layers
        self._input: tuple[int, ...] | None = None
        self._model: CoreModel | None = None
        self._outputs: tuple[int, ...] = ()
        self._compiled: Compiled | None = None
        # Held while what Python and the core know of the model changes together. Nobody who holds
        # it computes, or waits for a thread that trains.
        self._lock = Lock()
        self._trainer: tuple[int, int] | None = None  # the thread that trains, and its process
        for layer in layers or ():
            self.add(layer)
        self._seed = _seed.next_seed() if given_seed is None else given_seed
        self._build_if_known()

    def _change(self, name: str, value: object) -> None:
        if name != "name":
            raise AttributeError(
                f"{type(self).__name__}: {name} cannot be changed; make another model"
                + ("; add and pop change its layers" if name == "layers" else "")
            )
        vars(self)["name"] = _checked_name(value)

    def _instead(self, name: str) -> str:
        compiled = name in ("optimizer", "loss", "metrics", "metrics_names")
        return "; compile chooses it" if compiled else ""

    def _check_change(self, layer: Layer, name: str, value: object) -> None:
        """Raise ValueError or AttributeError where a layer's change does not suit the model."""
        if name == "input_shape":
            raise AttributeError(
                f"{type(layer).__name__}: input_shape cannot be changed in a model; "
                "build tells it the shape, or an Input"
            )
        taken = [other._name for other in self._layers if other is not layer]
        if name == "name" and value is not None and value in taken:
            raise ValueError(f"the model has a layer named {value!r} already")

    def add(self, layer: Layer | Input) -> None:
        """Append a layer, or give the input to a model that has no layers yet.

        Parameters
        ----------
        layer : Layer or Input
            A layer that no other model has.

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
        if not isinstance(layer, Layer):
            advice = "; call it on the data instead: fit(lookup(words), y)"
            raise TypeError(
                f"add: layer must be a Layer or an Input, got {layer!r}"
                + (advice if isinstance(layer, Lookup) else "")
            )
        if layer._owner is not None and layer._owner() is not None:
            raise ValueError(
                f"add: layer {layer.name or layer._entry!r} belongs to a model already; "
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
        with self._lock:
            self._not_in_training("add")
            self._take_apart(keep=True)
            layer._owner = weakref.ref(self)
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
            layer = self._layers.pop()
            layer._owner = None
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

    @keywords()
    def compile(
        self,
        optimizer: OptimizerLike = "rmsprop",
        loss: LossLike | None = None,
        metrics: MetricLike | Sequence[MetricLike] | None = None,
        weighted_metrics: MetricLike | Sequence[MetricLike] | None = None,
    ) -> None:
        """Choose what training does; the optimizer starts afresh, the weights stay.

        Parameters
        ----------
        optimizer : str, mapping or Optimizer
            See `laminar.optimizers`. An object that another model uses is copied, so that each
            model has a learning rate of its own.
        loss : str, mapping or Loss, optional
            See `laminar.losses`. Without it the last activation decides: binary_crossentropy
            for sigmoid, categorical_crossentropy or, where the first y has class numbers,
            sparse_categorical_crossentropy for softmax, else mse.
        metrics : list of str, mapping or Metric, optional
            See `laminar.metrics`. They count every row once.
        weighted_metrics : list of str, mapping or Metric, optional
            Metrics in which rows count as much as ``sample_weight`` and ``class_weight`` say. One
            whose name is taken appears as ``weighted_`` and the name.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong; nothing has changed then.
        RuntimeError
            While the model is being trained.

        Warns
        -----
        UserWarning
            Where loss and last activation do not belong together, such as softmax with
            binary_crossentropy.
        """
        with self._lock:
            self._not_in_training("compile")
            chosen = Compiled(optimizer, loss, metrics, self, weighted_metrics)
            model = self._build_if_known()
            if model is not None:
                chosen.apply(model, afresh=True)
            if self._compiled is not None and self._compiled.optimizer is not chosen.optimizer:
                self._compiled.optimizer._release()
            if model is None or not chosen.settled:  # it is bound to no model, or to one of before
                chosen.optimizer._release()
            chosen.optimizer._owner = weakref.ref(self)
            chosen.fix()
            self._compiled = chosen
        advice = _choice.mismatch(self._layers, chosen.loss)
        if advice:
            warnings.warn(f"compile: {advice}", UserWarning, stacklevel=3)  # the caller of compile

    @property
    def trainable(self) -> bool:
        """True: freezing a model is not supported yet, so that False cannot be set."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        refuse_frozen(value, f"model {self.name!r}")

    @property
    def layers(self) -> list[Layer]:
        """The layers from input to output, without the `Input`."""
        return list(self._layers)

    @property
    def built(self) -> bool:
        """Whether the input width is known and the model has weights."""
        return self._build_if_known() is not None

    @property
    def dtype(self) -> str:
        """The type of weights and of all computation, "float32" or "float64"."""
        return str(self._dtype.name)

    @property
    def precision(self) -> str:
        """What the operands of products are rounded to: "bfloat16", or the dtype."""
        return self._precision

    @property
    def seed(self) -> int:
        """The source of initial weights, shuffling and dropout."""
        return self._seed

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The shape of a batch of samples, (None, features); None while it is unknown."""
        return None if self._input is None else (None, *self._input)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch of outputs, (None, outputs); ValueError if not built."""
        return (None, *self._core("output_shape").layer(len(self._layers) - 1)["output_shape"])

    @property
    def weights(self) -> list[Weight]:
        """Name, shape and kind of each tensor, in the order of `get_weights`."""
        return [
            Weight(tensor["name"], tuple(tensor["shape"]), bool(tensor["trainable"]))
            for tensor in self._core("weights").tensors()
        ]

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, whose learning rate is live; None before compile."""
        return None if self._compiled is None else self._compiled.optimizer

    @property
    def loss(self) -> Loss | None:
        """The loss; None before compile, and while it waits for the first targets."""
        return (
            self._compiled.loss if self._compiled is not None and self._compiled.settled else None
        )

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, without the loss."""
        return [] if self._compiled is None else list(self._compiled.metrics)

    @property
    def metrics_names(self) -> list[str]:
        """The keys of logs: "loss" and the names of the metrics."""
        return [] if self._compiled is None else list(self._compiled.keys)

    def count_params(self) -> int:
        """Return the number of weights; ValueError if the model is not built."""
        return sum(int(layer["parameters"]) for layer in self._core("count_params").layers())

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of all weights, layer by layer; ValueError if the model is not built."""
        return self._core("get_weights").get_weights()

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace all weights; the optimizer's state stays.

        Parameters
        ----------
        weights : sequence of array_like
            As many arrays as `get_weights` returns, of the same shapes.

        Raises
        ------
        TypeError, ValueError
            Where number, shapes or kinds differ; nothing has changed then.
        RuntimeError
            While another thread trains the model; callbacks may set weights.
        """
        core = self._core("set_weights")
        tensors = [
            _arrays.tensor(value, f"set_weights: weights[{i}]", self._dtype)
            for i, value in enumerate(weights)
        ]
        with self._lock:
            if self._trained_elsewhere():
                self._not_in_training("set_weights")
            core.set_weights(tensors)

    @keywords()
    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], object] | None = None,
        show_trainable: bool = False,
    ) -> None:
        """Print a table of layers, shapes and weights, and what they take in memory.

        Parameters
        ----------
        line_length : int, optional
            The width of the table, at least 40; without it, as wide as its cells.
        print_fn : callable, optional
            Called once with the text, in place of `print`.
        show_trainable : bool
            Add a column: Y where training changes a layer's weights, N where it does not, partly
            where it changes some, such as a BatchNormalization's without its running means.

        Notes
        -----
        The total counts the model's weights, as `count_params` does. The optimizer's parameters,
        known once the model is compiled, are the momenta, averages and summed gradients that it
        keeps of trainable weights; they come on top.
        """
        length = None
        if line_length is not None:
            length = integer(line_length, "summary: line_length", minimum=_summary.SHORTEST)
        shown = flag(show_trainable, "summary: show_trainable")
        (print_fn or say)(_summary.of(self, length, shown))

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model, without weights, in a form that JSON can carry."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "seed": self._seed,
            "precision": None if self._precision == self.dtype else self._precision,
            "input_shape": None if self._input is None else list(self._input),
            "layers": [
                {"class_name": type(layer).__name__, "config": layer.get_config()}
                for layer in self._layers
            ],
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {len(self._layers)} layers, {self.dtype}>"

    def _build(self, shape: tuple[int, ...]) -> CoreModel:
        if not self._layers:
            raise ValueError("build: the model has no layers; add one first")
        with self._lock:
            if self._model is not None:  # another thread was first
                return self._model
            config = {"input_shape": shape, "layers": [layer._spec() for layer in self._layers]}
            model = _MODELS[self._dtype.name](json.dumps(config), self._seed, self._precision)
            try:
                self._attach(model)
                if self._compiled is not None:
                    self._compiled.apply(model)
            except BaseException:
                self._detach(None)
                raise
            self._outputs = tuple(model.layer(len(self._layers) - 1)["output_shape"])
            self._model, self._input = model, shape
            return model

    def _attach(self, model: CoreModel) -> None:
        """Give the layers their places in a new model, and it the weights that they bring."""
        for index, layer in enumerate(self._layers):
            layer._attach(model, index)
        brought = [(layer, weights) for layer in self._layers if (weights := layer._brought())]
        if brought:
            everything = model.get_weights()
            for layer, weights in brought:
                layer._put(weights, everything)
            model.set_weights(everything)

    def _adopt(self, core: CoreModel, metric_names: Sequence[str] | None = None) -> None:
        """Take over a core model, whose layers must be these, with what it is compiled with."""
        network = json.loads(core.config)
        shape = tuple(network["input_shape"])
        config = {"input_shape": shape, "layers": [layer._spec() for layer in self._layers]}
        same = _core.canonical_network(json.dumps(config)) == core.config
        same = same and isinstance(core, _MODELS[self._dtype.name])
        same = same and core.precision == self._precision
        if not same or self._input not in (None, shape):
            raise ValueError("the layers that Python and the core know differ")
        compiled = Compiled.of(core, self, metric_names)
        for index, layer in enumerate(self._layers):
            layer._join(core, index)
        self._outputs = tuple(core.layer(len(self._layers) - 1)["output_shape"])
        self._model, self._input, self._seed = core, shape, core.seed
        if compiled is not None:
            compiled.optimizer._bind(core)
            compiled.optimizer._owner = weakref.ref(self)
            compiled.fix()
            self._compiled = compiled

    def _build_if_known(self) -> CoreModel | None:
        """Build the model if its input width is known; return the core's, if there is one."""
        if self._model is None and self._input is not None and self._layers:
            return self._build(self._input)
        return self._model

    def _take_apart(self, keep: bool) -> None:
        """Return to the state before building; with ``keep``, layers take their weights along."""
        if self._model is not None:
            self._detach(self._model.get_weights() if keep else None)

    def _detach(self, weights: list[NDArray[Any]] | None) -> None:
        """Take layers and optimizer from the model; they keep what is given of all weights."""
        for layer in self._layers:
            layer._detach(weights)
        if self._compiled is not None:
            self._compiled.optimizer._bind(None)
        self._model = None

    def _core(self, where: str) -> CoreModel:
        model = self._build_if_known()
        if model is None:
            raise ValueError(
                f"{where}: the model is not built: the first data, Input or build give its input "
                "width" + ("" if self._layers else ", and it has no layers")
            )
        return model

    @contextlib.contextmanager
    def _built_for(self, x: NDArray[Any], y: NDArray[Any] | None = None) -> Iterator[CoreModel]:
        """Give the core's model, built for samples like those of ``x`` if it is not yet.

        Where the call then finds its arguments wrong, their shape is forgotten again.
        """
        model = self._build_if_known()
        if model is not None:
            self._check_shapes(x, y)
            yield model
            return
        model = self._build(x.shape[1:])
        try:
            self._check_shapes(x, y)
            yield model
        except (TypeError, ValueError):
            with self._lock:
                mine = self._model is model and self._trainer is None
                if mine and (self._compiled is None or model.iterations == 0):
                    self._take_apart(keep=False)
                    self._input = None
            raise

    def _check_shapes(self, x: NDArray[Any], y: NDArray[Any] | None) -> None:
        """Raise ValueError where samples or targets of several axes are not the built model's."""
        assert self._input is not None
        _arrays.check_sample(x, "x", self._input)
        if y is not None and y.ndim > 1:
            _arrays.check_sample(y, "y", self._outputs)

    def _ready(self, where: str, y: object, training: bool = False) -> Compiled:
        """Return what the model is compiled with, if it may be used by ``where`` now.

        A loss that nobody named follows the targets ``y``.
        """
        if not training:
            self._not_in_training(where)
        if self._compiled is None:
            raise ValueError(f"{where}: compile the model first")
        with self._lock:
            self._compiled.settle(self._layers, y, self._model)
            return self._compiled

    @property
    def _being_trained(self) -> bool:
        return self._trainer is not None

    def _not_in_training(self, where: str) -> None:
        trainer = self._trainer
        if trainer is None:
            return
        if trainer[1] != os.getpid() and self._trained_elsewhere():
            raise RuntimeError(
                f"{where}: the model was being trained by another thread when this process was "
                "forked, and may be in the middle of a step; load it from a file"
            )
        by = " by another thread" if self._trained_elsewhere() else ""
        raise RuntimeError(f"{where}: the model is being trained{by}")

    def _trained_elsewhere(self) -> bool:
        trainer = self._trainer
        return trainer is not None and trainer[0] != threading.get_ident()

    @contextlib.contextmanager
    def _in_training(self, where: str, compiled: Compiled, core: CoreModel) -> Iterator[None]:
        """Train the built model as it was compiled, or raise RuntimeError."""
        trainer = (threading.get_ident(), os.getpid())
        try:
            with self._lock:
                self._not_in_training(where)
                if self._compiled is not compiled or self._model is not core:
                    raise RuntimeError(
                        f"{where}: another thread has compiled the model or changed its layers "
                        "meanwhile"
                    )
                self._trainer = trainer
            yield
        finally:
            if self._trainer is trainer:
                self._trainer = None

    def _still(self, where: str, y: object) -> tuple[Compiled, CoreModel | None]:
        """Return what the model is compiled with and the core's model, both of one moment.

        The latter stays as it is, whatever other threads do; None where it is not built.
        """
        while True:
            compiled = self._ready(where, y, training=True)
            core = self._build_if_known()
            if core is None:
                return compiled, None
            still, _ = core.moment(where, False)
            with self._lock:
                if self._compiled is compiled and self._model is core:
                    return compiled, still


def _checked_name(name: object) -> str:
    """Return a model's name; TypeError where it is no text."""
    if not isinstance(name, str):
        raise TypeError(f"Sequential: name must be a string, got {name!r}")
    return name


def _checked_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return float32 or float64; an error for anything else."""
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"Sequential: dtype must be a type of numbers, got {dtype!r}") from None
    if dtype is None or result.name not in _MODELS or not result.isnative:  # type: ignore[redundant-expr]
        raise ValueError(f"Sequential: dtype must be 'float32' or 'float64', got {dtype!r}")
    return result


def _checked_precision(precision: str | None, dtype: str) -> str:
    """Return the precision of products; an error where the dtype has no such one."""
    allowed = [dtype, "bfloat16"] if dtype == "float32" else [dtype]
    if precision is None:
        return dtype
    if not isinstance(precision, str):
        raise TypeError(f"Sequential: precision must be a text or None, got {precision!r}")
    if precision not in allowed:
        names = " or ".join(map(repr, allowed))
        raise ValueError(
            f"Sequential: precision must be {names} where dtype is {dtype!r}, got {precision!r}"
        )
    return precision
