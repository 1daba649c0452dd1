# SPDX-License-Identifier: Apache-2.0
"""What all losses have in common, and those that are functions of the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, overload

import numpy as np

from . import _arrays, _component, _core, _own_functions
from ._component import Component
from ._spelling import hint, keywords, late

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._types import Array
    from .ops._held import Held, Tensor

_TAPE = "laminar._tape.losses"


class Loss(Component, family="loss"):
    """Base of all losses.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"}
        What becomes of the losses of rows; see `laminar.losses`.
    name : str, optional
        What logs call a loss of one's own.

    Examples
    --------
    >>> from laminar import losses
    >>> losses.get("mse")([[1.0, 2.0]], [[1.0, 4.0]])
    2.0
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
        cls.name, cls.reduction = _own_functions.snake_case(cls.__name__), "sum_over_batch_size"

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

    @overload
    def __call__(
        self,
        y_true: ArrayLike | Held,
        y_pred: Held,
        sample_weight: ArrayLike | Held | None = None,
    ) -> Tensor: ...

    @overload
    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float | Array: ...

    @keywords()
    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | Held | None = None
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
            `laminar.GradientTape` follows back to ``y_pred``; within a loss of one's own a value of
            that.

        Raises
        ------
        TypeError, ValueError
            Where shapes or values do not fit.
        """
        if type(y_true) is np.ndarray and not self._own and getattr(y_pred, "_held", False):
            return late(_TAPE).called(self, y_true, y_pred, sample_weight)
        if getattr(y_pred, "_is_traced", False) or getattr(y_true, "_is_traced", False):
            from . import _losses_traced  # needed by few programs

            return _losses_traced.called(self, y_true, y_pred, sample_weight)
        held = getattr(y_pred, "_held", False) or getattr(y_true, "_held", False)
        if self._own:
            compute = self._of_tensors if held else self._of_arrays
            return compute(y_true, y_pred, sample_weight)
        if held:
            return late(_TAPE).called(self, y_true, y_pred, sample_weight)
        wanted, flat, weights, shape = self._read(y_true, y_pred, sample_weight)
        value = _core.loss(self._text(), wanted, flat, weights)
        return value.reshape(shape) if isinstance(value, np.ndarray) else value

    def _text(self) -> str:
        """Return the configuration that the core reads."""
        known = vars(self).get("_written")
        if known is None:
            known = vars(self)["_written"] = json.dumps(self._spec())
        return str(known)

    def _change(self, name: str, value: object) -> None:
        super()._change(name, value)
        vars(self).pop("_written", None)

    def _read(
        self, y_true: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, tuple[int, ...]]:
        """Return targets, outputs and weights as the core takes them, and the shape of the rows."""
        where = type(self).__name__
        if sample_weight is None and not self._labels and _arrays.are_ready(y_true, y_pred):
            return y_true, y_pred, None, y_pred.shape[:-1]  # as almost always
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
        rows, weights = _own_functions.compared(self, y_true, y_pred, sample_weight)
        weighted = rows * weights
        if self.reduction == "none":
            return weighted
        by = {"sum": 1.0, "mean_with_sample_weight": float(weights.sum(dtype=np.float64))}
        return float(weighted.sum(dtype=np.float64)) / by.get(self.reduction, float(len(rows)))

    @property
    def _labels(self) -> bool:
        """Whether a target is one class number a row."""
        return not self._own and bool(_component.entries("loss")[self._entry]["labels"])


class Known(Loss):
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
        See `laminar.losses`.
    program : mapping, optional
        In place of a function, what one was traced into.

    Examples
    --------
    >>> from laminar import losses
    >>> from laminar import ops
    >>> def pinball(y_true, y_pred):
    ...     e = y_true - y_pred
    ...     return ops.mean(ops.maximum(0.75 * e, -0.25 * e), axis=-1)
    ...
    >>> losses.Function(pinball)([[1.0, 1.0]], [[0.0, 2.0]])
    0.5
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
            _own_functions.check_signature(function, "loss")
        self.function = function
        self.name = name or _own_functions.name_of(function, "loss") if function else name or "loss"
        self.reduction = _checked_reduction(reduction, "Function")
        self.program = None if program is None else dict(program)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function makes of targets and outputs.

        Parameters
        ----------
        y_true, y_pred : value
            Targets and outputs, of arrays, tensors, or those of a trace.
        """
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


class OfRows(Protocol):
    """A loss as a function, which gives a number for each row."""

    @overload
    def __call__(self, y_true: ArrayLike | Held, y_pred: Held, **arguments: Any) -> Tensor: ...

    @overload
    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, **arguments: Any) -> Array: ...


def _checked_reduction(value: object, where: str) -> str:
    words = _component.entries("loss")["mse"]["words"]["reduction"]
    if not isinstance(value, str):
        raise TypeError(f"{where}: reduction must be one of {', '.join(words)}, got {value!r}")
    if value not in words:
        raise ValueError(f"{where}: unknown word {value!r}; {hint(value, words)}")
    return value
