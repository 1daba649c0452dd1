# SPDX-License-Identifier: Apache-2.0
"""Metrics: what is reported beside the loss, and not trained on.

A metric's ``name`` is the key under which it appears in logs and histories. The core computes
all metrics in the pass that computes the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from . import _component
from ._component import Component
from ._spelling import keywords, module_getattr

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "get",
]


class Metric(Component, family="metric"):
    """Base of all metrics.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    # Which way is better, for callbacks that compare epochs.
    _direction: ClassVar[str] = "min"

    @keywords()
    def __init__(self, name: str = "metric") -> None:
        if not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name must be a string, got {name!r}")
        self.name = name


class Accuracy(Metric, entry="accuracy"):
    """Share of rows classified rightly, in the form that fits the loss and the output width.

    Binary for one output column or a binary cross-entropy, sparse categorical for class numbers,
    categorical otherwise.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    _direction = "max"

    @keywords()
    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)


class BinaryAccuracy(Metric, entry="binary_accuracy"):
    """Share of outputs on the same side of the threshold as their targets.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    threshold : float
        In [0, 1).
    """

    _direction = "max"

    @keywords()
    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold


class CategoricalAccuracy(Metric, entry="categorical_accuracy"):
    """Share of rows whose largest output is at the place of the largest target.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    _direction = "max"

    @keywords()
    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)


class SparseCategoricalAccuracy(Metric, entry="sparse_categorical_accuracy"):
    """Share of rows whose largest output is at the place that the class number says.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    _direction = "max"

    @keywords()
    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)


class MeanSquaredError(Metric, entry="mse"):
    """Mean over rows and columns of (y - p)**2.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)


class MeanAbsoluteError(Metric, entry="mae"):
    """Mean over rows and columns of abs(y - p).

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)


class RootMeanSquaredError(Metric, entry="rmse"):
    """Square root of the mean over rows and columns of (y - p)**2.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(name)


Identifier: TypeAlias = "str | Mapping[str, Any] | type[Metric] | Metric"


def get(identifier: Identifier) -> Metric:
    """Return the metric that a user named.

    Parameters
    ----------
    identifier : str, mapping or Metric
        A name such as ``"accuracy"``, which also becomes the key in the logs as it is written;
        a configuration; or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such metric; the message names the nearest one.
    """
    metric = _component.get(Metric, identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
