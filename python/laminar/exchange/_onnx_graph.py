# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph that grows node by node.

Nodes are called after the layer that they belong to and their operator, ``dense_1/Gemm``, and
numbered where that is taken. A number given as an input becomes a constant of the model's type.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Input: TypeAlias = "str | float | NDArray[Any]"

# From here on operators that reduce take their axes as an input.
_AXES_ARE_INPUTS = 18


class Graph:
    """Nodes and constants of one graph.

    Parameters
    ----------
    onnx : module
        The package onnx.
    dtype : numpy.dtype
        float32 or float64, the type of all values.
    opset : int
        The version of the operators.
    """

    def __init__(self, onnx: Any, dtype: np.dtype[Any], opset: int) -> None:
        self.onnx, self.dtype, self.opset = onnx, dtype, opset
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.scope = ""  # the name of the present layer
        self.width = 1  # the extent of the last axis that it reads
        self.weights: dict[tuple[int, str], str] = {}  # of layers that may be called again
        self._taken: set[str] = set()

    @property
    def float32(self) -> bool:
        """Whether values are float32, for which runtimes have all operators."""
        return self.dtype == np.float32

    def reserved(self, name: str) -> str:
        """Return a name for an input or an output of the graph, another one where it is taken."""
        return self._unique(name)

    def op(self, kind: str, *inputs: Input, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        name = self._unique(f"{self.scope}/{kind}")
        given = [x if isinstance(x, str) else self.constant(x, f"{name}/constant") for x in inputs]
        made = [name, *(self._unique(f"{name}:{i}") for i in range(1, outputs))]
        self.nodes.append(self.onnx.helper.make_node(kind, given, made, name=name, **attributes))
        return name

    def op_named(self, name: str, kind: str, value: str) -> None:
        """Add a node whose output has a name that is kept for it."""
        self.nodes.append(self.onnx.helper.make_node(kind, [value], [name], name=f"{name}/{kind}"))

    def constant(self, value: float | NDArray[Any], name: str | None = None) -> str:
        """Add a constant and return its name; floats become the model's type."""
        array = np.asarray(value)
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        unique = self._unique(name or f"{self.scope}/constant")
        self.initializers.append(self.onnx.numpy_helper.from_array(array, unique))
        return unique

    def integers(self, *values: int) -> NDArray[Any]:
        """Return shapes or axes in the type that operators take."""
        return np.array(values, np.int64)

    def reduce(self, kind: str, x: str, axes: tuple[int, ...], keep: bool = True) -> str:
        """Add ReduceSum, ReduceMean or ReduceMax over some axes."""
        if kind == "ReduceSum" or self.opset >= _AXES_ARE_INPUTS:
            return self.op(kind, x, self.integers(*axes), keepdims=int(keep))
        return self.op(kind, x, axes=list(axes), keepdims=int(keep))

    def cast(self, x: str) -> str:
        """Add a conversion to the model's type."""
        return self.op("Cast", x, to=self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype))

    def _unique(self, name: str) -> str:
        candidate, count = name, 0
        while candidate in self._taken:
            count += 1
            candidate = f"{name}_{count}"
        self._taken.add(candidate)
        return candidate
