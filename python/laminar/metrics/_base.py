# SPDX-License-Identifier: Apache-2.0
"""What all metrics have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays, _component
from .._component import Component
from .._core import RunningMetric
from .._spelling import keywords

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Metric(Component, family="metric"):
    """Base of all metrics.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    _running: RunningMetric | None = None

    @keywords()
    def __init__(self, name: str = "metric") -> None:
        self._need_entry()
        if not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name must be a string, got {name!r}")
        self.name = name

    def _called(self, name: str) -> Metric:
        """Return this object, under another name."""
        self.name = name
        return self

    @property
    def _direction(self) -> str:
        """Which way is better, "min" or "max", for callbacks that compare epochs."""
        return str(_component.entries("metric")[self._entry]["direction"])

    @property
    def _takes_labels(self) -> bool:
        """Whether targets must be class numbers."""
        return bool(_component.entries("metric")[self._entry]["takes"] == "labels")

    @keywords()
    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add rows.

        Parameters
        ----------
        y_true : array_like
            (n, k), or (n,) for one output; where the metric takes class numbers, (n,) or (n, 1).
            Metrics that count positives take class numbers as well where k > 1.
        y_pred : array_like
            (n, k), or (n,) for one output.
        sample_weight : array_like, optional
            (n,): how much each row counts.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong; nothing has changed then.
        """
        where = type(self).__name__
        double = np.dtype(np.float64)
        outputs = _arrays.targets(y_pred, f"{where}: y_pred", double)
        wanted: Any = _component.entries("metric")[self._entry]["takes"]
        one_number = np.shape(y_true) in ((len(outputs),), (len(outputs), 1))
        if wanted == "labels" or (wanted == "either" and outputs.shape[1] > 1 and one_number):
            targets = _arrays.labels(y_true, f"{where}: y_true")
        else:
            targets = _arrays.targets(y_true, f"{where}: y_true", double)
        weight = _arrays.row_weights(sample_weight, f"{where}: sample_weight", double)
        running = self._running
        if running is None:
            classes = outputs.shape[1] == 1 and np.asarray(y_pred).dtype.kind in "bui"
            running = RunningMetric(json.dumps(self._spec()), classes)
        running.update(targets, outputs, weight)
        self._running = running

    def result(self) -> float:
        """Return the metric of all rows since the last `reset_state`; 0 where there were none."""
        return 0.0 if self._running is None else self._running.result()

    def reset_state(self) -> None:
        """Forget all rows."""
        self._running = None

    @keywords()
    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Add rows and return the metric of all rows so far; see `update_state`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()
