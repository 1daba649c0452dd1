# SPDX-License-Identifier: Apache-2.0
"""What `fit` and `evaluate` take rows from: arrays in memory, or a `Dataset` that is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _frames, _labels, _rows
from .data import Dataset
from .data._reader import Reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .losses import Loss

_BUFFER_SIZE = 1 << 28  # of no use for what is in memory


class Feed(NamedTuple):
    """Rows as the core takes them, and what is known of them before they are read."""

    data: _rows.Rows | Reader
    length: int | None  # None where only reading tells
    names: tuple[str, ...] | None  # of features
    buffer_size: int = _BUFFER_SIZE

    @property
    def x(self) -> NDArray[Any]:
        """Samples, the first ones at least."""
        return self._rows.x

    @property
    def y(self) -> NDArray[Any]:
        """Their targets."""
        return self._rows.y

    @property
    def _rows(self) -> _rows.Rows:
        return self.data.first if isinstance(self.data, Reader) else self.data

    def with_class_weight(self, where: str, class_weight: object, loss: Loss) -> Feed:
        """Return it with the weights of rows multiplied by those of their classes."""
        if isinstance(self.data, Reader):
            return self._replace(data=self.data.with_class_weight(class_weight))
        rows = _rows.with_class_weight(where, self.data, class_weight, loss)
        return self._replace(data=rows)


def feed(
    where: str,
    x: object,
    y: object,
    weight: object,
    dtype: np.dtype[Any],
    loss: Loss,
) -> Feed:
    """Return a user's data as a feed.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    x, y, weight : object
        Arrays, or as x a `Dataset`, which brings the others.
    dtype : dtype
        The model's.
    loss : Loss
        Decides what targets are.

    Raises
    ------
    TypeError, ValueError
        Where one of them is wrong.
    """
    if not isinstance(x, Dataset):
        rows = _rows.prepared(where, x, y, weight, dtype, loss)
        return Feed(rows, rows.length, _frames.names(x))
    for name, value in (("y", y), ("sample_weight", weight)):
        if value is not None:
            raise ValueError(f"{where}: x is a Dataset, which brings its own {name}; got another")
    return Feed(Reader(x, where, dtype, loss), x.rows, x.feature_names, x.buffer_size)


def validation(
    data: Any,
    dtype: np.dtype[Any],
    loss: Loss,
    class_names: tuple[str, ...] | None,
    joined: Callable[[Any, str], Any],
) -> Feed:
    """Return a user's validation data, a tuple or a `Dataset`."""
    where = "fit: validation_data"
    if isinstance(data, Dataset):
        _labels.agreed(where, data.classes, class_names)
        return feed(where, data, None, None, dtype, loss)
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        size = f" of {len(data)}" if isinstance(data, (tuple, list)) else ""
        raise ValueError(
            "fit: validation_data must be (x, y), (x, y, sample_weight) or a Dataset, "
            f"got {type(data).__name__}{size}"
        )
    x, y, weight = (*data, None)[:3]
    y, _ = _labels.numbered(f"{where}: y", y, class_names)
    return feed(where, joined(x, f"{where}: x"), y, weight, dtype, loss)


def split(train: Feed, fraction: float, loss: Loss) -> tuple[Feed, Feed]:
    """Hold out the last rows; see `_rows.split`."""
    if not isinstance(train.data, _rows.Rows):
        raise ValueError("fit: of a Dataset nothing is split off; use validation_data")
    parts = _rows.split(train.data, fraction, loss)
    return Feed(parts[0], parts[0].length, train.names), Feed(parts[1], parts[1].length, None)


def first_targets(x: object, y: object) -> object:
    """Return targets by which a loss may be chosen."""
    if not isinstance(x, Dataset):
        return y
    return None if x._pieces.first is None else x._pieces.first.y
