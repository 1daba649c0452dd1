# SPDX-License-Identifier: Apache-2.0
"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .._component import integer, number
from .._progress import message
from .._spelling import keywords
from ._base import Callback, Logs
from ._monitor import Monitoring


def _note(callback: Callback, logs: Logs) -> None:
    """Add the epoch's learning rate to its logs, as Keras does."""
    assert callback.model.optimizer is not None  # fit asks for a compiled model
    if isinstance(logs, dict):
        logs["learning_rate"] = float(callback.model.optimizer.learning_rate)


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; the logs then have ``learning_rate``.

    Parameters
    ----------
    schedule : callable
        Called with ``(epoch)``, or ``(epoch, learning_rate)`` if it takes two arguments, the
        epoch counted from 0; returns the new rate.
    verbose : int
        1 prints a line an epoch.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> halve = laminar.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * 0.5**epoch)
    >>> history = model.fit(x, y, epochs=3, callbacks=[halve], verbose=0)
    >>> history.history["learning_rate"]
    [0.01, 0.005, 0.0025]
    """

    _adds = ("learning_rate",)

    @keywords()
    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be callable, got {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the rate; TypeError or ValueError where the schedule returns none."""
        optimizer = self.model.optimizer
        assert optimizer is not None
        try:
            inspect.signature(self.schedule).bind(epoch, 0.0)
            arguments: tuple[object, ...] = (epoch, float(optimizer.learning_rate))
        except (TypeError, ValueError):  # it takes one, or does not say
            arguments = (epoch,)
        rate = number(self.schedule(*arguments), "LearningRateScheduler: what schedule returns")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            message(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Add the rate to the logs."""
        _note(self, logs)


class ReduceLROnPlateau(Monitoring):
    """Lowers the learning rate when a monitored value has stopped improving.

    Parameters
    ----------
    monitor : str
        Key in the logs: ``"loss"``, a metric, one of these with ``val_``, or what a callback before
        this one has written there, with ``mode``.
    factor : float
        In [0, 1): the rate is multiplied by it.
    patience : int
        Epochs without improvement after which the rate is lowered.
    verbose : int
        1 prints a line when it is.
    mode : {"auto", "min", "max"}
        Whether less or more is better; "auto" knows laminar's losses and metrics.
    min_delta : float
        A change of no more than this is no improvement.
    cooldown : int
        Epochs after a reduction that are not counted.
    min_lr : float
        The rate is never lowered beyond this.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> lower = laminar.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
    >>> history = model.fit(x, y, epochs=4, callbacks=[lower], verbose=0)
    >>> model.optimizer.learning_rate < 0.001
    True
    """

    _adds = ("learning_rate",)
    wait: int
    cooldown_counter: int

    @keywords(epsilon="min_delta")
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        self._set_monitor(monitor, mode)
        self.factor = number(factor, "ReduceLROnPlateau: factor")
        if not 0 <= self.factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be in [0, 1), got {factor!r}")
        self.patience = integer(patience, "ReduceLROnPlateau: patience")
        self.verbose = verbose
        self.min_delta = abs(number(min_delta, "ReduceLROnPlateau: min_delta"))
        self.cooldown = integer(cooldown, "ReduceLROnPlateau: cooldown")
        self.min_lr = number(min_lr, "ReduceLROnPlateau: min_lr")
        self.best = float("inf")
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the monitored key and forget earlier trainings."""
        self._begin()
        self._forget()
        self.wait = self.cooldown_counter = 0

    def get_state(self) -> dict[str, Any]:
        """Return the best so far, and how long ago it was."""
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take it over."""
        self.best = state["best"]
        self.wait = state["wait"]
        self.cooldown_counter = state["cooldown_counter"]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare with the best epoch so far, and lower the rate if it is too long ago."""
        _note(self, logs)
        value = self._value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(value, self.best, self.min_delta):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        assert optimizer is not None
        rate = float(optimizer.learning_rate)
        if rate > self.min_lr:
            optimizer.learning_rate = max(rate * self.factor, self.min_lr)
            if self.verbose:
                message(f"Epoch {epoch + 1}: the learning rate is {optimizer.learning_rate:g}")
            self.cooldown_counter = self.cooldown
            self.wait = 0
