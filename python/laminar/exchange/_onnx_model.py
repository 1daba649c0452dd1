# SPDX-License-Identifier: Apache-2.0
"""A model of what `onnx_reader` has found in a file: neighbours joined, then layers called.

A file says how large layers are. Their weights are compared with the shapes, and with the file's
size, before anything is allocated.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import layers
from . import _onnx_formulas, _shapes
from ._onnx_file import LARGEST_RATIO, File
from ._onnx_pieces import Affine, Formula, Merge, Piece, layer_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from ..layers.symbol import Symbol

Found = Piece | Affine | Formula | Merge

# f(f(x_0, x_1), x_2) is f of all three.
_NESTING = ("add", "multiply", "maximum", "minimum", "concatenate")


class Step(NamedTuple):
    """What makes a value, as errors call it, and the values that it reads."""

    name: str
    where: str
    made: Found
    reads: list[str]


class _Values:
    """The symbols of the values so far, and the layers that were called for them."""

    def __init__(self, file: File, steps: Sequence[Step]) -> None:
        self.file = file
        self.symbols: dict[str, Symbol] = {}
        for name, shape in file.inputs.items():
            shape = shape or _shape_by_kernel(name, steps)
            self.symbols[name] = layers.Input(shape, name if len(file.inputs) > 1 else None)
        self.weights: dict[int, list[NDArray[Any]]] = {}  # by a layer's id
        self.size = 0
        self.ends = {file.resolve(name) for name in file.outputs}
        self.again = False  # whether a layer was called twice
        self._trained: set[str] = set()
        self._shared: dict[Any, layers.Layer] = {}
        self._most = LARGEST_RATIO * max(file.size, 2**16)

    def call(self, step: Step) -> None:
        """Make the symbol of a step."""
        reads = [self.symbols[name] for name in step.reads]
        trained = not self._trained.isdisjoint(step.reads)
        if isinstance(step.made, Merge):
            layer: layers.Layer = layers.get(
                {"class_name": step.made.kind.capitalize(), "config": step.made.arguments}
            )
            self.weights[id(layer)] = []
        else:
            piece = step.made
            if isinstance(piece, Affine):
                features = math.prod(reads[0].shape)
                is_output = step.name in self.ends
                piece = layer_of(piece, trained, features, self._most, is_output)
            elif isinstance(piece, Formula):
                piece = _onnx_formulas.layer_of(piece, reads[0].shape)
            layer = self._layer(piece, reads[0].shape)
            trained = trained or len(piece.weights) > 0
        self.symbols[step.name] = layer._called_on(reads)
        if trained:
            self._trained.add(step.name)

    def _layer(self, piece: Piece, shape: tuple[int, ...]) -> layers.Layer:
        """Return a piece's layer, or that of another one with the same tensors."""
        key = _key(piece, shape)
        if key is not None:
            known = self._shared.setdefault(key, piece.layer)
            if known is not piece.layer:
                self.again = True
                return known
        layer, values = piece
        expected = _shapes.weights(layer, shape)
        if isinstance(layer, layers.Normalization):
            values = [np.asarray(moment) for moment in (layer.mean, layer.variance)]
        if len(values) != len(expected):
            raise ValueError(f"a {type(layer).__name__} has {len(expected)} tensors of weights")
        # What is repeated takes more memory than in the file: not without bounds.
        self.size += sum(map(math.prod, expected))
        if self.size > self._most:
            raise ValueError("its weights would be much larger than the file")
        self.weights[id(layer)] = [
            np.broadcast_to(value, to) for value, to in zip(values, expected, strict=True)
        ]
        return layer


