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

Called on arrays, ``Huber(0.7)(y_true, y_pred, sample_weight=w)``, a loss gives what Keras gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

import numpy as np

from . import _arrays, _component, _core, _own_losses
from ._component import Component
from ._spelling import hint, keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

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
    "get",
]


class Loss(Component, family="loss"):
    """Base of all losses.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"}
        What becomes of the losses of rows; see the head of this module.
    """

    # Whether targets are classes: then laminar looks at them as classes where it warns.
    _classifies: ClassVar[bool] = False
    _missing: ClassVar[bool] = False  # some may be, see _heads.Skipping
    _own: ClassVar[bool] = False  # a class of the user's, or a function
    reduction: str

    @keywords()
    def __init__(self, name: str | None = None, reduction: str = "sum_over_batch_size") -> None:
        if not self._own:
            self._need_entry()
        if name is not None:
            self.name = name
        self.reduction = _checked_reduction(reduction, type(self).__name__)

    @classmethod
    def _derived_by_user(cls) -> None:
        if cls._entry or not callable(getattr(cls, "call", None)):
            super()._derived_by_user()
        cls._own = True
        # Some do not call the base's constructor.
        cls.name, cls.reduction = _own_losses.snake_case(cls.__name__), "sum_over_batch_size"

    if TYPE_CHECKING:
        name: str  # of those of the user's own

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Return the loss of each row, or their mean: for a class of one's own to define."""

    def __getstate__(self) -> dict[str, Any]:
        """Return all that pickle and copy take along."""
        return vars(self) if self._own else super().__getstate__()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        if self._own:
            vars(self).update(state)
        else:
            super().__setstate__(state)

    @keywords()
    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the loss of arrays, as Keras computes it.

        Parameters
        ----------
        y_true : array_like
            Targets of the shape of ``y_pred``; for a sparse loss class numbers, without its last
            axis or with 1 in its place.
        y_pred : array_like
            (…, k): a row for each index of the axes before the last. (k,) is one row.
        sample_weight : array_like, optional
            Weights of rows: one number, or an array of the shape of the rows or of its first axes.

        Returns
        -------
        float or ndarray
            The sum over the rows of weight times loss; divided by the number of rows with
            "sum_over_batch_size" and "mean", by the sum of weights with
            "mean_with_sample_weight". With "none" an array with weight times loss of each row,
            float32 where ``y_pred`` is float32, else float64. For tensors a tensor, which a
            `laminar.GradientTape` follows back to ``y_pred``.

        Raises
        ------
        TypeError, ValueError
            Where shapes or values do not fit.
        """
        held = getattr(y_pred, "_held", False) or getattr(y_true, "_held", False)
        if self._own:
            compute = self._of_tensors if held else self._of_arrays
            return compute(y_true, y_pred, sample_weight)
        if held:
            from ._tape import losses  # needed by few programs

            return losses.called(self, y_true, y_pred, sample_weight)
        wanted, flat, weights, shape = self._read(y_true, y_pred, sample_weight)
        value = _core.loss(json.dumps(self._spec()), wanted, flat, weights)
        return value.reshape(shape) if isinstance(value, np.ndarray) else value

    def _read(
        self, y_true: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, tuple[int, ...]]:
        """Return targets, outputs and weights as the core takes them, and the shape of the rows."""
        where = type(self).__name__
        outputs = _arrays.outputs(y_pred, f"{where}: y_pred")
        shape = outputs.shape[:-1]
        wanted = (
            _arrays.labels_like(y_true, f"{where}: y_true", shape)
            if self._labels
            else _arrays.targets_like(y_true, f"{where}: y_true", outputs)
        )
        weights = _arrays.weights_like(sample_weight, f"{where}: sample_weight", outputs)
        flat = outputs.reshape(-1, outputs.shape[-1])
        return wanted, flat, weights, shape

    def _of_tensors(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the same of tensors, which a tape follows."""
        from . import ops  # needed by few programs

        rows = self.call(y_true, y_pred)
        if len(rows.shape) > 1:
            rows = ops.mean(rows, axis=tuple(range(1, len(rows.shape))))
        if sample_weight is not None:
            rows = rows * sample_weight
        if self.reduction == "none":
            return rows
        if self.reduction == "sum":
            return ops.sum(rows)
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            return ops.sum(rows) / ops.sum(ops.broadcast_to(sample_weight, rows.shape))
        return ops.mean(rows)

    def _of_arrays(self, y_true: object, y_pred: object, sample_weight: object) -> Any:
        rows, weights = _own_losses.compared(self, y_true, y_pred, sample_weight)
        weighted = rows * weights
        if self.reduction == "none":
            return weighted
        by = {"sum": 1.0, "mean_with_sample_weight": float(weights.sum(dtype=np.float64))}
        return float(weighted.sum(dtype=np.float64)) / by.get(self.reduction, float(len(rows)))

    @property
    def _labels(self) -> bool:
        """Whether a target is one class number a row."""
        return not self._own and bool(_component.entries("loss")[self._entry]["labels"])


