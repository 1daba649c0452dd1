# SPDX-License-Identifier: Apache-2.0
"""How C and C++ spell what exported programs consist of: numbers, arrays, names, comments.

Functions are written once, with words in capitals where the languages and the two scalars differ;
a `Dialect` puts in what they stand for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, _summary

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .._base_model import BaseModel

_COLUMNS = 100

# Of C up to C23 and of C++ up to C++23: one name does for both.
_KEYWORDS = """
alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor bool
break case catch char char8_t char16_t char32_t class co_await co_return co_yield compl concept
const const_cast consteval constexpr constinit continue decltype default delete do double
dynamic_cast else enum explicit export extern false final float for friend goto if import inline int
long module mutable namespace new noexcept not not_eq nullptr operator or or_eq override private
protected public reflexpr register reinterpret_cast requires restrict return short signed sizeof
static static_assert static_cast struct switch synchronized template this thread_local throw true
try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t
while xor xor_eq
"""


def checked_name(name: object, where: str) -> str:
    """Return a name that both languages leave to their users; an error where it is none."""
    if not isinstance(name, str):
        raise TypeError(f"{where}: name must be a string, got {name!r}")
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
        raise ValueError(f"{where}: name must be an identifier of C, such as 'model', got {name!r}")
    if name in _KEYWORDS.split() or name == "std":
        raise ValueError(f"{where}: name must not be a word of C or C++, got {name!r}")
    if name.startswith("_") or "__" in name:
        raise ValueError(f"{where}: C and C++ keep names such as {name!r} for themselves")
    return name


def name_of_file(path: str | os.PathLike[str], where: str) -> str:
    """Return the name of a model that is written to a file: the file's, without its ending."""
    return checked_name(Path(path).stem, where)


@dataclass(frozen=True)
class Dialect:
    """A language and a scalar.

    Parameters
    ----------
    cpp : bool
        C++20, where everything lies in a namespace; else C99, where names have a prefix.
    single : bool
        float; else double.
    prefix : str
        Before the names of functions and arrays.
    """

    cpp: bool
    single: bool
    prefix: str

    @property
    def real(self) -> str:
        """The scalar's type."""
        return "float" if self.single else "double"

    def number(self, value: float) -> str:
        """Return a number as a literal that is read back as the same bits."""
        if np.isnan(value):
            return f"std::numeric_limits<{self.real}>::quiet_NaN()" if self.cpp else "NAN"
        if np.isinf(value):
            plain = f"std::numeric_limits<{self.real}>::infinity()" if self.cpp else "INFINITY"
            return plain if value > 0 else f"-{plain}"
        text = f"{np.float32(value):.9g}" if self.single else f"{value:.17g}"
        return _with_point(text) + ("f" if self.single else "")

    def array(self, name: str, values: NDArray[Any]) -> str:
        """Return the definition of a constant array."""
        return self._array(self.real, name, [self.number(v) for v in values.ravel().tolist()])

    def double_array(self, name: str, values: NDArray[Any]) -> str:
        """Return the definition of a constant array of doubles, whatever the scalar is."""
        return self._array("double", name, [_with_point(f"{v:.17g}") for v in values.tolist()])

    def _array(self, kind: str, name: str, numbers: list[str]) -> str:
        storage = "inline constexpr" if self.cpp else "static const"
        head = f"{storage} {kind} {self.prefix}{name}[{len(numbers)}] = {{"
        return "\n".join([head, *_filled(numbers), "};"])

    def text(self, template: str) -> str:
        """Return a text with the words in capitals put in.

        ``REAL`` is the scalar, ``SIZE`` the type of sizes, ``FUNCTION`` what a definition starts
        with, ``OURS_f`` a function or array of the program, ``MATH_f`` one of the mathematical
        library for the scalar and ``DOUBLE_f`` for double, ``NUM(0.5)`` a literal, ``REAL_OF(n)``,
        ``INT_OF(n)`` and ``DOUBLE_OF(n)`` are casts, ``NONE`` is the null pointer, ``NOT_A_NUMBER``
        and ``INFINITE`` are what they say.
        """
        suffix = "f" if self.single and not self.cpp else ""
        library = "std::" if self.cpp else ""
        rules = (
            (r"NUM\(([^()]*)\)", lambda m: self.number(float(m[1]))),
            (r"REAL_OF\(([^()]*)\)", lambda m: self._cast(self.real, m[1])),
            (r"DOUBLE_OF\(([^()]*)\)", lambda m: self._cast("double", m[1])),
            (r"INT_OF\(([^()]*)\)", lambda m: self._cast(f"{library}size_t", m[1])),
            (r"DOUBLE_(\w+)", lambda m: library + m[1]),
            (r"MATH_(\w+)", lambda m: library + m[1] + suffix),
            (r"OURS_(\w+)", lambda m: self.prefix + m[1]),
            (r"NOT_A_NUMBER\b", lambda _: self.number(np.nan)),
            (r"INFINITE\b", lambda _: self.number(np.inf)),
            (r"REAL\b", lambda _: self.real),
            (r"SIZE\b", lambda _: f"{library}size_t"),
            (r"FUNCTION\b", lambda _: "inline" if self.cpp else "static"),
            (r"NONE\b", lambda _: "nullptr" if self.cpp else "NULL"),
        )
        for pattern, put in rules:
            template = re.sub(rf"\b{pattern}", put, template)
        return template

    def _cast(self, kind: str, value: str) -> str:
        if self.cpp:
            return f"static_cast<{kind}>({value})"
        return f"({kind}){value}" if value.isidentifier() else f"({kind})({value})"


