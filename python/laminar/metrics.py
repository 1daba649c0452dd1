# SPDX-License-Identifier: Apache-2.0
"""Metrics: what is reported beside the loss, and not trained on.

A metric's ``name`` is the key under which it appears in logs and histories. The core computes
all metrics in the pass that computes the loss, over all rows of an epoch: the value of a history
is that of the rows seen, not a mean of batches. Metrics see what the model predicts, after the
last activation. y is the target and p the output of the network, of k columns.

A metric is also an object for loops of one's own, which takes rows in pieces:

>>> recall = Recall()
>>> recall.update_state([0, 1, 1, 1], [0.2, 0.9, 0.4, 0.8])
>>> recall.result()
0.6666666666666666
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _arrays, _component
from ._component import Component
from ._core import RunningMetric
from ._spelling import keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "get",
]


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
        if not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name must be a string, got {name!r}")
        self.name = name

    @property
    def _direction(self) -> str:
        """Which way is better, "min" or "max", for callbacks that compare epochs."""
        return str(_component.entries("metric")[self._entry]["direction"])

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

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: the parameters, and no rows."""
        return {name: value for name, value in vars(self).items() if name != "_running"}


class Accuracy(Metric, entry="accuracy"):
    """Share of rows classified rightly, in the form that fits the loss and the output width.

    Binary for one output column or a binary cross-entropy, sparse categorical for class numbers,
    categorical otherwise. Called with one column of integers as predictions it is the share of
    equal ones.

    Parameters
    ----------
    name : str
        The key in logs and histories.
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
    """

    @keywords()
    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(name)
        self.k = k


class Precision(Metric, entry="precision"):
    """Share of the outputs that said yes for which it was right, tp / (tp + fp).

    All columns of all rows are counted together; a target above 0.5 is a yes.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if neither it nor ``top_k`` is given.
    top_k : int, optional
        Only so many of a row's largest outputs can be a yes.
    class_id : int, optional
        Look at this output alone.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str = "precision",
    ) -> None:
        super().__init__(name)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id


class Recall(Metric, entry="recall"):
    """Share of the outputs that should say yes which did, tp / (tp + fn).

    All columns of all rows are counted together; a target above 0.5 is a yes.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if neither it nor ``top_k`` is given.
    top_k : int, optional
        Only so many of a row's largest outputs can be a yes.
    class_id : int, optional
        Look at this output alone.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str = "recall",
    ) -> None:
        super().__init__(name)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id


class F1Score(Metric, entry="f1_score"):
    """Harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn), averaged over the outputs.

    Parameters
    ----------
    average : {"macro", "micro", "weighted"}
        Over the outputs: the plain mean, the score of the summed counts, or the mean weighted by
        how often each output should be a yes. (Keras's default None gives one number an output;
        a log takes one number.)
    threshold : float, optional
        In [0, 1]: an output above it is a yes. If not given, a row's largest output is the yes; a
        single output is compared with 0.5.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(
        self, average: str = "macro", threshold: float | None = None, name: str = "f1_score"
    ) -> None:
        super().__init__(name)
        self.average = average
        self.threshold = threshold


class FBetaScore(Metric, entry="fbeta_score"):
    """(1 + b²) tp / ((1 + b²) tp + b² fn + fp), averaged over the outputs; b is ``beta``.

    Parameters
    ----------
    average : {"macro", "micro", "weighted"}
        Over the outputs: the plain mean, the score of the summed counts, or the mean weighted by
        how often each output should be a yes. (Keras's default None gives one number an output;
        a log takes one number.)
    beta : float
        How much more recall counts than precision.
    threshold : float, optional
        In [0, 1]: an output above it is a yes. If not given, a row's largest output is the yes; a
        single output is compared with 0.5.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(
        self,
        average: str = "macro",
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
    ) -> None:
        super().__init__(name)
        self.average = average
        self.beta = beta
        self.threshold = threshold


class AUC(Metric, entry="auc"):
    """Area under the ROC or the precision-recall curve, for binary and multi-label outputs.

    The curve has one point for each threshold, evenly spaced from 0 to 1. A target above 0.5 is a
    yes.

    Parameters
    ----------
    num_thresholds : int
        At least 2.
    curve : {"ROC", "PR"}
        True against false positive rate, or precision against recall.
    summation_method : {"interpolation", "majoring", "minoring"}
        Between two points: trapezoids (for PR the curve of Davis and Goadrich, 2006), the larger
        or the smaller of the two heights.
    multi_label : bool
        The mean of the areas of the columns, in place of one curve over all of them.
    from_logits : bool
        The outputs are z, of which the sigmoid is taken. Changes nothing where the model itself
        ends in an activation that makes probabilities.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        multi_label: bool = False,
        from_logits: bool = False,
        name: str = "auc",
    ) -> None:
        super().__init__(name)
        self.num_thresholds = num_thresholds
        self.curve = curve
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.from_logits = from_logits


class TruePositives(Metric, entry="true_positives"):
    """Outputs that said yes where they should.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if not given.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, thresholds: float | None = None, name: str = "true_positives") -> None:
        super().__init__(name)
        self.thresholds = thresholds


class TrueNegatives(Metric, entry="true_negatives"):
    """Outputs that said no where they should.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if not given.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, thresholds: float | None = None, name: str = "true_negatives") -> None:
        super().__init__(name)
        self.thresholds = thresholds


class FalsePositives(Metric, entry="false_positives"):
    """Outputs that said yes where they should not.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if not given.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, thresholds: float | None = None, name: str = "false_positives") -> None:
        super().__init__(name)
        self.thresholds = thresholds


class FalseNegatives(Metric, entry="false_negatives"):
    """Outputs that said no where they should not.

    Parameters
    ----------
    thresholds : float, optional
        In [0, 1]: an output above it is a yes; 0.5 if not given.
    name : str
        The key in logs and histories.
    """

    @keywords()
    def __init__(self, thresholds: float | None = None, name: str = "false_negatives") -> None:
        super().__init__(name)
        self.thresholds = thresholds


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


class Huber(Metric, entry="huber"):
    """Mean over rows and columns of the loss `laminar.losses.Huber`.

    Parameters
    ----------
    name : str
        The key in logs and histories.
    delta : float
        Error above which it grows linearly, in units of y.
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
    """

    @keywords()
    def __init__(self, name: str = "cosine_similarity") -> None:
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
    if callable(identifier) and not isinstance(identifier, (type, Metric)):
        raise TypeError(
            "metric must be a name or an object of laminar.metrics; Python functions are not "
            f"taken, since the core computes metrics while it trains, got {identifier!r}"
        )
    metric = _component.get(Metric, identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
