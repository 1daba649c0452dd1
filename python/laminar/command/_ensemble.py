# SPDX-License-Identifier: Apache-2.0
"""How many networks `laminar train` trains, and their training: at once, to one model.

Their outputs are averaged, which mostly is better than any one of them. They differ in the seeds of
weights and shuffling; the rows that are held out are the same.
"""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING, Any

from .._component import integer
from .._ensembles import ensemble
from .._many import fit_many
from ..callbacks import EarlyStopping, History
from ..layers import PiecewiseLinearEncoding
from ._manners import Stops, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._base_model import BaseModel
    from ..sequential import Sequential
    from ._choices import Plan

_MEMBERS = 5
# Rows times weights times epochs, for which five networks take no more than about a minute on two
# processors: 60,000 rows, 250 inputs and layers of 128 and 64 for 100 epochs, of which few are
# needed mostly.
_QUICK = 2.5e11
_MUCH_WORSE = 0.2  # of the least validation loss
_LIMIT = 2**64
_STRIDE = 0x9E3779B97F4A7C15  # far from what users give as seeds


def add_ensemble_argument(parser: argparse._ArgumentGroup) -> None:
    """Add how many networks there are."""
    parser.add_argument(
        "--ensemble",
        type=int,
        metavar="N",
        help=f"networks whose outputs are averaged; {_MEMBERS} where they take seconds, else 1",
    )


def checked(arguments: argparse.Namespace) -> int | None:
    """Return how many networks were asked for; None leaves it to `members`."""
    given = arguments.ensemble
    return None if given is None else integer(given, "--ensemble", minimum=1)


def members(arguments: argparse.Namespace, plan: Plan, rows: int, inputs: int, outputs: int) -> int:
    """Return how many networks to train on so many rows."""
    asked = checked(arguments)
    if asked is not None:
        return asked
    widths = [inputs, *arguments.layers, outputs]
    weights = sum(a * b for a, b in itertools.pairwise(widths))
    return _MEMBERS if rows * weights * plan.epochs <= _QUICK else 1


def seed_of(member: int, seed: int) -> int:
    """Return a member's seed; the first one has that of a network by itself."""
    return (seed + member * _STRIDE) % _LIMIT


def train(
    networks: Sequence[Sequential],
    data: tuple[Any, Any],
    validation: tuple[Any, Any] | None,
    arguments: argparse.Namespace,
    plan: Plan,
    finish: Callable[[Sequential], None],
) -> tuple[BaseModel, Training]:
    """Train networks, and return the model whose outputs are their mean, and how it went.

    Parameters
    ----------
    networks : list of Sequential
        Compiled ones.
    data, validation : tuple
        Inputs and targets; None where no rows are held out.
    arguments : Namespace
        Those of the command.
    plan : Plan
        How long to train.
    finish : callable
        What is done to each network after training.
    """
    stops = [
        EarlyStopping("val_loss", patience=plan.patience, restore_best_weights=True)
        for _ in networks
    ]
    options: dict[str, Any] = {
        "batch_size": arguments.batch_size,
        "epochs": plan.epochs,
        "validation_data": validation,
    }
    with Stops(networks[0], arguments) as stopped:
        if len(networks) == 1:
            callbacks = None if validation is None else stops
            networks[0].fit(*data, callbacks=callbacks, **options)
        else:
            each = [{"callbacks": [] if validation is None else [stop]} for stop in stops]
            fit_many(networks, *data, each=each, **options)
    trained = _worth(networks, stops) if stopped.interrupted else list(networks)
    for network in trained:
        finish(network)
    first = trained[0]
    best = None if validation is None else stops[networks.index(first)].best_epoch + 1
    history = first.history or History()
    apart = sum(any(isinstance(e, PiecewiseLinearEncoding) for e in n.layers) for n in trained)
    training = Training(history, best, stopped.interrupted, len(trained), apart)
    return (ensemble(trained) if len(trained) > 1 else first), training


def _worth(networks: Sequence[Sequential], stops: Sequence[EarlyStopping]) -> list[Sequential]:
    """Return the networks that an interrupt has not left as they were, or almost so."""
    least = min(stop.best for stop in stops)
    enough = least + _MUCH_WORSE * abs(least)
    pairs = zip(networks, stops, strict=True)
    return [n for n, stop in pairs if n.history and n.history.epoch and stop.best <= enough]
