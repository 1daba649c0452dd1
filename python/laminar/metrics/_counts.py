# SPDX-License-Identifier: Apache-2.0
"""Metrics made of counts of right and wrong answers."""

from __future__ import annotations

from .._spelling import keywords
from ._base import Metric


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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.Precision()([[1], [0], [1], [0]], [[0.9], [0.7], [0.2], [0.1]])
    0.5
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.Recall()([[1], [0], [1], [0]], [[0.9], [0.7], [0.2], [0.1]])
    0.5
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

    Examples
    --------
    >>> from laminar import metrics
    >>> round(metrics.F1Score(threshold=0.5)([[1], [0], [1]], [[0.9], [0.7], [0.8]]), 6)
    0.8
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

    Examples
    --------
    >>> from laminar import metrics
    >>> f2 = metrics.FBetaScore(beta=2.0, threshold=0.5)
    >>> round(f2([[1], [0], [1]], [[0.9], [0.7], [0.8]]), 6)
    0.909091
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

    The curve has a point for each output that differs from the others, equal ones being one point:
    for ROC the share of pairs in order, ties counting half. Beyond 131,072 different outputs
    neighbours share a point, none with more than 3e-5 of all weight. A target above 0.5 is a yes.

    Parameters
    ----------
    num_thresholds : int, optional
        At least 2: points at so many thresholds, evenly spaced from 0 to 1, in place of all. Keras
        has 200, which tell little of outputs that are close together, those of rare events for
        example.
    curve : {"ROC", "PR"}
        True against false positive rate, or precision against recall.
    summation_method : {"interpolation", "majoring", "minoring"}
        Between two points: trapezoids (for PR the curve of Davis and Goadrich, 2006, which is not
        scikit-learn's average precision), the larger or the smaller of the two heights.
    multi_label : bool
        The mean of the areas of the columns, in place of one curve over all of them.
    from_logits : bool
        The outputs are z, of which the sigmoid is taken. Changes nothing where the model itself
        ends in an activation that makes probabilities.
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.AUC()([[0], [0], [1], [1]], [[0.1], [0.4], [0.35], [0.8]])
    0.75
    """

    @keywords()
    def __init__(
        self,
        num_thresholds: int | None = None,
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.TruePositives()([[1], [0], [1]], [[0.9], [0.7], [0.2]])
    1.0
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.TrueNegatives()([[1], [0], [0]], [[0.9], [0.7], [0.2]])
    1.0
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.FalsePositives()([[1], [0], [1]], [[0.9], [0.7], [0.2]])
    1.0
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

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.FalseNegatives()([[1], [0], [1]], [[0.9], [0.7], [0.2]])
    1.0
    """

    @keywords()
    def __init__(self, thresholds: float | None = None, name: str = "false_negatives") -> None:
        super().__init__(name)
        self.thresholds = thresholds
