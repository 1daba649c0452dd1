# SPDX-License-Identifier: Apache-2.0
"""Functional models of Keras that are more than chains, as a `Model`.

A configuration lists layers with their calls, each of which names the calls that it reads. They are
repeated here in an order in which each finds what it reads; the weights are compared with the
shapes before anything is allocated.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import layers
from ..layers.symbol import Symbol
from . import _shapes
from ._keras_layers import described, layer_of

if TYPE_CHECKING:
    from ..model import Model

Value = tuple[str, int]  # a layer's name, and the number of its call
# Returns the weights of a layer from its place in the file, for samples of a shape.
Weights = Callable[[tuple[str, ...], layers.Layer, tuple[int, ...]], list[Any]]
Names = Callable[[Sequence[Mapping[str, Any]]], list[str]]


class Call(NamedTuple):
    """One call of a layer, and which output of each call it reads."""

    entry: Mapping[str, Any]
    value: Value
    reads: tuple[tuple[Value, int], ...]


class Part:
    """A model of the file, whose layers are made when it is first called.

    Parameters
    ----------
    entry : mapping
        Its class and configuration.
    path : tuple of str
        Its place among the weights.
    weights : callable
        See `Weights`.
    notes : list of str
        Receives what is not taken over.
    names : callable
        Returns the names of layers among the weights.
    """

    def __init__(
        self,
        entry: object,
        path: tuple[str, ...],
        weights: Weights,
        notes: list[str],
        names: Names,
    ) -> None:
        self._kind, self._config = described(entry)
        entries = [dict(each) for each in self._config.get("layers", ())]
        places = zip(entries, names(entries), strict=True)
        self._places = {id(each): name for each, name in places}
        self._path, self._weights, self._notes, self._names = path, weights, notes, names
        self._made: dict[int, layers.Layer | Part] = {}
        self.given: list[tuple[layers.Layer, list[Any]]] = []
        if self._kind == "Sequential":
            self._chain = [each for each in entries if each.get("class_name") != "InputLayer"]
        elif self._kind == "Functional":
            self._order = _in_order(entries)
        else:
            raise ValueError(f"there is no layer for Keras's {self._kind}")

    def inputs(self) -> Any:
        """Return symbols for the inputs, in the form in which Keras was given them."""
        shapes = {call.value: _shape(call.entry) for call in self._order if _is_input(call.entry)}
        made = {value: [layers.Input(shape, value[0])] for value, shape in shapes.items()}
        return _ends(self._config["input_layers"], "input_layers", made)

    def called(self, given: Sequence[Symbol]) -> Any:
        """Return the outputs for symbols in place of the inputs, in the form that they have."""
        if self._kind == "Sequential":
            symbols = list(given)
            for entry in self._chain:
                symbols = self._call(entry, symbols)
            return symbols
        values: dict[Value, list[Symbol]] = {}
        starts = _flat(self._config["input_layers"])
        if len(starts) != len(given):
            raise ValueError(f"a model of {len(starts)} inputs reads {len(given)} values")
        for history, symbol in zip(starts, given, strict=True):
            values[_value(history)] = [symbol]
        for call in self._order:
            if _is_input(call.entry):
                if call.value not in values:
                    raise ValueError(f"input {call.value[0]!r} is not among the input_layers")
                continue
            reads = [_pick(values[value], output, value[0]) for value, output in call.reads]
            values[call.value] = self._call(call.entry, reads)
        # Keras counts the calls of a functional model from 1 here, and from 0 everywhere else.
        inner = [call for call in self._order if call.entry.get("class_name") == "Functional"]
        shifted = {(name, i + 1): values[name, i] for name, i in (call.value for call in inner)}
        return _ends(self._config["output_layers"], "output_layers", {**values, **shifted})

    def _call(self, entry: Mapping[str, Any], reads: list[Symbol]) -> list[Symbol]:
        """Return the outputs of a layer, or of a model within the model."""
        kind, name = entry.get("class_name"), _name(entry)
        if kind == "Identity":
            return reads
        made = self._made.get(id(entry))
        if made is None:
            path = (*self._path, "layers", self._places[id(entry)])
            if is_model(entry):
                made = Part(entry, path, self._weights, self._notes, self._names)
                made.given = self.given
            else:
                made = self._layer(entry, path, reads[0].shape, name)
            self._made[id(entry)] = made
        if isinstance(made, layers.Layer):
            return [made._called_on(reads)]
        outputs = made.called(reads)
        if isinstance(outputs, Mapping):
            return list(outputs.values())
        return outputs if isinstance(outputs, list) else [outputs]

    def _layer(
        self, entry: Mapping[str, Any], path: tuple[str, ...], shape: tuple[int, ...], name: str
    ) -> layers.Layer:
        missed: list[str] = []
        layer = layer_of(entry, 1 + len(shape), missed)
        self._notes += [f"layer {name!r}: {what}" for what in missed]
        found = self._weights(path, layer, shape)
        _shapes.check(layer, shape, found, f"layer {name!r}")
        self.given.append((layer, found))
        return layer


def graph(
    entry: object,
    weights: Weights,
    dtype: str,
    notes: list[str],
    names: Names,
    shape: tuple[int, ...] | None = None,
) -> Model:
    """Return the model of a configuration.

    Parameters
    ----------
    entry : mapping
        Its class and configuration.
    weights : callable
        See `Weights`.
    dtype : str
        The type of all layers.
    notes : list of str
        Receives what is not taken over.
    names : callable
        Returns the names of layers among the weights.
    shape : tuple of int, optional
        That of a sample for a Sequential; others have it in their configuration.

    Raises
    ------
    AttributeError, IndexError, KeyError, TypeError, ValueError
        Where the configuration is none, or has what laminar lacks.
    """
    from ..model import Model  # which imports this package

    part = Part(entry, (), weights, notes, names)
    inputs = part.inputs() if shape is None else layers.Input(shape)
    starts = list(inputs.values()) if isinstance(inputs, Mapping) else inputs
    outputs = part.called(starts if isinstance(starts, list) else [starts])
    model = Model(inputs, outputs, name=str(part._config.get("name") or ""), dtype=dtype)
    given = {id(layer): found for layer, found in part.given}
    for layer, _ in part.given:
        if not layer._living():
            raise ValueError(f"layer {layer.name!r} leads to no output")
    model.set_weights([array for layer in model.layers for array in given[id(layer)]])
    return model


def snake_names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the layers' names among the weights: the class in small letters, and a counter."""
    counts: dict[str, int] = {}
    names = []
    for entry in entries:
        words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", str(entry.get("class_name")))
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        count = counts.get(name, 0)
        counts[name] = count + 1
        names.append(f"{name}_{count}" if count else name)
    return names


