# SPDX-License-Identifier: Apache-2.0
"""Means of losses over the rows; their formulas stand in `laminar.losses`."""

from __future__ import annotations

from .._spelling import keywords
from ._base import Metric


class BinaryCrossentropy(Metric, entry="binary_crossentropy"):
    """Mean over rows and columns of -y ln(p) - (1 - y) ln(1 - p), the log-loss.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    from_logits : bool
        The outputs are z, not probabilities. Changes nothing where the model itself ends in the
        activation.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / 2.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.BinaryCrossentropy()([[1], [0]], [[0.5], [0.5]]), 6)
    0.693147
    """

    @keywords()
    def __init__(
        self,
        name: str = "binary_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(Metric, entry="categorical_crossentropy"):
    """Mean over rows of -sum_j y_j ln(p_j), with one-hot or soft targets.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    from_logits : bool
        The outputs are z, not probabilities. Changes nothing where the model itself ends in the
        activation.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / k.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.CategoricalCrossentropy()([[0, 1, 0]], [[0.25, 0.5, 0.25]]), 6)
    0.693147
    """

    @keywords()
    def __init__(
        self,
        name: str = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class SparseCategoricalCrossentropy(Metric, entry="sparse_categorical_crossentropy"):
    """Mean over rows of -ln(p_y), with one class number a row.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    from_logits : bool
        The outputs are z, not probabilities. Changes nothing where the model itself ends in the
        activation.
    ignore_class : int, optional
        Rows of this class do not count. It need not be the number of an output.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.SparseCategoricalCrossentropy()([1], [[0.25, 0.5, 0.25]]), 6)
    0.693147
    """

    @keywords()
    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        from_logits: bool = False,
        ignore_class: int | None = None,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits
        self.ignore_class = ignore_class


class Huber(Metric, entry="huber"):
    """Mean over rows and columns of the loss `laminar.losses.Huber`.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    delta : float
        Error above which it grows linearly, in units of y.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.Huber()([[0.0, 0.0]], [[0.5, 3.0]])
    1.3125
    """

    @keywords()
    def __init__(self, name: str = "huber", delta: float = 1.0) -> None:
        super().__init__(name)
        self.delta = delta


class LogCoshError(Metric, entry="log_cosh"):
    """Mean over the rows of the loss `laminar.losses.LogCosh`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.LogCoshError()([[0.0]], [[1.0]]), 6)
    0.433781
    """

    @keywords()
    def __init__(self, name: str = "logcosh") -> None:
        super().__init__(name)


class MeanAbsolutePercentageError(Metric, entry="mape"):
    """Mean over the rows of the loss `laminar.losses.MeanAbsolutePercentageError`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 5.0]])
    37.5
    """

    @keywords()
    def __init__(self, name: str = "mean_absolute_percentage_error") -> None:
        super().__init__(name)


class MeanSquaredLogarithmicError(Metric, entry="msle"):
    """Mean over the rows of the loss `laminar.losses.MeanSquaredLogarithmicError`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.MeanSquaredLogarithmicError()([[1.0]], [[3.0]]), 6)
    0.480453
    """

    @keywords()
    def __init__(self, name: str = "mean_squared_logarithmic_error") -> None:
        super().__init__(name)


class Poisson(Metric, entry="poisson"):
    """Mean over the rows of the loss `laminar.losses.Poisson`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.Poisson()([[2.0]], [[3.0]]), 6)
    0.802775
    """

    @keywords()
    def __init__(self, name: str = "poisson") -> None:
        super().__init__(name)


class KLDivergence(Metric, entry="kl_divergence"):
    """Mean over the rows of the loss `laminar.losses.KLDivergence`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 6)
    0.143841
    """

    @keywords()
    def __init__(self, name: str = "kl_divergence") -> None:
        super().__init__(name)


class Hinge(Metric, entry="hinge"):
    """Mean over the rows of the loss `laminar.losses.Hinge`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.0
    """

    @keywords()
    def __init__(self, name: str = "hinge") -> None:
        super().__init__(name)


class SquaredHinge(Metric, entry="squared_hinge"):
    """Mean over the rows of the loss `laminar.losses.SquaredHinge`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.25
    """

    @keywords()
    def __init__(self, name: str = "squared_hinge") -> None:
        super().__init__(name)


class CategoricalHinge(Metric, entry="categorical_hinge"):
    """Mean over the rows of the loss `laminar.losses.CategoricalHinge`.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.CategoricalHinge()([[0, 1, 0]], [[0.25, 0.5, 0.25]])
    0.75
    """

    @keywords()
    def __init__(self, name: str = "categorical_hinge") -> None:
        super().__init__(name)


class CosineSimilarity(Metric, entry="cosine_similarity"):
    """Mean over the rows of the cosine of the angle between y and p, from -1 to 1.

    It is the loss `laminar.losses.CosineSimilarity` without its minus.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]), 6)
    1.0
    """

    @keywords()
    def __init__(self, name: str = "cosine_similarity") -> None:
        super().__init__(name)