def signature(name: str, arguments: Iterable[str], indent: str = "") -> str:
    """Return a function's name with its arguments, in lines that fit the page."""
    lines, line = [], f"{indent}{name}("
    start = " " * len(line)
    for argument in arguments:
        if len(line) + len(argument) + 5 > _COLUMNS and line.strip():
            lines.append(line.rstrip())
            line = start
        line += f"{argument}, "
    return "\n".join([*lines, line.removesuffix(", ") + ")"])


def comment(lines: Iterable[str]) -> str:
    """Return lines as one comment, in plain ASCII, whatever they hold."""
    body = "\n".join(f" * {harmless(line)}".rstrip() for line in lines)
    return f"/*\n{body}\n */"


def harmless(text: str) -> str:
    """Return a text that can neither end a comment nor be seen as anything but one."""
    plain = text.replace("─", "-")
    plain = "".join(c if " " <= c <= "~" and c not in "?\\" else "_" for c in plain)
    return re.sub(r"(?<=\*)(?=/)|(?<=/)(?=\*)", " ", plain)


def head(model: BaseModel, usage: Iterable[str]) -> str:
    """Return the comment that a program starts with."""
    return comment(
        [
            f"Written by laminar {_core.__version__}.",
            "",
            *usage,
            "",
            "Sums run in the order in which laminar's run, by fused multiply-add. That is slow",
            "where the processor has none, or the compiler is not told of it (-mfma on x86):",
            "define LAMINAR_FMA(a, b, c) as ((a) * (b) + (c)) before this file to round twice.",
            "-ffast-math would take away what NaN and infinity need.",
            "",
            *_summary.of(model, with_optimizer=False).splitlines(),
        ]
    )


def _with_point(text: str) -> str:
    return text if set(text) & set(".e") else f"{text}.0"


def _filled(numbers: list[str]) -> list[str]:
    """Return numbers in lines, as many in each as fit whatever they are."""
    widest = max(map(len, numbers)) + 2
    count = max((_COLUMNS - 4) // widest, 1)
    return ["    " + ", ".join(numbers[i : i + count]) + "," for i in range(0, len(numbers), count)]