class _Known(Loss):
    """Base of the losses that the core has."""

    @keywords()
    def __init__(self, reduction: str = "sum_over_batch_size") -> None:
        self._need_entry()
        self.reduction = reduction


class Function(Loss):
    """A loss that is a function of the user's own, written in `laminar.ops`.

    A model traces it into a program, which its file holds: where it is loaded, the loss has the
    program in place of the function.

    Parameters
    ----------
    function : callable, optional
        Takes targets and outputs, a row for each sample, and returns a number for each row, several
        that count by their mean, or the mean over the rows.
    name : str, optional
        By default the function's own.
    reduction : str
        See the head of this module.
    program : mapping, optional
        In place of a function, what one was traced into.
    """

    _own = True

    @keywords()
    def __init__(
        self,
        function: Callable[[Any, Any], Any] | None = None,
        name: str | None = None,
        reduction: str = "sum_over_batch_size",
        program: Mapping[str, Any] | None = None,
    ) -> None:
        if (function is None) == (program is None):
            raise ValueError("losses.Function: takes either a function or a program")
        if function is not None:
            _own_losses.check_signature(function, "loss")
        self.function = function
        self.name = name or _own_losses.name_of(function, "loss") if function else name or "loss"
        self.reduction = _checked_reduction(reduction, "Function")
        self.program = None if program is None else dict(program)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function makes of targets and outputs."""
        if self.function is None:
            raise ValueError(f"{self!r} is a program of operations; its function is not known")
        return self.function(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return name, program and reduction; TypeError for a function, which has no program."""
        if self.program is None:
            raise TypeError(f"{self!r} has no configuration, as it is a function of Python's")
        return {"name": self.name, "reduction": self.reduction, "program": self.program}

    def _assign(self, name: str, value: object) -> None:
        vars(self)[name] = value

    def __repr__(self) -> str:
        return f"<loss {self.name}>"


def _checked_reduction(value: object, where: str) -> str:
    words = _component.entries("loss")["mse"]["words"]["reduction"]
    if not isinstance(value, str):
        raise TypeError(f"{where}: reduction must be one of {', '.join(words)}, got {value!r}")
    if value not in words:
        raise ValueError(f"{where}: unknown word {value!r}; {hint(value, words)}")
    return value


class MeanSquaredError(_Known, entry="mse"):
    """Mean over the columns of (y - p)**2, without a factor ½."""


class MeanAbsoluteError(_Known, entry="mae"):
    """Mean over the columns of abs(y - p); the slope at 0 is 0."""


class RootMeanSquaredError(_Known, entry="rmse"):
    """Root of the mean of (y - p)**2 over all rows and columns; the slope at zero error is 0.

    It is a function of the batch, not of a row: the root is taken of what the reduction leaves,
    of every row's mean with "none".
    """


class Huber(_Known, entry="huber"):
    """Mean over the columns of e**2 / 2 where abs(e) <= delta, else delta * (abs(e) - delta / 2).

    Here e = y - p; P. J. Huber (1964). With the ½ the two branches meet at delta.

    Parameters
    ----------
    delta : float
        Error above which the loss grows linearly, in units of y.
    reduction : str
        See the head of this module.
    """

    @keywords()
    def __init__(self, delta: float = 1.0, reduction: str = "sum_over_batch_size") -> None:
        self.delta = delta
        self.reduction = reduction


