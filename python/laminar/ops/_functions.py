# SPDX-License-Identifier: Apache-2.0
"""Functions of Python in programs: what no operation says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .. import _core
from ._apply import Value, current, operation
from ._shapes import whole

_numbers = itertools.count()


class PythonFunction:
    """A function of Python as an operation; `python_function` makes one."""

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Callable[..., Any] | None,
        output_shape: tuple[int, ...] | None,
        name: str,
    ) -> None:
        self.name = name
        sample = None if output_shape is None else list(output_shape)
        self._core = _core.Function(name, forward, vjp, sample)

    def __call__(self, *values: Value) -> Value:
        """Return what the function makes of values, all rows at once."""
        if not values:
            raise TypeError(f"{self.name}: takes at least one value")
        return _called(list(values), self)

    def __repr__(self) -> str:
        return f"<python_function {self.name!r}>"


def python_function(
    forward: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    output_shape: Sequence[int] | None = None,
    name: str | None = None,
) -> PythonFunction:
    """Return an operation that runs Python, for what operations cannot say.

    It is called with NumPy arrays of whole batches by one thread, while the others wait; so a
    model that has it is no faster than the function. What it raises, fit raises. A row of what it
    returns must follow from the same row of its arguments, since prediction calls it with as many
    rows as it has at hand; in a loss it may look at all rows. Exports refuse it, and a file
    holds its name alone: make a function of the same name before loading it.

    Parameters
    ----------
    forward : callable
        ``forward(*arrays)`` returns an array.
    vjp : callable, optional
        ``vjp(*arrays, value, d_value)`` returns the gradient by each array: the vector-Jacobian
        product, ``d_value`` being the gradient by the value. Without it nothing before the
        function can be trained.
    output_shape : tuple of int, optional
        The shape of a row of the value; that of the first argument's rows without it.
    name : str, optional
        In summaries, errors and files; the function's own by default, with a number behind it.

    Returns
    -------
    PythonFunction
        Called on values as an operation is.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import ops
    >>> cube = ops.python_function(lambda x: x**3, lambda x, y, d: d * 3 * x**2)
    >>> cube(np.array([2.0]))
    array([8.])
    """
    checked: dict[str, Any] = (
        {"forward": forward} if vjp is None else {"forward": forward, "vjp": vjp}
    )
    for word, function in checked.items():
        if not callable(function):
            raise TypeError(f"python_function: {word} must be callable, got {function!r}")
    if name is None:
        name = f"{getattr(forward, '__name__', type(forward).__name__)}#{next(_numbers)}"
    else:
        given: object = name
        if not isinstance(given, str) or not given:
            raise TypeError(f"python_function: name must be a string, got {given!r}")
    shape = None
    if output_shape is not None:
        shape = tuple(whole(e, "python_function: output_shape") for e in output_shape)
    return PythonFunction(forward, vjp, shape, name)


@operation(1, listed=True)
def _called(values: Sequence[Value], function: PythonFunction) -> Value:
    return current().step("call", values, function=function.name)
