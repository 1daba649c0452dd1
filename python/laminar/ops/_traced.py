# SPDX-License-Identifier: Apache-2.0
"""Values of a computation that is written down, not done.

What is written in operations is called once with such values, which record what becomes of them.
They have a shape, but no numbers: Python that looks at numbers is refused where it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from ._names import OPERATIONS, OTHER_NAMES, advice_for

if TYPE_CHECKING:
    from ._held import Tensor
    from ._trace import Trace

# What Python's operators between a NumPy array and one of these values become.
_OPERATORS = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "power": "power",
    "matmul": "matmul",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "equal": "equal",
    "not_equal": "not_equal",
}


class Operators:
    """Python's operators, which are operations."""

    _symbolic = True
    __hash__ = object.__hash__  # by identity: == is an operation

    def __add__(self, other: Any) -> Tensor:
        return OPERATIONS["add"](self, other)

    def __radd__(self, other: Any) -> Tensor:
        return OPERATIONS["add"](other, self)

    def __sub__(self, other: Any) -> Tensor:
        return OPERATIONS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return OPERATIONS["subtract"](other, self)

    def __mul__(self, other: Any) -> Tensor:
        return OPERATIONS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return OPERATIONS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return OPERATIONS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return OPERATIONS["divide"](other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return OPERATIONS["floor"](self / other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return OPERATIONS["floor"](other / self)

    def __mod__(self, other: Any) -> Tensor:
        rest: Tensor = self - other * (self // other)
        return rest

    def __rmod__(self, other: Any) -> Tensor:
        rest: Tensor = other - self * (other // self)
        return rest

    def __pow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](other, self)

    def __neg__(self) -> Any:
        return OPERATIONS["negative"](self)

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return OPERATIONS["abs"](self)

    def __invert__(self) -> Tensor:
        return OPERATIONS["logical_not"](self)

    def __and__(self, other: Any) -> Tensor:
        return OPERATIONS["logical_and"](self, other)

    def __rand__(self, other: Any) -> Tensor:
        return OPERATIONS["logical_and"](other, self)

    def __or__(self, other: Any) -> Tensor:
        return OPERATIONS["logical_or"](self, other)

    def __ror__(self, other: Any) -> Tensor:
        return OPERATIONS["logical_or"](other, self)

    def __lt__(self, other: Any) -> Tensor:
        return OPERATIONS["less"](self, other)

    def __le__(self, other: Any) -> Tensor:
        return OPERATIONS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Tensor:
        return OPERATIONS["greater"](self, other)

    def __ge__(self, other: Any) -> Tensor:
        return OPERATIONS["greater_equal"](self, other)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return OPERATIONS["equal"](self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return OPERATIONS["not_equal"](self, other)

    def __getitem__(self, key: Any) -> Tensor:
        return OPERATIONS["getitem"](self, key)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            "parts of a value cannot be set: make a new one with laminar.ops.where or concatenate"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = _OPERATORS.get(ufunc.__name__)
        if name is not None and method == "__call__" and not kwargs:
            return OPERATIONS[name](*inputs)  # array + value comes here as well
        return self._computed_by_numpy(ufunc.__name__)

    def _computed_by_numpy(self, name: str) -> Any:
        raise TypeError(f"numpy.{name} does not compute with {type(self).__name__}")


class Traced(Operators):
    """A value of a traced call.

    Attributes
    ----------
    shape : tuple of int or None
        None stands for the number of rows of a batch.
    dtype : str
        The type of the model's numbers: everything is computed in it.
    """

    _is_traced = True

    def __init__(self, trace: Trace, index: int, extents: tuple[int, ...]) -> None:
        self._trace, self._index, self._extents = trace, index, extents

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, with None for the number of rows."""
        return tuple(None if extent < 0 else extent for extent in self._extents)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._extents)

    @property
    def dtype(self) -> str:
        """The type of the numbers."""
        return self._trace.dtype

    @property
    def T(self) -> Any:  # noqa: N802  # NumPy's name
        """The value with its axes in the opposite order."""
        return OPERATIONS["transpose"](self)

    def __len__(self) -> int:
        if not self._extents:
            raise TypeError("len() of a number: it has no axes")
        if self._extents[0] < 0:
            raise TypeError(
                "the number of rows is not known while a call is traced, since batches differ: "
                "laminar.ops.mean and sum go over all of them with axis=0"
            )
        return self._extents[0]

    def __iter__(self) -> Iterator[Any]:
        if self._extents and self._extents[0] < 0:
            raise TypeError(
                "rows cannot be gone through in Python while a call is traced: operations work on "
                "all rows at once; split or x[:, i] takes columns apart"
            )
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: object) -> NoReturn:
        self._refuse("`in`", "compare with == and reduce with laminar.ops.max")

    def __bool__(self) -> bool:
        self._refuse(
            "if, while, and, or, not",
            "write laminar.ops.where(condition, a, b); logical_and, logical_or and logical_not "
            "join conditions",
        )

    def __float__(self) -> float:
        self._refuse("float() or a function of math", "write it with the operations of laminar.ops")

    def __int__(self) -> int:
        self._refuse("int()", "laminar.ops.floor rounds, and take picks by computed indices")

    def __complex__(self) -> complex:
        self._refuse("complex()", "operations compute with real numbers")

    def __index__(self) -> int:
        self._refuse("an index or range()", "laminar.ops.take picks by computed indices")

    def __round__(self, digits: int = 0) -> Any:
        self._refuse("round()", "write laminar.ops.floor(x + 0.5)")

    def __array__(self, dtype: object = None, copy: object = None) -> Any:
        self._refuse("NumPy", "write it with the operations of laminar.ops")

    def _computed_by_numpy(self, name: str) -> Any:
        self._refuse(f"numpy.{name}", advice_for(name))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__.removeprefix("numpy").removeprefix(".")
        name = function.__name__ if not module else f"{module}.{function.__name__}"
        self._refuse(f"numpy.{name}", advice_for(name))

    def __getattr__(self, name: str) -> NoReturn:
        advice = ""
        if name in ("numpy", "item", "tolist", "eval"):
            advice = "; it has no numbers yet while a call is traced"
        elif name == "astype":
            advice = "; write laminar.ops.cast"
        elif not name.startswith("_") and OTHER_NAMES.get(name, name) in OPERATIONS:
            advice = f"; {advice_for(name)}"
        raise AttributeError(f"a traced value has no attribute {name!r}{advice}")

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise TypeError(
            f"{what} needs numbers, and {self!r} has none while a call is traced into operations; "
            + instead
        )

    def __repr__(self) -> str:
        return f"<traced value of shape {self.shape}>"
