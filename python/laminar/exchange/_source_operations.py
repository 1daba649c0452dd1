# SPDX-License-Identifier: Apache-2.0
"""Layers that users have written themselves as parts of exported programs.

Each operation becomes a step of its own: loops over extents that are known, or the call of one of
the functions below. Values lie in the layer's scratch memory from the step that computes them to
the last one that reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from ._programs import ROWS, Program, Value, activation_of
from ._source_activations import call
from ._source_loops import Nest, Walk, spread, strides
from ._source_operation_texts import ELEMENTWISE, REDUCTIONS
from ._source_places import Place, arrange
from ._source_step import Source, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray


class _Writer:
    """The steps of a layer, and where its values lie."""

    def __init__(self, source: Source, program: Program) -> None:
        self._source, self._program = source, program
        self._width = prod(source.outputs)
        self._weights: list[NDArray[Any]] = list(source.weights.values())
        self._arrays: dict[str, list[str]] = {}  # definitions, by name
        self._end = program.source(program.output)
        self._sums = program.sums()
        self._started = {product.number for product, _ in self._sums.values()}
        self._places = self._placed()
        self.scratch = arrange(list(self._places.values()))

    def _is_computed(self, value: Value) -> bool:
        own = self._program.source(value.number) == value.number
        own = own and value.number not in self._started
        return own and value.operation not in ("input", "weight", "constant")

    def _reads(self, value: Value) -> list[int]:
        if value.number not in self._sums:
            return value.reads
        product, bias = self._sums[value.number]
        return [*product.reads, bias]

    def _placed(self) -> dict[int, Place]:
        places: dict[int, Place] = {}
        for value in self._program.needed:
            for read in self._reads(value):
                if (place := places.get(self._program.source(read))) is not None:
                    place.last = value.number
            if self._is_computed(value) and value.number != self._end:
                places[value.number] = Place(value.width, value.number, value.number)
        return places

    def steps(self) -> list[Step]:
        found = [self._step(value) for value in self._program.needed if self._is_computed(value)]
        if not self._is_computed(self._program.values[self._end]):
            code = f"OURS_copy({self._array(self._program.output)}, {self._width}, TO);"
            found.append(self._made("copy", code))
        used = {name for step in found for name in re.findall(r"\bFROM_\d+", step.code)}
        names = (f"FROM_{i}" for i in range(self._program.inputs))
        unread = [f"(void){name};" for name in names if name not in used]
        found[0].code = "\n".join([*unread, found[0].code])
        return found

    def _step(self, value: Value) -> Step:
        if value.number in self._sums:
            return self._made("matmul, add", self.matmul(value))
        if value.operation in ELEMENTWISE:
            return self._made(value.operation, self._elementwise(value))
        if value.operation in REDUCTIONS:
            return self._made(value.operation, self._reduction(value))
        return self._made(value.operation, WRITERS[value.operation](self, value))

    def _made(self, title: str, code: str) -> Step:
        """Return a step with the arrays that its code needs."""
        arrays = [text for texts in self._arrays.values() for text in texts]
        self._arrays = {}
        return Step(title, code, self._width, False, arrays, self.scratch)

    def _base(self, number: int) -> tuple[str, int]:
        """Return the array that a value lies in, and where it begins there."""
        value = self._program.values[self._program.source(number)]
        if value.operation == "input":
            return f"FROM_{value.number}", 0
        if value.number == self._end and self._is_computed(value):
            return "TO", 0
        if value.number in self._places:
            return "SCRATCH", self._places[value.number].offset
        if value.operation == "weight":
            index = value.number - self._program.inputs
            name, array = f"weight_{index}", self._weights[index]
        else:
            name, array = f"constant_{value.number}", value.constants(value.row)
        called, self._arrays[name] = self._source.array(name, array)
        return called, 0

    def _array(self, number: int, place: str = "0") -> str:
        """Return the address of an element of a value, the first one by default."""
        name, start = self._base(number)
        terms = [name, *([str(start)] if start else []), *([place] if place != "0" else [])]
        return " + ".join(terms)

    def _element(self, number: int, place: str) -> str:
        """Return an element of a value."""
        name, start = self._base(number)
        if start:
            place = f"{start} + {place}" if place != "0" else str(start)
        return f"{name}[{place}]"

    def _number(self, number: int) -> str | None:
        """Return what all elements of a constant are, as a literal; None where it is none."""
        value = self._program.values[self._program.source(number)]
        if value.operation != "constant" or len(value.numbers) > 1:
            return None
        literal = self._source.real(value.numbers[0])
        return f"({literal})" if literal.startswith("-") else literal

    def _row(self, number: int) -> tuple[int, ...]:
        return self._program.values[number].row

    def _elementwise(self, value: Value) -> str:
        walks = [spread(self._row(read), value.row) for read in value.reads]
        nest = Nest(value.row, [Walk(strides(value.row)), *walks])
        operands = [
            self._number(read) or self._element(read, nest.place(i))
            for i, read in enumerate(value.reads, 1)
        ]
        made = ELEMENTWISE[value.operation].format(*operands)
        return nest.around(f"{self._element(value.number, nest.place(0))} = {made};")

    def _reduction(self, value: Value) -> str:
        kind, first, more, last = REDUCTIONS[value.operation]
        (read,) = value.reads
        before = self._row(read)
        steps = strides(before)
        kept = [axis for axis in range(len(before)) if axis not in value.integers]
        out = strides(value.row)
        outer = Nest(
            [before[axis] for axis in kept],
            [Walk([out[axis] for axis in kept]), Walk([steps[axis] for axis in kept])],
        )
        inner = Nest(
            [before[axis] for axis in value.integers],
            [Walk([steps[axis] for axis in value.integers])],
            len(outer.extents),
        )
        terms = [place for place in (outer.place(1), inner.place(0)) if place != "0"]
        element = self._element(read, " + ".join(terms) or "0")
        return outer.around(
            f"{kind} so_far = {first};",
            inner.around(f"{more.format(element)};"),
            f"{self._element(value.number, outer.place(0))} = {last};",
        )

    def copied(self, value: Value, read: int, extents: Sequence[int], to: Walk, by: Walk) -> str:
        """Return loops that copy elements of a value it reads to where they go."""
        nest = Nest(extents, [to, by])
        element = self._element(read, nest.place(1))
        return nest.around(f"{self._element(value.number, nest.place(0))} = {element};")

    def transpose(self, value: Value) -> str:
        own = strides(self._row(value.reads[0]))
        by = Walk([own[axis] for axis in value.integers])
        return self.copied(value, value.reads[0], value.row, Walk(strides(value.row)), by)

    def broadcast_to(self, value: Value) -> str:
        by = spread(self._row(value.reads[0]), value.row)
        return self.copied(value, value.reads[0], value.row, Walk(strides(value.row)), by)

    def slice(self, value: Value) -> str:
        by = _moved(strides(self._row(value.reads[0])), value)
        return self.copied(value, value.reads[0], value.row, Walk(strides(value.row)), by)

    def pad(self, value: Value) -> str:
        before = self._row(value.reads[0])
        zero = Nest([value.width], [Walk([1])])
        clear = zero.around(f"{self._element(value.number, zero.place(0))} = NUM(0);")
        to = _moved(strides(value.row), value)
        return f"{clear}\n{self.copied(value, value.reads[0], before, to, Walk(strides(before)))}"

    def concatenate(self, value: Value) -> str:
        (axis,) = value.integers
        to, lines, begin = strides(value.row), [], 0
        for read in value.reads:
            part = self._row(read)
            place = Walk(to, begin * to[axis])
            lines.append(self.copied(value, read, part, place, Walk(strides(part))))
            begin += part[axis]
        return "\n".join(lines)

    def argmax(self, value: Value) -> str:
        return self._called("argmax", value, self._row(value.reads[0]), value.integers[0])

    def cumsum(self, value: Value) -> str:
        axis, from_end = value.integers
        return self._called("cumsum", value, value.row, axis, from_end)

    def take(self, value: Value) -> str:
        table, indices = value.reads
        count = prod(self._row(indices))
        return self._called("take", value, self._row(table), value.integers[0], count)

    def scatter(self, value: Value) -> str:
        count = prod(self._row(value.reads[1]))
        return self._called("scatter", value, value.row, value.integers[0], count)

    def _called(
        self, function: str, value: Value, shape: Sequence[int], axis: int, *given: int
    ) -> str:
        """Return the call of a function that takes a shape as it is seen from an axis."""
        sizes = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]), *given)
        arguments = [*map(self._array, value.reads), *map(str, sizes), self._array(value.number)]
        return f"OURS_{function}({', '.join(arguments)});"

    def matmul(self, value: Value) -> str:
        """Return products of matrices, in loops where there are several, or one with its sum."""
        product, bias = self._sums.get(value.number, (value, None))
        lead = value.row[:-2]
        walks, steps = [Walk(strides(value.row)[:-2])], []
        for read, transposed in zip(product.reads, product.integers, strict=True):
            shape = self._row(read)
            matrix = shape[-2] * shape[-1]
            walks.append(Walk([step * matrix for step in spread(shape[:-2], lead).strides]))
            steps.append((1, shape[-1]) if transposed else (shape[-1], 1))
        nest = Nest(lead, walks)
        depth = self._row(product.reads[0])[-2 if product.integers[0] else -1]
        operands = [
            argument
            for i, (read, step) in enumerate(zip(product.reads, steps, strict=True), 1)
            for argument in (self._array(read, nest.place(i)), *map(str, step))
        ]
        first = "NONE" if bias is None else self._array(bias)
        sizes = map(str, (value.row[-2], depth, value.row[-1]))
        arguments = [*operands, first, *sizes, self._array(value.number, nest.place(0))]
        return nest.around(f"OURS_matmul({', '.join(arguments)});")

    def activation(self, value: Value) -> str:
        found = call(activation_of(value), self._source.dialect, self._source.where)
        (read,) = value.reads
        if found is not None and found.by_row:
            columns = value.row[-1]
            nest = Nest([value.width // columns], [Walk([columns])])
            from_, to = (self._array(number, nest.place(0)) for number in (read, value.number))
            return nest.around(f"OURS_{found.name}({from_}, {to}, {columns});")
        nest = Nest([value.width], [Walk([1])])
        element, to = (self._element(number, nest.place(0)) for number in (read, value.number))
        made = element if found is None else f"OURS_{found.name}({element}{found.given})"
        return nest.around(f"{to} = {made};")


def _moved(own: Sequence[int], value: Value) -> Walk:
    """Return how a larger array is gone through where each axis has a first element and a step."""
    parts = list(zip(value.integers[::3], value.integers[1::3], value.integers[2::3], strict=True))
    start = sum(
        first * stride
        for (first, count, _), stride in zip(parts, own, strict=True)
        if count != ROWS
    )
    return Walk([step * stride for (_, _, step), stride in zip(parts, own, strict=True)], start)


# Operations that are neither element by element nor reductions.
WRITERS: dict[str, Callable[[_Writer, Value], str]] = {
    "argmax": _Writer.argmax,
    "cumsum": _Writer.cumsum,
    "transpose": _Writer.transpose,
    "broadcast_to": _Writer.broadcast_to,
    "slice": _Writer.slice,
    "pad": _Writer.pad,
    "concatenate": _Writer.concatenate,
    "take": _Writer.take,
    "scatter": _Writer.scatter,
    "matmul": _Writer.matmul,
    "activation": _Writer.activation,
}

# Values that lie somewhere already.
_GIVEN = ("constant", "reshape", "stop_gradient")

OPERATIONS = frozenset([*ELEMENTWISE, *REDUCTIONS, *WRITERS, *_GIVEN])


def steps(source: Source) -> list[Step]:
    """Return the steps of a layer that is a program."""
    assert source.program is not None
    source.program.check(OPERATIONS, source.layer.name, source.where, "C")
    return _Writer(source, source.program).steps()
