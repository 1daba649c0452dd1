# SPDX-License-Identifier: Apache-2.0
"""Objects that are called while a model is trained.

They run on the thread that called fit, between epochs; the weights they see are those of the
completed epoch. They may read and set weights, predict, evaluate, change the learning rate, and
set ``model.stop_training``; they may not change the model's structure.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ._component import integer, number
from ._spelling import hint, keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sequential import Sequential

__all__ = ["Callback", "EarlyStopping", "History", "LambdaCallback"]

Logs: TypeAlias = "Mapping[str, float] | None"


class Callback:
    """Base of all callbacks; a subclass overrides what it needs.

    Attributes
    ----------
    model : Sequential
        The model that is trained.
    params : dict
        ``epochs``, ``steps`` (batches an epoch), ``verbose``, and ``metrics``: the keys that logs
        will have.
    """

    model: Sequential
    params: dict[str, Any]

    def set_model(self, model: Sequential) -> None:
        """Receive the model, before training begins."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the training, before it begins."""
        self.params = params

    def on_train_begin(self, logs: Logs = None) -> None:
        """Run once before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Run once after the last epoch; ``logs`` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Run before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Run after each epoch; ``logs`` has the loss and the metrics, by key."""


class History(Callback):
    """The record of a training, which fit returns.

    Attributes
    ----------
    epoch : list of int
        The epochs completed, counted from 0.
    history : dict of list of float
        For each key (``loss``, metrics, and the same with ``val_``) one value an epoch.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    # A model keeps its last history: a strong reference back would make a cycle, which delays
    # the release of the model's memory.
    def set_model(self, model: Sequential) -> None:
        """Receive the model, before training begins."""
        self.model = weakref.proxy(model)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start empty."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Append the values of one epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class EarlyStopping(Callback):
    """Stops when a monitored value has stopped improving, and goes back to the best weights.

    Parameters
    ----------
    monitor : str
        Key in the logs: ``"loss"``, a metric, or one of these with ``val_``.
    min_delta : float
        A change of no more than this is no improvement.
    patience : int
        Epochs without improvement to wait.
    verbose : int
        1 prints a line when training is stopped.
    mode : {"auto", "min", "max"}
        Whether less or more is better; "auto" knows laminar's losses and metrics.
    baseline : float, optional
        The wait is reset only by values better than this.
    restore_best_weights : bool
        At the end set the weights of the best epoch. Unlike in Keras this is the default.
    start_from_epoch : int
        Epochs at the start that are not looked at.

    Attributes
    ----------
    best : float
        The best value seen.
    best_epoch, stopped_epoch : int
        The epoch of the best value, and the one after which training was stopped (0 if it was
        not), counted from 0.
    """

    @keywords()
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"EarlyStopping: mode must be 'auto', 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.min_delta = abs(number(min_delta, "EarlyStopping: min_delta"))
        self.patience = integer(patience, "EarlyStopping: patience")
        self.verbose = verbose
        self.mode = mode
        self.baseline = None if baseline is None else number(baseline, "EarlyStopping: baseline")
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = integer(start_from_epoch, "EarlyStopping: start_from_epoch")
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best = float("inf")
        self.best_weights: list[NDArray[Any]] | None = None
        self._sign = 1.0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the monitored key and forget earlier trainings."""
        self._reset()
        known = self.params["metrics"]
        if self.monitor not in known:
            advice = hint(self.monitor, known)
            if self.monitor.startswith("val_") and not any(k.startswith("val_") for k in known):
                advice += "; values with val_ need validation_split or validation_data"
            raise ValueError(f"EarlyStopping: there is no {self.monitor!r} to monitor; {advice}")
        self._sign = -1.0 if self._upwards() else 1.0
        self.best *= self._sign

    def _upwards(self) -> bool:
        """Whether more of the monitored value is better."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_").removeprefix("weighted_")
        return any(m.name == name and m._direction == "max" for m in self.model.metrics)

    def _improves(self, value: float, reference: float) -> bool:
        return self._sign * (reference - value) > self.min_delta

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare with the best epoch so far, and stop if it is too long ago."""
        if epoch < self.start_from_epoch:
            return
        value = (logs or {})[self.monitor]
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()  # better than nothing, should all be NaN
            self.best_epoch = epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Set the best weights."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping, best was {self.best_epoch + 1}")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            self.best_weights = None


class LambdaCallback(Callback):
    """Calls functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called with ``(epoch, logs)``.
    on_train_begin, on_train_end : callable, optional
        Called with ``(logs)``.
    """

    @keywords()
    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs], object] | None = None,
        on_epoch_end: Callable[[int, Logs], object] | None = None,
        on_train_begin: Callable[[Logs], object] | None = None,
        on_train_end: Callable[[Logs], object] | None = None,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be callable, got {function!r}")
            setattr(self, name, function)


class CallbackList:
    """Several callbacks as one, each given the model and the parameters first.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    callbacks : None, Callback or iterable of Callback
        What the user passed.
    history : History
        Called last, so that it records what others add to the logs.
    """

    # Keras calls these; fit does not come by here, and must not pretend to.
    _never_called = (
        "on_batch_begin",
        "on_batch_end",
        "on_train_batch_begin",
        "on_train_batch_end",
    )

    def __init__(self, where: str, callbacks: object, history: History) -> None:
        given = [callbacks] if isinstance(callbacks, (Callback, type)) else callbacks or ()
        try:
            self._all: list[Callback] = [*given, history]  # type: ignore[misc]
        except TypeError:
            raise TypeError(f"{where}: callbacks must be a list, got {callbacks!r}") from None
        for callback in self._all:
            if not isinstance(callback, Callback):
                raise TypeError(f"{where}: callbacks must be Callback objects, got {callback!r}")
            for name in self._never_called:
                if hasattr(callback, name):
                    raise TypeError(
                        f"{where}: callback {type(callback).__name__} has {name}, "
                        "but callbacks are called between epochs only"
                    )

    def start(self, model: Sequential, params: dict[str, Any]) -> None:
        """Hand out model and parameters, and begin."""
        for callback in self._all:
            callback.set_model(model)
            callback.set_params(params)
        for callback in self._all:
            callback.on_train_begin(None)

    def epoch_begin(self, epoch: int) -> None:
        """Announce an epoch."""
        for callback in self._all:
            callback.on_epoch_begin(epoch, None)

    def epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report an epoch."""
        for callback in self._all:
            callback.on_epoch_end(epoch, logs)

    def end(self, logs: dict[str, float]) -> None:
        """Finish."""
        for callback in self._all:
            callback.on_train_end(logs)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
