# SPDX-License-Identifier: Apache-2.0
"""From symbols to a graph: which inputs, layers and calls make the outputs of a `Model`.

Values are numbered as the core numbers them: the inputs first, then the calls of layers in an order
in which each reads what came before. A layer that is called twice is in the list of layers once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ._printable import listed
from .layers.base import Layer
from .layers.symbol import Input, Symbol


class Node(NamedTuple):
    """One call: the number of the layer, and those of the values it reads."""

    layer: int
    reads: tuple[int, ...]


class Ends(NamedTuple):
    """Inputs or outputs of a model as the user has given them: one, several, or by name."""

    symbols: tuple[Symbol, ...]
    keys: tuple[str, ...] | None  # those of a dict
    single: bool  # not in a list

    @classmethod
    def of(cls, given: object, where: str) -> Ends:
        """Return what a constructor was given; TypeError where there are no symbols in it."""
        if isinstance(given, Mapping):
            keys = tuple(given)
            if not all(isinstance(key, str) for key in keys):
                raise TypeError(f"{where}: the keys of a dict must be strings, got {list(keys)}")
            values: list[object] = list(given.values())
        else:
            keys = None
            values = list(given) if isinstance(given, (list, tuple)) else [given]
        if not values:
            raise ValueError(f"{where} must be a symbol or several, got none")
        symbols = []
        for i, value in enumerate(values):
            if not isinstance(value, Symbol) or value._of_batch:
                place = (
                    f"[{keys[i]!r}]" if keys is not None else f"[{i}]" if len(values) > 1 else ""
                )
                raise TypeError(
                    f"{where}{place} must be a symbol, which Input gives and layers return that "
                    f"are called on one, got {_brief(value)}"
                )
            symbols.append(value)
        return cls(tuple(symbols), keys, isinstance(given, Symbol))

    def like_given(self, values: Sequence[Any]) -> Any:
        """Return one value for each symbol in the form in which these were given."""
        if self.keys is not None:
            return dict(zip(self.keys, values, strict=True))
        return values[0] if self.single else list(values)


class Graph:
    """What is computed from given inputs for given outputs.

    Attributes
    ----------
    inputs, outputs : Ends
        As given.
    symbols : list of Symbol
        By their numbers.
    layers : list of Layer
        In the order of their first calls.
    nodes : list of Node
        The calls.
    input_names : list of str
        Given, or input, input_1, …

    Raises
    ------
    TypeError, ValueError
        Where an input is not used or missing, or a name is there twice.
    """

    def __init__(self, inputs: object, outputs: object, kind: str) -> None:
        self.inputs = Ends.of(inputs, f"{kind}: inputs")
        self.outputs = Ends.of(outputs, f"{kind}: outputs")
        starts = self.inputs.symbols
        for i, start in enumerate(starts):
            if any(start is other for other in starts[:i]):
                raise ValueError(f"{kind}: {self._called(start)} is among the inputs twice")
        calls, found = self._needed(kind)
        self.symbols: list[Symbol] = [*starts, *calls]
        numbers = {id(symbol): i for i, symbol in enumerate(self.symbols)}
        for start in starts:
            if id(start) not in found:
                raise ValueError(f"{kind}: no output depends on {self._called(start)}, an input")
        self.layers: list[Layer] = []
        self.nodes: list[Node] = []
        places: dict[int, int] = {}
        for symbol in calls:
            layer = symbol._layer
            assert layer is not None
            place = places.setdefault(id(layer), len(self.layers))
            if place == len(self.layers):
                self.layers.append(layer)
            self.nodes.append(Node(place, tuple(numbers[id(read)] for read in symbol._reads)))
        if not self.layers:
            raise ValueError(f"{kind}: outputs must be computed by layers, got inputs")
        self.output_numbers = [numbers[id(symbol)] for symbol in self.outputs.symbols]
        self.input_names = self._named_inputs(kind)
        self.names = self._named_layers(kind)

    def _needed(self, kind: str) -> tuple[list[Symbol], set[int]]:
        """Return the symbols that lie between inputs and outputs, in order, and all met ids."""
        starts = {id(start) for start in self.inputs.symbols}
        met: set[int] = set()
        calls: list[Symbol] = []
        waiting = list(self.outputs.symbols)
        while waiting:
            symbol = waiting.pop()
            if id(symbol) in met:
                continue
            met.add(id(symbol))
            if id(symbol) in starts:
                continue
            if symbol._layer is None:
                names = listed(self._called(start) for start in self.inputs.symbols)
                raise ValueError(
                    f"{kind}: an output depends on {self._called(symbol)}, which is not among the "
                    f"inputs: {names}"
                )
            calls.append(symbol)
            waiting.extend(symbol._reads)
        return sorted(calls, key=lambda symbol: symbol._order), met

    def _named_inputs(self, kind: str) -> list[str]:
        """Return the names of the inputs, which are the keys of a dict where one was given."""
        keys = self.inputs.keys
        given = [symbol.name for symbol in self.inputs.symbols] if keys is None else list(keys)
        for name in given:
            if name is not None and given.count(name) > 1:
                raise ValueError(f"{kind}: two inputs are named {name!r}")
        taken = set(filter(None, given))
        free = Free(taken)
        names = []
        for name in given:
            names.append(name or free("input"))
            taken.add(names[-1])
        return names

    def _named_layers(self, kind: str) -> list[str]:
        """Return the names of the layers: those that users gave, then those of other models."""
        taken = set(self.input_names)
        for layer in self.layers:
            if layer._name is None:
                continue
            if layer._name in taken:
                raise ValueError(
                    f"{kind}: the name {layer._name!r} is there twice; give one of its layers or "
                    "inputs another"
                )
            taken.add(layer._name)
        free = Free(taken)
        names = []
        for layer in self.layers:
            name = layer._name
            if name is None:
                known = layer.name
                name = known if known is not None and known not in taken else None
                name = name or free(layer._word())
            taken.add(name)
            names.append(name)
        return names

    def _called(self, symbol: Symbol) -> str:
        """Return what an error message calls a symbol."""
        kind = "Input" if symbol._layer is None else "the output of layer"
        return f"{kind} {symbol.name!r}" if symbol.name else f"an Input of shape {symbol.shape}"

    def network(self) -> dict[str, Any]:
        """Return the description that the core takes."""
        reads: dict[int, list[tuple[int, ...]]] = {}  # of each layer's first call
        for node in self.nodes:
            reads.setdefault(node.layer, [self.symbols[read].shape for read in node.reads])
        return {
            "inputs": [
                {"name": name, "shape": symbol.shape}
                for name, symbol in zip(self.input_names, self.inputs.symbols, strict=True)
            ],
            "layers": [
                {**layer._spec_for(reads[i]), "name": name}
                for i, (layer, name) in enumerate(zip(self.layers, self.names, strict=True))
            ],
            "nodes": [{"layer": node.layer, "inputs": list(node.reads)} for node in self.nodes],
            "outputs": self.output_numbers,
        }

    def reads_of(self, layer: int) -> list[list[str]]:
        """Return the names of what a layer reads, call by call."""
        names = self.input_names + [self.names[node.layer] for node in self.nodes]
        return [[names[i] for i in node.reads] for node in self.nodes if node.layer == layer]

    def on(self, inputs: Sequence[Any], call: Callable[[Layer, Sequence[Any]], Any]) -> list[Any]:
        """Call the layers on others in place of the inputs; return the values of all calls."""
        values = list(inputs)
        for node in self.nodes:
            values.append(call(self.layers[node.layer], [values[read] for read in node.reads]))
        return values

    def behind(self, number: int) -> int:
        """Return the value that another one is, handed on by layers that add losses."""
        while number >= len(self.input_names):
            node = self.nodes[number - len(self.input_names)]
            if not self.layers[node.layer]._hands_on:
                break
            number = node.reads[0]
        return number

    def with_loss(self, loss: Any, kind: str) -> Graph:
        """Return the graph with a loss behind its first output, which stays the same."""
        from .layers.operations import AddLoss  # which imports this package's operations

        first, *others = self.outputs.symbols
        outputs = [AddLoss.on(first, loss, f"{kind}: add_loss"), *others]
        made = self.outputs.like_given(outputs)
        inputs = self.inputs.like_given(self.inputs.symbols)
        return Graph(inputs, made, kind)

    def is_chain(self) -> bool:
        """Whether each layer is called once, on what the one before has computed."""
        follow = [node == Node(i, (i,)) for i, node in enumerate(self.nodes)]
        alone = len(self.input_names) == 1 and len(self.outputs.symbols) == 1
        return alone and all(follow) and self.output_numbers == [len(self.nodes)]


def drawn(config: Mapping[str, Any], layers: Sequence[Layer]) -> tuple[Any, Any]:
    """Return inputs and outputs, as a constructor takes them, of what `described` has returned."""
    ends = [Input(tuple(each["shape"]), each["name"]) for each in config["inputs"]]
    values: list[Symbol] = list(ends)
    for node in config["nodes"]:
        reads = [values[read] for read in node["inputs"]]
        values.append(layers[node["layer"]]._called_on(reads))
    made = [values[number] for number in config["outputs"]]
    return _formed(ends, config["inputs_as"]), _formed(made, config["outputs_as"])


def described(graph: Graph) -> dict[str, Any]:
    """Return all of a graph but its layers, in a form that JSON can carry."""
    network = graph.network()
    return {
        "inputs": [{**each, "shape": list(each["shape"])} for each in network["inputs"]],
        "inputs_as": _form(graph.inputs),
        "nodes": network["nodes"],
        "outputs": network["outputs"],
        "outputs_as": _form(graph.outputs),
    }


def _form(ends: Ends) -> str | list[str]:
    """Return how ends were given: "one", "list", or the keys of a dict."""
    return list(ends.keys) if ends.keys is not None else "one" if ends.single else "list"


def _formed(symbols: Sequence[Symbol], form: str | Sequence[str]) -> Any:
    if form == "one":
        return symbols[0]
    return list(symbols) if form == "list" else dict(zip(form, symbols, strict=True))


def _brief(value: object) -> str:
    """Return a value as text where that is short, else its type."""
    text = repr(value)
    return text if len(text) < 60 and "\n" not in text else type(value).__name__


class Free:
    """The first of word, word_1, … that is not taken, asked for many times."""

    def __init__(self, taken: set[str]) -> None:
        self._taken, self._tried = taken, dict[str, int]()

    def __call__(self, word: str) -> str:
        i = self._tried.get(word, 0)
        while (name := f"{word}_{i}" if i else word) in self._taken:
            i += 1
        self._tried[word] = i
        return name