def _in_order(entries: Sequence[Mapping[str, Any]]) -> list[Call]:
    """Return all calls, each behind those that it reads; ValueError where none is such."""
    calls = [call for entry in entries for call in _calls(entry)]
    known = {call.value for call in calls}
    if len(known) < len(calls):
        raise ValueError("two of its layers have one name")
    readers: dict[Value, list[int]] = {}
    missing = []
    for i, call in enumerate(calls):
        read_values = {value for value, _ in call.reads}
        missing.append(len(read_values))
        for read in read_values:
            if read not in known:
                raise ValueError(f"layer {call.value[0]!r} reads {read[0]!r}, which is not there")
            readers.setdefault(read, []).append(i)
    ready = deque(i for i, count in enumerate(missing) if count == 0)
    order = []
    while ready:
        call = calls[ready.popleft()]
        order.append(call)
        for i in readers.get(call.value, ()):
            missing[i] -= 1
            if missing[i] == 0:
                ready.append(i)
    if len(order) < len(calls):
        name = next(call.value[0] for call, count in zip(calls, missing, strict=True) if count)
        raise ValueError(f"layer {name!r} reads what depends on it: a cycle")
    return order


def _calls(entry: Mapping[str, Any]) -> list[Call]:
    name = _name(entry)
    if _is_input(entry):
        return [Call(entry, (name, 0), ())]
    found = []
    for i, node in enumerate(entry.get("inbound_nodes", ())):
        arguments = node["args"]
        unknown = [k for k, v in node.get("kwargs", {}).items() if v not in (None, False)]
        if len(arguments) != 1 or unknown:
            raise ValueError(f"layer {name!r} is called with arguments that laminar's has not")
        histories = [each["config"]["keras_history"] for each in _listed(arguments[0])]
        if not histories:
            raise ValueError(f"layer {name!r} reads nothing")
        reads = tuple((_value(history), int(history[2])) for history in histories)
        found.append(Call(entry, (name, i), reads))
    return found


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"].get("name"))


def is_model(entry: Mapping[str, Any]) -> bool:
    """Whether an entry among layers is a model of its own."""
    return entry.get("class_name") in ("Functional", "Sequential")


def _is_input(entry: Mapping[str, Any]) -> bool:
    return entry.get("class_name") == "InputLayer"


def _listed(given: Any) -> list[Any]:
    """Return the values of one argument: one, a list, or a dict that is no value itself."""
    if isinstance(given, Mapping) and "keras_history" not in given.get("config", {}):
        return list(given.values())
    return given if isinstance(given, list) else [given]


def _value(history: Sequence[Any]) -> Value:
    return str(history[0]), int(history[1])


def _pick(symbols: Sequence[Symbol], output: int, name: str) -> Symbol:
    if not 0 <= output < len(symbols):
        raise ValueError(f"{name!r} has {len(symbols)} outputs, but number {output} is read")
    return symbols[output]


def _flat(given: Any) -> list[Any]:
    """Return the ends of a configuration one after the other."""
    if isinstance(given, Mapping):
        return list(given.values())
    return [given] if given and isinstance(given[0], str) else list(given)


def _ends(given: Any, key: str, values: Mapping[Value, Sequence[Symbol]]) -> Any:
    """Return inputs or outputs in the form in which Keras was given them."""

    def end(history: Sequence[Any]) -> Symbol:
        value = _value(history)
        if value not in values:
            raise ValueError(f"{key} names {value[0]!r}, which is not there")
        return _pick(values[value], int(history[2]), value[0])

    if isinstance(given, Mapping):
        return {str(name): end(each) for name, each in given.items()}
    ends = [end(each) for each in _flat(given)]
    return ends[0] if given and isinstance(given[0], str) else ends


def _shape(entry: Mapping[str, Any]) -> tuple[int, ...]:
    shape = entry["config"].get("batch_shape")
    if not isinstance(shape, list) or len(shape) < 2 or None in shape[1:]:
        raise ValueError(f"the shape of input {_name(entry)!r} must be known, got {shape}")
    return tuple(int(extent) for extent in shape[1:])
