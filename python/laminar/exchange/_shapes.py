# SPDX-License-Identifier: Apache-2.0
"""The shape of a sample behind a layer, and of a layer's weights, before anything is allocated.

Files from elsewhere say how large layers are. Their weights are compared with that first, so that
a small file cannot ask for much memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import layers

Shape = tuple[int, ...]


def after(layer: layers.Layer, shape: Shape) -> Shape:
    """Return the shape of a sample that leaves a layer; ValueError where it does not fit."""
    if isinstance(layer, (layers.Dense, layers.Maxout)):
        return (layer.units,)
    if isinstance(layer, layers.Flatten):
        return (math.prod(shape),)
    if isinstance(layer, layers.Reshape):
        known = math.prod(extent for extent in layer.target_shape if extent > 0)
        return tuple(
            math.prod(shape) // known if extent < 0 else extent for extent in layer.target_shape
        )
    if isinstance(layer, layers.CategoryEncoding):
        if layer.output_mode != "one_hot":
            return (layer.num_tokens,)
        kept = shape[:-1] if shape[-1] == 1 else shape
        return (*kept, layer.num_tokens)
    return (*shape, layer.output_dim) if isinstance(layer, layers.Embedding) else shape


def weights(layer: layers.Layer, shape: Shape) -> list[Shape]:
    """Return the shapes of a layer's weights, in the order of `Layer.get_weights`."""
    columns = (shape[-1],)
    if isinstance(layer, layers.Dense):
        return [(shape[-1], layer.units), (layer.units,)][: 1 + layer.use_bias]
    if isinstance(layer, layers.Maxout):
        pieces = layer.units * layer.pieces
        return [(shape[-1], pieces), (pieces,)][: 1 + layer.use_bias]
    if isinstance(layer, layers.BatchNormalization):
        return [columns] * (2 + layer.scale + layer.center)
    if isinstance(layer, layers.LayerNormalization):
        return [columns] * (layer.scale + layer.center)
    if isinstance(layer, layers.PReLU):
        return [shape]
    if isinstance(layer, layers.Embedding):
        return [(layer.input_dim, layer.output_dim)]
    return [columns] * 2 if isinstance(layer, layers.Normalization) else []


def check(layer: layers.Layer, shape: Shape, given: Sequence[Any], where: str) -> None:
    """Raise ValueError where arrays are not the weights of a layer behind samples of a shape."""
    expected = weights(layer, shape)
    found = [array.shape for array in given]
    if found != expected:
        kind = type(layer).__name__
        raise ValueError(f"{where}: weights of a {kind} must have shapes {expected}, got {found}")
