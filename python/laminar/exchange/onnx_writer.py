# SPDX-License-Identifier: Apache-2.0
"""Models as ONNX files: `write` writes what a model predicts, in the oldest operators that can.

The graph takes ``input`` (N, …) and gives ``output`` (N, …) for any number N of rows; several
inputs have their names in the model, several outputs theirs or ``output_0``, ``output_1``, …
Weights are initializers under their names in the model. Training, seeds and regularizers are not
in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from . import _onnx_layers, _onnx_merging
from ._extras import required
from ._onnx_graph import Graph
from ._onnx_layers import Step
from ._programs import programs_of

if TYPE_CHECKING:
    from .._base_model import BaseModel

_LOWEST_OPSET = 13
_LARGEST = 2**31 - 2**20  # bytes that a message of protobuf holds, less what is no weight


def write(model: BaseModel, path: str, opset: int | None = None) -> None:
    """Write a model.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    path : str
        The file.
    opset : int, optional
        The version of the operators; without it the lowest that carries all layers.

    Raises
    ------
    ImportError, ValueError, OSError
        Where onnx is missing, the model is not built, has a layer without a form in ONNX or more
        than 2 GiB of weights, or the file cannot be written.
    """
    onnx = required("onnx", "onnx", "export")
    _core.write_file(path, message(onnx, model, opset).SerializeToString())


def message(onnx: Any, model: BaseModel, opset: int | None = None) -> Any:
    """Return a model as onnx's ModelProto."""
    steps, names = steps_of(model), model._layer_names()
    wiring = model._wiring().of_prediction(model.layers)
    dtype = np.dtype(model.dtype)
    size = model.count_params() * dtype.itemsize
    if size > _LARGEST:
        raise ValueError(
            f"export: an ONNX file holds less than 2 GiB; the model's weights have {size} bytes"
        )
    opset = _onnx_layers.opset(steps, dtype) if opset is None else _checked(onnx, opset)
    graph = Graph(onnx, dtype, opset)
    given = [graph.reserved(name) for name, _ in wiring.inputs]
    wanted = [(graph.reserved(name), number) for name, number in wiring.outputs]
    values = list(given)
    for number, reads in wiring.calls:
        graph.scope = names[number]
        read = [values[i] for i in reads]
        merge = _onnx_merging.WRITERS.get(steps[number].kind)
        if merge is not None:
            values.append(merge(graph, read, steps[number].layer))
            continue
        before, after = wiring.shapes[reads[0]], wiring.shapes[len(values)]
        step = steps[number]._replace(input_shape=before, output_shape=after, reads=read)
        values.append(_onnx_layers.write(graph, read[0], step))
    graph.scope = "output"
    own = set(given)
    for name, number in wanted:  # an input, or what is another output too, stays as it is
        if values[number] in own:
            graph.op_named(name, "Identity", values[number])
        else:
            _rename(graph, values[number], name)
            values = [name if value == values[number] else value for value in values]
        own.add(name)

    helper = onnx.helper
    element = helper.np_dtype_to_tensor_dtype(dtype)

    def end(name: str, number: int) -> Any:
        return helper.make_tensor_value_info(name, element, ["N", *wiring.shapes[number]])

    first = [end(name, i) for i, name in enumerate(given)]
    last = [end(name, number) for name, number in wanted]
    made = helper.make_graph(graph.nodes, model.name, first, last, graph.initializers)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="laminar",
        producer_version=_core.__version__,
    )


def _checked(onnx: Any, opset: object) -> int:
    """Return a version of the operators; an error where the package has no such one."""
    newest = int(onnx.defs.onnx_opset_version())
    if isinstance(opset, bool) or not isinstance(opset, int):
        raise TypeError(f"export: opset must be a whole number, got {opset!r}")
    if not _LOWEST_OPSET <= opset <= newest:
        raise ValueError(
            f"export: opset must be of {_LOWEST_OPSET} to {newest}, the newest of the onnx "
            f"that is installed, got {opset}"
        )
    return opset


def steps_of(model: BaseModel) -> list[Step]:
    """Return the layers of a built model with weights and shapes; ValueError if it is not built.

    The shapes are those of stacks: of a graph they belong to calls, which `Wiring` has.
    """
    core = model._core("export")
    described, programs = model._described(core), programs_of(core)
    tensors = list(zip(core.tensors(), core.get_weights(), strict=True))
    before: tuple[int, ...] = tuple(model._input or ())
    steps = []
    for layer, facts in zip(model.layers, described, strict=True):
        own = tensors[slice(*facts["tensors"])]
        name, kind, after = facts["name"], facts["kind"], tuple(facts["output_shape"])
        weights = {tensor["name"].removeprefix(f"{name}/"): values for tensor, values in own}
        steps.append(Step(layer, kind, weights, before, after, programs.get(name)))
        before = after
    return steps


def _rename(graph: Graph, old: str, new: str) -> None:
    """Give the last value its public name."""
    for node in graph.nodes:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new
