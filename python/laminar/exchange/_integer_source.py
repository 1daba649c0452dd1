# SPDX-License-Identifier: Apache-2.0
"""An integer program as C99: constant arrays, functions, and a call for each stage."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, _summary
from . import _integer_texts
from ._integer_arithmetic import FRACTION_BITS, POWERS, Line
from ._integer_stages import Lines, Product, Softmax, Stage, Table
from ._source_program import STACK_BYTES
from ._source_text import Dialect, _filled, comment, signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from ._integer_calibration import Integers

_RAW = (("uint8", "uint8_t", 0), ("int16", "int16_t", 0), ("q16", "int32_t", FRACTION_BITS))


@dataclass
class _Parts:
    """What a program consists of, as it grows."""

    arrays: dict[str, tuple[str, NDArray[Any]]] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    calls: list[str | list[str]] = field(default_factory=list)  # a function with its arguments
    buffers: dict[str, tuple[str, int]] = field(default_factory=dict)

    def array(self, name: str, kind: str, values: NDArray[Any]) -> str:
        """Add an array, and return how it is called."""
        self.arrays[name] = kind, np.ravel(values)
        return f"OURS_{name}"

    def line(self, name: str, line: Line) -> tuple[str, str, str, int]:
        """Add the arrays of lines, one number each where all are the same; and how far to step."""
        parts = [("m", "int32_t", line.m), ("o", "int64_t", line.o), ("e", "uint8_t", line.e)]
        same = all(np.ptp(values) == 0 for _, _, values in parts)
        m, o, e = (
            self.array(f"{name}_{part}", kind, values[:1] if same else values)
            for part, kind, values in parts
        )
        return m, o, e, 0 if same else 1

    def function(self, name: str, text: str | None = None) -> None:
        """Add a function behind those that it calls."""
        text = _integer_texts.TEXTS[name] if text is None else text
        for other in re.findall(r"\bOURS_(\w+)\(", text.partition("{")[2]):
            if other not in self.functions:
                self.function(other)
        self.functions.setdefault(name, text)

    def buffer(self, bits: int, width: int, taken: str) -> str:
        """Return a buffer of the workspace for so many values, another one than is taken."""
        name = next(n for i in (0, 1) if (n := f"values{bits}_{i}") != taken)
        _, before = self.buffers.get(name, ("", 0))
        self.buffers[name] = f"int{bits}_t", max(before, width)
        return name


def _parts(integers: Integers) -> _Parts:
    parts = _Parts()
    stages = integers.stages
    first = len(stages) - 1  # from here on stages write the outputs themselves, in place
    while first > 0 and _in_place(stages[first]):
        first -= 1
    at, place = "x", ""
    for i, stage in enumerate(stages):
        if i >= first:
            to = "out"
        elif isinstance(stage, Table) and place:
            to = at
        else:
            place = parts.buffer(stage.bits, stage.width, place)
            to = f"workspace->{place}"
        parts.calls += _call(parts, stage, i, at, to)
        at = to
    return parts


def _in_place(stage: Stage) -> bool:
    """Whether a stage may write what it reads, which then are outputs."""
    if isinstance(stage, Lines):
        return stage.in_bits == stage.bits and stage.line.reads is None
    return isinstance(stage, Softmax) or (isinstance(stage, Table) and stage.bits == 16)


def _call(parts: _Parts, stage: Stage, i: int, at: str, to: str) -> list[str | list[str]]:
    """Return what a stage is called, and its call."""
    if isinstance(stage, Product):
        units, inputs = stage.weights.shape
        name = f"product_{stage.bits}"
        parts.function(name, _integer_texts.product(stage.bits))
        weights = parts.array(f"weights_{i}", "int8_t", stage.weights)
        bias = parts.array(f"bias_{i}", "int32_t", stage.bias)
        m = parts.array(f"m_{i}", "int32_t", stage.multiplier.m)
        e = parts.array(f"e_{i}", "uint8_t", stage.multiplier.e)
        slope = (0, 0) if stage.slope is None else stage.slope
        limits = (inputs, units, stage.zero, stage.low, stage.high, *slope)
        call = [f"OURS_{name}", at, weights, bias, m, e, *map(str, limits), to]
        return [f"product, {inputs} to {units}", call]
    if isinstance(stage, Table):
        name = f"table_{stage.bits}" if stage.bits == 8 or stage.smooth else "steps_16"
        parts.function(name)
        values = parts.array(f"table_{i}", f"int{stage.bits}_t", stage.values)
        return ["function", [f"OURS_{name}", at, values, str(stage.width), to]]
    if isinstance(stage, Lines):
        index, kind = "NONE", "uint16_t"
        if stage.line.reads is not None:
            kind = "uint16_t" if stage.line.reads.max() < 2**16 else "uint32_t"
            index = parts.array(f"index_{i}", kind, stage.line.reads)
        name = f"lines_{stage.in_bits}_{stage.bits}" + ("_many" if kind == "uint32_t" else "")
        text = _integer_texts.lines(stage.in_bits, stage.bits, kind)
        parts.function(name, text.replace(f"lines_{stage.in_bits}_{stage.bits}(", f"{name}("))
        m, o, e, step = parts.line(f"line_{i}", stage.line)
        call = [f"OURS_{name}", at, index, m, o, e, str(step), str(stage.width), to]
        return ["straight lines", call]
    parts.array("powers", "uint32_t", POWERS)
    parts.function("softmax")
    numbers = [str(stage.group), str(stage.multiplier.m), str(stage.multiplier.e)]
    starts = range(0, stage.width, stage.group)
    places = [f"{to} + {start}" if start else to for start in starts]
    return ["softmax", *(["OURS_softmax", place, *numbers] for place in places)]


def _ends(parts: _Parts, integers: Integers) -> str:
    """Add what makes inputs of integers and real numbers of outputs; return its functions."""
    bits, inputs = integers.in_bits, len(integers.inputs.factor)
    parts.function("line")
    place = "j" if parts.line("input", integers.input_line())[3] else "0"
    texts = [
        _integer_texts.quantize(name, kind, fraction, bits, inputs, place)
        for name, kind, fraction in _RAW
    ]
    place = "j" if parts.line("output", integers.output_line())[3] else "0"
    texts.append(_integer_texts.outputs(len(integers.outputs.factor), place))
    return "\n".join(text.rstrip("\n") + "\n" for text in texts)


def sizes(integers: Integers) -> tuple[int, int]:
    """Return the bytes of constant arrays and of the workspace."""
    parts = _parts(integers)
    _ends(parts, integers)
    return sum(_bytes(*each) for each in parts.arrays.values()), _ram(parts)


def _bytes(kind: str, values: NDArray[Any]) -> int:
    return values.size * int(re.sub(r"\D", "", kind)) // 8


def _ram(parts: _Parts) -> int:
    return sum(int(re.sub(r"\D", "", kind)) // 8 * n for kind, n in parts.buffers.values()) or 1


def source(model: BaseModel, name: str, integers: Integers, report: dict[str, Any]) -> str:
    """Return a program as C99.

    Parameters
    ----------
    model : Sequential or Model
        Which it is of.
    name : str
        What the names of all functions and arrays start with, checked.
    integers : Integers
        The program.
    report : dict
        What integers change, which a comment says.
    """
    dialect = Dialect(False, True, f"{name}_")
    parts = _parts(integers)
    ends = _ends(parts, integers)
    ram = _ram(parts)
    x, out = f"const int{integers.in_bits}_t *x", "int16_t *out"
    space = f"{name}_workspace *workspace"
    declared = [
        *(f"void {name}_quantize_{raw}(const {kind} *x, int{integers.in_bits}_t *q)"
          for raw, kind, _ in _RAW),
        f"void {name}_dequantize_q16(const int16_t *out, int32_t *y)",
        f"void {name}_predict_in({space}, {x}, {out})",
        *([f"void {name}_predict({x}, {out})"] if ram <= STACK_BYTES else []),
    ]  # fmt: skip
    fields = [f"  {kind} {field}[{n}];" for field, (kind, n) in parts.buffers.items()]
    body = [_statement(dialect, call) for call in parts.calls]
    if not parts.buffers:
        fields, body = ["  int8_t nothing;"], ["(void)workspace;", *body]
    pieces = [
        comment([*_usage(name, integers, ram, report), "",
                 *_summary.of(model, with_optimizer=False).splitlines()]),
        "#include <stddef.h>\n#include <stdint.h>",
        _macros(name.upper(), integers, ram),
        "typedef struct {\n" + "\n".join(fields) + f"\n}} {name}_workspace;",
        '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        + "".join(f"{each};\n" for each in declared)
        + "#ifdef __cplusplus\n}\n#endif",
        "/* Shifts to the right must keep the sign, as those of all compilers in use do. */\n"
        f"typedef char {name}_shifts_keep_the_sign[(-1 >> 1) == -1 ? 1 : -1];",
        *(_array(name, field, kind, values) for field, (kind, values) in parts.arrays.items()),
        *(dialect.text(text).strip("\n") for text in parts.functions.values()),
        dialect.text(ends).strip("\n"),
        _function(declared[4], body),
    ]  # fmt: skip
    if ram <= STACK_BYTES:
        alone = [f"{name}_workspace workspace;", f"{name}_predict_in(&workspace, x, out);"]
        pieces.append(_function(declared[5], alone))
    return "\n\n".join(pieces) + "\n"


def _statement(dialect: Dialect, call: str | list[str]) -> str:
    """Return a call, or the comment above it, as a line or several."""
    if isinstance(call, str):
        return f"/* {call} */"
    function, *arguments = map(dialect.text, call)
    return signature(f"  {function}", arguments).strip() + ";"


def _function(declared: str, statements: list[str]) -> str:
    return "\n".join([f"{declared} {{", *(f"  {line}" for line in statements), "}"])


def _array(name: str, field: str, kind: str, values: NDArray[Any]) -> str:
    numbers = list(map(str, values.tolist()))
    head = f"static const {kind} {name}_{field}[{len(numbers)}] = {{"
    return "\n".join([head, *_filled(numbers), "};"])


def _macros(name: str, integers: Integers, ram: int) -> str:
    """Return the constants: sizes, and what integers stand for."""
    lines = [
        f"#define {name}_INPUTS {len(integers.inputs.factor)}",
        f"#define {name}_OUTPUTS {len(integers.outputs.factor)}",
        f"#define {name}_WORKSPACE_BYTES {ram}",
    ]
    for word, scale in (("INPUT", integers.inputs), ("OUTPUT", integers.outputs)):
        for part, values in (("FACTOR", scale.factor), ("OFFSET", scale.offset)):
            if np.ptp(values) == 0:
                lines.append(f"#define {name}_{word}_{part} ({_number(values[0])})")
            else:
                rows = _filled([_number(value) for value in values])
                rows = [f"{row:<98}\\" for row in rows]
                lines += [f"#define {name}_{word}_{part}S {{ \\", *rows, "  }"]
    return "\n".join(lines)


def _number(value: float) -> str:
    text = f"{value:.9g}"
    return text if set(text) & set(".e") else f"{text}.0"


def _usage(name: str, integers: Integers, ram: int, report: dict[str, Any]) -> list[str]:
    """Return what a user of the program has to know."""
    bits, inputs = integers.in_bits, len(integers.inputs.factor)
    outputs = len(integers.outputs.factor)
    low, high = (-128, 127) if bits == 8 else (-32768, 32767)
    capital = name.upper()
    several = {
        word: "S[j]" if np.ptp(scale.factor) or np.ptp(scale.offset) else ""
        for word, scale in (("INPUT", integers.inputs), ("OUTPUT", integers.outputs))
    }
    lines = [
        f"Written by laminar {_core.__version__}: computes with integers alone.",
        "",
        "Use: compile this file as C99 or C++11, and declare the functions below to their callers.",
        "",
        f"    int{bits}_t q[{inputs}]; int16_t out[{outputs}];",
        f"    {name}_quantize_int16(x, q);    or _uint8 or _q16, or by your own formula",
    ]
    if ram <= STACK_BYTES:
        lines.append(f"    {name}_predict(q, out);          takes {ram} bytes of stack for values")
    lines += [
        f"    {name}_predict_in(&workspace, q, out);    with a {name}_workspace of your own",
        "",
        f"Input x is q = {capital}_INPUT_FACTOR{several['INPUT']} * x + "
        f"{capital}_INPUT_OFFSET{several['INPUT']}, rounded and kept from {low} to {high}.",
        "_quantize_uint8 and _quantize_int16 take x as integers, such as pixels or readings, and",
        "_quantize_q16 takes x * 65536.",
        f"Output y is {capital}_OUTPUT_FACTOR{several['OUTPUT']} * out + "
        f"{capital}_OUTPUT_OFFSET{several['OUTPUT']}; {name}_dequantize_q16 gives y * 65536.",
    ]
    if isinstance(integers.stages[-1], Softmax):
        lines.append("Probabilities are in 1 / 32768.")
    lines += [
        "Nothing is allocated, nothing is shared between calls, and arrays must not overlap.",
        "",
        "On the samples that it was made with, beside the model with floats:",
        f"    largest error of an output {report['largest_error']:.3g}, "
        f"relative error of all {report['relative_error']:.3g}",
    ]
    for key, value in report.get("before", {}).items():
        lines.append(f"    {key}: {value:.4f} with floats, {report['after'][key]:.4f} here")
    return lines
