# SPDX-License-Identifier: Apache-2.0
"""A trained model as one file of C99 that depends on the standard library alone.

The program is re-entrant and allocates nothing: weights are constants, and what lies between layers
is a structure that the functions put on the stack, or that the caller brings.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _core
from ._source_program import STACK_BYTES, Program, program
from ._source_text import Dialect, checked_name, head, name_of_file, signature

if TYPE_CHECKING:
    from .._base_model import BaseModel


def source(model: BaseModel[Any], name: str = "model", where: str = "to_c") -> str:
    """Return a built model as C99; see `Sequential.to_c`.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    name : str
        What the names of all functions and arrays start with.
    where : str
        The caller that errors name.
    """
    dialect = Dialect(False, model.dtype == "float32", checked_name(name, where) + "_")
    parts = program(model, dialect, where)
    declared = _signatures(name, dialect.real, parts)
    pieces = [
        head(model, _usage(name, dialect.real, parts)),
        "#include <math.h>\n#include <stddef.h>",
        "\n".join(f"#define {_size(name, word)} {each.width}" for word, each in parts.sizes()),
        f"typedef struct {{\n  {dialect.real} values[{max(parts.workspace, 1)}];\n"
        f"}} {name}_workspace;",
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


def write(model: BaseModel[Any], path: str | os.PathLike[str]) -> None:
    """Write a built model as C99; the file's name without its ending is that of the model.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    path : str or path
        Ends in ``.c``.
    """
    text = source(model, name_of_file(path, "export"), "export")
    _core.write_file(path, text.encode("ascii"))


def _size(name: str, word: str) -> str:
    return f"{name}_{word}".upper()


def _signatures(name: str, real: str, parts: Program) -> list[str]:
    workspace = f"{name}_workspace *workspace"
    x = [f"const {real} *{each.name}" for each in parts.inputs]
    out = [f"{real} *{each.name}" for each in parts.outputs]
    own = [
        signature(f"void {name}_predict_in", [workspace, *x, *out]),
        signature(f"void {name}_predict_rows_in", [workspace, *x, "size_t rows", *out]),
    ]
    if parts.on_stack:
        own += [
            signature(f"void {name}_predict", [*x, *out]),
            signature(f"void {name}_predict_rows", [*x, "size_t rows", *out]),
        ]
    return own


def _bodies(name: str, real: str, parts: Program) -> list[str]:
    """Return what the functions do, in the order of their signatures."""
    start = f"{real} *const values = workspace->values;" if parts.workspace else "(void)workspace;"
    rows = [f"{each.name} + i * {_size(name, word)}" for word, each in parts.sizes()]
    x, out = ([each.name for each in ends] for ends in (parts.inputs, parts.outputs))
    one = signature("predict_in", ["workspace", *rows], indent=f"    {name}_")
    alone = signature("predict_in", ["&workspace", *x, *out], indent=f"  {name}_")
    many = signature("predict_rows_in", ["&workspace", *x, "rows", *out], indent=f"  {name}_")
    space = f"  {name}_workspace workspace;\n"
    return [
        f"  {start}\n{parts.body}",
        f"  for (size_t i = 0; i < rows; ++i) {{\n{one};\n  }}",
        f"{space}{alone};",
        f"{space}{many};",
    ][: 4 if parts.on_stack else 2]


def _usage(name: str, real: str, parts: Program) -> list[str]:
    bytes_ = max(parts.workspace, 1) * (4 if real == "float" else 8)
    x, out = (", ".join(each.name for each in ends) for ends in (parts.inputs, parts.outputs))
    sizes = ", ".join(f"{each.name}[{each.width}]" for _, each in parts.sizes())
    short = [
        f"    {real} {sizes};",
        f"    {name}_predict({x}, {out});                one row",
        f"    {name}_predict_rows({x}, rows, {out});     rows one after the other",
        "",
        *parts.legend(),
        f"Both take {bytes_} bytes of stack for what lies between layers. Where that is much,",
        f"bring a {name}_workspace, one for each thread, to",
        f"    {name}_predict_in(&workspace, {x}, {out})",
        f"    {name}_predict_rows_in(&workspace, {x}, rows, {out})",
    ]
    long = [
        f"    static {name}_workspace workspace;     one for each thread",
        f"    {name}_predict_in(&workspace, {x}, {out});",
        f"    {name}_predict_rows_in(&workspace, {x}, rows, {out});",
        "",
        *parts.legend(),
        f"A row is {sizes}. The workspace takes {bytes_} bytes,",
        f"more than the {STACK_BYTES} that functions here may put on the stack.",
    ]
    return [
        "Use: compile this file as C99 or C++11, and declare the functions below to their callers.",
        "",
        *(short if parts.on_stack else long),
        "",
        "Arrays must not overlap. Nothing is allocated, and nothing is shared between calls.",
    ]
