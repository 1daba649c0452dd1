# SPDX-License-Identifier: Apache-2.0
"""A model as the parts of a program: arrays, functions, and what is done to a row.

Steps that follow each other in place make a stage. The first stage reads the row, the last one
writes the result, and those between take turns with two arrays, the workspace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from ._source_layers import FUNCTIONS, Step, steps
from ._source_text import Dialect, harmless

if TYPE_CHECKING:
    from .._base_model import BaseModel

STACK_BYTES = 64 * 1024  # what a function may take of its caller's stack


@dataclass
class Program:
    """The parts of a program.

    Parameters
    ----------
    inputs, outputs : int
        Numbers in a row, and of its result.
    arrays, functions : str
        Definitions.
    body : str
        Statements that read ``x`` and write ``out``, by way of ``first`` and ``second``.
    workspace : tuple of int
        Numbers in these two; 0 for one that is not used.
    on_stack : bool
        Whether the workspace is small enough for the stack.
    """

    inputs: int
    outputs: int
    arrays: str
    functions: str
    body: str
    workspace: tuple[int, int]
    on_stack: bool


def program(model: BaseModel, dialect: Dialect, where: str) -> Program:
    """Return a built model as a program; ValueError where it is not built."""
    stages: list[list[Step]] = []
    for step in steps(model, dialect, where):
        if stages and step.in_place:
            stages[-1].append(step)
        else:
            stages.append([step])
    sizes = [0, 0]
    lines = []
    source = "x"
    for i, stage in enumerate(stages):
        target = "out" if i + 1 == len(stages) else ("first", "second")[i % 2]
        if target != "out":
            sizes[i % 2] = max(sizes[i % 2], stage[0].width)
        for step in stage:
            code = re.sub(r"\bTO\b", target, re.sub(r"\bFROM\b", source, step.code))
            # Names of layers go in last: one may be a word that has a meaning here.
            lines += [f"/* {harmless(step.title)} */", dialect.text(code)]
            source = target
    names = _needed("\n".join(step.code for stage in stages for step in stage))
    return Program(
        inputs=prod(model.input_shape[1:]),  # type: ignore[index, arg-type]
        outputs=prod(model.output_shape[1:]),  # type: ignore[arg-type]
        arrays="\n\n".join(text for stage in stages for step in stage for text in step.arrays),
        functions=dialect.text("\n".join(FUNCTIONS[n].strip("\n") + "\n" for n in names)).rstrip(),
        body="\n".join(f"  {line}" for line in lines),
        workspace=(sizes[0], sizes[1]),
        on_stack=sum(sizes) * (4 if dialect.single else 8) <= STACK_BYTES,
    )


def _needed(code: str) -> list[str]:
    """Return the names of all functions that code calls, each behind those that it calls."""
    found: list[str] = []
    for name in re.findall(r"\bOURS_(\w+)\(", code):
        body = FUNCTIONS[name].partition("{")[2]
        found += [other for other in [*_needed(body), name] if other not in found]
    return found
