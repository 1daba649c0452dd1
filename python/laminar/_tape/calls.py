# SPDX-License-Identifier: Apache-2.0
"""Calls of models and layers on tensors, and where a tape records.

A model's call is one step of the tape, and the way back through it is the core's. While another
tape records that way back, as for second derivatives, it is the gradient of the model's program:
its layers in operations. A layer's call is its program from the start.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _arrays, _core, _seed
from .._component import flag
from ..layers import _added, _own
from ..ops._held import Held, Tensor
from ..ops._tapes import Computation, Slopes, apply, listening, note_call
from ..ops._trace import ROWS, Trace
from .variable import Changing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._guard import CoreModel
    from .._layered import Bound
    from ..layers import Layer

# For each core model or layer its programs, with the tensors that they read after the inputs.
_programs: weakref.WeakKeyDictionary[Any, dict[Any, tuple[Computation, list[int]]]]
_programs = weakref.WeakKeyDictionary()

# The calls of core models, which go back.
_BACK: dict[Any, Any] = {
    _core.ModelFloat32: _core.CallFloat32,
    _core.ModelFloat64: _core.CallFloat64,
}


def of_model(model: BaseModel, inputs: Any, training: bool) -> Any:
    """Return what a model makes of tensors and arrays: tensors; arrays where no tape records."""
    plain = type(inputs) is np.ndarray and inputs.shape[1:] == model._input
    if plain and model._model is not None:
        parts: list[Any] = [inputs]  # as almost always
        rows = _arrays.features(inputs, "inputs", model._dtype)
    else:
        parts, rows = _rows_of(model, inputs)
    bound = model._variables("call")
    core, step = bound.core, next(bound.draws) if training else -1
    if model._adding:
        model._last_call = _LastCall(core, rows, parts, training)
    if listening():
        call = _Call(model, bound, rows, parts, step, plain)
        note_call(call, bound.trained)
        return call.results
    if training:
        made = _in_training(model, bound, core.outputs_in_training, _flat(rows), step)
        made = made.reshape(len(rows), *model._outputs)
    else:
        made = model._predicted(core, rows, None)
    results = model._parted(made)
    return _as_tensors(results) if any([isinstance(part, Held) for part in parts]) else results


def _in_training(
    model: BaseModel,
    bound: Bound,
    compute: Callable[[NDArray[Any], int, bool], Any],
    rows: NDArray[Any],
    step: int,
) -> Any:
    """Return what a call in training makes; statistics of batches follow this one."""
    if not bound.follows:
        return compute(rows, step, False)
    with model._lock:
        if model._trained_elsewhere():
            model._not_in_training("call")
        changed: Sequence[Layer] = model._layers
        if model._sharing:
            model._claim("call")  # which counts for all layers
        else:
            changed = [layer for layer in changed if layer._entry == "batch_normalization"]
        made = compute(rows, step, True)
        if not model._sharing:
            for layer in changed:
                layer._changed()
    return made


def _rows_of(model: BaseModel, inputs: Any) -> tuple[list[Any], NDArray[Any]]:
    """Return what is given for each input, and the samples as the core takes them."""
    where = f"model {model.name!r}"
    if model._number_of_inputs > 1:
        parts = model._each(inputs, where)  # type: ignore[attr-defined]  # of a Model
        plain: Any = [_plain(part) for part in parts]
    else:
        parts = [_only(inputs)]
        plain = _plain(parts[0])
    rows = _arrays.features(model._joined(plain, where), where, model._dtype)
    if model._model is None:
        with model._built_for(rows):
            pass
    model._check_shapes(rows, None)
    return parts, rows


class _Call:
    """A model's call, as a tape keeps it: see `Node`."""

    applied = None

    def __init__(
        self,
        model: BaseModel,
        bound: Bound,
        rows: NDArray[Any],
        parts: Sequence[Any],
        step: int,
        plain: bool,
    ) -> None:
        self.model, self.rows, self.parts, self.step = model, rows, parts, step
        self.core, self.weights = bound.core, bound.flat
        made: Any
        if step >= 0:
            if bound.follows:
                self.back = _in_training(model, bound, self._forward, _flat(rows), step)
            else:
                self.back = self._forward(_flat(rows), step, False)
            self.results = made = self.back.outputs
            if len(model._outputs) != 1 or not model._plain:
                made = made._numbers().reshape(len(rows), *model._outputs)
                self.results = _as_tensors(model._parted(made))
        else:
            made = model._predicted(bound.core, rows, None)
            self.results = _as_tensors(model._parted(made))
            self.back = self._forward(_flat(rows), step, False)
        results = self.results
        self.outputs = [results] if type(results) is Tensor else _in_order(results)
        if not plain:
            parts = [part._itself() if isinstance(part, Held) else part for part in parts]
        self.inputs = [*parts, *bound.flat]

    def _forward(self, rows: NDArray[Any], step: int, follow: bool) -> Any:
        core: Any = self.core
        return _BACK[type(core)](core, rows, step, follow)

    def slopes(
        self, d_outputs: Sequence[Tensor | None], wanted: Sequence[int]
    ) -> list[Tensor | None]:
        """Return the gradients; see `Node`."""
        if self.back.outdated:
            raise RuntimeError(
                f"model {self.model.name!r}: its weights have changed since the call that the tape "
                "has recorded: compute all gradients before they are applied"
            )
        if listening():
            return self._recorded(d_outputs, wanted)
        number, weights = len(self.parts), self.weights
        by_input = wanted[0] < number
        d_x, d_weights = self.back.backward(self._joined(d_outputs), by_input)
        if not by_input:
            return [
                d_weights[i - number] if weights[i - number].trainable else None for i in wanted
            ]
        apart = self.model._taken_apart(d_x.reshape(self.rows.shape))
        d_parts: Sequence[Any] = apart if number > 1 else [apart]
        found: list[Tensor | None] = []
        for i in wanted:
            if i >= number:
                found.append(d_weights[i - number] if weights[i - number].trainable else None)
            else:
                part = self.parts[i]
                back = np.ascontiguousarray(d_parts[i], part.dtype).reshape(part.shape)
                found.append(Tensor(back))
        return found

    def _joined(self, d_outputs: Sequence[Tensor | None]) -> NDArray[Any]:
        """Return the gradients by all outputs side by side."""
        if len(d_outputs) == 1 and d_outputs[0] is not None:
            return _flat(d_outputs[0]._numbers())
        rows = len(self.rows)
        widths = [math.prod(shape) for shape in _output_shapes(self.model)]
        flat = [
            np.zeros((rows, width), self.rows.dtype)
            if each is None
            else each._numbers().reshape(rows, width)
            for each, width in zip(d_outputs, widths, strict=True)
        ]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)

    def _recorded(
        self, d_outputs: Sequence[Tensor | None], wanted: Sequence[int]
    ) -> list[Tensor | None]:
        """Return the gradients by the model's program, for tapes that record them."""
        model = self.model
        computation, order = _program_of(model, self.core, self.step >= 0)
        if self.step >= 0 and computation.draws:
            raise ValueError(
                f"model {model.name!r}: what draws in training, dropout for example, has no second "
                "derivative here; call the model without training=True"
            )
        number = len(self.parts)
        parts = _inputs(self.parts, _input_shapes(model), self.rows.dtype.name, model.name)
        inputs = [*parts, *(self.weights[i] for i in order)]
        places = {i: i for i in range(number)}
        places |= {number + i: number + place for place, i in enumerate(order)}
        asked = [i for i in wanted if i in places]
        slopes = _slopes_of(computation, inputs, self.rows.dtype.name, len(self.rows))
        made = slopes(d_outputs, [places[i] for i in asked])
        known = dict(zip(asked, made, strict=True))
        return [
            back if back is None or i >= number else _shaped(back, self.parts[i].shape)
            for i, back in ((i, known.get(i)) for i in wanted)
        ]


