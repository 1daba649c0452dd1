# SPDX-License-Identifier: Apache-2.0
"""Errors of values, and how much of their variance is explained."""

from __future__ import annotations

from .._spelling import keywords
from ._base import Metric


class MeanSquaredError(Metric, entry="mse"):
    """Mean over rows and columns of (y - p)**2.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.MeanSquaredError()([[1.0, 2.0]], [[1.0, 4.0]])
    2.0
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.MeanAbsoluteError()([[1.0, 2.0]], [[1.0, 4.0]])
    1.0
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.RootMeanSquaredError()([[1.0], [2.0]], [[4.0], [5.0]])
    3.0
    """

    @keywords()
    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(name)


class R2Score(Metric, entry="r2_score"):
    """Coefficient of determination, 1 - sum (y - p)**2 / sum (y - mean(y))**2 of each column.

    A column of constant targets gives 1 for exact predictions, else 0.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"}
        Over the columns: the plain mean, or weighted by the variance of their targets.
    num_regressors : int
        Where positive, the adjusted R² for so many regressors and the number of rows. (Keras
        takes the number of rows times columns.)
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]])
    0.5
    """

    @keywords()
    def __init__(
        self,
        class_aggregation: str = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
    ) -> None:
        super().__init__(name)
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
