# SPDX-License-Identifier: Apache-2.0
"""An ONNX file as nodes and constants, checked: what `onnx_reader` looks at.

A file is untrusted. It is parsed and checked by onnx; functions, operator sets other than those of
`_onnx_dialects`, and sparse or exotic tensors are refused; data outside of the file are read as
`_onnx_outside` does; only shapes of constants are computed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._printable import lines
from . import _onnx_constants, _onnx_dialects, _onnx_outside
from ._extras import required

WHERE = "load_model"
_LARGEST = 2**31  # bytes of a message of protobuf
LARGEST_RATIO = 16  # of what is made of a file's constants to the file
ROWS = -1  # stands in shapes for the number of rows

# Attributes in the order in which patterns give them after the inputs, with their defaults.
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "BatchNormalization": {"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0},
    "Celu": {"alpha": 1.0},
    "Concat": {"axis": None},
    "CumSum": {"exclusive": 0, "reverse": 0},
    "Elu": {"alpha": 1.0},
    "Flatten": {"axis": 1},
    "Gather": {"axis": 0},
    "Gelu": {"approximate": "none"},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "LayerNormalization": {"axis": -1, "epsilon": 1e-5},
    "LeakyRelu": {"alpha": 0.01},
    "LogSoftmax": {"axis": -1},
    "RMSNormalization": {"axis": -1, "epsilon": 1e-5},
    "ReduceMax": {"axes": None, "keepdims": 1},
    "ReduceMean": {"axes": None, "keepdims": 1},
    "ReduceSum": {"axes": None, "keepdims": 1},
    "Selu": {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875},
    "Shrink": {"bias": 0.0, "lambd": 0.5},
    "Softmax": {"axis": -1},
    "ThresholdedRelu": {"alpha": 1.0},
    "TopK": {"axis": -1, "largest": 1, "sorted": 1},
}
# Attributes that change nothing here: seeds, and how values are added up.
_IGNORED = {"seed", "stash_type", "noop_with_empty_axes", "spatial", "allowzero"}
# What may read integers that are no constants: categories, or values that are made to be such.
_TAKE_INTEGERS = {
    "Cast",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Shape",
    "Squeeze",
    "Unsqueeze",
}
_INPUTS = {"Clip": 3, "Gemm": 3, "LayerNormalization": 3, "Dropout": 3}


class Node(NamedTuple):
    """An operator with its inputs and attributes; absent inputs are empty names."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]


