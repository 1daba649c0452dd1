# SPDX-License-Identifier: Apache-2.0
"""Model: a graph of layers, with one input or several, branches, and shared layers.

To the core, and wherever rows go inside, samples are one matrix: all inputs side by side, and all
outputs. This file puts together what users give as lists and dicts, and takes apart what they get.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from . import _arrays, _graph
from ._base_model import BaseModel
from ._guard import CoreModel
from ._heads import Output, check_keys
from ._layered import Connections
from ._printable import listed
from ._saving import layer_config
from ._spelling import keywords
from ._types import OutputT
from .data import Dataset
from .data._batches import Batches
from .layers import Layer
from .layers import get as get_layer
from .layers.symbol import Symbol

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from ._types import Array, Shapes
    from .exchange._wiring import Wiring
    from .layers.symbol import Symbols

M = TypeVar("M", bound="Model[Any]")


class Model(BaseModel[OutputT]):
    """A network of layers that were called on symbols, from inputs to outputs.

    A layer that is called twice has its weights once. Models can be called on symbols as layers
    can: their layers become layers of the new model. Layers may be in several models at once, as
    those of ``Model(m.inputs, m.get_layer("code").output)`` are: these models share their weights,
    and what one of them learns the others have when they are used next. Each has an optimizer of
    its own.

    Parameters
    ----------
    inputs : Input, list of Input or dict of Input
        What the model reads, each used by at least one output. Data come in the same form: an
        array, a list of arrays, or a dict of arrays by the names of the inputs, which are the keys
        where a dict is given. A layer's output may stand for an input: the model starts there.
    outputs : symbol, list of symbols or dict of symbols
        What it returns, in the same form.
    name : str, optional
        Kept for the reader.
    seed, dtype, precision
        As of a `Sequential`.

    Attributes
    ----------
    stop_training, history, feature_names, class_names
        As of a `Sequential`.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import Input, Model, layers
    >>> wide, deep = Input((3,), name="wide"), Input((5,), name="deep")
    >>> hidden = layers.Dense(8, "relu")(deep)
    >>> y = layers.Dense(1)(layers.concatenate([wide, hidden]))
    >>> model = Model([wide, deep], y)
    >>> model.predict({"wide": np.zeros((2, 3)), "deep": np.zeros((2, 5))}).shape
    (2, 1)
    """

    @overload
    def __init__(
        self: Model[Array],
        inputs: Symbols,
        outputs: Symbol,
        name: str | None = None,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        precision: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Model[dict[str, Array]],
        inputs: Symbols,
        outputs: Mapping[str, Symbol],
        name: str | None = None,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        precision: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Model[list[Array]],
        inputs: Symbols,
        outputs: Sequence[Symbol],
        name: str | None = None,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        precision: str | None = None,
    ) -> None: ...

    @keywords(input="inputs", output="outputs")
    def __init__(
        self,
        inputs: Symbols,
        outputs: Symbols,
        name: str | None = None,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        precision: str | None = None,
    ) -> None:
        self._begin(name, dtype, seed, precision)
        self._take(_graph.Graph(inputs, outputs, type(self).__name__))
        self._draw_seed()
        self._build_if_known()

    def _take(self, graph: _graph.Graph) -> None:
        self._graph = graph
        self._layers = graph.layers
        shapes = [symbol.shape for symbol in graph.inputs.symbols]
        self._input = _side_by_side(shapes)
        self._number_of_inputs = len(shapes)
        self._several_outputs = len(graph.outputs.symbols) > 1
        self._outputs_by_key = graph.outputs.keys is not None
        self._plain = len(shapes) == 1 and not self._several_outputs and not graph.outputs.keys

    @property
    def inputs(self) -> list[Symbol]:
        """The inputs, as a list."""
        return list(self._graph.inputs.symbols)

    @property
    def outputs(self) -> list[Symbol]:
        """The outputs, as a list."""
        return list(self._graph.outputs.symbols)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: the keys of data that are given as a dict."""
        return list(self._graph.input_names)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, in logs and as keys: those of a dict, else of their layers."""
        return [output.name for output in self._described_outputs()]

    def _described_outputs(self) -> list[Output]:
        outputs, graph = self._graph.outputs, self._graph
        values = graph.input_names + [graph.names[node.layer] for node in graph.nodes]
        names = outputs.keys or [values[graph.behind(number)] for number in graph.output_numbers]
        return [
            Output(name, symbol.shape) for name, symbol in zip(names, outputs.symbols, strict=True)
        ]

    def _of_output(self, given: Any, where: str) -> Any:
        if self._several_outputs or not isinstance(given, Mapping):
            return given
        (name,) = self.output_names
        check_keys(given, [name], where)
        return given.get(name)

    def add_loss(self, loss: Any) -> None:
        """Add to what training minimizes; before `compile`.

        Parameters
        ----------
        loss : symbol
            What operations make of symbols of the model, of several outputs together too:
            ``model.add_loss(ops.mean(ops.square(a - b)))``. As in a layer's ``add_loss`` the sum of
            its elements counts, so that means over the batch are written as such.

        Raises
        ------
        RuntimeError
            Where the model is compiled.
        TypeError, ValueError
            Where it is no such symbol, see `Layer.add_loss`; the model stays as it was.

        Notes
        -----
        It becomes a layer behind the first output, which hands this on as it is.
        """
        with self._lock:
            if self._compiled is not None:
                raise RuntimeError("add_loss: must come before compile, which it would change")
            graph = self._graph.with_loss(loss, type(self).__name__)
            self._take_apart(keep=True)
            self._take(graph)
            self._build_if_known()

    @property
    def input_shape(self) -> Shapes:  # type: ignore[override]  # a list where there are several
        """The shape of a batch of samples, (None, features); a list of them for several inputs."""
        return _batches(self._graph.inputs.symbols)

    @property
    def output_shape(self) -> Shapes:  # type: ignore[override]
        """The shape of a batch of outputs, (None, units); a list of them for several outputs."""
        return _batches(self._graph.outputs.symbols)

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model, without weights, in a form that JSON can carry."""
        names = self._graph.names
        return {
            "name": self.name,
            "dtype": self.dtype,
            "seed": self._seed,
            "precision": None if self._precision == self.dtype else self._precision,
            "layers": [
                _called(layer._entry_in_config(), layer._name, name)
                for layer, name in zip(self._layers, names, strict=True)
            ],
            **_graph.described(self._graph),
        }

    @classmethod
    def from_config(cls: type[M], config: Mapping[str, Any]) -> M:
        """Make a model of what `get_config` returned; its initial weights are the same.

        Parameters
        ----------
        config : mapping
            A configuration.
        """
        made = cls.__new__(cls)
        made._start(config)
        made._build_if_known()
        return made

    def _start(self, config: Mapping[str, Any]) -> None:
        layers = []
        for entry in config["layers"]:
            layer = get_layer({key: entry[key] for key in ("class_name", "config")})
            layer._called = entry["called"]
            layers.append(layer)
        self._begin(config["name"], config["dtype"], config["seed"], config["precision"])
        self._take(_graph.Graph(*_graph.drawn(config, layers), type(self).__name__))
        self._draw_seed()

    @classmethod
    def _network_config(cls, network: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "layers": [{**layer_config(spec), "called": None} for spec in network["layers"]],
            "inputs": network["inputs"],
            "inputs_as": "one" if len(network["inputs"]) == 1 else "list",
            "nodes": network["nodes"],
            "outputs": network["outputs"],
            "outputs_as": "one" if len(network["outputs"]) == 1 else "list",
        }

    def _network(self, shape: tuple[int, ...]) -> dict[str, Any]:
        return self._graph.network()

    def _input_of(self, network: Mapping[str, Any]) -> tuple[int, ...]:
        if "input_shape" in network:  # a chain of layers, which the core describes as a stack
            return tuple(network["input_shape"])
        return _side_by_side([tuple(each["shape"]) for each in network["inputs"]])

    def _places_in(self, model: CoreModel) -> Sequence[int]:
        places: dict[str, int] = {}
        for i, facts in enumerate(model.layers()):
            places.setdefault(facts["name"], i)  # a later one is another call
        return [places[name] for name in self._graph.names]

    def _outputs_of(self, core: CoreModel) -> tuple[int, ...]:
        return _side_by_side([symbol.shape for symbol in self._graph.outputs.symbols])

    def _last_layers(self, output: int = 0) -> Sequence[Layer]:
        """Return the layers from the last branch to an output, nearest last."""
        graph = self._graph
        symbol: Symbol = graph.symbols[graph.behind(graph.output_numbers[output])]
        path: list[Layer] = []
        while symbol._layer is not None and symbol not in self._graph.inputs.symbols:
            path.append(symbol._layer)
            if len(symbol._reads) != 1:
                break
            symbol = symbol._reads[0]
        return path[::-1]

    def _symbol_of(self, layer: Layer) -> Symbol:
        place = self._layers.index(layer)
        number = next(i for i, node in enumerate(self._graph.nodes) if node.layer == place)
        return self._graph.symbols[len(self._graph.input_names) + number]

    def _called_on(self, inputs: Any) -> Any:
        """Return the outputs as symbols, the layers called on others in place of the inputs."""
        given = self._each(inputs, f"model {self.name!r}: inputs", "symbol")
        self._check_inputs([symbol.shape for symbol in given])
        self._build_if_known()
        return self._outputs_among(self._graph.on(given, Layer._called_on))

    def _inside(self, inputs: Any, training: bool | None) -> Any:
        given = self._each(inputs, f"model {self.name!r}: inputs", "value")
        self._check_inputs([value.shape[1:] for value in given])

        def call(layer: Layer, values: Sequence[Any]) -> Any:
            several = layer._listed or len(values) > 1
            return layer(list(values) if several else values[0], training=training)

        return self._outputs_among(self._graph.on(given, call))

    def _check_inputs(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Raise ValueError where inputs have other shapes than the model's."""
        wanted = [symbol.shape for symbol in self._graph.inputs.symbols]
        for name, own, shape in zip(self._graph.input_names, wanted, shapes, strict=True):
            if shape != own:
                raise ValueError(
                    f"model {self.name!r}: input {name!r} must have shape {own}, got {shape}"
                )

    def _outputs_among(self, values: Sequence[Any]) -> Any:
        """Return the outputs, of the values of all calls, in the form that they were given."""
        made = [values[number] for number in self._graph.output_numbers]
        outputs = self._graph.outputs
        return made[0] if len(made) == 1 and outputs.keys is None else outputs.like_given(made)

    def _each(self, x: Any, where: str, what: str = "array") -> list[Any]:
        """Return what is given for each input, from a list or a dict."""
        names = self._graph.input_names
        if isinstance(x, Mapping):
            lacking = [name for name in names if name not in x]
            unknown = [key for key in x if key not in names]
            if lacking or unknown:
                raise ValueError(
                    f"{where} must be a dict with the keys {listed(map(repr, names))}, the inputs "
                    f"of the model; it lacks {listed(map(repr, lacking)) or 'none'}, and has "
                    f"{listed(map(repr, unknown)) or 'none'} besides"
                )
            return [x[name] for name in names]
        parts = list(x) if isinstance(x, (list, tuple)) else [x]
        if len(parts) != len(names):
            got = f"a list of {len(parts)}" if isinstance(x, (list, tuple)) else type(x).__name__
            raise ValueError(
                f"{where} must be a list or a dict with one {what} for each input, "
                f"{listed(map(repr, names))}; got {got}"
            )
        return parts

    def _joined(self, x: Any, where: str) -> Any:
        """Return samples as the core takes them: the arrays of several inputs side by side."""
        if isinstance(x, (Dataset, Batches)):
            return x
        names, shapes = self._graph.input_names, [s.shape for s in self._graph.inputs.symbols]
        if len(names) == 1:
            arrays = isinstance(x, (list, tuple)) and all(
                isinstance(part, np.ndarray) and part.ndim == len(shapes[0]) + 1 for part in x
            )
            value = self._each(x, where)[0] if arrays or isinstance(x, Mapping) else x
            return _column(value) if shapes[0] == (1,) else value
        if isinstance(x, np.ndarray) and x.ndim == 2 and x.shape[1:] == self._input:
            return x
        parts: list[NDArray[Any]] = []
        for name, shape, part in zip(names, shapes, self._each(x, where), strict=True):
            value = _column(part) if shape == (1,) else part
            array = _arrays.features(value, f"{where}[{name!r}]", self._dtype)
            if array.shape[1:] != shape:
                expected = ", ".join(["rows", *map(str, shape)])
                raise ValueError(
                    f"{where}[{name!r}] must have shape ({expected}), got {array.shape}"
                )
            if parts and len(array) != len(parts[0]):
                raise ValueError(
                    f"{where}[{names[0]!r}] has {len(parts[0])} rows, "
                    f"{where}[{name!r}] has {len(array)}"
                )
            parts.append(array.reshape(len(array), -1))
        return np.concatenate(parts, axis=1)

    def _parted(self, result: NDArray[Any]) -> Any:
        """Return the outputs of all rows in the form that the constructor was given."""
        outputs = self._graph.outputs
        if not self._several_outputs:
            return outputs.like_given([result]) if outputs.keys is not None else result
        return outputs.like_given(_split(result, outputs.symbols))

    def _outputs_joined(self, outputs: Any, where: str, rows: int) -> NDArray[Any]:
        own = self._graph.outputs
        if own.keys is not None and isinstance(outputs, Mapping):
            lacking = [key for key in own.keys if key not in outputs]
            if lacking or len(outputs) != len(own.keys):
                raise ValueError(
                    f"{where} must have the keys {listed(map(repr, own.keys))}, "
                    f"got {listed(map(repr, outputs))}"
                )
            outputs = [outputs[key] for key in own.keys]
            outputs = outputs if self._several_outputs else outputs[0]
        if not self._several_outputs:
            return super()._outputs_joined(outputs, where, rows)
        parts = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        if len(parts) != len(own.symbols):
            raise ValueError(
                f"{where} must be a list of {len(own.symbols)} arrays, one for each output, "
                f"got {len(parts)}"
            )
        flat = []
        for number, (symbol, part) in enumerate(zip(own.symbols, parts, strict=True)):
            array = _arrays.features(part, f"{where}[{number}]", self._dtype)
            if array.shape != (rows, *symbol.shape):
                expected = ", ".join(map(str, (rows, *symbol.shape)))
                raise ValueError(
                    f"{where}[{number}] must have shape ({expected}), got {array.shape}"
                )
            flat.append(array.reshape(rows, -1))
        return np.concatenate(flat, axis=1)

    def _taken_apart(self, inputs: NDArray[Any]) -> Any:
        symbols = self._graph.inputs.symbols
        return inputs if len(symbols) == 1 else _split(inputs, symbols)

    def _wiring(self) -> Wiring:
        from .exchange._wiring import Wiring  # needed by few programs

        graph = self._graph
        if graph.is_chain():
            return super()._wiring()
        self._core("export")
        shapes = [symbol.shape for symbol in graph.symbols]
        names = ["input"] if len(graph.input_names) == 1 else graph.input_names
        if graph.outputs.keys is not None:
            ends = list(graph.outputs.keys)
        elif self._several_outputs:
            ends = [f"output_{i}" for i in range(len(graph.output_numbers))]
        else:
            ends = ["output"]
        return Wiring(
            list(zip(names, shapes, strict=False)),
            [(node.layer, node.reads) for node in graph.nodes],
            list(zip(ends, graph.output_numbers, strict=True)),
            shapes,
        )

    def _is_chain(self) -> bool:
        return self._graph.is_chain()

    def _connections(self) -> Connections | None:
        if self._graph.is_chain():
            return None
        inputs = list(zip(self._graph.inputs.symbols, self._graph.input_names, strict=True))
        return inputs, [self._graph.reads_of(i) for i in range(len(self._layers))]


def _called(entry: dict[str, Any], given: str | None, name: str) -> dict[str, Any]:
    """Return what a configuration says of a layer, with its name in this model."""
    return {**entry, "config": {**entry["config"], "name": given}, "called": name}


def _side_by_side(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape in which values of some shapes are one."""
    return shapes[0] if len(shapes) == 1 else (sum(map(math.prod, shapes)),)


def _split(matrix: NDArray[Any], symbols: Sequence[Symbol]) -> list[NDArray[Any]]:
    """Return the values of each symbol, in its shape, out of those of all side by side."""
    sizes = [math.prod(symbol.shape) for symbol in symbols]
    parts = np.split(matrix, np.cumsum(sizes)[:-1], axis=1)
    return [
        np.ascontiguousarray(part).reshape(-1, *symbol.shape)
        for part, symbol in zip(parts, symbols, strict=True)
    ]


def _batches(symbols: Sequence[Symbol]) -> Shapes:
    """Return the shape of a batch of one symbol, or a list of them for several."""
    shapes: list[tuple[int | None, ...]] = [(None, *symbol.shape) for symbol in symbols]
    return shapes[0] if len(shapes) == 1 else shapes


def _column(values: Any) -> Any:
    """Return one number a row as a column; what is none, as it is."""
    return np.reshape(values, (-1, 1)) if np.ndim(values) == 1 else values
