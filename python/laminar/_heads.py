# SPDX-License-Identifier: Apache-2.0
"""Losses, metrics and targets of several outputs: what users give for each becomes one of each.

The core takes the targets of all outputs side by side in one matrix, class numbers as a column of
it, and weights of rows as a column for each output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from . import _arrays, _labels
from ._printable import listed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .losses import Loss
    from .metrics import Metric

    Array = NDArray[Any]

    # What y must be for one output or for several.
    Target: TypeAlias = "Loss | Skipping | Heads"
    # Arrays for one output, or for each of several.
    ForOutputs: TypeAlias = (
        "ArrayLike | Sequence[ArrayLike | None] | Mapping[str, ArrayLike | None]"
    )


class Output(NamedTuple):
    """An output of a model: its name in logs and the shape of a sample, None where unknown."""

    name: str
    shape: tuple[int, ...] | None = None


class Head(NamedTuple):
    """What an output is trained towards and measured by; ``specs`` are the core's, of metrics."""

    output: Output
    loss: Loss | None
    weight: float
    metrics: list[Metric]
    specs: list[dict[str, Any]]
    spec: dict[str, Any] | None = None  # the core's, of a loss of the user's own
    targets: tuple[int, ...] | None = None  # of a row, where parts of the user's own tell

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a row of targets that are no class numbers."""
        return self.output.shape if self.targets is None else self.targets

    @property
    def compared(self) -> bool:
        """Whether the output needs targets."""
        return self.loss is not None or bool(self.metrics)

    @property
    def labels(self) -> bool:
        """Whether these are class numbers."""
        if self.loss is not None:
            return self.loss._labels
        return any(metric._takes_labels for metric in self.metrics)


def per_output(
    given: Any, outputs: Sequence[Output], argument: str, is_one: Callable[[object], bool]
) -> list[Any]:
    """Return what an argument of compile says of each output.

    Parameters
    ----------
    given : object
        One for all, a list of one for each output, or a dict by their names; None says nothing.
    outputs : sequence of Output
        The outputs.
    argument : str
        What to call it in an error message.
    is_one : callable
        Whether a list or a mapping is one for all.

    Raises
    ------
    ValueError
        Where a list has another length, or a dict another key.
    """
    names = [output.name for output in outputs]
    if isinstance(given, Mapping) and (set(given) <= set(names) or not is_one(given)):
        check_keys(given, names, f"compile: {argument}")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)) and not is_one(given):
        if len(given) != len(names):
            raise ValueError(
                f"compile: {argument} must have one entry for each output, "
                f"{listed(map(repr, names))}, got {len(given)}"
            )
        return list(given)
    return [given] * len(names)


def check_keys(given: Mapping[Any, Any], names: Sequence[str], where: str) -> None:
    """Raise ValueError where a dict has keys that are no names of outputs."""
    unknown = [key for key in given if key not in names]
    if unknown:
        raise ValueError(
            f"{where} must be a dict by the names of the outputs, {listed(map(repr, names))}; it "
            f"has {listed(map(repr, unknown))} besides"
        )


class Skipping:
    """The targets of one output of which some may be missing."""

    _missing = True

    def __init__(self, loss: Loss) -> None:
        self._labels, self._entry, self._classifies = loss._labels, loss._entry, loss._classifies
        self.ignore_class = getattr(loss, "ignore_class", None)


class Unread(Skipping):
    """The targets of an output whose loss does not read any."""

    def __init__(self, loss: Loss, missing: bool, shape: tuple[int, ...]) -> None:
        super().__init__(loss)
        self._missing, self._shape = missing, shape

    def made(self, dtype: np.dtype[Any], rows: int) -> Array:
        """Return some."""
        return np.zeros((rows, *self._shape), dtype)


def unread(loss: Target | None) -> bool:
    """Whether no loss or metric reads targets, so that data may come without."""
    return isinstance(loss, Unread) or (isinstance(loss, Heads) and not any(loss._read))


class Heads:
    """The targets of several outputs.

    Parameters
    ----------
    heads : sequence of Head
        One for each output.
    missing : bool
        Whether targets that are NaN are missing.
    read : sequence of bool
        Whether a loss or metric depends on those of each output.
    """

    _labels = False  # of all together
    _entry = ""
    _classifies = False

    def __init__(self, heads: Sequence[Head], missing: bool, read: Sequence[bool]) -> None:
        self._heads, self._missing, self._read = heads, missing, read
        self._compared = [i for i, head in enumerate(heads) if head.compared]

    def joined(
        self, where: str, y: object, weight: object, dtype: np.dtype[Any], rows: int
    ) -> tuple[Array, Array | None]:
        """Return targets and weights of all outputs side by side.

        Parameters
        ----------
        where : str
            The function that was called, for error messages.
        y : list or dict of array_like
            Targets of each output; of those without loss and metrics they may be None or left out.
            Or all of them side by side already.
        weight : array_like, or list or dict of array_like
            Weights of the rows, for all outputs or for each; or None.
        dtype : dtype
            The model's.
        rows : int
            As many as there are samples.

        Raises
        ------
        TypeError, ValueError
            Where they are not given for each output, or one of them is wrong.
        """
        return self._targets(where, y, dtype, rows), self._weights(where, weight, dtype, rows)

    def _targets(self, where: str, y: object, dtype: np.dtype[Any], rows: int) -> Array:
        widths = [self._width(i) for i in self._compared]
        if isinstance(y, np.ndarray) and y.dtype == dtype and y.shape == (rows, sum(widths)):
            return y
        if not any(self._read):
            return np.zeros((rows, sum(widths)), dtype)
        parts = self._each(y, f"{where}: y")
        columns = []
        for i, width in zip(self._compared, widths, strict=True):
            if not self._read[i]:
                columns.append(np.zeros((rows, width), dtype))
                continue
            name = f"{where}: y[{self._heads[i].output.name!r}]"
            column = self._column(i, parts[i], name, dtype)
            if len(column) != rows:
                raise ValueError(
                    f"{where}: x has {rows} rows, {name[len(where) + 2 :]} has {len(column)}"
                )
            columns.append(column.reshape(rows, width))
        return np.concatenate(columns, axis=1)

    def _column(self, i: int, part: object, name: str, dtype: np.dtype[Any]) -> Array:
        head = self._heads[i]
        if _labels.texts_of(part) is not None:
            raise ValueError(
                f"{name} holds names of classes; of several outputs give class numbers, such as "
                "np.unique(names, return_inverse=True)[1]"
            )
        if head.labels:
            numbers = _arrays.labels(part, name, self._missing)
            column = numbers.astype(dtype)
            column[numbers == _arrays.MISSING_LABEL] = np.nan
            return column
        values = _arrays.targets(part, name, dtype)
        shape = head.shape
        if shape is not None and values.shape[1:] != shape:
            expected = ", ".join(["rows", *map(str, shape)])
            classes = (
                values.shape[1:] == (1,)
                and head.loss is not None
                and (head.loss._entry == "categorical_crossentropy")
            )
            raise ValueError(
                f"{name} must have shape ({expected}), got {values.shape}"
                + ("; for class numbers use 'sparse_categorical_crossentropy'" if classes else "")
            )
        return values

    def _width(self, i: int) -> int:
        shape = self._heads[i].shape
        assert shape is not None  # a model of several outputs knows its shapes
        return 1 if self._heads[i].labels else int(np.prod(shape, dtype=np.int64))

    def _weights(self, where: str, weight: object, dtype: np.dtype[Any], rows: int) -> Array | None:
        name = f"{where}: sample_weight"
        count = len(self._compared)
        if isinstance(weight, np.ndarray) and weight.shape == (rows, count) and count > 1:
            return _arrays.targets(weight, name, dtype)
        for_each = isinstance(weight, Mapping) or (
            isinstance(weight, (list, tuple)) and any(w is None or np.ndim(w) > 0 for w in weight)
        )
        if not for_each:
            all_the_same = _arrays.row_weights(weight, name, dtype)
            if all_the_same is not None and len(all_the_same) != rows:
                raise ValueError(
                    f"{where}: x has {rows} rows, sample_weight has {len(all_the_same)}"
                )
            return all_the_same
        if isinstance(weight, Mapping):
            names = [head.output.name for head in self._heads]
            check_keys(weight, names, name)
            parts = [weight.get(each) for each in names]
        else:
            parts = self._each(weight, name)
        columns = []
        for i in self._compared:
            called = f"{name}[{self._heads[i].output.name!r}]"
            column = _arrays.row_weights(parts[i], called, dtype)
            if column is not None and len(column) != rows:
                raise ValueError(
                    f"{where}: x has {rows} rows, {called[len(where) + 2 :]} has {len(column)}"
                )
            columns.append(np.ones(rows, dtype) if column is None else column)
        return columns[0] if count == 1 else np.stack(columns, axis=1)

    def _each(self, given: object, name: str) -> list[Any]:
        """Return what is given for each output, from a list or a dict."""
        names = [head.output.name for head in self._heads]
        if isinstance(given, Mapping):
            check_keys(given, names, name)
            lacking = [
                n
                for n, head in zip(names, self._heads, strict=True)
                if n not in given and head.compared
            ]
            if lacking:
                raise ValueError(
                    f"{name} must be a dict by the names of the outputs, "
                    f"{listed(map(repr, names))}; it lacks {listed(map(repr, lacking))}"
                )
            return [given.get(each) for each in names]
        if isinstance(given, (list, tuple)) and len(given) == len(names):
            return list(given)
        got = (
            f"{type(given).__name__} of {len(given)}"
            if isinstance(given, (list, tuple))
            else ("None" if given is None else type(given).__name__)
        )
        raise ValueError(
            f"{name} must be a list or a dict with one array for each output, "
            f"{listed(map(repr, names))}; got {got}"
        )
