# SPDX-License-Identifier: Apache-2.0
"""Losses, as objects that carry their arguments.

y is the target and p the output of the network, of k columns. A loss is a number for each row; its
``reduction`` says what becomes of these numbers:

- ``"sum_over_batch_size"`` (and ``"mean"``): the mean over the rows. Where rows have weights, fit
  divides the sum of a batch by its rows times the mean weight of the whole training set: a row of
  weight 2 pulls as the row twice, whatever batch it is in, and all rows as one batch are a weighted
  mean. ``train_on_batch``, ``loss_and_gradients`` and a Dataset that does not fit into its buffer,
  whose weights are not known beforehand, divide by the rows, as Keras does.
- ``"mean_with_sample_weight"``: a batch is divided by the sum of its own weights. That gives rows
  of large weight less than their due in small batches, and at one row a batch no weight at all.
- ``"sum"``: the sum over the rows of a batch. fit then reports the mean over its batches, evaluate
  the sum over all rows.
- ``"none"``: only for calls on arrays.

Targets are smoothed first (``label_smoothing``); the loss of a row with its smoothed targets is
multiplied by its weight, which is its sample weight times its class weight. A row of an ignored
class counts for nothing. What fit reports of an epoch, and evaluate, is the mean over all rows by
their weights, so that it does not depend on the batches. (Keras's is divided by the rows.)

Called on arrays, ``Huber(0.7)(y_true, y_pred, sample_weight=w)``, a loss gives what Keras gives. A
loss of one's own may call others, whose operations become part of it. Keras's functions,
``mean_squared_error(y_true, y_pred)``, return the losses of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from . import _component, _own_functions
from ._component import Component
from ._losses import Function, Known, Loss, OfRows
from ._spelling import keywords, module_names

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Dice",
    "Function",
    "GammaDeviance",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Quantile",
    "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "TweedieDeviance",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]


class MeanSquaredError(Known, entry="mse"):
    """Mean over the columns of (y - p)**2, without a factor ½.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.MeanSquaredError()([[1.0, 2.0]], [[1.0, 4.0]])
    2.0
    """


class MeanAbsoluteError(Known, entry="mae"):
    """Mean over the columns of abs(y - p); the slope at 0 is 0.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.MeanAbsoluteError()([[1.0, 2.0]], [[1.0, 4.0]])
    1.0
    """


class RootMeanSquaredError(Known, entry="rmse"):
    """Root of the mean of (y - p)**2 over all rows and columns; the slope at zero error is 0.

    It is a function of the batch, not of a row: the root is taken of what the reduction leaves,
    of every row's mean with "none".

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.RootMeanSquaredError()([[1.0], [2.0]], [[4.0], [5.0]])
    3.0
    """


class Huber(Known, entry="huber"):
    """Mean over the columns of e**2 / 2 where abs(e) <= delta, else delta * (abs(e) - delta / 2).

    Here e = y - p; P. J. Huber (1964). With the ½ the two branches meet at delta.

    Parameters
    ----------
    delta : float
        Error above which the loss grows linearly, in units of y.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.Huber(delta=1.0)([[0.0, 0.0]], [[0.5, 3.0]])
    1.3125
    """

    @keywords()
    def __init__(self, delta: float = 1.0, reduction: str = "sum_over_batch_size") -> None:
        self.delta = delta
        self.reduction = reduction


class LogCosh(Known, entry="log_cosh"):
    """Mean over the columns of ln(cosh(e)), e = p - y: e**2 / 2 near 0, abs(e) - ln 2 far away.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.LogCosh()([[0.0]], [[1.0]]), 6)
    0.433781
    """


class MeanAbsolutePercentageError(Known, entry="mape"):
    """Mean over the columns of 100 * abs(y - p) / max(abs(y), 1e-7).

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 5.0]])
    37.5
    """


class MeanSquaredLogarithmicError(Known, entry="msle"):
    """Mean over the columns of (ln(1 + y) - ln(1 + p))**2.

    y and p below 1e-7 count as 1e-7, where the slope is 0.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.MeanSquaredLogarithmicError()([[1.0]], [[3.0]]), 6)
    0.480453
    """


class Quantile(Known, entry="quantile"):
    """Mean over the columns of q (y - p) where y > p, else (1 - q) (p - y): the pinball loss.

    It is least where p is the quantile q of y; R. Koenker, G. Bassett (1978).

    Parameters
    ----------
    quantile : float
        q in [0, 1]; 0.5 gives half the mean absolute error.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.Quantile(0.75)([[1.0, 1.0]], [[0.0, 2.0]])
    0.5
    """

    @keywords()
    def __init__(self, quantile: float = 0.5, reduction: str = "sum_over_batch_size") -> None:
        self.quantile = quantile
        self.reduction = reduction


class Hinge(Known, entry="hinge"):
    """Mean over the columns of max(1 - y p, 0), y being -1 or 1; 0 counts as -1.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.0
    """


class SquaredHinge(Known, entry="squared_hinge"):
    """Mean over the columns of max(1 - y p, 0)**2, y being -1 or 1; 0 counts as -1.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])
    1.25
    """


class CategoricalHinge(Known, entry="categorical_hinge"):
    """max(max_j((1 - y_j) p_j) - sum_j y_j p_j + 1, 0) with one-hot targets.

    The right output is to be above every other one by 1.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]])
    0.75
    """

    _classifies = True


class Poisson(Known, entry="poisson"):
    """Mean over the columns of p - y ln(p + 1e-7): counts y of which p is the mean.

    Outputs must be positive: let the last activation be "exponential" or "softplus".

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.Poisson()([[2.0]], [[3.0]]), 6)
    0.802775
    """


class KLDivergence(Known, entry="kl_divergence"):
    """Kullback-Leibler divergence sum_j y_j ln(y_j / p_j) of two distributions.

    y and p are kept between 1e-7 and 1.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 6)
    0.143841
    """


class TweedieDeviance(Known, entry="tweedie"):
    """Mean over the columns of the deviance of Tweedie's distribution with mean p.

    2 (y**(2 - power) / ((1 - power) (2 - power)) - y p**(1 - power) / (1 - power)
    + p**(2 - power) / (2 - power)), as ``sklearn.metrics.mean_tweedie_deviance`` has it; its
    limits at 1 (Poisson's deviance) and 2 (`GammaDeviance`), and (y - p)**2 at 0. Powers between
    0 and 1, which belong to no distribution, give the formula's value. Outputs must be positive
    unless power is 0; y must be positive from power 2 on, and not negative above 0.

    Parameters
    ----------
    power : float
        The variance of y grows with p**power; between 1 and 2 for sums of random numbers of
        positive amounts, such as claims or rain.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.TweedieDeviance(power=1.5)([[1.0]], [[4.0]]), 6)
    2.0
    """

    @keywords()
    def __init__(self, power: float = 1.5, reduction: str = "sum_over_batch_size") -> None:
        self.power = power
        self.reduction = reduction


class GammaDeviance(Known, entry="gamma"):
    """Mean over the columns of 2 (ln(p / y) + y / p - 1): positive y whose scatter grows with p.

    Targets and outputs must be positive: let the last activation be "exponential" or "softplus".

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.GammaDeviance()([[1.0]], [[2.0]]), 6)
    0.386294
    """


class CosineSimilarity(Known, entry="cosine_similarity"):
    """-sum_j y_j p_j / (abs(y) abs(p)): -1 where the rows point one way, 1 where opposite.

    The sign is Keras's: less is better. Lengths below 1e-7 count as 1e-7, so a row of zeros
    gives 0.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]), 6)
    -1.0
    """


class Dice(Known, entry="dice"):
    """1 - 2 sum_j y_j p_j / (sum_j y_j + sum_j p_j + 1e-7), for each row.

    Keras takes the sums over the whole batch unless told ``axis=-1``.

    Parameters
    ----------
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.Dice()([[0.0, 1.0]], [[0.5, 0.5]]), 6)
    0.5
    """


class Tversky(Known, entry="tversky"):
    """1 - c / (c + alpha sum_j y_j (1 - p_j) + beta sum_j (1 - y_j) p_j + 1e-7), for each row.

    Here c = sum_j y_j p_j; S. Salehi et al. (2017). The coefficients stand where Keras has them:
    alpha weighs what the outputs miss, beta what they add. With 0.5 and 0.5 it is `Dice`. Keras
    takes the sums over the whole batch unless told ``axis=-1``.

    Parameters
    ----------
    alpha : float
        Weight of y (1 - p), at least 0.
    beta : float
        Weight of (1 - y) p, at least 0.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.Tversky(alpha=0.25, beta=0.75)([[0.0, 1.0]], [[0.5, 0.5]]), 6)
    0.5
    """

    @keywords()
    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: str = "sum_over_batch_size"
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.reduction = reduction


class BinaryCrossentropy(Known, entry="binary_crossentropy"):
    """Mean over the columns of -y ln(p) - (1 - y) ln(1 - p).

    Computed on the logits z as max(z, 0) - z y + log1p(exp(-abs(z))) where the last activation is
    a sigmoid or ``from_logits`` is True.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not a probability.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / 2.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]]), 6)
    0.693147
    >>> round(losses.BinaryCrossentropy(from_logits=True)([[1.0, 0.0]], [[2.0, -2.0]]), 6)
    0.126928
    """

    _classifies = True

    @keywords()
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
    ) -> None:
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.reduction = reduction


class BinaryFocalCrossentropy(Known, entry="binary_focal_crossentropy"):
    """Mean over the columns of m**gamma times the binary cross-entropy; T.-Y. Lin et al. (2017).

    m = y (1 - p) + (1 - y) p is what the output misses, so that easy rows count little. Computed
    on the logits where the last activation is a sigmoid or ``from_logits`` is True.

    Parameters
    ----------
    apply_class_balancing : bool
        Multiply by y alpha + (1 - y) (1 - alpha).
    alpha : float
        In [0, 1]: the weight of class 1, that of class 0 being 1 - alpha.
    gamma : float
        At least 0; 0 gives `BinaryCrossentropy`.
    from_logits : bool
        The network's output is z, not a probability.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / 2.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.BinaryFocalCrossentropy(gamma=2.0)([[1.0, 0.0]], [[0.5, 0.5]]), 6)
    0.173287
    """

    _classifies = True

    @keywords()
    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
    ) -> None:
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.reduction = reduction


class CategoricalCrossentropy(Known, entry="categorical_crossentropy"):
    """Cross-entropy -sum_j y_j ln(p_j) with one-hot or soft targets of k columns.

    Computed on the logits where the last activation is a softmax or ``from_logits`` is True.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not probabilities.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / k.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]), 6)
    0.693147
    """

    _classifies = True

    @keywords()
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
    ) -> None:
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.reduction = reduction


class CategoricalFocalCrossentropy(Known, entry="categorical_focal_crossentropy"):
    """-sum_j alpha (1 - p_j)**gamma y_j ln(p_j): rows that are right count little.

    Computed on the logits where the last activation is a softmax or ``from_logits`` is True.

    Parameters
    ----------
    alpha : float
        A factor of the whole loss, at least 0.
    gamma : float
        At least 0; 0 gives alpha times `CategoricalCrossentropy`.
    from_logits : bool
        The network's output is z, not probabilities.
    label_smoothing : float
        In [0, 1): y becomes y (1 - label_smoothing) + label_smoothing / k.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.CategoricalFocalCrossentropy()([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]), 6)
    0.043322
    """

    _classifies = True

    @keywords()
    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
    ) -> None:
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.reduction = reduction


class SparseCategoricalCrossentropy(Known, entry="sparse_categorical_crossentropy"):
    """Cross-entropy -ln(p_y) with one class number 0..k-1 a row.

    Loss and gradient equal those of `CategoricalCrossentropy` with one-hot targets.

    Parameters
    ----------
    from_logits : bool
        The network's output is z, not probabilities.
    ignore_class : int, optional
        Rows of this class, which need not be in 0..k-1, have loss and gradient 0 and do not count
        in the mean.
    reduction : str
        See the head of this module.

    Examples
    --------
    >>> from laminar import losses
    >>> round(losses.SparseCategoricalCrossentropy()([1], [[0.25, 0.5, 0.25]]), 6)
    0.693147
    """

    _classifies = True

    @keywords()
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = "sum_over_batch_size",
    ) -> None:
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.reduction = reduction


# Keras's functions: a number for each row, for losses and loops of one's own.
_DOC_OF_ROWS = """Return the loss of each row.

