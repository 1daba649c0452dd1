# SPDX-License-Identifier: Apache-2.0
"""Which layers and activations of the core each format has: one answer for every entry.

The lists that formats write and read by are asked here. An entry that none of them names, nor the
reason why it is refused, has no answer, and a test fails.
"""

from __future__ import annotations

from typing import NamedTuple

from .. import layers as _layers
from .._component import entries
from . import (
    _keras_forms,
    _keras_layers,
    _onnx_activations,
    _onnx_layers,
    _onnx_merging,
    _source_activations,
    _source_layers,
    _source_merging,
    torch_weights,
)

FORMATS = ("onnx", "onnx, read", "c", "torch", "keras", "keras, read")
# Kinds that the core makes of others, and that are no layers of a model.
MADE_BY_THE_CORE = {
    "slice": "an input of several, of which exports know each",
    "batch_operations": "operations in training that look at whole batches",
}


class Form(NamedTuple):
    """Whether a format has an entry, or why it is refused.

    Both are empty where the format's list forgot it.
    """

    written: bool
    refused: str = ""

    @property
    def answered(self) -> bool:
        """Whether the format knows what to do with the entry."""
        return self.written or bool(self.refused)


def layer(kind: str, format: str) -> Form:
    """Return the form of a kind of layer in a format.

    Parameters
    ----------
    kind : str
        The core's name.
    format : str
        One of `FORMATS`.
    """
    if kind in MADE_BY_THE_CORE:
        return Form(False, MADE_BY_THE_CORE[kind])
    match format:
        case "onnx" | "onnx, read":  # read by patterns: tests of what comes back take one by one
            return Form(kind in _onnx_layers.WRITERS or kind in _onnx_merging.WRITERS)
        case "c":
            return Form(kind in _source_layers.KINDS or kind in _source_merging.KINDS)
        case "torch":
            if kind in torch_weights.REFUSED:
                return Form(False, torch_weights.REFUSED[kind])
            merges = _layers.Layer._classes[kind]._merges
            named = kind in torch_weights._NAMES or kind in torch_weights._WITHOUT_WEIGHTS
            return Form(named or merges)
        case "keras":
            return Form(kind in _keras_forms.LAYERS, _keras_forms.REFUSED.get(kind, ""))
        case "keras, read":
            known = _layers.Layer._classes[kind].__name__ in _keras_layers.TAKEN
            return Form(known, "" if known else "Keras has no such layer")
    raise ValueError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")


def activation(name: str, format: str) -> Form:
    """Return the form of an activation in a format.

    Parameters
    ----------
    name : str
        The core's name.
    format : str
        One of `FORMATS`.
    """
    match format:
        case "onnx" | "onnx, read":
            return Form(name in _onnx_activations.WRITERS)
        case "c":
            special = name == "linear"  # which is no step
            return Form(special or name in _source_activations.TEXTS)
        case "torch":
            known = name in torch_weights.ACTIVATIONS
            return Form(known, "" if known else torch_weights.WITHOUT_MODULE.get(name, ""))
        case "keras":
            refused = _keras_forms.REFUSED_ACTIVATIONS.get(name, "")
            return Form(name in _keras_forms.ACTIVATIONS, refused)
        case "keras, read":
            return Form(name in entries("activation"))  # by their names, which are the same
    raise ValueError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")


def table() -> str:
    """Return all answers as text, a line for each layer and activation."""
    lines = []
    for family, of in (("layer", layer), ("activation", activation)):
        for name in entries(family):
            answers = []
            for format in FORMATS:
                form = of(name, format)
                said = "yes" if form.written else f"no: {form.refused}"
                answers.append(f"{format}: {said if form.answered else '?'}")
            lines.append(f"{family} {name}: {'; '.join(answers)}")
    return "\n".join(lines)
