# SPDX-License-Identifier: Apache-2.0
"""Metrics: what is reported beside the loss, and not trained on.

A metric's ``name`` is the key under which it appears in logs and histories. The core computes
all metrics in the pass that computes the loss, over all rows of an epoch: the value of a history
is that of the rows seen, not a mean of batches. Metrics see what the model predicts, after the
last activation. Where that is a logit, since the loss has ``from_logits=True``, they see the
probabilities that its sigmoid or softmax would give: accuracy, precision, AUC and all others but
the hinge metrics, which are of margins, and those that have ``from_logits=True`` themselves. (In
Keras thresholds would be on the logits.) y is the target and p the output of the network, of k
columns.

A metric is also an object for loops of one's own, which takes rows in pieces:

>>> from laminar.metrics import Recall
>>> recall = Recall()
>>> recall.update_state([0, 1, 1, 1], [0.2, 0.9, 0.4, 0.8])
>>> recall.result()
0.6666666666666666
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .. import _component, _own_functions
from .._component import Component
from .._spelling import module_names
from ._accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from ._base import Function, Metric
from ._counts import (
    AUC,
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from ._losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCoshError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from ._regression import (
    MeanAbsoluteError,
    MeanSquaredError,
    R2Score,
    RootMeanSquaredError,
)

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
    "Function",
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

Identifier: TypeAlias = (
    "str | Mapping[str, Any] | type[Metric] | Metric | Callable[[Any, Any], Any]"
)


def get(identifier: Identifier) -> Metric:
    """Return the metric that a user named.

    Parameters
    ----------
    identifier : str, mapping or Metric
        A name such as ``"accuracy"``, which also becomes the key in the logs as it is written;
        a configuration; an object (returned as it is); or a function of (y_true, y_pred) that is
        written in `laminar.ops`, whose mean over the rows is reported under its own name.

    Raises
    ------
    TypeError, ValueError
        Where there is no such metric; the message names the nearest one.

    Examples
    --------
    >>> from laminar import metrics
    >>> metrics.get("mse")
    MeanSquaredError(name='mse')
    >>> metrics.get({"name": "recall", "thresholds": 0.3})
    Recall(thresholds=0.3, top_k=None, class_id=None, name='recall')
    """
    if _own_functions.is_program(identifier):
        return Function(**cast("Mapping[str, Any]", identifier))
    if callable(identifier) and not isinstance(identifier, (type, Component)):
        return Function(identifier)
    metric = _component.get(Metric, identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
