# SPDX-License-Identifier: Apache-2.0
"""Several callbacks as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._base import Callback
from ._checkpoint import ModelCheckpoint
from ._progress import ProgressBar
from ._terminate import TerminateOnNaN

if TYPE_CHECKING:
    from ..sequential import Sequential


class CallbackList:
    """Several callbacks as one, each given the model and the parameters first.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    callbacks : None, Callback or iterable of Callback
        What the user passed.
    *last : Callback
        Called after the user's, so that a History records what these add to the logs. After them
        come checkpoints, so that a file holds the epoch whole.

    Attributes
    ----------
    between_batches : bool
        Whether a callback wants to be called before or after batches.
    """

    # Evaluation and prediction take rows as they fit the cache: there are no batches to call for.
    _never_called = (
        "on_batch_begin",
        "on_batch_end",
        "on_test_batch_begin",
        "on_test_batch_end",
        "on_predict_batch_begin",
        "on_predict_batch_end",
    )

    def __init__(self, where: str, callbacks: object, *last: Callback) -> None:
        given = [callbacks] if isinstance(callbacks, (Callback, type)) else callbacks or ()
        try:
            self._all: list[Callback] = [*given, *last]  # type: ignore[misc]
        except TypeError:
            raise TypeError(f"{where}: callbacks must be a list, got {callbacks!r}") from None
        for callback in self._all:
            if not isinstance(callback, Callback):
                raise TypeError(f"{where}: callbacks must be Callback objects, got {callback!r}")
            for name in self._never_called:
                if hasattr(callback, name):
                    raise TypeError(
                        f"{where}: callback {type(callback).__name__} has {name}, which is never "
                        "called; there are on_train_batch_begin and on_train_batch_end"
                    )
        self._all.sort(
            key=lambda callback: isinstance(callback, ModelCheckpoint)
        )  # which is stable
        self._before_batch = self._having("on_train_batch_begin")
        self._after_batch = self._having("on_train_batch_end")
        self.between_batches = bool(self._before_batch or self._after_batch)

    def _having(self, name: str) -> list[Callback]:
        """Return the callbacks with an answer of their own, from their class or set on them."""
        return [
            callback
            for callback in self._all
            if name in vars(callback)
            or getattr(type(callback), name) is not getattr(Callback, name)
        ]

    def start(self, model: Sequential, params: dict[str, Any]) -> None:
        """Hand out model and parameters, and begin training."""
        self.introduce(model, params)
        self._steps: int | None = params["steps"]
        for callback in self._all:
            callback.on_train_begin(None)

    def introduce(self, model: Sequential, params: dict[str, Any]) -> None:
        """Hand out model and parameters."""
        for callback in self._all:
            callback.set_model(model)
            callback.set_params(params)

    def states(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return what a file keeps: an entry for each callback with a state, and all arrays."""
        states: list[dict[str, Any]] = []
        arrays: dict[str, Any] = {}
        for callback in self._stateful():
            state = callback.get_state()
            lists = {k: v for k, v in state.items() if _holds_arrays(v)}
            for key, values in lists.items():
                arrays |= {_array_name(len(states), key, i): v for i, v in enumerate(values)}
            plain = {k: v for k, v in state.items() if k not in lists}
            counts = {k: len(values) for k, values in lists.items()}
            states.append({"class": type(callback).__name__, "state": plain, "arrays": counts})
        return states, arrays

    def restore(self, states: list[dict[str, Any]], arrays: dict[str, Any]) -> None:
        """Give callbacks the states of a file; `check` has compared them."""
        for number, (callback, saved) in enumerate(zip(self._stateful(), states, strict=True)):
            state = dict(saved["state"])
            for key, count in saved["arrays"].items():
                state[key] = [arrays[_array_name(number, key, i)] for i in range(count)]
            callback.set_state(state)

    def check(self, states: list[dict[str, Any]]) -> None:
        """Raise ValueError where a file has the states of other callbacks."""
        kept = [saved["class"] for saved in states]
        given = [type(callback).__name__ for callback in self._stateful()]
        if kept != given:
            raise ValueError(
                "fit: resume: the training had these callbacks that keep a state: "
                f"{', '.join(kept) or 'none'}; got {', '.join(given) or 'none'}"
            )

    def _stateful(self) -> list[Callback]:
        return [c for c in self._all if type(c).get_state is not Callback.get_state]

    def begin(self, epoch: int, batches_done: int | None) -> None:
        """Announce the first epoch, or inside one, which has begun before, the next batch."""
        if batches_done is None:
            self.epoch_begin(epoch)
        elif self._steps is None or batches_done < self._steps:
            self.batch_begin(batches_done)

    def epoch_begin(self, epoch: int) -> None:
        """Announce an epoch and its first batch."""
        for callback in self._all:
            callback.on_epoch_begin(epoch, None)
        self.batch_begin(0)

    def batch_begin(self, batch: int) -> None:
        """Announce a batch."""
        for callback in self._before_batch:
            callback.on_train_batch_begin(batch, None)

    def batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Report a batch."""
        for callback in self._after_batch:
            callback.on_train_batch_end(batch, logs)

    def epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report an epoch."""
        for callback in self._all:
            callback.on_epoch_end(epoch, logs)

    def end(self, logs: dict[str, float]) -> None:
        """Finish training."""
        for callback in self._all:
            callback.on_train_end(logs)

    def test_begin(self) -> None:
        """Announce an evaluation."""
        for callback in self._all:
            callback.on_test_begin(None)

    def test_end(self, logs: dict[str, float]) -> None:
        """Report an evaluation."""
        for callback in self._all:
            callback.on_test_end(logs)

    def predict_begin(self) -> None:
        """Announce a prediction."""
        for callback in self._all:
            callback.on_predict_begin(None)

    def predict_end(self) -> None:
        """Report the end of a prediction."""
        for callback in self._all:
            callback.on_predict_end(None)

    def verbose(self, verbose: str | int) -> str | int:
        """Return how training shows itself: what a ProgressBar says, else ``verbose``."""
        return next((c.verbose for c in self._all if isinstance(c, ProgressBar)), verbose)

    def accept(self, error: FloatingPointError) -> bool:
        """Whether training ends quietly at a loss that is not finite."""
        accepting = [c for c in self._all if isinstance(c, TerminateOnNaN)]
        for callback in accepting:
            callback.reason = str(error)
        return bool(accepting)


def _holds_arrays(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(v, np.ndarray) for v in value)


def _array_name(number: int, key: str, i: int) -> str:
    return f"callback.{number}.{key}.{i}"
