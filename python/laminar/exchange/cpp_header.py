# SPDX-License-Identifier: Apache-2.0
"""A trained model as one header of C++20 that depends on the standard library alone.

It does what the C file of `c_source` does, with the same arithmetic, in a namespace and on spans.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _core
from ._source_program import STACK_BYTES, Program, program
from ._source_text import Dialect, checked_name, head, name_of_file, signature

if TYPE_CHECKING:
    from .._base_model import BaseModel

_INCLUDES = ("array", "cmath", "cstddef", "limits", "span")


def source(model: BaseModel[Any], name: str = "model", where: str = "to_hpp") -> str:
    """Return a built model as C++20; see `Sequential.to_hpp`.

    Parameters
    ----------
    model : Sequential or Model
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
        "\n".join([f"using real = {dialect.real};", *_sizes(parts)]),
        "/// What lies between layers; one for each thread.\n"
        f"struct workspace {{\n  std::array<real, {parts.workspace}> values;\n}};",
        "namespace detail {",
        parts.arrays,
        parts.functions,
        _run(parts),
        "}  // namespace detail",
        _predict(parts),
        f"}}  // namespace {name}",
    ]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def write(model: BaseModel[Any], path: str | os.PathLike[str]) -> None:
    """Write a built model as a C++ header; the file's name without its ending is the namespace.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    path : str or path
        Ends in ``.hpp`` or ``.h``.
    """
    text = source(model, name_of_file(path, "export"), "export")
    _core.write_file(path, text.encode("ascii"))


def _sizes(parts: Program) -> list[str]:
    return [f"inline constexpr std::size_t {word} = {each.width};" for word, each in parts.sizes()]


def _run(parts: Program) -> str:
    x = [f"const real *{each.name}" for each in parts.inputs]
    out = [f"real *{each.name}" for each in parts.outputs]
    argument = "workspace &space" if parts.workspace else "workspace &"
    start = "  real *const values = space.values.data();\n" if parts.workspace else ""
    head = signature("inline void run", [*x, *out, argument])
    return f"{head} {{\n{start}{parts.body}\n}}"


def _predict(parts: Program) -> str:
    """Return the public functions; those without a workspace where it may lie on the stack."""
    inputs, sizes = len(parts.inputs), parts.sizes()
    names = [each.name for _, each in sizes]
    one, rows, run, at, unfit = [], [], [], [], []
    for i, (word, each) in enumerate(sizes):
        real = "const real" if i < inputs else "real"
        one.append(f"std::span<{real}, {word}> {each.name}")
        rows.append(f"std::span<{real}> {each.name}")
        run.append(f"{each.name}.data()")
        at.append(f"{each.name}.data() + i * {word}")
        unfit.append(f"{each.name}.size() != count * {word}")
    space = "workspace &space"
    whole = "[[nodiscard]] inline bool predict_rows"
    listed = " and ".join([", ".join(names[:-1]), names[-1]])
    texts = [
        f"/// Writes the outputs of one row. {listed} must not overlap.\n"
        + signature("inline void predict", [*one, space])
        + f" {{\n{signature('run', [*run, 'space'], indent='  detail::')};\n}}",
        "/// Writes the outputs of rows that lie one after the other. Where the spans do not hold\n"
        "/// as many whole rows, returns false and writes nothing.\n"
        + signature(whole, [*rows, space])
        + f" {{\n  const std::size_t count = {names[0]}.size() / {sizes[0][0]};\n"
        + "".join(f"  if ({test}) return false;\n" for test in unfit)
        + "  for (std::size_t i = 0; i < count; ++i) {\n"
        + f"{signature('run', [*at, 'space'], indent='    detail::')};\n  }}\n  return true;\n}}",
    ]
    if parts.on_stack:
        space = "  workspace space;\n"
        texts += [
            signature("inline void predict", one)
            + f" {{\n{space}{signature('predict', [*names, 'space'], indent='  ')};\n}}",
            signature(whole, rows)
            + f" {{\n{space}"
            + f"{signature('predict_rows', [*names, 'space'], indent='  return ')};\n}}",
        ]
    return "\n\n".join(texts)


def _usage(name: str, real: str, parts: Program) -> list[str]:
    bytes_ = parts.workspace * (4 if real == "float" else 8)
    own = "" if parts.on_stack else ", space"
    names = ", ".join(each.name for _, each in parts.sizes())
    lines = [
        "Use, with C++20:",
        "",
        *(
            []
            if parts.on_stack
            else [f"    static {name}::workspace space;     // for each thread"]
        ),
        *(f"    std::array<{real}, {each.width}> {each.name};" for _, each in parts.sizes()),
        f"    {name}::predict({names}{own});                    // one row",
        f"    bool fits = {name}::predict_rows({names}{own});   // spans of whole rows",
        "",
        *parts.legend(),
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
