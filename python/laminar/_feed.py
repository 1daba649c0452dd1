# SPDX-License-Identifier: Apache-2.0
"""What `fit` and `evaluate` take rows from: arrays in memory, or a `Dataset` that is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _frames, _labels, _rows
from ._heads import unread
from .data import Dataset
from .data._batches import Batches, brought, piece_of
from .data._reader import Reader
from .data._stream import Brought, Cut, Stream, ran_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._heads import Target

_BUFFER_SIZE = 1 << 28  # of no use for what is in memory


class Feed(NamedTuple):
    """Rows as the core takes them, and what is known of them before they are read."""

    data: _rows.Rows | Reader | Stream
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
        return self.data if isinstance(self.data, _rows.Rows) else self.data.first

    @property
    def batches(self) -> Batches | None:
        """What the user's batches come from; None where they are cut."""
        if isinstance(self.data, Stream) and isinstance(self.data.passes, Brought):
            return self.data.passes.batches
        return None

    def begin(self, seed: int | None, epoch: int, before: int) -> None:
        """See `Stream.begin`."""
        if isinstance(self.data, Stream):
            self.data.begin(seed, epoch, before)

    def ends(self) -> bool:
        """See `Stream.ends`."""
        return isinstance(self.data, Stream) and self.data.ends()

    def steps(self, size: int) -> int | None:
        """Return the batches of an epoch, where they are known; cut ones have ``size`` rows."""
        if isinstance(self.data, Stream):
            return self.data.batches or None
        return None if self.length is None else -(-self.length // size)

    def in_steps(self, where: str, steps: int | None, size: int, again: bool = False) -> Feed:
        """Return it with epochs of so many batches.

        Parameters
        ----------
        where : str
            The function that was called, for error messages.
        steps : int or None
            How many; None leaves it as it is.
        size : int
            Of the batches, where rows are cut into some.
        again : bool
            Begin anew with every epoch, where that can be.
        """
        if isinstance(self.data, Stream):
            return self._replace(data=Stream(self.data.passes, where, steps, again))
        if steps is None:
            return self
        if again and isinstance(self.data, _rows.Rows):
            batches = -(-self.data.length // size)
            if batches < steps:
                frames = 5 if where == "evaluate" else 6
                ran_out(where, f"after {batches} of {steps} batches", "these count", frames)
            return self._replace(data=self.data.part(slice(steps * size)))
        cut = Cut(self.data, self.length, size, self.buffer_size)
        return self._replace(data=Stream(cut, where, steps, again))

    def with_class_weight(self, where: str, class_weight: object, loss: Target) -> Feed:
        """Return it with the weights of rows multiplied by those of their classes."""
        if isinstance(self.data, Reader):
            return self._replace(data=self.data.with_class_weight(class_weight))
        if isinstance(self.data, Stream):
            assert isinstance(self.data.passes, Brought)  # it is cut into steps after this
            passes = self.data.passes.with_class_weight(where, class_weight)
            return self._replace(data=Stream(passes, where))
        rows = _rows.with_class_weight(where, self.data, class_weight, loss)
        return self._replace(data=rows)


def feed(
    where: str,
    x: object,
    y: object,
    weight: object,
    dtype: np.dtype[Any],
    loss: Target,
    joined: Callable[[Any, str], Any],
) -> Feed:
    """Return a user's data as a feed.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    x, y, weight : object
        Arrays, or as x a `Dataset` or `Batches`, which bring the others.
    dtype : dtype
        The model's.
    loss : Loss or what stands for several
        Decides what targets are.
    joined : callable
        See `Conversion`; arrays have gone through it.

    Raises
    ------
    TypeError, ValueError
        Where one of them is wrong.
    """
    if not isinstance(x, (Dataset, Batches)):
        rows = _rows.prepared(where, x, y, weight, dtype, loss)
        return Feed(rows, rows.length, _frames.names(x))
    kind = x.kind if isinstance(x, Batches) else "a Dataset"
    for name, value in (("y", y), ("sample_weight", weight)):
        if value is not None:
            raise ValueError(f"{where}: x is {kind}, which brings its own {name}; got another")
    if isinstance(x, Batches):
        passes = Brought(x, where, dtype, loss, joined)
        names = _frames.names(piece_of(x.first, where, alone=True).x)
        return Feed(Stream(passes, where), None, names)
    reader = Reader(x, where, dtype, loss, joined)
    return Feed(reader, x.rows, x.feature_names, x.buffer_size)


def validation(
    data: Any,
    dtype: np.dtype[Any],
    loss: Target,
    class_names: tuple[str, ...] | None,
    joined: Callable[[Any, str], Any],
    of_output: Callable[[Any, str], Any],
) -> Feed:
    """Return a user's validation data, a tuple or a `Dataset`."""
    where = "fit: validation_data"
    data = brought(data, where)
    if isinstance(data, Dataset):
        _labels.agreed(where, data.classes, class_names)
    if isinstance(data, (Dataset, Batches)):
        return feed(where, data, None, None, dtype, loss, joined)
    sizes = (1, 2, 3) if unread(loss) else (2, 3)
    if not isinstance(data, (tuple, list)) or len(data) not in sizes:
        size = f" of {len(data)}" if isinstance(data, (tuple, list)) else ""
        raise ValueError(
            "fit: validation_data must be (x, y), (x, y, sample_weight), a Dataset, a generator "
            f"or a sequence of batches, got {type(data).__name__}{size}"
        )
    x, y, weight = (*data, None, None)[:3]
    y = of_output(y, f"{where}: y")
    y, _ = _labels.numbered(f"{where}: y", y, class_names)
    weight = of_output(weight, f"{where}: sample_weight")
    return feed(where, joined(x, f"{where}: x"), y, weight, dtype, loss, joined)


def split(train: Feed, fraction: float, loss: Target) -> tuple[Feed, Feed]:
    """Hold out the last rows; see `_rows.split`."""
    if not isinstance(train.data, _rows.Rows):
        kind = "a Dataset" if isinstance(train.data, Reader) else "a generator or sequence"
        raise ValueError(f"fit: of {kind} nothing is split off; use validation_data")
    parts = _rows.split(train.data, fraction, loss)
    return Feed(parts[0], parts[0].length, train.names), Feed(parts[1], parts[1].length, None)


def first_targets(where: str, x: object, y: object) -> object:
    """Return targets by which a loss may be chosen."""
    if isinstance(x, Batches):
        return None if x.first is None else piece_of(x.first, f"{where}: batch 1", alone=True).y
    if not isinstance(x, Dataset):
        return y
    return None if x._pieces.first is None else x._pieces.first.y
