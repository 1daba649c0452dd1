# SPDX-License-Identifier: Apache-2.0
"""What callbacks that watch one value share: its key, and which way is better."""

from __future__ import annotations

import math
import warnings

from .. import metrics
from .._spelling import hint
from ._base import Callback, Logs


class Monitoring(Callback):
    """Base of the callbacks that compare a value of each epoch with the best so far."""

    monitor: str
    mode: str
    best: float

    # 1 where less is better, -1 where more is.
    _sign = 1.0
    # Whether callbacks of the user's may add keys to the logs, which only training tells, and keys
    # that laminar's add.
    _open_logs = False
    _added: tuple[str, ...] = ()
    _missed = False

    def _set_monitor(self, monitor: str, mode: str) -> None:
        """Take the arguments; ValueError for another mode."""
        kind = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"{kind}: monitor must be a string, got {monitor!r}")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{kind}: mode must be 'auto', 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.mode = mode

    def _change(self, name: str, value: object) -> None:
        super()._change(name, value)
        if name in ("monitor", "mode"):
            self.best = float("inf")  # of another value; see _begin

    def _begin(self) -> None:
        """Check that the key will be there, as far as can be known, and which way is better.

        Without a best value so far, start with the worst there is.
        """
        self._missed = False
        known = [*self.params["metrics"], *self._added]
        if self.monitor not in known and not self._open_logs:
            advice = hint(self.monitor, known)
            if self.monitor.startswith("val_") and not any(k.startswith("val_") for k in known):
                advice += "; values with val_ need validation_split or validation_data"
            raise ValueError(
                f"{type(self).__name__}: there is no {self.monitor!r} to monitor; {advice}"
            )
        self._sign = -1.0 if self._upwards() else 1.0
        if not math.isfinite(self.best):
            self._forget()

    def _forget(self) -> None:
        """Start with the worst value there is."""
        self.best = self._sign * float("inf")

    def _upwards(self) -> bool:
        """Whether more of the monitored value is better; ValueError where nobody knows."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        own = self.model._metric_of(name)
        if own is not None:
            return own._direction == "max"
        if self.monitor in self.params["metrics"]:  # the loss
            return False
        try:
            return metrics.get(name)._direction == "max"
        except ValueError:
            raise ValueError(
                f"{type(self).__name__}: mode must be 'min' or 'max' for {self.monitor!r}, which "
                "is no metric of laminar; got 'auto'"
            ) from None

    def _value(self, logs: Logs) -> float | None:
        """Return the monitored value; None where the logs lack it.

        One that no epoch has announced is warned of, once a training.
        """
        values = logs or {}
        if self.monitor in values:
            return float(values[self.monitor])
        announced = self.monitor in self.params["metrics"]  # and not due, by validation_freq
        if not self._missed and not announced:
            self._missed = True
            warnings.warn(
                f"{type(self).__name__}: the logs have no {self.monitor!r} to monitor; they have "
                f"{', '.join(values)}. A callback that adds it must come before this one",
                UserWarning,
                stacklevel=3,  # on_epoch_end
            )
        return None

    def _improves(self, value: float, reference: float, least: float = 0.0) -> bool:
        """Whether a value is better by more than ``least``; NaN never is."""
        return self._sign * (reference - value) > least
