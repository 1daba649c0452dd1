# SPDX-License-Identifier: Apache-2.0
"""What makes an operation of a function that is written in operations.

Called on traced values it is recorded. Called on arrays it is traced once for their shapes, and
the core runs the program at once; so both are the same computation, to the bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

import numpy as np

from .. import _arrays, _seed
from .._spelling import argument_names, translated
from ..layers.symbol import Symbol
from ._held import Held, common_dtype
from ._names import OPERATIONS
from ._tapes import Computation, apply
from ._trace import Trace, active
from ._traced import Operators, Traced

P = ParamSpec("P")
R = TypeVar("R")

Value: TypeAlias = Any  # an array, a number, a variable or a traced value

_FLOAT32: np.dtype[Any] = np.dtype(np.float32)
_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
_PROGRAMS = 4096  # as many are kept


def operation(
    values: int, listed: bool = False, constants: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function whose first arguments are values, and which sees traced ones alone.

    Parameters
    ----------
    values : int
        How many of its arguments are values; the others are of Python.
    listed : bool
        The one value is a list of values.
    constants : bool
        What it does depends on which numbers it is given as Python's.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        names = argument_names(function)
        taken, known = names[:values], frozenset(names)
        name = function.__name__.strip("_")  # of names that Python has itself

        made = _Call(function, name, taken, listed, constants)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                if not kwargs.keys() <= known:
                    kwargs = translated(name, names, {}, kwargs)
                for missing in taken[len(args) :]:
                    if missing not in kwargs:
                        break
                    args = (*args, kwargs.pop(missing))
            if len(args) < values:
                raise TypeError(f"{name}: argument {taken[len(args)]!r} is missing")
            operands: Sequence[Any] = args[:values]
            if listed:
                operands = args[0]
                if not isinstance(operands, (list, tuple)) or not operands:
                    raise TypeError(
                        f"{name}: {taken[0]} must be a list of values, got {operands!r}"
                    )
            return _apply(made, operands, args[values:], kwargs)

        OPERATIONS[name] = call
        return cast("Callable[P, R]", call)

    return decorate


def plain(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of Python's arguments alone: recorded in a call, computed elsewhere."""
    called = operation(0)(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return called(*args, **kwargs) if active() is None else function(*args, **kwargs)

    return call


class _Call:
    """A function that is an operation."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        values: tuple[str, ...],
        listed: bool,
        constants: bool,
    ) -> None:
        self.function, self.name, self.values = function, name, values
        self.listed, self.constants = listed, constants

    def on(self, operands: Sequence[Traced], rest: Sequence[Any], options: dict[str, Any]) -> Any:
        """Return what the function makes of traced values; errors say what the user has called."""
        try:
            if self.listed:
                return self.function(list(operands), *rest, **options)
            return self.function(*operands, *rest, **options)
        except ValueError as error:
            text = str(error)
            part, colon, message = text.partition(": ")
            if colon and part != self.name and part.isidentifier():
                raise ValueError(f"{self.name}: {message}") from None
            raise

    def argument(self, position: int) -> str:
        """Return what errors call an operand."""
        if self.listed:
            return f"{self.name}: {self.values[0]}[{position}]"
        return f"{self.name}: {self.values[position]}"


def _apply(call: _Call, operands: Sequence[Any], rest: Sequence[Any], options: Any) -> Any:
    dtype, name = _FLOAT32, "float32"
    plain = True
    for value in operands:
        kind = type(value)
        if kind is np.ndarray:
            if value.dtype == _FLOAT64:
                dtype, name = _FLOAT64, "float64"
        elif kind is not float and kind is not int:
            plain = False
    if not plain:
        trace = active()
        if trace is not None and any(isinstance(operand, Operators) for operand in operands):
            lifted = [trace.lift(value, call.argument(i)) for i, value in enumerate(operands)]
            return call.on(lifted, rest, options)
        if trace is None and any(isinstance(operand, Symbol) for operand in operands):
            from ._symbols import on_symbols  # which imports layers

            return on_symbols(lambda given: _apply(call, given, rest, options), call.name, operands)
        if any(isinstance(operand, Held) for operand in operands):
            return _on_held(call, operands, rest, options)
        for value in operands:
            if isinstance(value, Traced):
                raise ValueError(
                    f"{call.name}: {value!r} belongs to a call that is over; values cannot be kept "
                    "from one call to the next"
                )
            if isinstance(value, (np.ndarray, np.generic)) and value.dtype == _FLOAT64:
                dtype, name = _FLOAT64, "float64"
    program, arrays = _prepared(call, operands, rest, options, dtype)
    seed = _seed.next_seed() if program.draws else 0
    results = program.computation.core.run(arrays, [], 0, name, seed)
    if program.single:
        return results[0] if results[0].ndim else results[0][()]
    return [result if result.ndim else result[()] for result in results]


def _on_held(call: _Call, operands: Sequence[Any], rest: Sequence[Any], options: Any) -> Any:
    """Return tensors: what an operation makes of tensors, variables, arrays and numbers."""
    for value in operands:
        if isinstance(value, Traced):
            raise ValueError(
                f"{call.name}: {value!r} belongs to a call that is over; values cannot be kept "
                "from one call to the next"
            )
    name = common_dtype(operands, call.name)
    assert name is not None
    program, inputs = _prepared(call, operands, rest, options, np.dtype(name))
    made = apply(program.computation, inputs, name, seed=_seed.next_seed() if program.draws else 0)
    return made[0] if program.single else made


def _prepared(
    call: _Call, operands: Sequence[Any], rest: Sequence[Any], options: Any, dtype: np.dtype[Any]
) -> tuple[_Program, list[Any]]:
    """Return the program for operands, and those that it reads."""
    given: list[Any] = []  # a shape for each array, a list of Python's for each constant
    inputs: list[Any] = []
    for i, value in enumerate(operands):
        if call.constants and isinstance(value, (bool, int, float, list)):
            given.append(_Constant(_frozen(value)))
            continue
        read = value if isinstance(value, Held) else _array(value, call, i, dtype)
        inputs.append(read)
        given.append(read.shape)
    program = _program(
        call, tuple(given), _frozen(rest) if rest else (), _frozen(options) if options else ()
    )
    return program, inputs


def _array(value: Any, call: _Call, position: int, dtype: np.dtype[Any]) -> Any:
    if type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous:
        return value
    if isinstance(value, (bool, int, float)):
        return np.asarray(value, dtype)
    return _arrays.tensor(value, call.argument(position), dtype)


@dataclass(frozen=True)
class _Constant:
    value: Any  # no tuple of it, which could be a shape


class _Program(NamedTuple):
    computation: Computation
    single: bool

    @property
    def draws(self) -> bool:
        """Whether values are random."""
        return self.computation.draws


@functools.lru_cache(_PROGRAMS)
def _program(call: _Call, given: tuple[Any, ...], rest: Any, options: Any) -> _Program:
    """Return what a function makes of arrays of such shapes."""
    trace = Trace()
    operands = [
        trace.lift(each.value, call.argument(i))
        if isinstance(each, _Constant)
        else trace.input(each)
        for i, each in enumerate(given)
    ]
    with trace.recording():
        made = call.on(operands, rest, dict(options))
    outputs = made if isinstance(made, list) else [made]
    return _Program(Computation(trace.description(outputs)), not isinstance(made, list))


def _frozen(value: Any) -> Any:
    """Return arguments as something that can be looked up."""
    if isinstance(value, dict):
        return tuple((name, _frozen(part)) for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    return _frozen(value.tolist()) if isinstance(value, np.ndarray) else value


def record(
    op: str, *reads: Traced, integers: Sequence[int] = (), numbers: Sequence[float] = ()
) -> Traced:
    """Return the value of an operation of the core's on traced values."""
    return current().step(op, reads, integers, numbers)


def number(value: float) -> Traced:
    """Return a number as a traced value."""
    return current().constant(value)


def current() -> Trace:
    """Return the trace that is recorded; there is one wherever an operation's function runs."""
    trace = active()
    assert trace is not None
    return trace
