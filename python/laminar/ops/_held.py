# SPDX-License-Identifier: Apache-2.0
"""Values that have numbers, and whose operations a `GradientTape` can follow.

A `Tensor` is what operations make of them; variables, whose numbers can be changed, are the other
kind. Beside them arrays and numbers take their type: what is computed with a float32 tensor is
float32, whatever the array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .. import _core
from ._names import OPERATIONS, OTHER_NAMES, advice_for
from ._traced import Operators

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Held(Operators):
    """A value that has numbers.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    dtype : str
        "float32" or "float64".
    """

    _held, _is_traced = True, False  # which others ask who do not import this file
    shape: tuple[int, ...]

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        raise NotImplementedError

    def __eq__(self, other: Any) -> Any:
        return False if other is None else OPERATIONS["equal"](self, other)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else OPERATIONS["not_equal"](self, other)

    __hash__ = object.__hash__  # by identity

    def _numbers(self) -> NDArray[Any]:
        """Return its numbers, not to be written to."""
        raise NotImplementedError

    def _itself(self) -> Held:
        """Return the object that stands for the same numbers on tapes."""
        return self

    def numpy(self) -> Any:
        """Return a copy of its numbers."""
        return np.array(self._numbers())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of numbers."""
        return int(np.prod(self.shape))

    @property
    def T(self) -> Any:  # noqa: N802  # NumPy's name
        """The value with its axes in the opposite order."""
        return OPERATIONS["transpose"](self)

    def item(self) -> float:
        """Return its one number; ValueError where there are several."""
        return float(self._numbers().item())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a number: it has no axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: object) -> bool:
        return item in self._numbers()

    def __bool__(self) -> bool:
        return bool(self._numbers())

    def __float__(self) -> float:
        return float(self._numbers())

    def __int__(self) -> int:
        return int(self._numbers())

    def __round__(self, digits: int | None = None) -> float:
        return round(float(self._numbers()), digits)

    def __format__(self, spec: str) -> str:
        return format(self._numbers()[()], spec) if spec else repr(self)

    def __getattr__(self, name: str) -> Any:
        """Return what an array of its numbers has; no tape could follow it."""
        advice = ""
        if not name.startswith("_") and hasattr(np.ndarray, name):
            from ._tapes import listening  # which imports this file
            from ._trace import active

            if not listening() and active() is None:
                array = self._numbers().view()
                array.flags.writeable = False
                return getattr(array, name)
            advice = "; it has NumPy's methods where no tape records, and no call is traced"
            if OTHER_NAMES.get(name, name) in OPERATIONS:
                advice = f" that a tape could follow; {advice_for(name)}"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{advice}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._numbers(), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        made = super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        if made is not NotImplemented:
            return made
        # NumPy's own functions give arrays, which no tape can follow back.
        given = [each._numbers() if isinstance(each, Held) else each for each in inputs]
        return getattr(ufunc, method)(*given, **kwargs)

    def _computed_by_numpy(self, name: str) -> Any:
        return NotImplemented


class Tensor(Held):
    """An array that operations compute with, and that does not change.

    Parameters
    ----------
    value : ndarray
        float32 or float64, C-contiguous, which nobody else writes to.

    Examples
    --------
    >>> import laminar
    >>> square = laminar.ops.convert_to_tensor([1.0, 2.0]) ** 2
    >>> type(square) is laminar.Tensor
    True
    >>> square.numpy()
    array([1., 4.], dtype=float32)
    """

    _fixed = True  # in a traced call it is a constant

    def __init__(self, value: NDArray[Any]) -> None:
        self._value = value
        self.shape = value.shape

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        return "float32" if self._value.itemsize == 4 else "float64"

    def _numbers(self) -> NDArray[Any]:
        return self._value

    def numpy(self) -> Any:
        """Return a copy of its numbers: a number of NumPy's where it has no axes."""
        return self._value.copy() if self.shape else self._value[()]

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (self._value,)

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: object) -> Tensor:
        return self

    def assign(self, value: object) -> NoReturn:
        """Raise TypeError: what operations have made cannot be changed.

        Parameters
        ----------
        value : array_like
            Not taken.
        """
        raise TypeError("a tensor cannot be changed; laminar.Variable can")

    def __repr__(self) -> str:
        numbers = np.array2string(self._value, separator=", ", prefix="Tensor(")
        return f"Tensor({numbers}, dtype={self.dtype})"


_core.tensors_are(Tensor)  # which the core makes as well
ONES = {size: Tensor(np.array(1.0, f"f{size}")) for size in (4, 8)}  # by the bytes of a number


def common_dtype(values: Sequence[Any], where: str) -> str | None:
    """Return the one type of what is held among values, None where nothing is.

    Raises
    ------
    TypeError
        Where there are two.
    """
    found: str | None = None
    for value in values:
        if isinstance(value, Held):
            if found is not None and value.dtype != found:
                raise TypeError(
                    f"{where}: a value of {found} meets one of {value.dtype}; laminar.ops.cast "
                    "makes them one type"
                )
            found = value.dtype
    return found
