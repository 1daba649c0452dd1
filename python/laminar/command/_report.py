# SPDX-License-Identifier: Apache-2.0
"""How good predictions are, in the measures of their task, added up block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._tables.table import Target


class Report:
    """Running measures of one kind of target."""

    def __init__(self, target: Target) -> None:
        self._metrics = measures(target)
        self.rows = 0

    def add(self, y: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Take some rows into account."""
        self.rows += len(y)
        for metric in self._metrics.values():
            metric.update_state(y, predicted if predicted.shape[-1] > 1 else predicted[:, 0])

    def values(self) -> dict[str, float]:
        """Return {measure: value}."""
        return {name: metric.result() for name, metric in self._metrics.items()}

    def answer(self) -> dict[str, Any]:
        """Return them for a program."""
        return {"rows": self.rows, "measures": self.values()}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.4f}" for name, value in self.values().items())


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
