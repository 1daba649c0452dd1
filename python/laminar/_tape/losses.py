# SPDX-License-Identifier: Apache-2.0
"""Losses and penalties of tensors, whose gradients are the core's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..ops._held import ONES, Held, Tensor
from ..ops._tapes import listening, note, record, refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..losses import Loss
    from ..regularizers import Regularizer


def called(loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any) -> Tensor:
    """Return the loss of tensors, whose gradient by the outputs is known; see `Loss.__call__`."""
    ready = _core.loss_of_tensor(loss._text(), y_true, y_pred) if sample_weight is None else None
    if ready is not None:  # as almost always
        made, d_flat = ready
        note(_Compared(loss, y_true, y_pred, made, d_flat))
        return made  # type: ignore[no-any-return]
    wanted = y_true._numbers() if isinstance(y_true, Held) else y_true
    outputs = y_pred._numbers() if isinstance(y_pred, Held) else y_pred
    weight = sample_weight._numbers() if isinstance(sample_weight, Held) else sample_weight
    wanted, flat, weights, shape = loss._read(wanted, outputs, weight)
    made, d_flat = _core.loss_and_gradient(loss._text(), wanted, flat, weights)
    if made.ndim and made.shape != shape:
        made = Tensor(made._numbers().reshape(shape))
    slopes = _Compared(loss, y_true, y_pred, made, d_flat).slopes
    record([y_pred, y_true, sample_weight], [made], slopes)
    return made  # type: ignore[no-any-return]


class _Compared:
    """A loss, as a tape keeps it, whose gradient by the outputs is known: see `Node`."""

    applied = None

    def __init__(
        self, loss: Loss, y_true: Any, y_pred: Any, made: Tensor, d_flat: NDArray[Any]
    ) -> None:
        self.loss, self.y_pred, self.d_flat = loss, y_pred, d_flat
        self.inputs, self.outputs = (y_pred, y_true), (made,)

    def slopes(self, d_outputs: Sequence[Tensor | None], by: Sequence[int]) -> list[Tensor | None]:
        """Return the gradients; see `Node`."""
        where = type(self.loss).__name__
        if len(by) != 1 or by[0] != 0:
            raise ValueError(
                f"{where}: has no gradient by y_true and sample_weight; write the loss in "
                "laminar.ops, or let stop_gradient mark what is no variable"
            )
        d_loss, y_pred, gradient = d_outputs[0], self.y_pred, self.d_flat
        assert d_loss is not None
        dtype = gradient.dtype
        if d_loss is not ONES[dtype.itemsize]:
            gradient = gradient * d_loss._numbers().reshape(-1, 1)  # one, or one for each row
        if gradient.shape != y_pred.shape or gradient.dtype != dtype:
            gradient = np.ascontiguousarray(gradient.reshape(y_pred.shape), dtype)
        back = Tensor(gradient)
        if listening():
            message = f"{where}: has no second derivative; write the loss in laminar.ops"
            record([y_pred, d_loss], [back], refused(message))
        return [back]


def penalty(regularizer: Regularizer, x: Held) -> Tensor:
    """Return the penalty of a variable or a tensor, whose gradient is known."""
    spec, weights = json.dumps(regularizer._spec()), np.ascontiguousarray(x._numbers())
    made = Tensor(np.asarray(_core.penalty(spec, weights), x.dtype))

    def slopes(d_outputs: Sequence[Tensor | None], by: Sequence[int]) -> list[Tensor | None]:
        d_penalty = d_outputs[0]
        assert d_penalty is not None
        gradient = np.zeros_like(weights)
        _core.add_penalty_gradient(spec, weights, gradient)
        back = Tensor(gradient * d_penalty._numbers())
        if listening():
            name = type(regularizer).__name__
            message = f"{name}: has no second derivative; write the penalty in laminar.ops"
            record([x, d_penalty], [back], refused(message))
        return [back]

    record([x], [made], slopes)
    return made