def _slopes_of(computation: Computation, inputs: Sequence[Any], dtype: str, rows: int) -> Slopes:
    """Return the way back through a program, without the way there."""

    def slopes(d_outputs: Sequence[Tensor | None], wanted: Sequence[int]) -> list[Tensor | None]:
        found: dict[int, Any] = {}
        for output, d_output in enumerate(d_outputs):
            if d_output is None or not wanted:
                continue
            back, by = computation.slopes(output, tuple(wanted))
            if by:
                for i, gradient in zip(
                    by, apply(back, [*inputs, d_output], dtype, rows), strict=True
                ):
                    found[i] = found[i] + gradient if i in found else gradient
        return [found.get(i) for i in wanted]

    return slopes


def of_layer(layer: Layer, inputs: Any, training: bool | None) -> Tensor:
    """Return what a layer makes of tensors and arrays; a layer without weights yet gets them."""
    label = f"{layer._label()}: inputs"
    mode = training is not None and flag(training, f"{layer._label()}: training")
    several = isinstance(inputs, (list, tuple)) and any(hasattr(each, "shape") for each in inputs)
    if layer._own:
        layer._listed = several
    given = list(inputs) if several else [inputs]
    plain = [_arrays.features(_plain(part), label, np.dtype(np.float64)) for part in given]
    for part in plain:
        if len(part) != len(plain[0]):
            raise ValueError(f"{label}: must have as many rows each, got {list(map(len, plain))}")
    shapes = [part.shape[1:] for part in plain]
    layer._check_number(len(shapes))
    layer._output_shape(shapes)
    if layer._model is None and layer._owner() is None:
        batches = [(None, *shape) for shape in shapes]
        layer.build(batches if several else batches[0])
        if layer._own and layer._model is None:
            from ..layers import _immediate

            _immediate.build(layer, batches if several else batches[0])
    weights: list[Changing] = layer.variables if layer._model is not None else []
    computation, order = _program_of_layer(layer, shapes, mode, [w.name or "" for w in weights])
    dtype = weights[0].dtype if weights else _type_of(given)
    read = [*_inputs(given, shapes, dtype, layer._label()), *(weights[i] for i in order)]
    seed = _seed.next_seed() if computation.draws else 0
    return apply(computation, read, dtype, len(plain[0]), seed)[0]


