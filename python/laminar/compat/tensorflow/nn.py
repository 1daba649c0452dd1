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
    """Return x where it is positive, alpha * x elsewhere.

    Parameters
    ----------
    features : value
        A tensor or an array of any shape.
    alpha : float
        The slope of negative values.
    name : str, optional
        Accepted for TensorFlow's sake.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.nn.leaky_relu([-1.0, 2.0], alpha=0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return ops.leaky_relu(tensor(features), alpha)


def dropout(x: Any, rate: float, name: str | None = None) -> Any:
    """Return the values, of which a share is 0 and the others are scaled up.

    Parameters
    ----------
    x : value
        A tensor, an array or a number.
    rate : float
        The share that becomes 0, in [0, 1).
    name : str, optional
        Accepted for TensorFlow's sake.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.nn.dropout([1.0, 2.0], 0.0)
    Tensor([1., 2.], dtype=float32)
    """
    return ops.random.dropout(tensor(x), rate)


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """Return the cross entropy of each probability, given by its logit.

    Parameters
    ----------
    labels : value
        Targets, of the shape of the logits.
    logits : value
        Outputs before the activation.
    name : str, optional
        Accepted for TensorFlow's sake.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.nn.sigmoid_cross_entropy_with_logits([1.0], [0.0]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    z = tensor(logits)
    return ops.softplus(z) - z * labels


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Any:
    """Return the cross entropy of each row of logits.

    Parameters
    ----------
    labels : value
        Targets, of the shape of the logits.
    logits : value
        Outputs before the activation.
    axis : int
        The axis along which.
    name : str, optional
        Accepted for TensorFlow's sake.

    Examples
    --------
    >>> import laminar.compat.tensorflow as tf
    >>> tf.nn.softmax_cross_entropy_with_logits([[1.0, 0.0]], [[0.0, 0.0]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    return -ops.sum(ops.log_softmax(tensor(logits), axis=axis) * labels, axis=axis)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
