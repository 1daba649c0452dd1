# SPDX-License-Identifier: Apache-2.0
"""What a picture says of a model: its inputs, calls and layers, and the arguments of these."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from .._component import Component
from .._spelling import argument_names
from .._summary import trained

if TYPE_CHECKING:
    from .._compiling import Compiling
    from ..layers import Layer

_LONGEST = 40  # characters of an argument's value
_UNTOLD = ("name", "input_shape", "trainable")  # which are said elsewhere
_INNER = 4  # layers inside another one that are listed


class Box(NamedTuple):
    """An input, or one call of a layer.

    Attributes
    ----------
    name, kind : str
        What it is called, and its class.
    shape : tuple or None
        Of what comes out, the rows first; None where it is not known yet.
    weights : int or None
        How many numbers it has to learn or to keep; None of inputs, and where that is not known.
    arguments : dict of str
        Those that are not the defaults, as text.
    labels : list of str
        What else there is to say: frozen, shared, an output.
    inner : list of str
        Layers inside.
    kinds : set of str
        Among "input", "learns", "frozen", "end".
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    weights: int | None
    arguments: dict[str, str]
    labels: list[str]
    inner: list[str]
    kinds: set[str]


class Parts(NamedTuple):
    """Boxes, and the lines between them as pairs of numbers."""

    boxes: list[Box]
    lines: list[tuple[int, int]]


def of(model: Compiling) -> Parts:
    """Return the parts of a model, built or not."""
    built = model.built
    known: Sequence[Any] = [None] * len(model.layers)
    weights = []
    if built:
        known, weights = model._described(model._core("_repr_html_")), model._facts("_repr_html_")
    states = [trained(facts, weights) for facts in known]
    graph = getattr(model, "_graph", None)
    if graph is None:
        shape = None if model.input_shape is None else model.input_shape
        inputs = [("input", shape)] if model.layers else []
        nodes = [(i, (i,)) for i in range(len(model.layers))]
        ends = [len(nodes)] if model.layers else []
        output_names: Sequence[str] = []
    else:
        symbols = graph.inputs.symbols
        inputs = [
            (name, (None, *symbol.shape))
            for name, symbol in zip(graph.input_names, symbols, strict=True)
        ]
        nodes = [(node.layer, node.reads) for node in graph.nodes]
        ends, output_names = graph.output_numbers, getattr(model, "output_names", [])
    boxes = [Box(name, "Input", shape, None, {}, [], [], {"input"}) for name, shape in inputs]
    calls = [number for number, _ in nodes]
    for i, (number, _) in enumerate(nodes):
        made = _box(model.layers[number], known[number], states[number])
        if calls.count(number) > 1:
            call = calls[: i + 1].count(number)
            made.labels.append(f"shared: call {call} of {calls.count(number)}")
        boxes.append(made)
    for i, number in enumerate(ends):
        boxes[number].kinds.add("end")
        if len(ends) > 1:
            name = output_names[i]
            told = "" if name == boxes[number].name else f" {name}"
            boxes[number].labels.append(f"output{told}")
    first = len(inputs)
    lines = [(read, first + i) for i, (_, reads) in enumerate(nodes) for read in reads]
    return Parts(boxes, lines)


def _box(layer: Layer, facts: Mapping[str, Any] | None, state: str) -> Box:
    kinds, labels = set(), []
    if state in ("Y", "partly"):
        kinds.add("learns")
    if state == "N" or (facts is None and not layer.trainable):
        kinds.add("frozen")
        labels.append("frozen")
    elif state == "partly" and layer._own:
        labels.append("partly frozen")
    kind = type(layer).__name__
    if facts is None:
        name, shape, weights = layer.name or kind.lower(), None, None
    else:
        name, shape, weights = facts["name"], (None, *facts["output_shape"]), facts["parameters"]
        labels += [f"Python: {name}" for name in facts["calls"]]
    return Box(name, kind, shape, weights, arguments(layer), labels, _inside(layer), kinds)


def _inside(layer: Layer) -> list[str]:
    """Return the layers inside one of the user's own."""
    if not layer._own:
        return []
    from ..layers._own import nested_in  # which is imported already where there are such layers

    found = [f"{name}: {type(inner).__name__}" for name, inner in nested_in(layer)]
    more = len(found) - _INNER
    return [*found[:_INNER], f"and {more} more"] if more > 1 else found


def arguments(part: Component) -> dict[str, str]:
    """Return the arguments of a constructor that are not its defaults, as text."""
    own = getattr(part, "_own", False) and not getattr(part, "_ours", False)
    if own:
        given: Any = getattr(part, "_given", ((), {}))
        names = argument_names(type(part).__init__)
        values = {**dict(zip(names, given[0], strict=False)), **given[1]}
    else:
        values = {name: getattr(part, name, None) for name in argument_names(type(part).__init__)}
    parameters = inspect.signature(type(part).__init__).parameters
    found = {}
    for name, value in values.items():
        default = parameters[name].default if name in parameters else inspect.Parameter.empty
        if name not in _UNTOLD and not _same(value, default):
            found[name] = _text(value)
    return found


def _same(value: object, default: object) -> bool:
    """Whether an attribute is what a default makes of itself."""
    if isinstance(value, Component):
        if isinstance(default, str):
            return _is_called(value, default) and not arguments(value)
        return default is None and value._entry == "linear"
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return value is default
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)


def _is_called(part: Component, name: str) -> bool:
    """Whether a name or another name of it stands for a part's class."""
    try:
        return _core.resolve(part._family, name) == part._entry
    except ValueError:
        return name == type(part).__name__


def _text(value: object) -> str:
    if isinstance(value, Component):
        inner = ", ".join(f"{name}={text}" for name, text in arguments(value).items())
        return (
            f"{value._entry or type(value).__name__}({inner})"
            if inner
            else (value._entry or type(value).__name__)
        )
    if isinstance(value, np.ndarray) or (isinstance(value, (list, tuple)) and len(value) > 6):
        return f"{len(np.atleast_1d(np.asarray(value, object)))} values"
    if isinstance(value, float):
        return f"{value:.6g}"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
