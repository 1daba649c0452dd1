# SPDX-License-Identifier: Apache-2.0
"""``tf.nn``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._spelling import module_names
from ._functions import on_tensors, sigmoid, tanh, tensor

__all__ = [
    "dropout",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

elu = on_tensors(ops.elu)
gelu = on_tensors(ops.gelu)
log_softmax = on_tensors(ops.log_softmax)
relu = on_tensors(ops.relu)
relu6 = on_tensors(ops.relu6)
selu = on_tensors(ops.selu)
silu = swish = on_tensors(ops.silu)
softmax = on_tensors(ops.softmax)
softplus = on_tensors(ops.softplus)
softsign = on_tensors(ops.softsign)


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """Return x where it is positive, alpha * x elsewhere."""
    return ops.leaky_relu(tensor(features), alpha)


def dropout(x: Any, rate: float, name: str | None = None) -> Any:
    """Return the values, of which a share is 0 and the others are scaled up."""
    return ops.random.dropout(tensor(x), rate)


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """Return the cross entropy of each probability, given by its logit."""
    z = tensor(logits)
    return ops.softplus(z) - z * labels


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Any:
    """Return the cross entropy of each row of logits."""
    return -ops.sum(ops.log_softmax(tensor(logits), axis=axis) * labels, axis=axis)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
