# SPDX-License-Identifier: Apache-2.0
"""The shapes of a layer's weights before anything is allocated.

Files from elsewhere say how large layers are. Their weights are compared with that first, so that
a small file cannot ask for much memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import _core, layers

Shape = tuple[int, ...]


def weights(layer: layers.Layer, shape: Shape) -> list[Shape]:
    """Return the shapes of a layer's weights, in the order of `Layer.get_weights`.

    ValueError where the layer does not take samples of a shape.
    """
    if layer._merges:  # those that read several values have none
        return []
    network = {"input_shape": shape, "layers": [layer._spec_for([shape])]}
    return [tuple(each) for each in _core.tensor_shapes(json.dumps(network))]


def check(layer: layers.Layer, shape: Shape, given: Sequence[Any], where: str) -> None:
    """Raise ValueError where arrays are not the weights of a layer behind samples of a shape."""
    expected = weights(layer, shape)
    found = [array.shape for array in given]
    if found != expected:
        kind = type(layer).__name__
        raise ValueError(f"{where}: weights of a {kind} must have shapes {expected}, got {found}")
