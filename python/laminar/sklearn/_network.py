# SPDX-License-Identifier: Apache-2.0
"""From an estimator's arguments to a `Sequential` that is compiled and has given weights.

scikit-learn minimizes sums over outputs where laminar takes means: laminar's loss is ``share``
times scikit-learn's. The penalty, the learning rate of SGD and Adam's epsilon are set so that each
update is the one that scikit-learn makes.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import losses, optimizers, regularizers
from ..layers import Activation, BatchNormalization, Dense, Dropout, Input
from ..sequential import Sequential
from ._parameters import dropout_rates, hidden_activations, hidden_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._multilayer import BaseMultilayer

# scikit-learn's names for activations of the output.
_OUTPUTS = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax", "exp": "exponential"}


class Target(NamedTuple):
    """A loss, and how it relates to what scikit-learn minimizes and to what it reports."""

    loss: losses.Loss
    share: float  # laminar's is so many times what scikit-learn minimizes
    factor: float  # what is reported is factor times laminar's


def target_of(loss: Any, outputs: int, activation: str) -> Target:
    """Return the loss that a user named."""
    match loss, activation:
        case "log_loss", "softmax":
            return Target(losses.SparseCategoricalCrossentropy(), 1, 1)
        case "log_loss", _:
            return Target(losses.BinaryCrossentropy(), 1 / outputs, outputs)
        case "squared_error", _:
            return Target(losses.MeanSquaredError(), 2 / outputs, 0.5)
        case "poisson", "exp":
            return Target(losses.Poisson(), 1 / outputs, outputs)
    return Target(losses.get(loss), 1, 1)


def build(
    estimator: BaseMultilayer,
    target: Target,
    weights: tuple[list[NDArray[Any]], list[NDArray[Any]]],
    seed: int,
) -> Sequential:
    """Return the compiled network of an estimator."""
    e = estimator
    sizes = hidden_sizes(e.hidden_layer_sizes)
    penalty = None if e.alpha == 0 else regularizers.L2(0.5 * float(e.alpha) * target.share)
    stack: list[Any] = [Input(shape=(e.n_features_in_,))]
    for size, activation, rate in zip(
        sizes,
        hidden_activations(e.activation, len(sizes)),
        dropout_rates(e.dropout, len(sizes)),
        strict=True,
    ):
        if e.batch_normalization:
            stack.append(Dense(size, kernel_regularizer=penalty))
            stack += [BatchNormalization(), Activation(activation)]
        else:
            stack.append(Dense(size, activation, kernel_regularizer=penalty))
        if rate > 0:
            stack.append(Dropout(rate))
    stack.append(Dense(e.n_outputs_, _OUTPUTS[e.out_activation_], kernel_regularizer=penalty))
    model = Sequential(stack, dtype=e._precision, seed=seed)
    model.compile(_optimizer(e, target.share), target.loss)
    set_weights(model, *weights)
    return model


def recipe(e: BaseMultilayer) -> dict[str, Any]:
    """Return the arguments that a network depends on; where one changes it is made anew."""
    network = ("hidden_layer_sizes", "activation", "dropout", "batch_normalization", "_precision")
    aim = ("loss", "alpha")
    rule = ("solver", "optimizer", "learning_rate", "learning_rate_init", "momentum")
    details = ("nesterovs_momentum", "beta_1", "beta_2", "epsilon")
    return {name: repr(getattr(e, name)) for name in (*network, *aim, *rule, *details)}


def dense_layers(model: Sequential) -> list[Dense]:
    """Return the layers whose weights are ``coefs_`` and ``intercepts_``."""
    return [layer for layer in model.layers if isinstance(layer, Dense)]


def get_weights(model: Sequential) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return copies of kernels and biases."""
    pairs = [layer.get_weights() for layer in dense_layers(model)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _places(model: Sequential) -> list[int]:
    """Return the numbers of the tensors of all kernels, then of all biases."""
    core = model._core("predict")
    known = vars(model).get("_dense_places")
    if known is None or known[0] is not core:
        firsts = [layer._part()[0] for layer in dense_layers(model)]
        known = core, [*firsts, *(first + 1 for first in firsts)]
        vars(model)["_dense_places"] = known
    places: list[int] = known[1]
    return places


def set_weights(model: Sequential, kernels: list[NDArray[Any]], biases: list[NDArray[Any]]) -> None:
    """Replace kernels and biases where they differ from the model's."""
    if model._core("predict").has_weights(_places(model), [*kernels, *biases]):  # as almost always
        return
    for layer, *wanted in zip(dense_layers(model), kernels, biases, strict=True):
        present = layer.get_weights()
        if not all(map(np.array_equal, wanted, present)):
            layer.set_weights(wanted)


def _optimizer(e: BaseMultilayer, share: float) -> optimizers.Optimizer:
    """Return an optimizer of the estimator's own."""
    if e.optimizer is not None:
        return copy.deepcopy(optimizers.get(e.optimizer))
    of_init = isinstance(e.learning_rate, str)
    rate: Any = e.learning_rate_init if of_init else e.learning_rate
    if e.solver == "adam":
        return optimizers.Adam(
            rate,
            beta_1=float(e.beta_1),
            beta_2=float(e.beta_2),
            epsilon=float(e.epsilon) * share,
        )
    return optimizers.SGD(
        rate / share if of_init else rate,
        momentum=float(e.momentum),
        nesterov=bool(e.nesterovs_momentum) and e.momentum > 0,
    )
