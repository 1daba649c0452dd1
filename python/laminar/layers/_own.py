# SPDX-License-Identifier: Apache-2.0
"""Layers of the user's own: what `build` and `call` say becomes a program of the core's.

``call`` is traced once for each shape of its inputs, for prediction and for training. Layers that
it calls become part of its program, their weights weights of the outer layer.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _arrays, _core, _seed
from ..ops._trace import ROWS, Trace, active, value_of
from ..ops._traced import Traced
from . import _added
from ._own_config import class_name, config_text
from ._variable import Variable

if TYPE_CHECKING:
    from .base import Layer

Shapes = Sequence[tuple[int, ...]]


class Recorded(NamedTuple):
    """What a layer computes for samples of some shapes."""

    program: dict[str, Any]
    training: dict[str, Any] | None  # where it is not the same
    shape: tuple[int, ...]  # of a sample that goes out
    whole: bool  # whether training looks at all rows of a batch at once


class _State(threading.local):
    training = False
    stage: tuple[Layer, str] | None = None  # what of which layer runs


_state = _State()


@contextmanager
def _running(layer: Layer, stage: str, training: bool = False) -> Iterator[None]:
    before = _state.stage, _state.training
    _state.stage, _state.training = (layer, stage), training
    try:
        yield
    finally:
        _state.stage, _state.training = before


def nested_in(layer: Layer) -> list[tuple[str, Layer]]:
    """Return the layers that a layer has as attributes, in models, or in lists and dicts."""
    from .base import Layer as Base

    found: list[tuple[str, Layer]] = []

    def look(name: str, value: object) -> None:
        if isinstance(value, Base):
            if all(value is not known for _, known in found):
                found.append((value._name or name, value))
            return
        parts = getattr(value, "_layers", value)  # of a model
        if isinstance(parts, (list, tuple)):
            for i, part in enumerate(parts):
                look(f"{name}_{i}", part)
        elif isinstance(value, dict):
            for key, part in value.items():
                look(f"{name}_{key}", part)

    if layer._own:
        for name, value in vars(layer).items():
            if name != "_given":  # arguments, whether they are used or not
                look(name.lstrip("_"), value)
    return found


def weights_of(layer: Layer) -> list[tuple[str, Variable]]:
    """Return all variables of a layer with their names: its own, then those of layers in it."""
    names: dict[int, tuple[str, Variable]] = {}
    taken: set[str] = set()

    def add(owner: Layer, prefix: str, met: tuple[Layer, ...]) -> None:
        attributes = {id(value): name for name, value in vars(owner).items()}
        for variable in owner._variables:
            if id(variable) in names:
                continue
            if variable.name is None and id(variable) in attributes:
                variable.name = attributes[id(variable)].lstrip("_")
            word = prefix + (variable.name or "weight")
            name, i = word, 0
            while name in taken:
                i += 1
                name = f"{word}_{i}"
            taken.add(name)
            names[id(variable)] = (name, variable)
        for path, inner in nested_in(owner):
            if inner in met:
                raise ValueError(f"{inner._label()} has itself among its layers")
            add(inner, f"{prefix}{path}/", (*met, inner))

    add(layer, "", (layer,))
    return list(names.values())


def add_weight(layer: Layer, shape: Any, name: str | None, **options: Any) -> Variable:
    """Return a new variable of a layer; RuntimeError while one of its calls is traced."""
    kind = type(layer).__name__
    if _state.stage is not None and _state.stage[1] == "call":
        raise RuntimeError(
            f"{kind}: add_weight in call would make a new weight for each call: make it in "
            "__init__ or build, and keep it as an attribute"
        )
    given = (shape,) if isinstance(shape, int) else () if shape is None else tuple(shape)
    extents = []
    for extent in given:
        if isinstance(extent, bool) or not isinstance(extent, int) or extent < 1:
            raise ValueError(
                f"{kind}: add_weight: shape must hold positive integers, got {tuple(given)!r}; "
                "that of the rows is no part of a weight"
            )
        extents.append(int(extent))
    variable = Variable(layer, tuple(extents), name=name, **options)
    layer._variables = [*layer._variables, variable]
    return variable


def add_loss(layer: Layer, loss: Any) -> None:
    """Add a loss to what the call that is traced adds; RuntimeError where none is."""
    _added.add(layer, loss, _state.stage is not None and _state.stage[1] == "call")


def recorded(layer: Layer, shapes: Shapes) -> Recorded:
    """Return what a layer computes for samples of some shapes; errors of its own come through."""
    key = (layer._listed, tuple(map(tuple, shapes)))
    known = layer._recorded.get(key)
    if known is None:
        build(layer, shapes)
        plain, shape = _traced(layer, shapes, training=False)
        training, of_training = _traced(layer, shapes, training=True)
        if of_training != shape:
            raise ValueError(
                f"{layer._label()}: call must return the same shape in training and prediction, "
                f"got {_text(of_training)} and {_text(shape)}"
            )
        # Known only now: layers that call calls may have got their weights meanwhile.
        weights = [variable for _, variable in weights_of(layer)]
        traces = [trace for trace, _ in (plain, training)]
        added: list[list[Traced]] = [[], []]
        if any(trace.added for trace in traces):
            added = [_added.outputs(trace) for trace in traces]
        programs = [
            trace.description([out, *losses], weights)
            for (trace, out), losses in zip((plain, training), added, strict=True)
        ]
        _check_rows(layer, programs[0])
        same = programs[0] == programs[1]
        whole = any(_mixes_rows(program) for program in programs)
        known = Recorded(programs[0], None if same else programs[1], tuple(shape[1:]), whole)
        layer._recorded = {**layer._recorded, key: known}
    return known


def build(layer: Layer, shapes: Shapes) -> None:
    """Let a layer make its weights, once."""
    if layer._is_built or not layer._own:
        return
    batches = [(None, *shape) for shape in shapes]
    before = layer._variables
    try:
        with _running(layer, "build"):
            layer.build(batches if layer._listed or len(batches) > 1 else batches[0])
    except BaseException:
        layer._variables = before
        raise
    layer._is_built = True


def _traced(
    layer: Layer, shapes: Shapes, training: bool
) -> tuple[tuple[Trace, Traced], tuple[int, ...]]:
    allowed: set[int] = set()

    def check(variable: Any) -> None:
        if id(variable) not in allowed:
            allowed.update(id(each) for _, each in weights_of(layer))
        if id(variable) not in allowed:
            raise ValueError(
                f"{layer._label()}: call reads {variable!r}, which is none of its weights: make "
                "it with add_weight, or keep the layer that has it as an attribute"
            )

    trace = Trace(check)
    with trace.recording(), _running(layer, "call", training):
        inputs = [trace.input((ROWS, *shape)) for shape in shapes]
        given = inputs if layer._listed or len(inputs) > 1 else inputs[0]
        made = value_of(trace, called(layer, given, training), f"{layer._label()}: call")
    extents = made._extents
    if not layer._own and extents[1:] != tuple(layer._output_shape(shapes)):
        raise ValueError(
            f"{layer._label()}: its activation must return the shape that it is given, "
            f"{_text((ROWS, *layer._output_shape(shapes)))}, got {_text(extents)}"
        )
    if len(extents) < 2 or extents[0] != ROWS:
        advice = ""
        if extents == (ROWS,):
            advice = "; laminar.ops.expand_dims(x, -1) gives rows of one value"
        elif ROWS not in extents:
            advice = "; it does not depend on the inputs, or the rows have been reduced"
        raise ValueError(
            f"{layer._label()}: call must return a value for each row, of shape (None, …), got "
            f"{_text(extents)}{advice}"
        )
    return (trace, made), extents


def _mixes_rows(program: Mapping[str, Any], calls: bool = True) -> bool:
    """Whether rows of a batch are brought together; ``calls``: by functions of Python as well."""
    whole = any(step["op"] == "batch_rows" for step in program["steps"])
    return whole or _core.Program(json.dumps(program)).mixes_rows(calls)


def _check_rows(layer: Layer, prediction: Mapping[str, Any]) -> None:
    if _mixes_rows(prediction, calls=False):
        raise ValueError(
            f"{layer._label()}: call brings together rows of a batch, so that its output for "
            "one would depend on the others; operations of a layer leave axis 0 alone (a "
            "loss may use it, and so may call(inputs, training=True))"
        )


def called(layer: Layer, inputs: Any, training: bool) -> Any:
    """Return what call makes of traced values."""
    if not layer._own:
        from . import _expanding  # which imports this file

        values = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        return _expanding.expanded(layer, values, training)
    function = layer.call
    options = {"training": training} if takes_training(function) else {}
    return function(inputs, **options)


def takes_training(function: Callable[..., Any]) -> bool:
    """Whether a function has an argument for it."""
    parameters = inspect.signature(function).parameters
    return "training" in parameters or any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()
    )


def call_inside(layer: Layer, inputs: Any, training: bool | None) -> Any:
    """Return what a layer makes of traced values: it becomes part of the call that is traced."""
    mode = _state.training if training is None else training
    values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    trace = active()
    assert trace is not None
    lifted = [trace.lift(value, f"{layer._label()}: inputs") for value in values]
    for value in lifted:
        if value.ndim < 2 or value._extents[0] != ROWS:
            raise ValueError(
                f"{layer._label()}: takes a value for each row, of shape (None, …), got "
                f"{_text(value._extents)}"
            )
    shapes = [value._extents[1:] for value in lifted]
    layer._check_number(len(shapes))
    if not layer._own:
        from . import _expanding

        layer._output_shape(shapes)  # refuses what does not fit
        return _expanding.expanded(layer, lifted, mode)
    layer._listed = isinstance(inputs, (list, tuple))
    build(layer, shapes)
    with _running(layer, "call", mode):
        return called(layer, lifted if layer._listed else lifted[0], mode)


def in_training(layer: Layer, inputs: Any) -> Any:
    """Return what a layer makes of arrays in training, with draws of their own."""
    layer(inputs)  # which gives it weights, and refuses what does not fit
    weights = layer.get_weights() if layer._model is not None else []
    dtype = weights[0].dtype if weights else np.dtype(np.float32)
    given = inputs if layer._listed else [inputs]
    arrays = [_arrays.features(value, f"{layer._label()}: inputs", dtype) for value in given]
    made = recorded(layer, [array.shape[1:] for array in arrays])
    program = _core.Program(json.dumps(made.training or made.program))
    return program.run(arrays, weights, len(arrays[0]), dtype.name, _seed.next_seed())[0]


def output_shape(layer: Layer, shapes: Shapes) -> tuple[int, ...]:
    """Return the shape of a sample that goes out."""
    return recorded(layer, shapes).shape


def spec(layer: Layer, shapes: Shapes) -> dict[str, Any]:
    """Return the description that the core takes."""
    made = recorded(layer, shapes)
    description: dict[str, Any] = {
        "kind": "batch_operations" if made.whole else "operations",
        "name": layer._name,
        "program": made.program,
        "weights": [variable._spec(name) for name, variable in weights_of(layer)],
        "class_name": class_name(type(layer)),
        "config": config_text(layer),
    }
    if made.training is not None:
        description["training_program"] = made.training
    if not layer._trainable:
        description["trainable"] = False
    return {key: value for key, value in description.items() if value is not None}


def trained_inside(layer: Layer) -> tuple[bool, ...]:
    """Return whether training changes the weights of a layer, one by one."""
    return tuple(
        variable.trainable and variable._layer.trainable for _, variable in weights_of(layer)
    )


def freeze_inside(layer: Layer, weights: Sequence[Mapping[str, Any]]) -> None:
    """Freeze those weights that a description says are not trained."""
    for (_, variable), known in zip(weights_of(layer), weights, strict=True):
        if not known.get("trainable", True) and variable._layer.trainable:
            variable.trainable = False


def brought(layer: Layer) -> list[Any] | None:
    """Return all weights of a layer that has just got a model, with the values that it gives."""
    current = layer.get_weights()
    given = False
    for i, (_, variable) in enumerate(weights_of(layer)):
        value = variable._initial(current[i].dtype)
        if value is not None:
            current[i], given = value, True
    return current if given else None


def places_of(layer: Layer) -> Iterator[tuple[Layer, int, int]]:
    """Yield the layers inside a layer, and where their weights lie among its own.

    One that shares layers with others inside may have weights that do not follow each other: it has
    no place of its own, but the layers in it have.
    """
    positions = {id(variable): i for i, (_, variable) in enumerate(weights_of(layer))}
    waiting = [inner for _, inner in nested_in(layer)]
    while waiting:
        inner = waiting.pop()
        own = [positions[id(variable)] for _, variable in weights_of(inner)]
        first = own[0] if own else 0
        if own == list(range(first, first + len(own))):
            yield inner, first, len(own)
        waiting.extend(each for _, each in nested_in(inner))


def _text(extents: Sequence[int]) -> str:
    return str(tuple(None if extent < 0 else extent for extent in extents))