def assembled(file: File, steps: Sequence[Step]) -> BaseModel:
    """Return the model; ValueError where the layers make none.

    Parameters
    ----------
    file : File
        Where they are from.
    steps : sequence of Step
        The layers, each behind what it reads.
    """
    from ..model import Model  # which import this package
    from ..sequential import Sequential

    outputs = [file.resolve(name) for name in file.outputs]
    joined = _joined(steps, outputs)
    values = _Values(file, joined)
    for step in joined:
        try:
            values.call(step)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{step.where}: {error}") from None
    starts, ends = list(file.inputs), [values.symbols[name] for name in outputs]
    made: list[layers.Layer] = [
        symbol._layer for symbol in values.symbols.values() if symbol._layer is not None
    ]
    path = [starts[0], *(step.name for step in joined)]
    chain = all(step.reads == [path[i]] for i, step in enumerate(joined)) and not values.again
    inputs: Any = [values.symbols[name] for name in starts]
    model: BaseModel
    if chain and len(starts) == 1 and outputs == path[-1:]:
        alone: list[layers.Layer] = [layers.Activation("linear")]
        model = Sequential([layers.Input(inputs[0].shape), *(made or alone)], dtype=file.dtype)
    else:
        ends_as: Any = ends[0]
        if len(ends) > 1:
            plain = file.outputs == [f"output_{i}" for i in range(len(ends))]
            ends_as = ends if plain else dict(zip(file.outputs, ends, strict=True))
        model = Model(inputs if len(inputs) > 1 else inputs[0], ends_as, dtype=file.dtype)
    model.set_weights(
        [array for layer in model.layers for array in values.weights.get(id(layer), ())]
    )
    names = file.class_names
    if names is not None and [symbol.shape for symbol in ends] == [(len(names),)]:
        model.class_names = names
    return model


def _joined(steps: Sequence[Step], outputs: Sequence[str]) -> list[Step]:
    """Return steps in which a value that one step alone reads may have become part of it."""
    readers = Counter([name for step in steps for name in step.reads] + list(outputs))
    found: dict[str, Step] = {}
    for step in steps:
        before = found.get(step.reads[0])
        if before is not None and readers[before.name] == 1:
            made = _both(before, step)
            if made is not None:
                del found[before.name]
                step = step._replace(made=made, reads=[*before.reads, *step.reads[1:]])
        found[step.name] = step
    return list(found.values())


def _both(before: Step, after: Step) -> Found | None:
    """Return what two steps are together, None where they are two layers."""
    match before.made, after.made:
        case Affine() as first, Affine() as second:
            return first.then(second)
        case Merge("add"), Affine() as scaled:
            center, scale, shift = scaled
            mean = scale.size == 1 and np.isclose(scale, 1 / len(before.reads), 1e-6, 0).all()
            return Merge("average", {}) if mean and not (center.any() or shift.any()) else None
        case Merge(kind) as first, Merge() as second if kind in _NESTING and first == second:
            return first
        case Piece(layers.Dense() as dense), Piece(layer) if (
            type(layer) is layers.Activation and dense.activation._entry == "linear"
        ):
            dense.activation = layer.activation
            return before.made
    return None


def _shape_by_kernel(name: str, steps: Sequence[Step]) -> tuple[int, ...]:
    """Return the shape of an input from the weights of what reads it."""
    for step in steps:
        match step.made:
            case Piece(layers.Dense() | layers.Maxout(), [kernel, *_]) if step.reads == [name]:
                return (int(kernel.shape[0]),)
    raise ValueError(f"the shape of input {name!r} is unknown")


def _key(piece: Piece, shape: tuple[int, ...]) -> Any:
    """Return what pieces have in common that are calls of one layer; None where there is none.

    Exporters write tensors of equal values once, so that those whose values are all the same, such
    as those that nothing has trained, tell nothing. Batch normalization is called once.
    """
    layer, values = piece
    telling = any(value.size > 1 and np.any(value != value.flat[0]) for value in values)
    if not telling or isinstance(layer, layers.BatchNormalization):
        return None
    places = tuple((v.__array_interface__["data"][0], v.shape, v.strides) for v in values)
    config = json.dumps(layer.get_config(), sort_keys=True, default=str)
    return type(layer), config, shape, places
