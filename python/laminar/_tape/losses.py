# SPDX-License-Identifier: Apache-2.0
"""Losses and penalties of tensors, whose gradients are the core's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..ops._held import Held, Tensor
from ..ops._tapes import listening, record, refused

if TYPE_CHECKING:
    from ..losses import Loss
    from ..regularizers import Regularizer


def called(loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any) -> Tensor:
    """Return the loss of tensors, whose gradient by the outputs is known; see `Loss.__call__`."""
    where = type(loss).__name__
    wanted = y_true._numbers() if isinstance(y_true, Held) else y_true
    outputs = y_pred._numbers() if isinstance(y_pred, Held) else y_pred
    weight = sample_weight._numbers() if isinstance(sample_weight, Held) else sample_weight
    wanted, flat, weights, shape = loss._read(wanted, outputs, weight)
    found, d_flat = _core.loss_and_gradient(loss._text(), wanted, flat, weights)
    value = np.asarray(found, flat.dtype)
    made = Tensor(value.reshape(shape) if value.ndim else value)

    def slopes(d_outputs: Sequence[Tensor | None], by: Sequence[int]) -> list[Tensor | None]:
        if by != [0]:
            raise ValueError(
                f"{where}: has no gradient by y_true and sample_weight; write the loss in "
                "laminar.ops, or let stop_gradient mark what is no variable"
            )
        d_loss = d_outputs[0]
        assert d_loss is not None
        gradient = d_flat
        if d_loss.shape or d_loss.item() != 1:
            gradient = d_flat * d_loss._numbers().reshape(-1, 1)  # one, or one for each row
        if gradient.shape != y_pred.shape or gradient.dtype != flat.dtype:
            gradient = np.ascontiguousarray(gradient.reshape(y_pred.shape), flat.dtype)
        back = Tensor(gradient)
        if listening():
            message = f"{where}: has no second derivative; write the loss in laminar.ops"
            record([y_pred, d_loss], [back], refused(message))
        return [back]

    record([y_pred, y_true, sample_weight], [made], slopes)
    return made


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
