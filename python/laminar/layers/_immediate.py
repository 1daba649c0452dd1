# SPDX-License-Identifier: Apache-2.0
"""What a layer makes of arrays, computed at once by a core model of this one layer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays, _core, _seed
from .._guard import CORE_MODELS
from .symbol import sample_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._guard import CoreModel
    from .base import Layer


def compute(layer: Layer, inputs: Any) -> NDArray[Any]:
    """Return the output for arrays; a layer without weights gets them.

    Raises
    ------
    TypeError, ValueError
        Where the arrays are none, or do not fit the layer or its weights.
    """
    where = f"{layer._label()}: inputs"
    built = layer.built
    double = built and isinstance(layer._built(), _core.ModelFloat64)
    dtype = np.dtype(np.float64 if double else np.float32)
    if layer._merges or layer._listed:
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(f"{where} must be a list of arrays, got {type(inputs).__name__}")
        parts = [_arrays.features(part, f"{where}[{i}]", dtype) for i, part in enumerate(inputs)]
        for i, part in enumerate(parts):
            if len(part) != len(parts[0]):
                raise ValueError(
                    f"{where}[0] has {len(parts[0])} rows, {where}[{i}] has {len(part)}"
                )
    else:
        parts = [_arrays.features(inputs, where, dtype)]
    layer._check_number(len(parts))
    shapes = [part.shape[1:] for part in parts]
    shape = layer._output_shape(shapes)
    core = _core_of(layer, shapes, dtype)
    if built:
        _give_weights(layer, core, shapes)
    else:
        _take_weights(layer, core)
    x = parts[0] if len(parts) == 1 else np.concatenate([p.reshape(len(p), -1) for p in parts], 1)
    out = np.empty((len(x), *shape), dtype)
    core.predict(x, out)
    return out


def build(layer: Layer, input_shape: Any) -> None:
    """Give a layer the weights that it has for batches of a shape, or of several."""
    several = isinstance(input_shape, list) or isinstance(input_shape[0], (list, tuple))
    given = input_shape if several else [input_shape]
    shapes = [sample_shape(shape[1:], f"{layer._label()}: input_shape") for shape in given]
    layer._check_number(len(shapes))
    layer._output_shape(shapes)
    _take_weights(layer, _core_of(layer, shapes, np.dtype(np.float32)))


def _take_weights(layer: Layer, core: CoreModel) -> None:
    place = len(core.layers()) - 1  # slices of several inputs come first
    if core.layer(place)["parameters"]:
        inner = layer._from_inside()
        layer._attach(core, place)
        brought = layer._brought()
        if brought:
            layer.set_weights(brought)
        for each, weights in inner:
            each.set_weights(weights)


def _core_of(layer: Layer, shapes: list[tuple[int, ...]], dtype: np.dtype[Any]) -> CoreModel:
    spec = layer._spec_for(shapes)
    if layer._is_traced:
        spec.setdefault("name", layer._word())
    network: dict[str, Any] = {"layers": [spec]}
    if len(shapes) == 1:
        network["input_shape"] = shapes[0]
    else:
        inputs = list(range(len(shapes)))
        network["inputs"] = [{"name": f"input_{i}", "shape": shapes[i]} for i in inputs]
        network["nodes"] = [{"layer": 0, "inputs": inputs}]
        network["outputs"] = [len(shapes)]
    seed = 0 if layer.built else _seed.next_seed()
    return CORE_MODELS[dtype.name](json.dumps(network), seed, dtype.name)


def _give_weights(layer: Layer, core: CoreModel, shapes: list[tuple[int, ...]]) -> None:
    """Give a core model the layer's weights; ValueError where they are for other samples."""
    weights = layer.get_weights()
    wanted = [tensor.shape for tensor in core.get_weights()]
    if [tensor.shape for tensor in weights] != wanted:
        raise ValueError(
            f"{layer._label()}: its weights, of shapes {[w.shape for w in weights]}, do not take "
            f"samples of shape {shapes[0]}"
        )
    if weights:
        core.set_weights(weights)
