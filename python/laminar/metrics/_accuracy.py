# SPDX-License-Identifier: Apache-2.0
"""Shares of rows classified rightly."""

from __future__ import annotations

from .._spelling import keywords
from ._base import Metric


class Accuracy(Metric, entry="accuracy"):
    """Share of rows classified rightly, in the form that fits the loss and the output width.

    Binary for one output column or a binary cross-entropy, sparse categorical for class numbers,
    categorical otherwise. Called with one column of integers as predictions it is the share of
    equal ones.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.Accuracy()([[1], [2], [3]], [[1], [2], [4]])
    0.6666666666666666
    """

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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.BinaryAccuracy()([[1], [0], [1], [1]], [[0.9], [0.2], [0.6], [0.3]])
    0.75
    """

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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.3, 0.7], [0.4, 0.6]])
    0.5
    """

    @keywords()
    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)


class SparseCategoricalAccuracy(Metric, entry="sparse_categorical_accuracy"):
    """Share of rows whose largest output is at the place that the class number says.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.SparseCategoricalAccuracy()([1, 0], [[0.3, 0.7], [0.4, 0.6]])
    0.5
    """

    @keywords()
    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)


class TopKCategoricalAccuracy(Metric, entry="top_k_categorical_accuracy"):
    """Share of rows where fewer than k outputs are larger than that at the largest target.

    Parameters
    ----------
    k : int
        At least 1.
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> top_two = metrics.TopKCategoricalAccuracy(k=2)
    >>> top_two([[0, 0, 1], [1, 0, 0]], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])
    0.5
    """

    @keywords()
    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        super().__init__(name)
        self.k = k


class SparseTopKCategoricalAccuracy(Metric, entry="sparse_top_k_categorical_accuracy"):
    """Share of rows where fewer than k outputs are larger than that of the class number.

    Parameters
    ----------
    k : int
        At least 1.
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])
    0.5
    """

    @keywords()
    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(name)
        self.k = k
