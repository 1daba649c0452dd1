# SPDX-License-Identifier: Apache-2.0
"""How many batches an epoch takes, and when and how far held-out rows are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import _rows
from ._component import integer
from .data._batches import Batches, Indexed, Once

if TYPE_CHECKING:
    from ._feed import Feed

_GONE = (
    "a generator, and no file holds where it was; a sequence of batches or a Dataset can be gone "
    "on with"
)


class _Default(int):
    """A number that nobody has given."""


BATCH_SIZE = _Default(32)


def count(value: Any, where: str) -> int | None:
    """Return a number of steps, or None; TypeError or ValueError for other things."""
    return None if value is None else integer(value, where, minimum=1)


def chosen(batch_size: int | None) -> int:
    """Return the rows of a batch, those of fit where nobody has given them."""
    return BATCH_SIZE if batch_size is None else batch_size


def check_size(batch_size: int | None, x: Any, where: str) -> None:
    """Raise ValueError where a batch size is given beside batches."""
    if isinstance(x, Batches) and batch_size is not None and batch_size is not BATCH_SIZE:
        raise ValueError(
            f"{where}: batch_size must not be given, got {batch_size!r}: x is {x.kind}, "
            "whose batches are taken as they come"
        )


def size_of(batch_size: int | None, where: str, feed: Feed) -> int:
    """Return the rows of a batch; those of batches that are brought tell themselves."""
    if feed.batches is not None:
        return BATCH_SIZE
    return _rows.batch_size(batch_size, where, feed.length)


def check_end(x: Any, steps: int | None, where: str, name: str = "steps") -> None:
    """Raise ValueError where ``x`` says that it has no end, and no steps are given."""
    if steps is None and isinstance(x, Indexed) and x.number is None:
        raise ValueError(
            f"{where}: {name} must be given, as x is a sequence of batches without an end: its "
            "num_batches is None"
        )


class Rates:
    """The arguments of fit that say so.

    Parameters
    ----------
    steps_per_epoch, validation_steps, validation_batch_size, validation_freq
        As in `fit`.

    Raises
    ------
    TypeError, ValueError
        Where one of them is wrong.
    """

    def __init__(
        self,
        steps_per_epoch: Any,
        validation_steps: Any,
        validation_batch_size: Any,
        validation_freq: Any,
    ) -> None:
        self.steps = count(steps_per_epoch, "fit: steps_per_epoch")
        self._validation_steps = count(validation_steps, "fit: validation_steps")
        self._validation_size = count(validation_batch_size, "fit: validation_batch_size")
        self.every, self.after = _frequency(validation_freq)

    def validates(self, first: int, end: int) -> int:
        """Return after how many of some epochs, counted from 0, there is validation."""
        if self.after:
            return sum(first < epoch <= end for epoch in self.after)
        return end // self.every - first // self.every

    def check(self, x: Any, epochs: int, first: int, resume: bool) -> None:
        """Raise ValueError where ``x`` does not last for ``epochs - first`` epochs."""
        check_end(x, self.steps, "fit", "steps_per_epoch")
        if not isinstance(x, Once):
            return
        if resume:
            raise ValueError(f"fit: resume: x is {_GONE}")
        if self.steps is None and epochs - first > 1:
            raise ValueError(
                f"fit: steps_per_epoch must be given for {epochs - first} epochs of a generator, "
                "which comes once; or let Dataset.from_generator call a function every epoch"
            )

    def check_validation(self, there: bool) -> None:
        """Raise ValueError where steps of a validation are given and there is none."""
        if self._validation_steps is not None and not there:
            raise ValueError(
                f"fit: validation_steps={self._validation_steps} needs validation_data or "
                "validation_split, got neither"
            )

    def of_validation(
        self, held_out: Feed | None, size: int, epochs: int, first: int, resume: bool
    ) -> Feed | None:
        """Return the feed of each validation; ValueError where it does not last for all."""
        where = "fit: validation_data"
        if held_out is None:
            return None
        if held_out.batches is not None and self._validation_size is not None:
            raise ValueError(
                f"fit: validation_batch_size must not be given, got {self._validation_size}: "
                "validation_data brings batches, which are taken as they come"
            )
        check_end(held_out.batches, self._validation_steps, "fit", "validation_steps")
        if isinstance(held_out.batches, Once) and (resume or self._validation_steps is None):
            if resume:
                raise ValueError(f"fit: resume: validation_data is {_GONE}")
            if self.validates(first, epochs) > 1:
                raise ValueError(
                    "fit: validation_steps must be given where validation_data is a generator, "
                    f"which comes once, and {self.validates(first, epochs)} epochs are validated"
                )
        chosen = self._validation_size or size
        return held_out.in_steps(where, self._validation_steps, chosen, again=True)


def _frequency(value: Any) -> tuple[int, list[int]]:
    """Return after every how many epochs there is validation, or after which, counted from 1."""
    name = "fit: validation_freq"
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        epochs = sorted({integer(epoch, f"{name}: an epoch", minimum=1) for epoch in value})
        if not epochs:
            raise ValueError(f"{name} must hold an epoch, counted from 1, got {value!r}")
        return 1, epochs
    return integer(value, name, minimum=1), []
