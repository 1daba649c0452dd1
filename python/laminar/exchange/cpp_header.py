# SPDX-License-Identifier: Apache-2.0
"""A trained model as one header of C++20 that depends on the standard library alone.

It does what the C file of `c_source` does, with the same arithmetic, in a namespace and on spans.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import _core
from ._source_program import STACK_BYTES, Program, program
from ._source_text import Dialect, checked_name, head, name_of_file

if TYPE_CHECKING:
    from .._base_model import BaseModel

_INCLUDES = ("array", "cmath", "cstddef", "limits", "span")


def source(model: BaseModel, name: str = "model", where: str = "to_hpp") -> str:
    """Return a built model as C++20; see `Sequential.to_hpp`.

    Parameters
    ----------
    model : Sequential
        A built model.
    name : str
        The namespace.
    where : str
        The caller that errors name.
    """
    checked_name(name, where)
    dialect = Dialect(True, model.dtype == "float32", "")
    parts = program(model, dialect, where)
    pieces = [
        head(model, _usage(name, dialect.real, parts)),
        "#pragma once",
        "\n".join(f"#include <{header}>" for header in _INCLUDES),
        f"namespace {name} {{",
        f"using real = {dialect.real};\n"
        f"inline constexpr std::size_t inputs = {parts.inputs};\n"
        f"inline constexpr std::size_t outputs = {parts.outputs};",
        _workspace(parts),
        "namespace detail {",
        parts.arrays,
        parts.functions,
        _run(parts),
        "}  // namespace detail",
        _predict(parts.on_stack),
        f"}}  // namespace {name}",
    ]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def write(model: BaseModel, path: str | os.PathLike[str]) -> None:
    """Write a built model as a C++ header; the file's name without its ending is the namespace.

    Parameters
    ----------
    model : Sequential
        A built model.
    path : str or path
        Ends in ``.hpp`` or ``.h``.
    """
    text = source(model, name_of_file(path, "export"), "export")
    _core.write_file(path, text.encode("ascii"))


def _workspace(parts: Program) -> str:
    first, second = parts.workspace
    return (
        "/// What lies between layers; one for each thread.\n"
        f"struct workspace {{\n  std::array<real, {first}> first;\n"
        f"  std::array<real, {second}> second;\n}};"
    )


def _run(parts: Program) -> str:
    used = [f for f, size in zip(("first", "second"), parts.workspace, strict=True) if size]
    lines = [f"  real *const {field} = space.{field}.data();" for field in used]
    argument = "workspace &space" if used else "workspace &"
    body = "\n".join([*lines, parts.body])
    return f"inline void run(const real *x, real *out, {argument}) {{\n{body}\n}}"


def _predict(on_stack: bool) -> str:
    """Return the public functions; those without a workspace where it may lie on the stack."""
    one = "std::span<const real, inputs> x, std::span<real, outputs> out"
    rows = "std::span<const real> x, std::span<real> out"
    texts = [
        "/// Writes the outputs of one row. x and out must not overlap.\n"
        f"inline void predict({one}, workspace &space) {{\n"
        "  detail::run(x.data(), out.data(), space);\n}",
        "/// Writes the outputs of rows that lie one after the other. Where x and out do not hold\n"
        "/// as many whole rows, returns false and writes nothing.\n"
        f"[[nodiscard]] inline bool predict_rows({rows}, workspace &space) {{\n"
        "  const std::size_t count = x.size() / inputs;\n"
        "  if (x.size() != count * inputs || out.size() != count * outputs) return false;\n"
        "  for (std::size_t i = 0; i < count; ++i) {\n"
        "    detail::run(x.data() + i * inputs, out.data() + i * outputs, space);\n"
        "  }\n"
        "  return true;\n}",
    ]
    if on_stack:
        texts += [
            f"inline void predict({one}) {{\n  workspace space;\n  predict(x, out, space);\n}}",
            f"[[nodiscard]] inline bool predict_rows({rows}) {{\n  workspace space;\n"
            "  return predict_rows(x, out, space);\n}",
        ]
    return "\n\n".join(texts)


def _usage(name: str, real: str, parts: Program) -> list[str]:
    bytes_ = sum(parts.workspace) * (4 if real == "float" else 8)
    own = "" if parts.on_stack else ", space"
    lines = [
        "Use, with C++20:",
        "",
        *(
            []
            if parts.on_stack
            else [f"    static {name}::workspace space;     // for each thread"]
        ),
        f"    std::array<{real}, {parts.inputs}> x;",
        f"    std::array<{real}, {parts.outputs}> out;",
        f"    {name}::predict(x, out{own});                    // one row",
        f"    bool fits = {name}::predict_rows(x, out{own});   // spans of whole rows",
        "",
    ]
    if parts.on_stack:
        lines += [
            f"Both take {bytes_} bytes of stack for what lies between layers. Where that is much,",
            f"bring a {name}::workspace, one for each thread, as their last argument.",
        ]
    else:
        lines += [
            f"The workspace takes {bytes_} bytes, more than the {STACK_BYTES} that functions here",
            "may put on the stack.",
        ]
    return [
        *lines,
        "",
        "Nothing is allocated, and nothing is shared between calls. A program needs another name",
        "for each model.",
    ]
