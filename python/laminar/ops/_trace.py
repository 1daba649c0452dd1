# SPDX-License-Identifier: Apache-2.0
"""Recording what a function does to its arguments as a program of the core's.

A program is a list of steps on numbered values: its inputs, its weights, then what each step
makes. What is computed twice is recorded once, and what nothing needs is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _arrays, _core
from ._traced import Operators, Traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = -1  # the extent of an axis of rows


class Step(NamedTuple):
    """What makes a value: an operation, what it reads, and its parameters."""

    op: str
    reads: tuple[int, ...]
    integers: tuple[int, ...]
    numbers: tuple[float, ...]
    shape: tuple[int, ...]
    function: str = ""  # the name of what is called


class _Active(threading.local):
    trace: Trace | None = None


_active = _Active()


def active() -> Trace | None:
    """Return the trace that is being recorded by this thread, if one is."""
    return _active.trace


class Trace:
    """One program that is being recorded.

    Parameters
    ----------
    readable : callable, optional
        Raises an error for a variable that what is traced may not read; without it all values
        but traced ones are constants.
    dtype : str
        What values give as their type.
    """

    def __init__(
        self, readable: Callable[[Any], None] | None = None, dtype: str = "float32"
    ) -> None:
        self.dtype = dtype
        self._readable = readable
        self._variables: list[Any] = []
        self._values: list[Step] = []
        self._known: dict[object, Traced] = {}
        self._inputs = 0
        self._draws = 0
        self.added: list[Any] = []  # losses that layers add, see layers/_added.py

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Make this the trace that operations of this thread are recorded in."""
        before, _active.trace = _active.trace, self
        try:
            yield
        finally:
            _active.trace = before

    def input(self, shape: Sequence[int]) -> Traced:
        """Return a further input of a shape, in which -1 stands for the rows."""
        self._inputs += 1
        return self._add(Step("input", (), (self._inputs - 1,), (), tuple(shape)))

    def step(
        self,
        op: str,
        reads: Sequence[Traced] = (),
        integers: Sequence[int] = (),
        numbers: Sequence[float] = (),
        function: str = "",
    ) -> Traced:
        """Return the value of an operation of the core's; ValueError where shapes do not fit."""
        places = tuple(read._index for read in reads)
        key = (op, places, tuple(integers), np.asarray(numbers, np.float64).tobytes(), function)
        known = self._known.get(key)
        if known is None:
            shapes = [read._extents for read in reads]
            shape = _core.operation_shape(op, shapes, list(integers), list(numbers), function)
            step = Step(op, places, tuple(integers), tuple(numbers), tuple(shape), function)
            known = self._known[key] = self._add(step)
        return known

    def constant(self, value: NDArray[Any] | float) -> Traced:
        """Return a value that is the same in every run."""
        array = np.asarray(value, np.float64)
        first = array.flat[:1].tolist() or [0.0]
        alike = array.size == 0 or bool((array == first[0]).all())
        return self.step("constant", (), array.shape, first if alike else array.ravel().tolist())

    def draw(self) -> int:
        """Return a number that tells a random operation from the others."""
        self._draws += 1
        return self._draws - 1

    def lift(self, value: object, where: str) -> Traced:
        """Return what a function computes with as a value of this program."""
        if isinstance(value, Traced):
            if value._trace is not self:
                raise ValueError(
                    f"{where}: {value!r} belongs to another call, which is over; values cannot be "
                    "kept from one call to the next"
                )
            return value
        fixed = getattr(value, "_fixed", False)  # a tensor, whose numbers are known for ever
        if isinstance(value, Operators) and self._readable is not None and not fixed:
            return self._weight(value)
        if isinstance(value, (bool, int, float)):
            return self.constant(float(value))
        if getattr(value, "_symbolic", False) and not isinstance(value, Operators):
            raise TypeError(
                f"{where} is a symbol of a model, {value!r}, which a traced call cannot read: pass "
                "it to the layer as an input"
            )
        return self.constant(_arrays.tensor(value, where, np.dtype(np.float64)))

    def read(self, variable: Any) -> Traced:
        """Return a weight of the program; what its trace allows to be read decides."""
        return self._weight(variable)

    def _weight(self, variable: Any) -> Traced:
        key = ("weight", id(variable))
        known = self._known.get(key)
        if known is None:
            assert self._readable is not None
            self._readable(variable)
            self._variables.append(variable)
            place = len(self._variables) - 1
            known = self._add(Step("weight", (), (place,), (), tuple(variable.shape)))
            self._known[key] = known
        return known

    def _add(self, step: Step) -> Traced:
        self._values.append(step)
        return Traced(self, len(self._values) - 1, step.shape)

    def values(self) -> list[Step]:
        """Return what makes each value, those that are read before those that read them."""
        return self._values

    def variable(self, step: Step) -> Any:
        """Return the variable that is the value of a step."""
        return self._variables[step.integers[0]]

    def value(self, traced: Traced) -> Step:
        """Return what makes a value."""
        return self._values[traced._index]

    def operand(self, step: Step, position: int) -> Traced:
        """Return a value that a step reads."""
        index = step.reads[position]
        return Traced(self, index, self._values[index].shape)

    def description(self, outputs: Sequence[Traced], weights: Sequence[Any] = ()) -> dict[str, Any]:
        """Return the program in the form that the core reads.

        Parameters
        ----------
        outputs : sequence of Traced
            What it leaves.
        weights : sequence of variables
            All weights in their order, whether it reads them or not.
        """
        return self._numbered(outputs, weights)[0]

    def numbered(self, outputs: Sequence[Traced]) -> tuple[dict[str, Any], list[Traced]]:
        """Return a program that reads all variables met, and its values in their order."""
        description, places = self._numbered(outputs, self._variables)
        indices = sorted(places, key=places.__getitem__)
        return description, [Traced(self, i, self._values[i].shape) for i in indices]

    def _numbered(
        self, outputs: Sequence[Traced], weights: Sequence[Any]
    ) -> tuple[dict[str, Any], dict[int, int]]:
        numbers = {id(variable): i for i, variable in enumerate(weights)}
        needed = {traced._index for traced in outputs}
        for index in reversed(range(len(self._values))):
            if index in needed:
                needed.update(self._values[index].reads)
        inputs = [step.shape for step in self._values if step.op == "input"]
        places: dict[int, int] = {}
        steps: list[dict[str, Any]] = []
        first = len(inputs) + len(weights)
        for index, step in enumerate(self._values):
            if step.op == "input":
                places[index] = step.integers[0]
            elif step.op == "weight":
                variable = self._variables[step.integers[0]]
                places[index] = len(inputs) + numbers[id(variable)]
            elif index in needed:
                places[index] = first + len(steps)
                steps.append(_description(step, [places[read] for read in step.reads]))
        description = {
            "inputs": [list(shape) for shape in inputs],
            "weights": [list(variable.shape) for variable in weights],
            "steps": steps,
            "outputs": [places[traced._index] for traced in outputs],
        }
        return description, places


