# SPDX-License-Identifier: Apache-2.0
"""What converters of scikit-learn write, in ONNX's own operators, before anything else is read.

A classifier has its labels beside the probabilities, these perhaps as a list of mappings: what
follows from the probabilities is left out, and the classes' names are kept. Operators of
``ai.onnx.ml`` become those that have layers. Other operator sets are refused, with what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

_ML = "ai.onnx.ml"
_LABELS = ("ArrayFeatureExtractor", "Binarizer", "LabelEncoder")
_PASSED = ("Cast", "Identity", "Reshape")
_TAKEN = (*_LABELS, "Normalizer", "OneHotEncoder", "Scaler", "ZipMap")
_INTEGERS = re.compile(r"Quantize|QLinear|QGemm|QAttention|Integer|NBits|Bnb4")
# What a vector's length counts as at least; where scikit-learn takes 1 for 0, both leave 0.
_LEAST = 1e-30


def unknown(node: Any) -> str | None:
    """Return why an operator cannot be read, whatever surrounds it; None where it may be."""
    if _INTEGERS.search(node.op_type):
        return (
            f"operator {node.op_type} computes in integers; load the network that was quantized, "
            "as it was before, and then model.quantize('int8') rounds its weights"
        )
    if node.domain == "com.microsoft":
        return (
            f"operator {node.domain}.{node.op_type} has no layer; it comes from onnxruntime's "
            "optimizer: load the file that this one was made of"
        )
    if node.domain == _ML and node.op_type not in _TAKEN:
        return (
            f"operator {node.domain}.{node.op_type} has no layer: of scikit-learn, networks and "
            "scalers are read; convert these alone, or take laminar.sklearn.from_sklearn"
        )
    if node.domain not in ("", "ai.onnx", _ML):
        return f"operator {node.domain}.{node.op_type} has no layer"
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        return f"operator {node.op_type} has no layer"
    return None


def translate(onnx: Any, model: Any) -> tuple[str, ...] | None:
    """Rewrite a model in place and return the names of its classes, if it has some.

    Raises
    ------
    ValueError
        Where an operator has a form that has no layer.
    """
    if not any(node.domain == _ML for node in model.graph.node):
        return None
    versions = {each.domain: int(each.version) for each in model.opset_import}
    graph = _Graph(onnx, model.graph, versions.get("", 13))
    names = graph.without_labels()
    graph.prune()
    graph.rewrite()
    graph.prune()
    kept = [each for each in model.opset_import if each.domain != _ML]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return names


class _Graph:
    def __init__(self, onnx: Any, graph: Any, opset: int) -> None:
        self._onnx, self._graph, self._opset = onnx, graph, opset
        self._makers = {name: node for node in graph.node for name in node.output}
        self._nodes: list[Any] = []
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._count = 0

    def without_labels(self) -> tuple[str, ...] | None:
        """Leave out outputs that follow from others, and return the names of the classes."""
        names: list[Any] | None = None
        kept, columns = [], []
        for info in self._graph.output:
            source = self._source(info.name)
            if source is None:
                kept.append(info)
            elif source.op_type == "ZipMap":
                values = self._attributes(source)
                found = values.get("classlabels_strings") or values.get("classlabels_int64s")
                names = list(found or ())
                element = self._onnx.TensorProto.FLOAT
                kept.append(
                    self._onnx.helper.make_tensor_value_info(
                        source.input[0], element, ["N", len(names)]
                    )
                )
            elif source.op_type == "Slice":
                columns.append((info, source))
            elif source.op_type == "LabelEncoder":
                values = self._attributes(source)
                names = names or list(values.get("values_strings", ()))
            elif source.op_type == "ArrayFeatureExtractor":
                classes = self._constants[source.input[0]]
                names = names or self._onnx.numpy_helper.to_array(classes).ravel().tolist()
        if columns and names is not None and len(columns) == len(names):
            read = {node.input[0] for _, node in columns}
            if len(read) == 1:
                element = columns[0][0].type.tensor_type.elem_type
                kept.append(
                    self._onnx.helper.make_tensor_value_info(read.pop(), element, ["N", len(names)])
                )
                columns = []
        kept += [info for info, _ in columns]
        if not kept:
            raise ValueError(
                "has labels alone as its output; convert the classifier with its probabilities"
            )
        del self._graph.output[:]
        self._graph.output.extend(kept)
        if names is None or len(kept) != 1 or names == list(range(len(names))):
            return None
        return tuple(
            n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in names
        )

    def _source(self, name: str) -> Any:
        """Return the node of labels, or of mappings, that an output comes from, None for others."""
        node = self._makers.get(name)
        while node is not None and node.op_type in _PASSED and node.input[0] in self._makers:
            node = self._makers[node.input[0]]
        if node is None:
            return None
        if node.op_type == "ArrayFeatureExtractor":
            return node if node.input[0] in self._constants else None
        if node.op_type == "Slice" and len(self._graph.output) > 2:
            return node
        return node if node.op_type in ("Binarizer", "LabelEncoder", "ZipMap") else None

    def prune(self) -> None:
        """Leave out what no output depends on."""
        self._makers = {name: node for node in self._graph.node for name in node.output}
        waiting = [info.name for info in self._graph.output]
        needed: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += self._makers[name].input if name in self._makers else ()
        nodes = [node for node in self._graph.node if not needed.isdisjoint(node.output)]
        tensors = [tensor for tensor in self._graph.initializer if tensor.name in needed]
        self._replace(self._graph.node, nodes)
        self._replace(self._graph.initializer, tensors)
        self._makers = {name: node for node in self._graph.node for name in node.output}
        del self._graph.value_info[:]

    @staticmethod
    def _replace(field: Any, kept: list[Any]) -> None:
        copies = [type(each).FromString(each.SerializeToString()) for each in kept]
        del field[:]
        field.extend(copies)

    def rewrite(self) -> None:
        """Put ONNX's own operators in place of those of ai.onnx.ml."""
        self._nodes = []
        for node in list(self._graph.node):
            if node.domain != _ML:
                self._nodes.append(node)
                continue
            writer = _WRITERS.get(node.op_type)
            if writer is None:
                raise ValueError(
                    f"node {node.name or node.output[0]!r}: operator {_ML}.{node.op_type} has no "
                    "layer within a network"
                )
            writer(self, node, self._attributes(node))
        self._replace(self._graph.node, self._nodes)

    def _attributes(self, node: Any) -> dict[str, Any]:
        return {a.name: self._onnx.helper.get_attribute_value(a) for a in node.attribute}

    def op(self, kind: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        """Add an operator and return its output; arrays become constants."""
        names = []
        for value in inputs:
            if not isinstance(value, str):
                value = self._onnx.numpy_helper.from_array(np.asarray(value), self._fresh())
                self._graph.initializer.append(value)
                value = value.name
            names.append(value)
        output = output or self._fresh()
        self._nodes.append(self._onnx.helper.make_node(kind, names, [output], **attributes))
        return output

    def with_axes(self, kind: str, x: str, axis: int) -> str:
        """Add an operator that takes its axes as an input from opset 13 on."""
        if self._opset < 13:
            return self.op(kind, x, axes=[axis])
        return self.op(kind, x, np.array([axis]))

    def before_cast(self, name: str) -> str:
        """Return the numbers that were made integers to be compared."""
        maker = self._makers.get(name)
        return name if maker is None or maker.op_type != "Cast" else str(maker.input[0])

    def _fresh(self) -> str:
        self._count += 1
        return f"laminar/{self._count}"


def _scaler(graph: _Graph, node: Any, given: dict[str, Any]) -> None:
    shifted = graph.op("Sub", node.input[0], np.array(given.get("offset", [0.0]), np.float32))
    scale = np.array(given.get("scale", [1.0]), np.float32)
    graph.op("Mul", shifted, scale, output=node.output[0])


def _normalizer(graph: _Graph, node: Any, given: dict[str, Any]) -> None:
    x, norm = node.input[0], given.get("norm", b"MAX")
    if norm == b"L2":
        total = graph.with_axes("ReduceSum", graph.op("Mul", x, x), 1)
        length = graph.op("Sqrt", total)
    elif norm == b"L1":
        length = graph.with_axes("ReduceSum", graph.op("Abs", x), 1)
    else:
        raise ValueError(
            f"node {node.name or node.output[0]!r}: there is no layer for a Normalizer by "
            f"{norm.decode('utf-8', 'replace')}; by L1 and L2 there are"
        )
    graph.op("Div", x, graph.op("Max", length, np.float32(_LEAST)), output=node.output[0])


def _one_hot(graph: _Graph, node: Any, given: dict[str, Any]) -> None:
    if not given.get("cats_int64s"):
        raise ValueError(
            f"node {node.name or node.output[0]!r}: OneHotEncoder takes texts, and a network of "
            "laminar takes numbers; convert the pipeline without it, or encode numbers"
        )
    column = graph.with_axes("Unsqueeze", graph.before_cast(node.input[0]), -1)
    equal = graph.op("Equal", column, np.array(given["cats_int64s"], np.float32))
    graph.op("Where", equal, np.float32(1), np.float32(0), output=node.output[0])


def _columns(graph: _Graph, node: Any, given: dict[str, Any]) -> None:
    graph.op("Gather", *node.input, output=node.output[0], axis=1)


_WRITERS: dict[str, Callable[[_Graph, Any, dict[str, Any]], None]] = {
    "ArrayFeatureExtractor": _columns,
    "Normalizer": _normalizer,
    "OneHotEncoder": _one_hot,
    "Scaler": _scaler,
}
