# SPDX-License-Identifier: Apache-2.0
"""What callbacks that watch one value share: its key, and which way is better."""

from __future__ import annotations

from .._spelling import hint
from ._base import Callback


class Monitoring(Callback):
    """Base of the callbacks that compare a value of each epoch with the best so far."""

    monitor: str
    mode: str
    best: float

    # 1 where less is better, -1 where more is.
    _sign = 1.0

    def _set_monitor(self, monitor: str, mode: str) -> None:
        """Take the arguments; ValueError for another mode."""
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"{type(self).__name__}: mode must be 'auto', 'min' or 'max', got {mode!r}"
            )
        self.monitor = monitor
        self.mode = mode

    def _begin(self) -> None:
        """Check that the key will be there, and start with the worst value there is."""
        known = self.params["metrics"]
        if self.monitor not in known:
            advice = hint(self.monitor, known)
            if self.monitor.startswith("val_") and not any(k.startswith("val_") for k in known):
                advice += "; values with val_ need validation_split or validation_data"
            raise ValueError(
                f"{type(self).__name__}: there is no {self.monitor!r} to monitor; {advice}"
            )
        self._sign = -1.0 if self._upwards() else 1.0
        self.best = self._sign * float("inf")

    def _upwards(self) -> bool:
        """Whether more of the monitored value is better."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_").removeprefix("weighted_")
        return any(m.name == name and m._direction == "max" for m in self.model.metrics)

    def _improves(self, value: float, reference: float, least: float = 0.0) -> bool:
        """Whether a value is better by more than ``least``; NaN never is."""
        return self._sign * (reference - value) > least
