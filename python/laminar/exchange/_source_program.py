# SPDX-License-Identifier: Apache-2.0
"""A model as the parts of a program: arguments, arrays, functions, and what is done to a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from . import _source_layers, _source_merging, _source_operation_texts
from ._programs import programs_of
from ._source_places import Placing, placed
from ._source_step import Source, Step
from ._source_text import Dialect, harmless

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from ._wiring import Wiring

STACK_BYTES = 64 * 1024  # what a function may take of its caller's stack

FUNCTIONS = {
    **_source_layers.FUNCTIONS,
    **_source_merging.FUNCTIONS,
    **_source_operation_texts.FUNCTIONS,
}


@dataclass(frozen=True)
class Argument:
    """An array that a function takes: an input or an output.

    Parameters
    ----------
    name : str
        Of the argument.
    title : str
        Of the input or output.
    suffix : str
        What the name of the constant with its size ends in; nothing where it is alone.
    width : int
        Numbers in a row.
    """

    name: str
    title: str
    suffix: str
    width: int


@dataclass(frozen=True)
class Program:
    """The parts of a program.

    Parameters
    ----------
    inputs, outputs : list of Argument
        What its functions take.
    arrays, functions : str
        Definitions.
    body : str
        Statements that read the inputs and write the outputs, by way of ``values``.
    workspace : int
        Numbers in ``values``.
    on_stack : bool
        Whether they are few enough for the stack.
    """

    inputs: list[Argument]
    outputs: list[Argument]
    arrays: str
    functions: str
    body: str
    workspace: int
    on_stack: bool

    def sizes(self) -> list[tuple[str, Argument]]:
        """Return the constants that say how many numbers a row of each argument has."""
        inputs = [(f"inputs{each.suffix}", each) for each in self.inputs]
        return [*inputs, *((f"outputs{each.suffix}", each) for each in self.outputs)]

    def legend(self) -> list[str]:
        """Return lines that say what the arguments are, where there is more than one of a kind."""
        if len(self.inputs) == len(self.outputs) == 1:
            return []
        told = [("input", each) for each in self.inputs]
        told += [("output", each) for each in self.outputs]
        return [
            *(f"    {each.name}: {kind} {each.title!r}, {each.width} a row" for kind, each in told),
            "",
        ]


def program(model: BaseModel, dialect: Dialect, where: str) -> Program:
    """Return a built model as a program.

    Raises
    ------
    ValueError
        Where the model is not built, or has a layer or an activation that has no form in C.
    """
    model._core(where)
    wiring = model._wiring().of_prediction(model.layers)
    steps = _steps(model, wiring, dialect, where)
    ends = [(name, wiring.shapes[number]) for name, number in wiring.outputs]
    inputs = _arguments("in", "x", wiring.inputs, dialect)
    outputs = _arguments("out", "out", ends, dialect)
    places = placed(wiring, steps, [a.name for a in inputs], [a.name for a in outputs])
    widths = {each.name: each.width for each in outputs}
    for place, name in places.copies:
        steps.append([Step(f"output {name}", f"OURS_copy({place}, {widths[name]}, {name});", 0)])
    every = [step for own in steps for step in own]
    names = _needed("\n".join(step.code for step in every))
    texts = (FUNCTIONS[name].strip("\n") + "\n" for name in names)
    return Program(
        inputs=inputs,
        outputs=outputs,
        arrays="\n\n".join(dict.fromkeys(text for step in every for text in step.arrays)),
        functions=dialect.text("\n".join(texts)).rstrip(),
        body="\n".join(f"  {line}" for line in _body(wiring, steps, places, dialect)),
        workspace=places.size,
        on_stack=places.size * (4 if dialect.single else 8) <= STACK_BYTES,
    )


def _steps(model: BaseModel, wiring: Wiring, dialect: Dialect, where: str) -> list[list[Step]]:
    """Return what each call of a layer does to one row."""
    core = model._core(where)
    tensors = list(zip(core.tensors(), core.get_weights(), strict=True))
    described, programs = model._described(core), programs_of(core)
    kinds = {**_source_layers.KINDS, **_source_merging.KINDS}
    found = []
    for i, (number, reads) in enumerate(wiring.calls):
        layer, facts = model.layers[number], described[number]
        name, kind = facts["name"], facts["kind"]
        weights = {
            tensor["name"].removeprefix(f"{name}/"): values
            for tensor, values in tensors[slice(*facts["tensors"])]
        }
        shapes = [wiring.shapes[read] for read in reads]
        after = wiring.shapes[len(wiring.inputs) + i]
        program = programs.get(name)
        source = Source(layer, number, shapes, after, weights, dialect, where, program)
        if kind not in kinds:
            raise ValueError(f"{where}: layer {layer.name!r} of kind {kind!r} has no form in C")
        own = kinds[kind](source)
        for step in own:
            step.title = f"{name}: {step.title}"
        found.append(own)
    return found


def _body(
    wiring: Wiring, steps: Sequence[Sequence[Step]], places: Placing, dialect: Dialect
) -> list[str]:
    """Return the statements; those beyond the calls of layers need no places."""
    offsets = sorted(places.offsets)
    lines = [f"REAL *const at_{at} = values{f' + {at}' if at else ''};" for at in offsets]
    lines = [dialect.text(line) for line in lines]
    for i, own in enumerate(steps):
        words: dict[str, str] = {}
        if i < len(wiring.calls):
            reads = [str(places.of[read]) for read in wiring.calls[i][1]]
            words = {f"FROM_{j}": name for j, name in enumerate(reads)}
            words |= {"FROM": reads[0], "TO": str(places.of[len(wiring.inputs) + i])}
            words |= {"SCRATCH": str(places.scratch[i])}
        for step in own:
            code = step.code
            for word, name in words.items():
                code = re.sub(rf"\b{word}\b", name, code)
            # Names of layers go in last: one may be a word that has a meaning here.
            lines += [f"/* {harmless(step.title)} */", *dialect.text(code).split("\n")]
            words |= {"FROM": words.get("TO", "")}
    return lines


def _arguments(
    kind: str, alone: str, ends: Sequence[tuple[str, tuple[int, ...]]], dialect: Dialect
) -> list[Argument]:
    """Return the arguments for inputs or outputs, called after them where there are several."""
    if len(ends) == 1:
        return [Argument(alone, ends[0][0], "", prod(ends[0][1]))]
    # Functions and arrays of C begin with the model's name.
    start = f"{kind}_of" if dialect.prefix == f"{kind}_" else kind
    found, taken = [], set[str]()
    for title, shape in ends:
        word = re.sub(r"[^A-Za-z0-9]+", "_", title).strip("_") or "unnamed"
        name, count = word, 0
        while name.lower() in taken:  # sizes in C are in capitals
            count += 1
            name = f"{word}_{count}"
        taken.add(name.lower())
        found.append(Argument(f"{start}_{name}", title, f"_{name}", prod(shape)))
    return found


def _needed(code: str) -> list[str]:
    """Return the names of all functions that code calls, each behind those that it calls."""
    found: list[str] = []
    for name in re.findall(r"\bOURS_(\w+)\(", code):
        body = FUNCTIONS[name].partition("{")[2]
        found += [other for other in [*_needed(body), name] if other not in found]
    return found