class _LastCall(NamedTuple):
    """What the losses that layers have added in a call follow from."""

    core: CoreModel
    rows: NDArray[Any]
    parts: Sequence[Any]
    training: bool


def losses_of(model: BaseModel) -> list[Tensor]:
    """Return the losses that layers added in the last call of a model, one tensor for each.

    Raises
    ------
    ValueError
        Where they follow from what is drawn in training.
    """
    call = model._last_call
    if call is None:
        return []
    computation, order = _program_of(model, call.core, call.training, losses=True)
    if computation.draws:
        raise ValueError(
            f"model {model.name!r}: losses: an added loss follows from what is drawn at random in "
            "training, which is drawn once in a call; compute it from the model's outputs"
        )
    dtype = call.rows.dtype.name
    inputs = _inputs(call.parts, _input_shapes(model), dtype, model.name)
    weights = model.variables
    return apply(computation, [*inputs, *(weights[i] for i in order)], dtype, len(call.rows))


def _program_of(
    model: BaseModel, core: CoreModel, training: bool, losses: bool = False
) -> tuple[Computation, list[int]]:
    """Return the program of a built model, and which of its tensors follow the inputs there.

    With ``losses`` its outputs are those that layers add.
    """
    known = _programs.setdefault(core, {})
    key = (training, losses)
    if key not in known:
        wiring = model._wiring()
        trace = Trace(lambda variable: None)
        inputs = wiring.inputs
        with trace.recording():
            values = [trace.input((ROWS, *shape)) for _, shape in inputs]
            for number, reads in wiring.calls:
                read = [values[i] for i in reads]
                values.append(_inside(model.layers[number], read, training))
            outputs = [values[i] for _, i in wiring.outputs]
            if losses:
                outputs = [_added.total(trace, parts) for parts in trace.added]
        places = {}
        for layer, facts in zip(model.layers, model._described(core), strict=True):
            names = [weight.name for weight in layer._facts()] if facts["parameters"] else []
            for variable in trace._variables:
                if variable._layer is layer or layer._own:
                    place = _place_in(layer, variable, names)
                    if place is not None:
                        places[id(variable)] = facts["tensors"][0] + place
        order = [places[id(variable)] for variable in trace._variables]
        known[key] = Computation(trace.description(outputs, trace._variables)), order
    return known[key]