Parameters
----------
y_true, y_pred : array_like
    Targets and outputs, as `{0}` takes them.
**arguments
    Those of `{0}`.

Returns
-------
ndarray
    A number for each row; for tensors a tensor.

Raises
------
TypeError, ValueError
    Where shapes or values do not fit.

Examples
--------
>>> from laminar import losses
>>> losses.{1}({2}, [[0.25, 0.75]]).shape
(1,)
"""


def _rows_of(kind: type[Loss], name: str) -> OfRows:
    """Return a loss of the core's as a function, as Keras has it: a number for each row."""

    def loss(y_true: Any, y_pred: Any, **arguments: Any) -> Any:
        return kind(**arguments, reduction="none")(y_true, y_pred)

    loss.__name__ = loss.__qualname__ = name
    loss.__doc__ = _DOC_OF_ROWS.format(
        kind.__name__, name, "[1]" if "sparse" in name else "[[0, 1]]"
    )
    loss.__module__ = kind.__module__
    vars(loss)["loss_class"] = kind
    return loss


mean_squared_error = _rows_of(MeanSquaredError, "mean_squared_error")
mean_absolute_error = _rows_of(MeanAbsoluteError, "mean_absolute_error")
mean_absolute_percentage_error = _rows_of(
    MeanAbsolutePercentageError, "mean_absolute_percentage_error"
)
mean_squared_logarithmic_error = _rows_of(
    MeanSquaredLogarithmicError, "mean_squared_logarithmic_error"
)
huber = _rows_of(Huber, "huber")
log_cosh = _rows_of(LogCosh, "log_cosh")
hinge = _rows_of(Hinge, "hinge")
squared_hinge = _rows_of(SquaredHinge, "squared_hinge")
categorical_hinge = _rows_of(CategoricalHinge, "categorical_hinge")
poisson = _rows_of(Poisson, "poisson")
kl_divergence = _rows_of(KLDivergence, "kl_divergence")
cosine_similarity = _rows_of(CosineSimilarity, "cosine_similarity")
dice = _rows_of(Dice, "dice")
tversky = _rows_of(Tversky, "tversky")
binary_crossentropy = _rows_of(BinaryCrossentropy, "binary_crossentropy")
binary_focal_crossentropy = _rows_of(BinaryFocalCrossentropy, "binary_focal_crossentropy")
categorical_crossentropy = _rows_of(CategoricalCrossentropy, "categorical_crossentropy")
categorical_focal_crossentropy = _rows_of(
    CategoricalFocalCrossentropy, "categorical_focal_crossentropy"
)
sparse_categorical_crossentropy = _rows_of(
    SparseCategoricalCrossentropy, "sparse_categorical_crossentropy"
)


Identifier: TypeAlias = "str | Mapping[str, Any] | type[Loss] | Loss | Callable[[Any, Any], Any]"


def get(identifier: Identifier) -> Loss:
    """Return the loss that a user named.

    Parameters
    ----------
    identifier : str, mapping, Loss or callable
        A name such as ``"mse"``, a configuration ``{"name": "huber", "delta": 2.0}``, an object
        (returned as it is), or a function of (y_true, y_pred) that is written in `laminar.ops`.

    Raises
    ------
    TypeError, ValueError
        Where there is no such loss; the message names the nearest one.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.get("huber")
    Huber(delta=1.0, reduction='sum_over_batch_size')
    >>> losses.get({"name": "huber", "delta": 2.0})
    Huber(delta=2.0, reduction='sum_over_batch_size')
    """
    if _own_functions.is_program(identifier):
        return Function(**cast("Mapping[str, Any]", identifier))
    if callable(identifier) and not isinstance(identifier, (type, Component)):
        known = getattr(identifier, "loss_class", None)
        return Function(identifier) if known is None else known()
    return _component.get(Loss, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
