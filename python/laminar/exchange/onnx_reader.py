# SPDX-License-Identifier: Apache-2.0
"""Multi-layer perceptrons from ONNX files: `load` makes a model of a graph that is a chain.

It begins at the output: the pattern that ends there tells a layer and the value that the layer
reads, where the next one ends. What no pattern fits is refused by its node.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import activations, layers
from . import _shapes
from ._onnx_file import LARGEST_RATIO, File
from ._onnx_match import Bound, match, operators, size
from ._onnx_patterns import ACTIVATIONS, Spec
from ._onnx_patterns import Make as MakeSpec
from ._onnx_pieces import LAYERS, MAPS, Affine, Made, Make, Piece, layer_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..sequential import Sequential


def load(path: str | os.PathLike[str]) -> Sequential:
    """Return the model of an ONNX file.

    Parameters
    ----------
    path : str or path
        The file, as PyTorch, Keras, scikit-learn's converters or `Sequential.export` write it.

    Raises
    ------
    ImportError, OSError, ValueError
        Where onnx is missing, the file is absent or damaged, or it holds anything but a chain of
        layers that laminar has; the message names node and operator.
    """
    file = File(os.fspath(path))
    pieces = _merged(file, list(_pieces(file))[::-1])
    try:
        return _model(file, pieces)
    except (MemoryError, TypeError, ValueError, ZeroDivisionError) as error:
        raise file.refusal(f"its layers do not make a model: {error}") from None


def _activation(make: MakeSpec) -> Make:
    """Return the maker of a layer of one that returns an activation's configuration."""

    def made(file: File, name: str, bound: Bound) -> Made:
        spec: Spec | None = make(bound)
        return None if spec is None else Piece(layers.Activation(activations.get(spec)), [])

    return made


# The first that fits is taken, so that larger ones come first: one may hold another.
_PATTERNS: list[tuple[str, Make]] = sorted(
    [*LAYERS, *((p, _activation(make)) for p, make in ACTIVATIONS), *MAPS],
    key=lambda entry: -size(entry[0]),
)
_OPERATORS = frozenset(kind for pattern, _ in _PATTERNS for kind in operators(pattern))


def _pieces(file: File) -> Iterator[Piece | Affine]:
    """Yield the layers from the output to the input."""
    name = file.resolve(file.output)
    for _ in range(len(file.nodes) + 1):
        if name == file.input:
            return
        made, name = _last(file, name)
        yield made
    raise file.refusal("its graph does not lead from the input to the output")


def _last(file: File, name: str) -> tuple[Piece | Affine, str]:
    """Return the layer that ends in a value, and the value that it reads."""
    node = file.nodes.get(name)
    if node is None:
        raise file.refusal(f"value {name!r} does not come from the input by a chain of layers")
    where = f"node {node.name!r} ({node.kind})"
    if node.kind not in _OPERATORS:
        raise file.refusal(f"{where}: there is no layer for operator {node.kind}")
    for pattern, make in _PATTERNS:
        bound = match(file, pattern, name)
        if bound is None:
            continue
        try:
            made = make(file, name, bound)
        except (TypeError, ValueError) as error:
            raise file.refusal(f"{where}: {error}") from None
        if made is not None:
            return made, bound["x"]
    raise file.refusal(
        f"{where}: there is no layer for what it computes, or the graph branches there; "
        f"its attributes are {node.attributes}"
    )


def _merged(file: File, pieces: list[Piece | Affine]) -> list[Piece]:
    """Return layers alone: maps made into some, activations put into the Dense before them."""
    done: list[Piece] = []
    shape = file.input_shape
    trained = False
    for i, piece in enumerate(pieces):
        if isinstance(piece, Affine):
            following = pieces[i + 1] if i + 1 < len(pieces) else None
            try:
                if isinstance(following, Affine):
                    pieces[i + 1] = piece.then(following)
                    continue
                features = max(part.size for part in piece) if shape is None else math.prod(shape)
                most = LARGEST_RATIO * max(file.size, 2**16)
                piece = layer_of(piece, trained, features, most)
            except ValueError as error:
                raise file.refusal(f"{error}") from None
        layer = piece.layer
        before = done[-1].layer if done else None
        if (
            type(layer) is layers.Activation
            and isinstance(before, layers.Dense)
            and before.activation._entry == "linear"
        ):
            before.activation = layer.activation
            continue
        trained = trained or len(piece.weights) > 0
        if shape is not None or isinstance(layer, (layers.Dense, layers.Maxout)):
            shape = _shapes.after(layer, shape or ())
        done.append(piece)
    return done


def _model(file: File, pieces: list[Piece]) -> Sequential:
    from ..sequential import Sequential  # which imports this package

    if not pieces:
        pieces = [Piece(layers.Activation("linear"), [])]
    shape = file.input_shape
    if shape is None:
        first = pieces[0]
        if not isinstance(first.layer, (layers.Dense, layers.Maxout)):
            raise ValueError("the shape of its input is unknown")
        shape = (first.weights[0].shape[0],)
    start = layers.Input(shape)
    given: list[NDArray[Any]] = []
    for layer, values in pieces:
        expected = _shapes.weights(layer, shape)
        if isinstance(layer, layers.Normalization):
            values = [np.asarray(moment) for moment in (layer.mean, layer.variance)]
        if len(values) != len(expected):
            raise ValueError(f"a {type(layer).__name__} has {len(expected)} tensors of weights")
        given += [np.broadcast_to(v, to) for v, to in zip(values, expected, strict=True)]
        shape = _shapes.after(layer, shape)
    # What is repeated takes more memory than in the file: not without bounds.
    if sum(value.size for value in given) > LARGEST_RATIO * max(file.size, 2**16):
        raise ValueError("its weights would be much larger than the file")
    model = Sequential([start, *(piece.layer for piece in pieces)], dtype=file.dtype)
    model.set_weights(given)
    return model
