# SPDX-License-Identifier: Apache-2.0
"""Stopping when nothing improves any more."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._component import flag, integer, number
from .._progress import message
from .._spelling import keywords
from ._base import Logs
from ._monitor import Monitoring

if TYPE_CHECKING:
    from numpy.typing import NDArray


class EarlyStopping(Monitoring):
    """Stops when a monitored value has stopped improving, and goes back to the best weights.

    It goes back as well where training ends by Ctrl-C or an error. Each fit is a training of its
    own: it begins without a best value, so that one object serves for several models or parts of
    the data. A fit of the same model with an ``initial_epoch`` goes on with the one before: the
    best value and its weights stay, and the wait begins anew.

    Parameters
    ----------
    monitor : str
        Key in the logs: ``"loss"``, a metric, one of these with ``val_``, or what a callback before
        this one has written there, with ``mode``.
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
        At the end set the weights of the best epoch, whatever has ended training. Unlike in Keras
        this is the default.
    start_from_epoch : int
        Epochs at the start that are not looked at.

    Attributes
    ----------
    best : float
        The best value seen.
    best_weights : list of ndarray or None
        The weights of its epoch, where they shall be restored.
    wait : int
        Epochs since the last improvement.
    best_epoch, stopped_epoch : int
        The epoch of the best value, and the one after which training was stopped (0 if it was
        not), counted from 0.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> stop = laminar.callbacks.EarlyStopping(patience=2, min_delta=0.01)
    >>> history = model.fit(x, y, epochs=500, validation_split=0.5, callbacks=[stop], verbose=0)
    >>> len(history.epoch) < 500
    True
    """

    wait: int
    stopped_epoch: int
    best_epoch: int
    best_weights: list[NDArray[Any]] | None
    _trained: Callable[[], object] | None = None

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
        self._set_monitor(monitor, mode)
        self.min_delta = abs(number(min_delta, "EarlyStopping: min_delta"))
        self.patience = integer(patience, "EarlyStopping: patience")
        self.verbose = verbose
        self.baseline = None if baseline is None else number(baseline, "EarlyStopping: baseline")
        self.restore_best_weights = flag(
            restore_best_weights, "EarlyStopping: restore_best_weights"
        )
        self.start_from_epoch = integer(start_from_epoch, "EarlyStopping: start_from_epoch")
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best = float("inf")
        self.best_weights = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the monitored key, and forget earlier trainings unless this one goes on."""
        goes_on = self.params.get("initial_epoch", 0) > 0 and self._trained is not None
        if goes_on and self._trained() is self.model:  # type: ignore[misc]  # not None
            self.wait = self.stopped_epoch = 0
        else:
            self._reset()
        self._trained = weakref.ref(self.model)
        self._begin()

    def get_state(self) -> dict[str, Any]:
        """Return the best so far, its weights, and how long ago it was."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stopped_epoch": self.stopped_epoch,
            "wait": self.wait,
            "best_weights": self.best_weights or [],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Take it over."""
        self.best = state["best"]
        self.best_epoch = state["best_epoch"]
        self.stopped_epoch = state["stopped_epoch"]
        self.wait = state["wait"]
        self.best_weights = state["best_weights"] or None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare with the best epoch so far, and stop if it is too long ago."""
        if epoch < self.start_from_epoch:
            return
        value = self._value(logs)
        if value is None:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()  # better than nothing, should all be NaN
            self.best_epoch = epoch
        self.wait += 1
        if self._improves(value, self.best, self.min_delta):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline, self.min_delta):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Set the best weights."""
        if self.stopped_epoch and self.verbose:
            message(
                f"Epoch {self.stopped_epoch + 1}: early stopping, best was {self.best_epoch + 1}"
            )
        self._restore()

    def _left(self) -> None:
        self._restore()

    def _restore(self) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
