# SPDX-License-Identifier: Apache-2.0
"""How good predictions are, in the measures of their task, added up block by block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._tables.table import Target


# Of targets that differ: of equal ones they would be 0 or 1 whatever was predicted.
_OF_DIFFERENCES = ("R2", "ROC AUC")


class Report:
    """Running measures of one kind of target."""

    def __init__(self, target: Target) -> None:
        self._metrics = measures(target)
        self.rows = 0
        self._least, self._most = math.inf, -math.inf  # of the targets

    def add(self, y: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Take some rows into account."""
        self.rows += len(y)
        if len(y):
            self._least = min(self._least, float(y.min()))
            self._most = max(self._most, float(y.max()))
        for metric in self._metrics.values():
            metric.update_state(y, predicted if predicted.shape[-1] > 1 else predicted[:, 0])

    def values(self) -> dict[str, float]:
        """Return {measure: value}: NaN for those that say nothing where all targets are equal."""
        values = {name: metric.result() for name, metric in self._metrics.items()}
        if not self._least < self._most:
            values.update((name, math.nan) for name in _OF_DIFFERENCES if name in values)
        return values

    def answer(self) -> dict[str, Any]:
        """Return them for a program."""
        return {"rows": self.rows, "measures": self.values()}

    def __str__(self) -> str:
        values = self.values()
        texts = [f"{name} {_shown(value)}" for name, value in values.items()]
        undefined = not self._least < self._most and any(name in values for name in _OF_DIFFERENCES)
        return ", ".join(texts) + (" (all targets are equal)" if undefined else "")


def _shown(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.4f}"


def measures(target: Target) -> dict[str, Any]:
    """Return the measures of a kind of target, new."""
    if target.kind == "number":
        return {
            "R2": metrics.R2Score(),
            "MAE": metrics.MeanAbsoluteError(),
            "RMSE": metrics.RootMeanSquaredError(),
        }
    if len(target.classes) == 2:
        return {
            "accuracy": metrics.BinaryAccuracy(),
            "ROC AUC": metrics.AUC(),
            "log loss": metrics.BinaryCrossentropy(),
        }
    return {
        "accuracy": metrics.SparseCategoricalAccuracy(),
        "log loss": metrics.SparseCategoricalCrossentropy(),
    }
