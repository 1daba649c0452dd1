# SPDX-License-Identifier: Apache-2.0
"""Models as ``.keras`` files, which Keras 3 loads: written without Keras, by h5py.

An archive holds the configuration in JSON, and the weights in HDF5 under the class of each layer
and a counter, as Keras counts. What training needs besides, loss and optimizer, is not in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from . import _keras_forms
from ._extras import required
from ._keras_forms import LAYERS, described, layer_form
from ._keras_graph import snake_names
from .onnx_writer import steps_of

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from ._onnx_layers import Step
    from ._wiring import Wiring

_VERSION = "3.5.0"  # the first whose layers and functions all are that may be in a file
_DATE = (1980, 1, 1, 0, 0, 0)  # so that one model gives the same bytes again


def write(model: BaseModel, path: str) -> None:
    """Write a model.

    Raises
    ------
    ImportError, ValueError, OSError
        Where h5py is missing, the model is not built or has a layer that Keras lacks, or the file
        cannot be written.
    """
    h5py = required("h5py", "keras", "export")
    steps = steps_of(model)
    entries = [layer_form(step, model.dtype) for step in steps]
    sequential = model._is_chain() and not any(step.layer._merges for step in steps)
    order = range(len(steps)) if sequential else _order(model)
    config = _chain(model, entries) if sequential else _graph(model, entries, order)
    kind = "Sequential" if sequential else "Functional"
    whole = {
        "module": "keras" if sequential else "keras.src.models.functional",
        "class_name": kind,
        "config": config,
        "registered_name": kind,
        "build_config": {"input_shape": config.get("build_input_shape")},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        members: dict[str, Any] = {
            "metadata.json": json.dumps({"keras_version": _VERSION, "date_saved": ""}),
            "config.json": json.dumps(whole),
            "model.weights.h5": _weights(
                h5py, [steps[i] for i in order], [entries[i] for i in order]
            ),
        }
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data)
    _core.write_file(path, content.getvalue())


def _weights(h5py: Any, steps: list[Step], entries: list[dict[str, Any]]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for step, entry, name in zip(steps, entries, snake_names(entries), strict=True):
            variables = file.create_group(f"layers/{name}/vars")
            variables.attrs["name"] = str(entry["config"]["name"])
            own = [each for each in LAYERS[step.kind] if each in step.weights]
            if step.kind != "normalization" and len(own) != len(step.weights):
                left = sorted({*step.weights} - {*own})
                raise _keras_forms.refusal(step.layer, f"it has other weights: {left}")
            for i, each in enumerate(own):
                variables.create_dataset(str(i), data=np.ascontiguousarray(step.weights[each]))
        file.create_group("vars").attrs["name"] = "model"
    return content.getvalue()


def _input(name: str, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    config = {"batch_shape": [None, *shape], "dtype": dtype, "sparse": False, "name": name}
    return described("InputLayer", config, "keras.layers")


def _chain(model: BaseModel, entries: list[dict[str, Any]]) -> dict[str, Any]:
    (_, shape), *_ = model._wiring().inputs
    names = {entry["config"]["name"] for entry in entries}
    first = _input(_free("input", names), shape, model.dtype)
    policy = described("DTypePolicy", {"name": model.dtype}, "keras")
    return {
        "name": model.name,
        "trainable": True,
        "dtype": policy,
        "layers": [first, *entries],
        "build_input_shape": [None, *shape],
    }


def _order(model: BaseModel) -> list[int]:
    """Return the layers in the order in which Keras has them, by which it counts their weights.

    Those that are farthest from the outputs come first, of one distance those first that are met
    first on the way back from the outputs.
    """
    wiring = model._wiring()
    first = len(wiring.inputs)
    met: dict[int, int] = {}
    done: set[int] = set()
    behind: list[int] = []  # calls, each behind those that it reads
    ends = wiring.outputs if _plain(wiring) else sorted(wiring.outputs)
    for _, end in ends:
        waiting = [(end, False)]
        while waiting:
            value, read = waiting.pop()
            if read:
                behind.append(value)
                continue
            if value < first or value in done:
                continue
            done.add(value)
            number, reads = wiring.calls[value - first]
            met.setdefault(number, len(met))
            waiting.append((value, True))
            waiting += [(each, False) for each in reversed(reads)]
    depths: dict[int, int] = {}  # of calls
    layers: dict[int, int] = {}
    for value in reversed(behind):
        number, reads = wiring.calls[value - first]
        depth = layers[number] = max(depths.get(value, 0), layers.get(number, 0))
        for each in reads:
            depths[each] = max(depth + 1, depths.get(each, 0))
    return sorted(layers, key=lambda number: (-layers[number], met[number]))


def _plain(wiring: Wiring) -> bool:
    """Whether outputs are one, or a list."""
    names = [name for name, _ in wiring.outputs]
    return len(names) == 1 or names == [f"output_{i}" for i in range(len(names))]


def _graph(model: BaseModel, entries: list[dict[str, Any]], order: Sequence[int]) -> dict[str, Any]:
    """Return the configuration of a functional model: each layer with its calls."""
    wiring = model._wiring()
    taken = {entry["config"]["name"] for entry in entries}
    made, values = [], []
    for name, shape in wiring.inputs:
        own = _free(name, taken)
        taken.add(own)
        made.append({**_input(own, shape, model.dtype), "name": own, "inbound_nodes": []})
        values.append((own, 0))
    starts = list(values)
    calls: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(entries))}
    for number, reads in wiring.calls:
        tensors = [_tensor(values[read], wiring.shapes[read], model.dtype) for read in reads]
        several = model.layers[number]._merges
        node = {"args": [tensors if several else tensors[0]], "kwargs": {}}
        values.append((entries[number]["config"]["name"], len(calls[number])))
        calls[number].append(node)
    for number in order:
        entry = entries[number]
        made.append({**entry, "name": entry["config"]["name"], "inbound_nodes": calls[number]})
    ends = [(name, [*values[number], 0]) for name, number in wiring.outputs]
    outputs: Any = [end for _, end in ends] if _plain(wiring) else dict(ends)
    return {
        "name": model.name,
        "trainable": True,
        "layers": made,
        "input_layers": [[*value, 0] for value in starts],
        "output_layers": outputs,
    }


def _tensor(value: tuple[str, int], shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    history = [*value, 0]
    config = {"shape": [None, *shape], "dtype": dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def _free(name: str, taken: set[str]) -> str:
    """Return a name for an input that no layer has."""
    while name in taken:
        name += "_"
    return name
