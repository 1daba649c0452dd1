# SPDX-License-Identifier: Apache-2.0
"""The layers of a model and its weights, whatever the layers read.

A model is built when the shape of its input is known: then the core's model exists, and the layers
are attached to it. A stack whose layers change is taken apart again; the layers keep their weights,
and the next build gives them back.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from . import _arrays, _core
from ._compiled import Compiled
from ._component import integer
from ._guard import CORE_MODELS, CoreModel
from ._heads import Output
from ._printable import listed
from ._sharing import Sharing
from ._spelling import hint, keywords
from .layers import Layer
from .layers._place import Facts, facts_of
from .layers.symbol import Symbol

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._tape.variable import Changing
    from ._tape.variable import Weight as Tensor
    from ._types import Array
    from .exchange._wiring import Wiring


# Inputs with their names; for each layer, call by call, the names of what it reads.
Connections: TypeAlias = "tuple[list[tuple[Symbol, str]], list[list[list[str]]]]"


class Bound(NamedTuple):
    """A core model with its tensors as variables."""

    core: CoreModel
    by_layer: list[tuple[Layer, Tensor]]
    flat: list[Tensor]  # in the order of `get_weights`
    trained: dict[int, Changing]  # those that a tape follows, by identity
    draws: Iterator[int]  # that calls in training have made
    follows: bool  # statistics of layers follow batches


class Layered(Sharing):
    """Layers and their weights. How they are connected is known to the classes below this one."""

    _input: tuple[int, ...] | None = None  # of a sample, as the core takes it
    _outputs: tuple[int, ...] = ()
    _adding = False  # layers add losses
    _bound: Bound | None = None
    _frozen: list[bool]  # for each layer, whether the core's model leaves its weights alone
    _trained_inside: list[tuple[bool, ...]]  # for each layer of the user's own, its weights
    _plain = True  # one array in, one array out
    _several_outputs = False
    _number_of_inputs = 1
    _outputs_by_key = False  # they were given in a dict
    _sloping: CoreModel | None = None  # the core model whose weights slopes are known to lead to

    def _network(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the core's description of the network for samples of a shape."""
        raise NotImplementedError

    def _input_of(self, network: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the shape of a sample in a core's description."""
        raise NotImplementedError

    def _outputs_of(self, core: CoreModel) -> tuple[int, ...]:
        """Return the shape of a sample's output."""
        raise NotImplementedError

    def _last_layers(self, output: int = 0) -> Sequence[Layer]:
        """Return the layers that end with an output, from which a loss is chosen."""
        raise NotImplementedError

    def _described_outputs(self) -> list[Output]:
        """Return the outputs: their names in logs, and their shapes where these are known."""
        name = self._layers[-1].name if self._layers else None
        return [Output(name or "output")]

    def _joined(self, x: Any, where: str) -> Any:
        """Return samples in the form that one input has."""
        if isinstance(x, Mapping):
            raise TypeError(
                f"{where} must be an array, as a {type(self).__name__} has one input; got a dict "
                f"with the keys {listed(map(repr, x))}"
            )
        return x

    def _adds_losses(self) -> bool:
        """Whether layers add to the loss, as far as they have been traced."""
        return any(layer._adds_losses for layer in self._layers)

    def _of_output(self, given: Any, where: str) -> Any:
        """Return targets or weights without the dict around those of a single output."""
        return given

    def _parted(self, result: NDArray[Any]) -> Any:
        """Return predictions in the form that the model's outputs have."""
        return result

    def _symbol_of(self, layer: Layer) -> Symbol:
        """Return the symbol of a layer's output; ValueError while shapes are unknown."""
        raise NotImplementedError

    def _wiring(self) -> Wiring:
        """Return how the layers of the built model are connected."""
        from .exchange._wiring import Wiring  # needed by few programs

        shapes = [tuple(facts["output_shape"]) for facts in self._described(self._core("export"))]
        assert self._input is not None
        return Wiring(
            [("input", self._input)],
            [(i, (i,)) for i in range(len(shapes))],
            [("output", len(shapes))],
            [self._input, *shapes],
        )

    def _is_chain(self) -> bool:
        """Whether each layer reads the one before, and the last one is the output."""
        return True

    def _connections(self) -> Connections | None:
        """Return what the layers read; None where each reads the one before."""
        return None

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols that the model reads; ValueError while their shapes are unknown."""
        raise NotImplementedError

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols that the model returns; ValueError while their shapes are unknown."""
        raise NotImplementedError

    @property
    def input(self) -> Symbol | list[Symbol]:
        """The input, or a list of several; ValueError as for `inputs`."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Symbol | list[Symbol]:
        """The output, or a list of several; ValueError as for `outputs`."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @keywords()
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its number.

        Parameters
        ----------
        name : str, optional
            One of the names that `summary` shows.
        index : int, optional
            The number in `layers`; one of the two must be given.

        Raises
        ------
        TypeError, ValueError
            Where there is no such layer.
        """
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: give a name or an index, got {name!r} and {index!r}")
        if index is not None:
            count = len(self._layers)
            place = integer(index, "get_layer: index", minimum=-count)
            if place >= count:
                raise ValueError(f"get_layer: the model has {count} layers, got index {place}")
            return self._layers[place]
        self._build_if_known()
        names = self._layer_names()
        if name not in names:
            if not isinstance(name, str):
                raise TypeError(f"get_layer: name must be a string, got {name!r}")
            raise ValueError(f"get_layer: there is no layer {name!r}; {hint(name, names)}")
        return self._layers[names.index(name)]

    def _described(self, core: CoreModel) -> list[dict[str, Any]]:
        """Return what the core says of each layer."""
        everything = core.layers()
        for facts in everything:
            if facts["kind"] == "batch_operations":  # which are others in training alone
                facts["kind"] = "operations"
        return [everything[place] for place in self._places]

    def _layer_names(self) -> list[str]:
        """Return what the layers are called in this model."""
        if self._model is not None:
            return [str(facts["name"]) for facts in self._described(self._model)]
        return [layer.name or "" for layer in self._layers]

    @property
    def layers(self) -> list[Layer]:
        """The layers from input to output, without the `Input`."""
        return list(self._layers)

    @property
    def built(self) -> bool:
        """Whether the input width is known and the model has weights."""
        return self._build_if_known() is not None

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The shape of a batch of samples, (None, features); None while it is unknown."""
        return None if self._input is None else (None, *self._input)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch of outputs, (None, outputs); ValueError if not built."""
        return (None, *self._outputs_of(self._core("output_shape")))

    @property
    def weights(self) -> list[Changing]:
        """All tensors, in the order of `get_weights`, as variables.

        They have ``name``, ``shape``, ``dtype``, ``trainable``, ``numpy()`` and ``assign(value)``,
        which changes the model; operations and NumPy compute with their present numbers, and a
        `laminar.GradientTape` follows them. ValueError if the model is not built.
        """
        return list(self._variables("weights").flat)

    @property
    def variables(self) -> list[Changing]:
        """`weights`."""
        return self.weights

    def _facts(self, where: str) -> list[Facts]:
        """Return what there is to know of `weights`, for whom that is enough."""
        return facts_of(self._core(where).tensors())

    @property
    def trainable_variables(self) -> list[Changing]:
        """Those of `variables` that training changes, for a loop of one's own."""
        pairs = self._variables("trainable_variables").by_layer
        return [variable for layer, variable in pairs if layer._trainable and variable.trainable]

    def _variables(self, where: str) -> Bound:
        """Return the core's model with its variables, the same ones as long as it is built."""
        bound = self._bound
        if bound is not None and bound.core is self._model and not self._sharing:
            return bound  # as almost always
        core = self._core(where)
        if bound is None or bound.core is not core:
            from ._tape.variable import weights_of  # needed by few programs

            tensors = core.tensors()
            each = [
                weights_of(layer, core, tensors[slice(*core.layer(place)["tensors"])])
                for layer, place in zip(self._layers, self._places, strict=True)
            ]
            order = sorted(range(len(each)), key=self._places.__getitem__)
            flat = [variable for place in order for variable in each[place]]
            bound = self._bound = Bound(
                core,
                [(layer, v) for layer, own in zip(self._layers, each, strict=True) for v in own],
                flat,
                {id(variable): variable for variable in flat if variable.trainable},
                itertools.count(),
                any(layer._entry == "batch_normalization" for layer in self._layers),
            )
        return bound

    @property
    def non_trainable_variables(self) -> list[Changing]:
        """Those of `variables` that it does not change."""
        trained = [id(each) for each in self.trainable_variables]
        return [each for each in self.variables if id(each) not in trained]

    @property
    def trainable_weights(self) -> list[Changing]:
        """`trainable_variables`."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Changing]:
        """`non_trainable_variables`."""
        return self.non_trainable_variables

    def count_params(self) -> int:
        """Return the number of weights; ValueError if the model is not built."""
        return sum(math.prod(tensor["shape"]) for tensor in self._core("count_params").tensors())

    def get_weights(self) -> list[Array]:
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
        self._store_weights(core, tensors, None, "set_weights")

    def _store_weights(
        self, core: CoreModel, tensors: list[NDArray[Any]], first: int | None, where: str
    ) -> None:
        """Replace all tensors, or some that follow each other; no other thread may train them."""
        with self._lock:
            if self._trained_elsewhere():
                self._not_in_training(where)
            core.set_weights(tensors, first)
            self._changed(where)

    def _changed(self, where: str) -> None:
        """Let other models that have the layers follow what has been set."""
        if self._sharing:
            self._claim(where)
            return
        for layer in self._layers:
            vars(layer)["_version"] = layer._version + 1  # as a step of a loop does it

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {len(self._layers)} layers, {self.dtype}>"

    def _build(self, shape: tuple[int, ...]) -> CoreModel:
        if not self._layers:
            raise ValueError("build: the model has no layers; add one first")
        with self._lock:
            if self._model is not None:  # another thread was first
                return self._model
            config = self._network(shape)
            model = CORE_MODELS[self._dtype.name](json.dumps(config), self._seed, self._precision)
            try:
                self._attach(model)
                if self._quantization is not None:
                    model.quantize(self._quantization)
                if self._compiled is not None:
                    self._compiled.apply(model)
            except BaseException:
                self._detach(model, None)
                raise
            self._outputs, self._adding = self._outputs_of(model), self._adds_losses()
            self._frozen = [not layer.trainable for layer in self._layers]
            self._trained_inside = [layer._trained_inside() for layer in self._layers]
            self._model, self._input = model, shape
            return model

    def _adopt(self, core: CoreModel, metric_names: Sequence[str] | None = None) -> None:
        """Take over a core model, whose layers must be these, with what it is compiled with."""
        network = json.loads(core.config)
        shape = self._input_of(network)
        own = self._network(shape)
        # What has been frozen or freed since the last compile differs.
        for here, there in zip(own["layers"], network["layers"], strict=False):
            here["trainable"] = there.get("trainable", True)
            if "config" in there and _unfrozen(here.get("config")) == _unfrozen(there["config"]):
                here["config"] = there["config"]
            for weight, known in zip(
                here.get("weights", ()), there.get("weights", ()), strict=False
            ):
                weight["trainable"] = known.get("trainable", True)
        same = _core.canonical_network(json.dumps(own)) == core.config
        same = same and isinstance(core, CORE_MODELS[self._dtype.name])
        same = same and core.precision == self._precision
        if not same or self._input not in (None, shape):
            raise ValueError(_difference(self._layers, own["layers"], network["layers"]))
        compiled = Compiled.of(core, self, metric_names)
        self._places = self._places_in(core)
        for layer, place in zip(self._layers, self._places, strict=True):
            layer._use(self)
            layer._join(core, place)
        for layer, there in zip(self._layers, network["layers"], strict=True):
            layer._freeze_inside(there.get("weights", ()))
        self._trained_inside = [layer._trained_inside() for layer in self._layers]
        self._seen = [layer._version for layer in self._layers]
        self._outputs, self._adding = self._outputs_of(core), self._adds_losses()
        self._frozen = [not layer.get("trainable", True) for layer in network["layers"]]
        self._model, self._input, self._seed = core, shape, core.seed
        self._quantization = core.quantization
        if compiled is not None:
            compiled.optimizer._bind(core)
            compiled.optimizer._owner = weakref.ref(self)
            compiled.fix()
            self._compiled = compiled

    def _build_if_known(self) -> CoreModel | None:
        """Build the model if its input width is known; return the core's, if there is one."""
        model = self._model
        if model is None and self._input is not None and self._layers:
            model = self._build(self._input)
        if self._sharing and model is not None:
            self._pull(model)
        return model

    def _check_slopes(self, where: str, core: CoreModel) -> None:
        """Raise ValueError where parts of the user's own let no slope back to trained weights."""
        if self._sloping is core:
            return
        if any(layer._is_traced or layer._entry == "operations" for layer in self._layers):
            from . import _slopes  # needed by few programs

            _slopes.check(where, core.config)
        self._sloping = core

    def _take_apart(self, keep: bool) -> None:
        """Return to the state before building; with ``keep``, layers take their weights along."""
        if self._model is not None:
            self._detach(self._model, self._model.get_weights() if keep else None)

    def _detach(self, model: CoreModel, weights: list[NDArray[Any]] | None) -> None:
        """Take layers and optimizer from the model; they keep what is given of all weights."""
        for layer in self._layers:
            layer._detach(model, weights)
        if self._compiled is not None:
            self._compiled.optimizer._bind(None)
        self._model, self._sloping, self._sharing = None, None, False

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
        self._pull(model)
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
        if y is not None and y.ndim > 1 and not self._several_outputs:
            compiled = self._compiled
            own = None if compiled is None else compiled.heads[0].targets
            _arrays.check_sample(y, "y", self._outputs if own is None else own)


def _unfrozen(config: str | None) -> Any:
    """Return the arguments of a layer's class as its description has them, but for `trainable`."""
    arguments = json.loads(config or "null")
    if isinstance(arguments, dict):
        arguments.pop("trainable", None)
    return arguments


def _difference(
    layers: Sequence[Layer], own: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> str:
    """Return what is wrong where Python's layers are none of the core's."""
    for layer, here, there in zip(layers, own, others, strict=False):
        shapes = [each.get("program", {}).get("weights") for each in (here, there)]
        steps = [len(each.get("program", {}).get("steps", ())) for each in (here, there)]
        if layer._own and (shapes[0] != shapes[1] or steps[0] != steps[1]):
            return (
                f"layer {there.get('name')!r}: the class {type(layer).__name__} that is known here "
                "computes something else than the layer of the file, which is what the class was "
                "then; without it in custom_objects the layer computes what the file holds"
            )
    return "the layers that Python and the core know differ"