def trace(
    function: Callable[..., Any],
    shapes: Sequence[Sequence[int]],
    weights: Sequence[Any] = (),
    where: str = "",
) -> dict[str, Any]:
    """Return the program of what a function makes of values.

    Parameters
    ----------
    function : callable
        Takes one traced value for each shape, and returns one.
    shapes : sequence of shapes
        Those of its arguments; -1 stands for the rows.
    weights : sequence of variables
        Those that it may read.
    where : str
        What errors call the function.

    Raises
    ------
    TypeError
        Where it returns no value.
    """
    known = {id(variable) for variable in weights}

    def readable(variable: Any) -> None:
        if id(variable) not in known:
            raise ValueError(f"{where}: reads {variable!r}, which is none of its weights")

    recorded = Trace(readable)
    with recorded.recording():
        made = function(*map(recorded.input, shapes))
        value = value_of(recorded, made, where)
    return recorded.description([value], weights)


def value_of(trace: Trace, made: object, where: str) -> Traced:
    """Return the one value that a function has returned; TypeError where it has not."""
    if made is None or isinstance(made, (str, dict)):
        raise TypeError(f"{where}: must return a value, got {made!r}")
    if isinstance(made, (list, tuple)):
        raise TypeError(
            f"{where}: must return one value, got {len(made)}; laminar.ops.concatenate or stack "
            "makes one of several"
        )
    return trace.lift(made, where)


def _description(step: Step, reads: list[int]) -> dict[str, Any]:
    made: dict[str, Any] = {"op": step.op}
    if reads:
        made["reads"] = reads
    if step.integers or step.op == "constant":
        made["integers"] = [int(i) for i in step.integers]
    if step.numbers:
        made["numbers"] = [_number(x) for x in step.numbers]
    if step.function:
        made["function"] = step.function
    return made


def _number(value: float) -> float | str:
    """Return a number in JSON's form; those that have none are words."""
    if value != value:
        return "nan"
    return value if abs(value) != float("inf") else "inf" if value > 0 else "-inf"