class File:
    """Nodes by the value that they make, constants by name, and what goes in and out.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    ImportError, OSError, ValueError
        Where onnx is missing, or the file is absent, damaged, or has parts that are refused.
    """

    def __init__(self, path: str) -> None:
        self.onnx = required("onnx", "onnx", f"{WHERE}: {path!r}")
        self.path = path
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size >= _LARGEST:
                raise self.refusal("is larger than an ONNX file can be")
            content = file.read(_LARGEST)
        self.size = len(content)
        try:
            model = self.onnx.load_model_from_string(content)
        except Exception as error:  # whatever protobuf raises
            raise self.refusal(f"is not an ONNX file: {error}") from None
        outside = self._prepared(model)
        try:
            self.onnx.checker.check_model(model)
            del model.graph.value_info[:]
            self._graph = self.onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        except Exception as error:  # onnx's own kinds
            raise self.refusal(f"is not a valid ONNX file: {error}") from None
        versions = {o.domain: o.version for o in model.opset_import}
        self.opset = int(versions.get("", versions.get("ai.onnx", 0)))
        self._integers = (self.onnx.TensorProto.INT32, self.onnx.TensorProto.INT64)
        self.constants: dict[str, NDArray[Any]] = {}
        self.nodes: dict[str, Node] = {}
        self._aliases: dict[str, str] = {}
        self._made = 0  # bytes of constants that are not in the file
        self._shapes = {
            info.name: shape
            for info in (*self._graph.input, *self._graph.output, *self._graph.value_info)
            if (shape := _sample_shape(info)) is not None
        }
        infos = (*self._graph.input, *self._graph.output, *self._graph.value_info)
        self._flat = {info.name for info in infos if len(info.type.tensor_type.shape.dim) == 1}
        self._types = {info.name: info.type.tensor_type.elem_type for info in infos}
        self._of_rows: set[str] = set()  # constants that hold ROWS
        self.constants.update(outside.arrays)
        self._ends()
        for tensor in self._graph.initializer:
            self.constants[tensor.name] = self._array(tensor)
        for node in self._graph.node:
            self._read(node)

    def _prepared(self, model: Any) -> _onnx_outside.Outside:
        """Refuse what is never read, take in what lies beside the file, and translate dialects."""
        outside = _onnx_outside.Outside(self.onnx, self.path, self.refusal)
        try:
            self._refuse_parts(model)
            outside.take(model)
            self.size += outside.size
            self.class_names = _onnx_dialects.translate(self.onnx, model)
            grown = _onnx_constants.growth(self.onnx, model.graph)
            if grown is not None:
                raise self.refusal(grown)
        except (OSError, ValueError) as error:
            raise self.refusal(str(error).removeprefix(f"{WHERE}: {self.path}: ")) from None
        except Exception as error:  # a damaged file has bytes for texts, and lacks inputs
            raise self.refusal(f"is not a valid ONNX file: {error}") from None
        return outside

    def refusal(self, what: str) -> ValueError:
        """Return the error that says what is wrong with the file."""
        return ValueError(lines(f"{WHERE}: {self.path}: {what}"))

    def resolve(self, name: str) -> str:
        """Return the name of a value under which its node or constant is known."""
        while name in self._aliases:
            name = self._aliases[name]
        return name

    def arguments(self, node: Node) -> Iterator[tuple[str, Any]]:
        """Yield what an operator works with: ("value", name) of inputs, ("constant", x)."""
        for name in node.inputs:
            resolved = self.resolve(name)
            if not name:
                yield "constant", None
            elif resolved in self.constants:
                yield "constant", self.constants[resolved]
            else:
                yield "value", resolved
        for value in node.attributes.values():
            yield "constant", value

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a sample of a value, None where the file does not tell."""
        return self._shapes.get(name)

    def is_flat(self, name: str) -> bool:
        """Return whether a value is one number a row, without an axis of features."""
        return name in self._flat

    def added(self, kind: str, inputs: tuple[str, ...]) -> str:
        """Return the value of an operator that the file has not, but what it computes with."""
        name = f"{kind} of {', '.join(inputs)}"
        while name in self.nodes or name in self.constants or name in self.inputs:
            name += "'"
        self.nodes[name] = Node(name, kind, inputs, {})
        return name

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        while name in self.nodes or name in self.constants or name in self.inputs:
            name += "'"
        self.constants[name] = array
        return name

    def alias(self, name: str, value: str) -> None:
        """Let a value be another one."""
        self.nodes.pop(name, None)
        self._aliases[name] = self.resolve(value)

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Say what shape samples of a value have."""
        self._shapes[name] = shape

    def _refuse_parts(self, model: Any) -> None:
        if len(model.functions) > 0:
            raise self.refusal(f"has functions, such as {model.functions[0].name!r}")
        graph = model.graph
        if len(graph.sparse_initializer) > 0:
            raise self.refusal("has sparse initializers")
        for node in graph.node:
            wrong = _onnx_dialects.unknown(node)
            if wrong is not None:
                raise self.refusal(f"node {node.name or node.output[0]!r}: {wrong}")
        for node, tensor in _onnx_outside.tensors_of_nodes(graph):
            if _onnx_outside.is_outside(self.onnx, tensor):
                raise self.refusal(f"node {node.name!r}: its data lie outside of the file")

    def _ends(self) -> None:
        """Find inputs, outputs and the type of all numbers that are no categories."""
        kinds = self.onnx.TensorProto
        types = {kinds.FLOAT: "float32", kinds.DOUBLE: "float64"}
        constants = {tensor.name for tensor in self._graph.initializer} | set(self.constants)
        given = [info for info in self._graph.input if info.name not in constants]
        if not given or not self._graph.output:
            raise self.refusal("must have an input and an output")
        ends = [*given, *self._graph.output]
        found = [info for info in ends if self._types[info.name] in types]
        self.element = self._types[(found or ends)[0].name]
        for info in given:
            element = self._types[info.name]
            kind = self._kind(element)
            if element not in (*types, *self._integers) or not found:
                raise self.refusal(f"input {info.name!r} must be FLOAT or DOUBLE, got {kind}")
            if element in types and element != self.element:
                raise self.refusal(
                    f"all inputs must be of one type, but {found[0].name!r} is "
                    f"{self._kind(self.element)} and {info.name!r} {kind}"
                )
        self.dtype = types[self.element]
        self.inputs = {
            info.name: (1,) if info.name in self._flat else _sample_shape(info) for info in given
        }
        self.outputs = [info.name for info in self._graph.output]
        for name in self.outputs:
            if self.outputs.count(name) > 1:
                raise self.refusal(f"has two outputs named {name!r}")

    def _kind(self, element: int) -> str:
        """Return the name of a type, or its number where there is none of that."""
        names = {number: str(name) for name, number in self.onnx.TensorProto.DataType.items()}
        return names.get(element, str(element))

    def _refuse_integers(self, node: Any) -> None:
        """Raise ValueError where an operator computes with integers that are no constants."""
        for name in node.input:
            constant = self.resolve(name) in self.constants
            if self._types.get(name) in self._integers and not constant:
                raise self.refusal(
                    f"node {node.name or node.output[0]!r}: operator {node.op_type} reads the "
                    f"integers {name!r}; only the rows of a table are chosen by integers"
                )

    def _array(self, tensor: Any) -> NDArray[Any]:
        kinds = self.onnx.TensorProto
        allowed = (kinds.FLOAT, kinds.DOUBLE, kinds.INT64, kinds.INT32, kinds.BOOL)
        if tensor.data_type not in allowed:
            raise self.refusal(
                f"tensor {tensor.name!r} must be of type FLOAT, DOUBLE, INT64, INT32 or BOOL, "
                f"got {self._kind(tensor.data_type)}"
            )
        try:
            array: NDArray[Any] = self.onnx.numpy_helper.to_array(tensor)
        except Exception as error:  # too few bytes, or extents that no array has
            raise self.refusal(f"tensor {tensor.name!r} is damaged: {error}") from None
        return array

    def _read(self, node: Any) -> None:
        given = {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        kind, inputs = node.op_type, [self.resolve(name) for name in node.input]
        if kind not in _TAKE_INTEGERS:
            self._refuse_integers(node)
        if kind == "Constant":
            self.constants[node.output[0]] = self._constant(node, given)
            return
        if kind == "Identity" or (kind == "Cast" and self._keeps_type(given["to"])):
            self._aliases[node.output[0]] = inputs[0]
            shape = self._shapes.get(node.output[0])
            if shape is not None:
                self._shapes.setdefault(inputs[0], shape)
            return
        if kind == "Shape" and not given and self.shape(inputs[0]) is not None:
            self.constants[node.output[0]] = np.array([ROWS, *(self.shape(inputs[0]) or ())])
            self._of_rows.add(node.output[0])
            return
        if inputs and all(name in self.constants for name in inputs if name):
            of_rows = not self._of_rows.isdisjoint(inputs)
            if of_rows:
                self._of_rows.add(node.output[0])
            given_constants = [self.constants[name] for name in inputs if name]
            try:
                folded = _onnx_constants.folded(kind, given_constants, given, of_rows)
            except (IndexError, TypeError, ValueError) as error:
                raise self.refusal(f"operator {kind} on a constant: {error}") from None
            if folded is not None:
                self._made += folded.nbytes
                if self._made > LARGEST_RATIO * max(self.size, 2**16):
                    raise self.refusal(
                        f"node {node.name or node.output[0]!r}: constants made of the file's would "
                        f"take more than {LARGEST_RATIO} times its size"
                    )
                self.constants[node.output[0]] = folded
                return
        if kind in ("Slice", "Split"):
            parts = _onnx_constants.parts(
                node, given, self.shape(inputs[0]), [self.constants.get(n) for n in inputs[1:]]
            )
            for output, (low, high) in zip(node.output, parts, strict=False):
                attributes = {"low": low, "high": high}
                self.nodes[output] = Node(
                    node.name or node.output[0], "Part", (inputs[0],), attributes
                )
            if parts:
                return
        if kind == "Clip" and self.opset < 11:  # bounds were attributes
            for key in ("min", "max"):
                self.constants[f"{node.output[0]}/{key}"] = np.asarray(given.pop(key, np.nan))
                inputs.append(f"{node.output[0]}/{key}")
        if kind == "Dropout":
            given.setdefault("ratio", 0.5)
        elif kind.startswith("Reduce") and len(inputs) > 1:
            given["axes"] = self.constants.get(inputs.pop())
        defaults = {"ratio": 0.5} if kind == "Dropout" else ATTRIBUTES.get(kind, {})
        attributes = {key: _plain(given.get(key, default)) for key, default in defaults.items()}
        if kind in ("LogSoftmax", "Softmax") and self.opset < 13:
            attributes["axis"] = given.get("axis", 1)
        # One that patterns do not expect makes that none fits.
        attributes |= {
            key: _plain(value)
            for key, value in given.items()
            if key not in defaults and key not in _IGNORED
        }
        inputs += [""] * (_INPUTS.get(kind, 0) - len(inputs))
        name = node.name or node.output[0]
        self.nodes[node.output[0]] = Node(name, kind, tuple(inputs), attributes)

    def _constant(self, node: Any, given: dict[str, Any]) -> NDArray[Any]:
        if "value" in given:
            return self._array(given["value"])
        for key in ("value_float", "value_floats", "value_int", "value_ints"):
            if key in given:
                return np.asarray(given[key])
        raise self.refusal(f"node {node.name!r}: a constant must hold numbers")

    def _keeps_type(self, to: int) -> bool:
        """Return whether a conversion is to the model's type, or to and from what is compared."""
        return to in (self.element, self.onnx.TensorProto.BOOL)


def _plain(value: Any) -> Any:
    """Return an attribute as Python's numbers and text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _sample_shape(info: Any) -> tuple[int, ...] | None:
    """Return the shape behind the axis of rows, None where an extent is unknown."""
    tensor = info.type.tensor_type
    if not tensor.HasField("shape") or len(tensor.shape.dim) < 2:
        return None
    extents = [int(dim.dim_value) for dim in tensor.shape.dim][1:]
    return tuple(extents) if all(extent > 0 for extent in extents) else None