class LogCosh(_Known, entry="log_cosh"):
    """Mean over the columns of ln(cosh(e)), e = p - y: e**2 / 2 near 0, abs(e) - ln 2 far away."""


class MeanAbsolutePercentageError(_Known, entry="mape"):
    """Mean over the columns of 100 * abs(y - p) / max(abs(y), 1e-7)."""


class MeanSquaredLogarithmicError(_Known, entry="msle"):
    """Mean over the columns of (ln(1 + y) - ln(1 + p))**2.

    y and p below 1e-7 count as 1e-7, where the slope is 0.
    """


class Quantile(_Known, entry="quantile"):
    """Mean over the columns of q (y - p) where y > p, else (1 - q) (p - y): the pinball loss.

    It is least where p is the quantile q of y; R. Koenker, G. Bassett (1978).

    Parameters
    ----------
    quantile : float
        q in [0, 1]; 0.5 gives half the mean absolute error.
    reduction : str
        See the head of this module.
    """

    @keywords()
    def __init__(self, quantile: float = 0.5, reduction: str = "sum_over_batch_size") -> None:
        self.quantile = quantile
        self.reduction = reduction


class Hinge(_Known, entry="hinge"):
    """Mean over the columns of max(1 - y p, 0), y being -1 or 1; 0 counts as -1."""


class SquaredHinge(_Known, entry="squared_hinge"):
    """Mean over the columns of max(1 - y p, 0)**2, y being -1 or 1; 0 counts as -1."""


class CategoricalHinge(_Known, entry="categorical_hinge"):
    """max(max_j((1 - y_j) p_j) - sum_j y_j p_j + 1, 0) with one-hot targets.

    The right output is to be above every other one by 1.
    """

    _classifies = True


class Poisson(_Known, entry="poisson"):
    """Mean over the columns of p - y ln(p + 1e-7): counts y of which p is the mean.

    Outputs must be positive: let the last activation be "exponential" or "softplus".
    """


class KLDivergence(_Known, entry="kl_divergence"):
    """Kullback-Leibler divergence sum_j y_j ln(y_j / p_j) of two distributions.

    y and p are kept between 1e-7 and 1.
    """


class TweedieDeviance(_Known, entry="tweedie"):
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
    """

    @keywords()
    def __init__(self, power: float = 1.5, reduction: str = "sum_over_batch_size") -> None:
        self.power = power
        self.reduction = reduction


class GammaDeviance(_Known, entry="gamma"):
    """Mean over the columns of 2 (ln(p / y) + y / p - 1): positive y whose scatter grows with p.

    Targets and outputs must be positive: let the last activation be "exponential" or "softplus".
    """


class CosineSimilarity(_Known, entry="cosine_similarity"):
    """-sum_j y_j p_j / (abs(y) abs(p)): -1 where the rows point one way, 1 where opposite.

    The sign is Keras's: less is better. Lengths below 1e-7 count as 1e-7, so a row of zeros
    gives 0.
    """


class Dice(_Known, entry="dice"):
    """1 - 2 sum_j y_j p_j / (sum_j y_j + sum_j p_j + 1e-7), for each row.

    Keras takes the sums over the whole batch unless told ``axis=-1``.
    """


class Tversky(_Known, entry="tversky"):
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
    """

    @keywords()
    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: str = "sum_over_batch_size"
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.reduction = reduction


class BinaryCrossentropy(_Known, entry="binary_crossentropy"):
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


class BinaryFocalCrossentropy(_Known, entry="binary_focal_crossentropy"):
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


class CategoricalCrossentropy(_Known, entry="categorical_crossentropy"):
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


class CategoricalFocalCrossentropy(_Known, entry="categorical_focal_crossentropy"):
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


class SparseCategoricalCrossentropy(_Known, entry="sparse_categorical_crossentropy"):
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
    """
    if _own_losses.is_program(identifier):
        return Function(**cast("Mapping[str, Any]", identifier))
    if callable(identifier) and not isinstance(identifier, (type, Component)):
        return Function(identifier)
    return _component.get(Loss, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