def _program_of_layer(
    layer: Layer, shapes: Sequence[tuple[int, ...]], training: bool, names: Sequence[str]
) -> tuple[Computation, list[int]]:
    known = _programs.setdefault(layer, {})
    key = (layer._listed, training, tuple(shapes), tuple(names))
    if key not in known:
        trace = Trace(lambda variable: None)
        with trace.recording():
            values = [trace.input((ROWS, *shape)) for shape in shapes]
            made = _inside(layer, values, training)
        order = [_place_in(layer, variable, names) or 0 for variable in trace._variables]
        known[key] = Computation(trace.description([made], trace._variables)), order
    return known[key]


def _inside(layer: Layer, values: Sequence[Any], training: bool) -> Any:
    """Return what a layer makes of traced values, and leave it as it was."""
    before = vars(layer).get("_variables")
    given = list(values) if layer._listed or len(values) > 1 else values[0]
    try:
        return _own.call_inside(layer, given, training)
    finally:
        if not layer._own:
            if before is None:
                vars(layer).pop("_variables", None)
            else:
                vars(layer)["_variables"] = before


def _place_in(layer: Layer, variable: Any, names: Sequence[str]) -> int | None:
    """Return which of a layer's tensors a variable is."""
    if not layer._own:
        short = [name.rpartition("/")[2] for name in names]
        return short.index(variable.name) if variable.name in short else None
    for place, (_, each) in enumerate(_own.weights_of(layer)):
        if each is variable:
            return place
    return None


def _inputs(
    parts: Sequence[Any], shapes: Sequence[tuple[int, ...]], dtype: str, where: str
) -> list[Any]:
    """Return inputs as a program reads them: tensors in its type, arrays otherwise."""
    from .. import ops

    made = []
    for part, shape in zip(parts, shapes, strict=True):
        if isinstance(part, Held):
            cast = ops.cast(part, dtype)
            made.append(_shaped(cast, (len(part), *shape)))
        else:
            array = _arrays.tensor(part, where, np.dtype(dtype))
            made.append(np.ascontiguousarray(array.reshape(-1, *shape)))
    return made


def _shaped(value: Any, shape: Sequence[int]) -> Any:
    from .. import ops

    return value if value.shape == tuple(shape) else ops.reshape(value, tuple(shape))


def _type_of(values: Sequence[Any]) -> str:
    found = [each.dtype for each in values if isinstance(each, Held)]
    return found[0] if found else "float32"


def _flat(rows: NDArray[Any]) -> NDArray[Any]:
    return rows if rows.ndim == 2 else rows.reshape(len(rows), -1)


def _plain(value: Any) -> Any:
    return value._numbers() if isinstance(value, Held) else value


def _only(inputs: Any) -> Any:
    """Return the one input that may be in a list or a dict."""
    if type(inputs) is np.ndarray:
        return inputs
    if isinstance(inputs, Mapping) and len(inputs) == 1:
        return next(iter(inputs.values()))
    alone = isinstance(inputs, (list, tuple)) and len(inputs) == 1
    return inputs[0] if alone and getattr(inputs[0], "ndim", 0) > 1 else inputs


def _as_tensors(results: Any) -> Any:
    if type(results) is np.ndarray:
        return Tensor(results)
    if isinstance(results, Mapping):
        return {key: Tensor(value) for key, value in results.items()}
    if isinstance(results, (list, tuple)):
        return [Tensor(value) for value in results]
    return Tensor(results)


def _in_order(results: Any) -> list[Tensor]:
    if isinstance(results, Tensor):
        return [results]
    return list(results.values() if isinstance(results, Mapping) else results)


def _output_shapes(model: BaseModel) -> list[tuple[int, ...]]:
    shapes = [symbol.shape for symbol in model.outputs] if model._several_outputs else []
    return shapes or [tuple(model._outputs)]


def _input_shapes(model: BaseModel) -> list[tuple[int, ...]]:
    return [symbol.shape for symbol in model.inputs]
