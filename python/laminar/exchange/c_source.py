# SPDX-License-Identifier: Apache-2.0
"""A trained model as one file of C99 that depends on the standard library alone.

The program is re-entrant and allocates nothing: weights are constants, and what lies between layers
is a structure that the functions put on the stack, or that the caller brings.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import _core
from ._source_program import STACK_BYTES, Program, program
from ._source_text import Dialect, checked_name, head, name_of_file

if TYPE_CHECKING:
    from .._base_model import BaseModel


def source(model: BaseModel, name: str = "model", where: str = "to_c") -> str:
    """Return a built model as C99; see `Sequential.to_c`.

    Parameters
    ----------
    model : Sequential
        A built model.
    name : str
        What the names of all functions and arrays start with.
    where : str
        The caller that errors name.
    """
    dialect = Dialect(False, model.dtype == "float32", checked_name(name, where) + "_")
    parts = program(model, dialect, where)
    declared = _signatures(name, dialect.real, parts.on_stack)
    pieces = [
        head(model, _usage(name, dialect.real, parts)),
        "#include <math.h>\n#include <stddef.h>",
        f"#define {name.upper()}_INPUTS {parts.inputs}\n"
        f"#define {name.upper()}_OUTPUTS {parts.outputs}",
        _workspace(name, dialect.real, parts),
        '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        + "".join(f"{signature};\n" for signature in declared)
        + "#ifdef __cplusplus\n}\n#endif",
        "#ifdef __clang__  /* sums of products are fused where this file says so, only there */\n"
        "#pragma STDC FP_CONTRACT OFF\n#endif",
        parts.arrays,
        parts.functions,
        *(
            f"{signature} {{\n{body}\n}}"
            for signature, body in zip(declared, _bodies(name, dialect.real, parts), strict=True)
        ),
    ]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def write(model: BaseModel, path: str | os.PathLike[str]) -> None:
    """Write a built model as C99; the file's name without its ending is that of the model.

    Parameters
    ----------
    model : Sequential
        A built model.
    path : str or path
        Ends in ``.c``.
    """
    text = source(model, name_of_file(path, "export"), "export")
    _core.write_file(path, text.encode("ascii"))


def _signatures(name: str, real: str, on_stack: bool) -> list[str]:
    workspace = f"{name}_workspace *workspace"
    own = [
        f"void {name}_predict_in({workspace}, const {real} *x, {real} *out)",
        f"void {name}_predict_rows_in({workspace}, const {real} *x, size_t rows, {real} *out)",
    ]
    if on_stack:
        own += [
            f"void {name}_predict(const {real} *x, {real} *out)",
            f"void {name}_predict_rows(const {real} *x, size_t rows, {real} *out)",
        ]
    return own


def _workspace(name: str, real: str, parts: Program) -> str:
    first, second = (max(size, 1) for size in parts.workspace)
    return (
        f"typedef struct {{\n  {real} first[{first}];\n  {real} second[{second}];\n"
        f"}} {name}_workspace;"
    )


def _bodies(name: str, real: str, parts: Program) -> list[str]:
    """Return what the functions do, in the order of their signatures."""
    used = [f for f, size in zip(("first", "second"), parts.workspace, strict=True) if size]
    locals_ = [f"  {real} *{field} = workspace->{field};" for field in used]
    sizes = f"x + i * {name.upper()}_INPUTS, out + i * {name.upper()}_OUTPUTS"
    loop = "  for (size_t i = 0; i < rows; ++i) "
    return [
        "\n".join([*(locals_ or ["  (void)workspace;"]), parts.body]),
        f"{loop}{name}_predict_in(workspace, {sizes});",
        f"  {name}_workspace workspace;\n  {name}_predict_in(&workspace, x, out);",
        f"  {name}_workspace workspace;\n  {name}_predict_rows_in(&workspace, x, rows, out);",
    ][: 4 if parts.on_stack else 2]


def _usage(name: str, real: str, parts: Program) -> list[str]:
    bytes_ = sum(max(size, 1) for size in parts.workspace) * (4 if real == "float" else 8)
    short = [
        f"    {real} x[{parts.inputs}], out[{parts.outputs}];",
        f"    {name}_predict(x, out);                one row",
        f"    {name}_predict_rows(x, rows, out);     rows one after the other",
        "",
        f"Both take {bytes_} bytes of stack for what lies between layers. Where that is much,",
        f"bring a {name}_workspace, one for each thread, to {name}_predict_in(&workspace, x, out)",
        f"and {name}_predict_rows_in(&workspace, x, rows, out).",
    ]
    long = [
        f"    static {name}_workspace workspace;     one for each thread",
        f"    {name}_predict_in(&workspace, x, out);",
        f"    {name}_predict_rows_in(&workspace, x, rows, out);",
        "",
        f"A row has {parts.inputs} numbers, its result {parts.outputs}. The workspace takes",
        f"{bytes_} bytes, more than the {STACK_BYTES} that functions here may put on the stack.",
    ]
    return [
        "Use: compile this file as C99 or C++11, and declare the functions below to their callers.",
        "",
        *(short if parts.on_stack else long),
        "",
        "x and out must not overlap. Nothing is allocated, and nothing is shared between calls.",
    ]
