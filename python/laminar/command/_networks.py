# SPDX-License-Identifier: Apache-2.0
"""The networks that `laminar train` makes of a table, trained and put together to one model.

The target of a regression is scaled for training, and its scale then goes into the weights of the
last layer.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layers, losses, metrics, optimizers
from .._printable import printable, say
from .._tables.moments import settled, settled_moments
from ..sequential import Sequential
from . import _ensemble
from ._choices import WEIGHT_DECAY, edges_of, planned
from ._ensemble import members, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._tables import Survey
    from .._tables.table import Target
    from ._manners import Training
    from ._parts import Part

    Array = NDArray[Any]

# In standard deviations: inputs stay within, and of a regression's errors the part that is beyond
# counts by its amount and not its square, so that a wrong cell cannot outweigh all others.
_LIMIT = 8.0


def trained(
    train: Part, validation: Part, survey: Survey, arguments: argparse.Namespace
) -> tuple[BaseModel, Training]:
    """Return a trained model whose outputs are in the target's own unit, and how it went."""
    target = survey.table.target
    loss, watched = _loss(target, [part.y for part in (train, validation) if len(part.y)])
    plan = planned(arguments, len(train.x), len(validation.x), len(target.classes))

    mean_of, variance_of = settled_moments(survey, train.x)

    def prepared() -> list[layers.Layer]:
        """Return the layers that inputs go through before anything is learned."""
        normalization = layers.Normalization(mean=mean_of, variance=variance_of)
        return [normalization, layers.SmoothClip(_LIMIT)]

    edges = edges_of(survey.table, plan.bins, prepared(), train.x, _LIMIT)

    def network(member: int) -> Sequential:
        apart = edges is not None and (plan.all_apart or member % 2 == 0)
        model = Sequential(
            [
                layers.Input(survey.table.width),
                *prepared(),
                *([layers.PiecewiseLinearEncoding(edges)] if apart else []),
                *(layers.Dense(width, "relu") for width in arguments.layers),
                _last_layer(target),
            ],
            seed=seed_of(member, arguments.seed),
        )
        optimizer = optimizers.AdamW(arguments.learning_rate, weight_decay=WEIGHT_DECAY)
        model.compile(optimizer, loss, watched)
        return model

    y, held_y = train.y, validation.y
    if target.kind == "number":
        mean, deviation = float(settled(y).mean()), float(settled(y).std())
        if deviation <= 1e-13 * abs(mean):  # but for what sums leave of a constant
            raise ValueError(
                f"{printable(arguments.data)}: the target {printable(target.name)!r} is always "
                f"{mean:g} in the {len(y)} rows to train on: nothing to learn; train on more rows, "
                "or draw others with --seed"
            )
        y, held_y = (y - mean) / deviation, (held_y - mean) / deviation
        if np.abs(y).max() > _LIMIT:
            loss = losses.Huber(_LIMIT)

    def finish(model: Sequential) -> None:
        """Bring outputs into the target's own unit."""
        if target.kind == "number":
            weights, bias = model.layers[-1].get_weights()
            model.layers[-1].set_weights([weights * deviation, bias * deviation + mean])

    inputs = sum(len(each) - 1 for each in edges) if edges else survey.table.width
    count = members(arguments, plan, len(y), inputs, max(1, len(target.classes)))
    say(plan.described(count, edges is not None))
    networks = [network(member) for member in range(count)]
    held_out = (validation.x, held_y) if len(held_y) else None
    return _ensemble.train(networks, (train.x, y), held_out, arguments, plan, finish)


def _last_layer(target: Target) -> layers.Dense:
    if target.kind == "number":
        return layers.Dense(1)
    if len(target.classes) == 2:
        return layers.Dense(1, "sigmoid")
    return layers.Dense(len(target.classes), "softmax")


def _loss(target: Target, targets: list[Array]) -> tuple[str | losses.Loss, list[Any]]:
    """Return the loss, and those measures to show while it falls that the targets define."""
    if target.kind == "number":
        return "mse", [metrics.R2Score(name="r2")] * all(y.min() < y.max() for y in targets)
    if len(target.classes) == 2:
        both = all(y.min() < y.max() for y in targets)
        return "binary_crossentropy", ["accuracy", *([metrics.AUC()] if both else [])]
    return "sparse_categorical_crossentropy", ["accuracy"]
