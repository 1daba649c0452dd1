# SPDX-License-Identifier: Apache-2.0
"""Networks from ONNX files: `load` makes a model of a graph of layers.

It begins at the outputs: the pattern that ends in a value tells a layer and the values that the
layer reads, where the next ones end. What no pattern fits is refused by its node.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import activations, layers
from . import _onnx_formulas, _onnx_layouts, _onnx_merging, _onnx_model
from ._onnx_file import File
from ._onnx_match import VALUES, Bound, match, operators, size
from ._onnx_model import Step
from ._onnx_patterns import ACTIVATIONS, Spec
from ._onnx_patterns import Make as MakeSpec
from ._onnx_pieces import LAYERS, MAPS, Made, Make, Piece

if TYPE_CHECKING:
    from .._base_model import BaseModel


def load(path: str | os.PathLike[str]) -> BaseModel:
    """Return the model of an ONNX file: a Sequential where it is a chain, else a Model.

    Layers that take the same tensors are one layer that is called again. Several inputs have their
    names, several outputs are a dict by theirs, or a list where these are output_0, output_1, …

    Parameters
    ----------
    path : str or path
        The file, as PyTorch, Keras, scikit-learn's converters or `Model.export` write it.

    Raises
    ------
    ImportError, OSError, ValueError
        Where onnx is missing, the file is absent or damaged, or it holds anything but layers that
        laminar has; the message names node and operator.
    """
    file = File(os.fspath(path))
    _onnx_layouts.straighten(file)
    steps = _steps(file)
    try:
        return _onnx_model.assembled(file, steps)
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
    [
        *LAYERS,
        *_onnx_merging.DOTS,
        *((p, _activation(make)) for p, make in ACTIVATIONS),
        *MAPS,
        *_onnx_formulas.FORMULAS,
    ],
    key=lambda entry: -size(entry[0]),
)
_OPERATORS = _onnx_merging.OPERATORS.union(*(operators(pattern) for pattern, _ in _PATTERNS))


def _steps(file: File) -> list[Step]:
    """Return the layers of all values between inputs and outputs, each behind what it reads."""
    found: dict[str, Step] = {}
    done: set[str] = set(file.inputs)
    order = []
    waiting = [file.resolve(name) for name in reversed(file.outputs)]
    while waiting:
        name = waiting[-1]
        if name in done:
            waiting.pop()
        elif name in found:  # what it reads is done, as onnx has checked that there is no cycle
            order.append(found[name])
            done.add(name)
        else:
            found[name] = _last(file, name)
            waiting += [read for read in found[name].reads if read not in done]
    return order


def _last(file: File, name: str) -> Step:
    """Return the layer that ends in a value."""
    node = file.nodes.get(name)
    if node is None:
        raise file.refusal(f"value {name!r} does not come from the inputs by layers")
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
            reads = [bound[key] for key in VALUES if key in bound]
            break
    else:
        made, reads = _onnx_merging.merge(file, name)
    if made is None:
        raise file.refusal(
            f"{where}: there is no layer for what it computes; its attributes are {node.attributes}"
        )
    wrong = _onnx_merging.drops_axis(file, name, made, reads)
    if wrong is not None:
        raise file.refusal(f"{where}: {wrong}")
    return Step(name, where, made, reads)
