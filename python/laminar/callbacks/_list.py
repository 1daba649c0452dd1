# SPDX-License-Identifier: Apache-2.0
"""Several callbacks as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .._attributes import is_own
from ._adapted import Adapted, has_own, is_callback
from ._base import Callback
from ._checkpoint import ModelCheckpoint
from ._lambda import LambdaCallback
from ._monitor import Monitoring
from ._progress import ProgressBar
from ._terminate import TerminateOnNaN

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from .._saving import Saving


class CallbackList:
    """Several callbacks as one, each given the model and the parameters first.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    callbacks : None, Callback or iterable of Callback
        What the user passed; objects with methods of a callback will do.
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
        one = callbacks is not None and (isinstance(callbacks, type) or is_callback(callbacks))
        try:
            given: list[object] = [callbacks] if one else list(callbacks or ())  # type: ignore[call-overload]
        except TypeError:
            raise TypeError(f"{where}: callbacks must be a list, got {callbacks!r}") from None
        for callback in given:
            for name in self._never_called:
                if not isinstance(callback, type) and has_own(callback, name):
                    raise TypeError(
                        f"{where}: callback {type(callback).__name__} has {name}, which is never "
                        "called; there are on_train_batch_begin and on_train_batch_end"
                    )
            if not is_callback(callback):
                raise TypeError(f"{where}: {_no_callback(callback)}")
        self._all = [c if isinstance(c, Callback) else Adapted(c) for c in (*given, *last)]
        self._all.sort(
            key=lambda callback: isinstance(callback, ModelCheckpoint)
        )  # which is stable
        self._before_batch = self._having("on_train_batch_begin")
        self._after_batch = self._having("on_train_batch_end")
        self.between_batches = bool(self._before_batch or self._after_batch)

    def _having(self, name: str) -> list[Callback]:
        """Return the callbacks with an answer of their own, from their class or set on them."""
        return [callback for callback in self._all if _answers(callback, name)]

    def start(self, model: Saving, params: dict[str, Any]) -> None:
        """Hand out model and parameters, and begin training."""
        self.introduce(model, params)
        self._steps: int | None = params["steps"]
        added = tuple(key for callback in self._all for key in callback._adds)
        anything = any(_may_add(callback) for callback in self._all)
        for callback in self._all:
            if isinstance(callback, Monitoring):
                callback._added, callback._open_logs = added, anything
            callback.on_train_begin(None)

    def introduce(self, model: Saving, params: dict[str, Any]) -> None:
        """Hand out model and parameters."""
        for callback in self._all:
            callback.set_model(cast("BaseModel", model))
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
            states.append({"class": _class_name(callback), "state": plain, "arrays": counts})
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
        given = [_class_name(callback) for callback in self._stateful()]
        if kept != given:
            raise ValueError(
                "fit: resume: the training had these callbacks that keep a state: "
                f"{', '.join(kept) or 'none'}; got {', '.join(given) or 'none'}"
            )

    def _stateful(self) -> list[Callback]:
        return [
            c
            for c in self._all
            if (
                has_own(c.answering, "get_state")
                if isinstance(c, Adapted)
                else type(c).get_state is not Callback.get_state
            )
        ]

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
        """Report an epoch; TypeError where a callback adds to the logs what is no number."""
        for callback in self._all:
            callback.on_epoch_end(epoch, logs)
            for key, value in logs.items():
                if type(value) is not float:
                    logs[key] = _number(value, key, callback)

    def left(self) -> None:
        """Finish training that an error or Ctrl-C has ended."""
        for callback in self._all:
            callback._left()

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


def _answers(callback: Callback, name: str) -> bool:
    """Whether a callback wants to be called between batches."""
    if name in vars(callback):
        return True
    method = getattr(type(callback), name)
    if method is ModelCheckpoint.on_train_batch_end:
        return isinstance(callback, ModelCheckpoint) and callback._counts_batches
    return method is not getattr(Callback, name)


def _no_callback(given: object) -> str:
    """Return what is wrong with an object that is no callback."""
    if isinstance(given, type):
        return f"callbacks must be Callback objects, got the class {given.__name__}; call it first"
    advice = ""
    if callable(given):
        advice = "; LambdaCallback(on_epoch_end=function) makes one of a function"
    return (
        f"callbacks must be Callback objects, got {given!r}, which has no method of theirs such as "
        f"on_epoch_end{advice}"
    )


def _may_add(callback: Callback) -> bool:
    """Whether a callback may add keys to the logs that nobody knows before."""
    return isinstance(callback, (Adapted, LambdaCallback)) or not is_own(type(callback))


def _class_name(callback: Callback) -> str:
    return type(callback.answering if isinstance(callback, Adapted) else callback).__name__


def _number(value: Any, key: str, callback: Callback) -> float:
    """Return what a callback has put into the logs, which files must be able to hold."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"fit: what callback {_class_name(callback)} puts into the logs must be a number, got "
            f"{key!r}: {value!r}"
        ) from None


def _holds_arrays(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(v, np.ndarray) for v in value)


def _array_name(number: int, key: str, i: int) -> str:
    return f"callback.{number}.{key}.{i}"
