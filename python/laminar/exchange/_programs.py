# SPDX-License-Identifier: Apache-2.0
"""Programs of operations, as exports read those of layers that users have written themselves.

The core describes them, see cpp/laminar/operations/program.hpp, and knows all shapes. What
prediction does not need is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._component import entries

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = -1  # the extent of the axis of rows, which is the first one

# Operations that give other forms of what they read.
_RENAMED = ("reshape", "stop_gradient")

# Why an operation has a form in no export: the core lets a layer have the first one alone.
WITHOUT_FORM = {
    "random": "draws random numbers in prediction",
    "batch_rows": "reads the number of rows",
    "activation_gradient": "computes the gradient of an activation",
    "call": "calls a function of Python",
    "call_gradient": "calls a function of Python",
}


@dataclass(frozen=True)
class Value:
    """One operation of a program, and the shape of what it computes.

    Parameters
    ----------
    number : int
        Its own among all values.
    operation : str
        One of the core's list.
    reads : list of int
        Values before it.
    integers, numbers : list
        What the operation takes besides.
    shape : tuple of int
        Of the value.
    """

    number: int
    operation: str
    reads: list[int]
    integers: list[int]
    numbers: list[float]
    shape: tuple[int, ...]

    @property
    def row(self) -> tuple[int, ...]:
        """The shape for a batch of one row."""
        return tuple(1 if extent == ROWS else extent for extent in self.shape)

    @property
    def width(self) -> int:
        """How many elements a batch of one row has."""
        return prod(self.row)

    def constants(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return what a constant holds, as an array of a shape."""
        return np.broadcast_to(
            np.array(self.numbers).reshape(shape if len(self.numbers) > 1 else ()), shape
        )


@dataclass(frozen=True)
class Program:
    """The operations of a layer.

    Parameters
    ----------
    values : list of Value
        Inputs, weights, and what is computed, in this order; ``inputs`` and ``weights`` are their
        numbers.
    needed : list of Value
        Those among them that the output depends on.
    output : int
        A value.
    """

    values: list[Value]
    inputs: int
    weights: int
    needed: list[Value]
    output: int

    def check(self, known: Any, layer: str, where: str, form: str) -> None:
        """Raise ValueError where an operation has no form, or a value has no elements."""
        for value in self.needed:
            name = value.operation
            if name in WITHOUT_FORM:
                wrong = f"{WITHOUT_FORM[name]}, for which there is no form in {form}"
            elif name not in (*known, "input", "weight"):
                wrong = f"computes {name!r}, which has no form in {form}"
            elif not value.width:
                wrong = f"has a value without elements, which has no form in {form}"
            else:
                continue
            raise ValueError(f"{where}: layer {layer!r} {wrong}")

    def source(self, number: int) -> int:
        """Return the value that another one is only another form of."""
        while self.values[number].operation in _RENAMED:
            (number,) = self.values[number].reads
        return number

    def sums(self) -> dict[int, tuple[Value, int]]:
        """Return, for sums that the core computes as one with a product, the product and the bias.

        It starts such a product of rows and weights from the bias.
        """
        reads = [read for value in self.needed for read in value.reads] + [self.output]
        found: dict[int, tuple[Value, int]] = {}
        for value in self.needed:
            if value.operation != "add":
                continue
            for number, bias in (value.reads, value.reads[::-1]):
                product, other = self.values[number], self.values[bias]
                if product.operation != "matmul" or reads.count(number) > 1:
                    continue
                left, right = (self.values[read] for read in product.reads)
                of_rows = left.shape[:1] == (ROWS,) and not product.integers[0]
                packed = right.operation == "weight" and len(product.shape) == 2 and of_rows
                if packed and other.operation == "weight" and other.shape == value.shape[1:]:
                    found[value.number] = product, bias
        return found


def programs_of(core: Any) -> dict[str, Program]:
    """Return the programs that a model of the core predicts by, under the names of its layers."""
    found = json.loads(core.config)["layers"]
    return {entry["name"]: _program(entry["program"]) for entry in found if "program" in entry}


def activation_of(value: Value) -> dict[str, Any]:
    """Return the configuration of the activation that an operation computes.

    Behind the kernels of all activations, in their order, is that of relu without arguments.
    """
    activations = entries("activation")
    names = list(activations)
    kernel = value.integers[0]
    name = names[kernel] if kernel < len(names) else "relu"
    defaults = activations[name]["parameters"]
    given = value.numbers or list(defaults.values())
    return {"name": name} | {
        parameter: _parameter(number, default)
        for (parameter, default), number in zip(defaults.items(), given, strict=True)
    }


def _parameter(number: Any, default: Any) -> Any:
    if number is None or np.isnan(number):  # which stands for none
        return None
    return bool(number) if isinstance(default, bool) else number


def _program(description: dict[str, Any]) -> Program:
    values: list[Value] = []
    for kind in ("input", "weight"):
        for shape in description[f"{kind}s"]:
            values.append(Value(len(values), kind, [], [], [], tuple(shape)))
    for step in description["steps"]:
        reads, integers = step.get("reads", []), step.get("integers", [])
        numbers = [float(number) for number in step.get("numbers", [])]  # "nan" and "inf" as well
        if "activation" in step:
            integers, numbers = _core.activation_operation(json.dumps(step["activation"]))
        shapes = [list(values[read].shape) for read in reads]
        function = step.get("function", "")
        shape = _core.operation_shape(step["op"], shapes, integers, numbers, function)
        values.append(Value(len(values), step["op"], reads, integers, numbers, tuple(shape)))
    output = description["outputs"][0]  # behind it are losses, of training alone
    wanted = {output}
    for value in reversed(values):
        if value.number in wanted:
            wanted.update(value.reads)
    needed = [value for value in values if value.number in wanted]
    inputs, weights = len(description["inputs"]), len(description["weights"])
    return Program(values, inputs, weights, needed, output)
