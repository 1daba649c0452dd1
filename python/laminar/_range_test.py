# SPDX-License-Identifier: Apache-2.0
"""The learning-rate range test: one update with each of ever larger rates.

It works on a copy of the model with the same weights and a fresh optimizer, so that the model
itself cannot change.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _plot
from ._compiled import Compiled
from ._component import integer, number
from ._spelling import late

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._rows import Rows
    from ._training import Training

# How much of the smoothed loss each new one leaves, and the growth that ends the test.
_MEMORY = 0.9
_DIVERGED = 4.0
# How far below the rate of the least loss the suggestion is. The steepest fall would be Smith's
# choice, but on short tests noise at the smallest rates is steeper.
_MARGIN = 10.0


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test saw.

    Attributes
    ----------
    rates : list of float
        The rates tried, ascending; fewer than asked for where the loss diverged.
    losses : list of float
        The loss of a batch before its update with the rate beside it.
    smoothed : list of float
        The running mean of the losses, corrected for its start.
    suggestion : float
        A tenth of the rate at which the smoothed loss is least: there it still falls, and noise
        has not begun to make it rise. NaN where the loss did not fall.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the losses against the rates."""
        made: str = late("laminar._pictures.rates").html(
            self.rates, self.losses, self.smoothed, self.suggestion
        )
        return made

    def plot(self) -> Figure:
        """Draw the losses against the rates; needs matplotlib, ``pip install laminar[plot]``.

        Returns
        -------
        matplotlib.figure.Figure
            Nothing is shown or written.

        Raises
        ------
        ImportError
            Where matplotlib is missing.
        """
        return _plot.rates(self.rates, self.losses, self.smoothed, self.suggestion)


def run(
    model: Training,
    compiled: Compiled,
    rows: Rows,
    batch_size: int,
    start: float,
    end: float,
    steps: int,
) -> RangeTest:
    """Make the test; ValueError or TypeError where an argument is wrong."""
    where = "find_learning_rate"
    first, last = number(start, f"{where}: start"), number(end, f"{where}: end")
    if not 0 < first < last:
        raise ValueError(f"{where}: 0 < start < end is needed, got {start!r} and {end!r}")
    steps = integer(steps, f"{where}: steps", minimum=2)
    planned = np.geomspace(first, last, steps).tolist()

    twin = _copy(model, compiled, rows, planned[0])
    weights = _of_mean_one(rows, compiled)
    generator = np.random.default_rng(model.seed)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    order = generator.permutation(rows.length)
    for rate in planned:
        if len(order) < batch_size:  # the rest of an epoch is left out: its losses are noisier
            order = generator.permutation(rows.length)
        batch, order = order[:batch_size], order[batch_size:]
        assert twin.optimizer is not None
        twin.optimizer.learning_rate = rate
        weight = None if weights is None else weights[batch]
        try:
            value = twin.train_on_batch(rows.x[batch], rows.y[batch], weight, return_dict=True)
        except FloatingPointError:
            break
        except ValueError as error:  # what only the core finds wrong with the data
            raise ValueError(str(error).replace("train_on_batch", where)) from None
        rates.append(rate)
        losses.append(value["loss"])
        # mean of the last ones, as if it had begun with the first loss and not with 0
        mean = _MEMORY * mean + (1 - _MEMORY) * losses[-1]
        smoothed.append(mean / (1 - _MEMORY ** len(losses)))
        if len(losses) > 1 and smoothed[-1] > _DIVERGED * min(smoothed):
            break
    if not rates:
        raise ValueError(f"{where}: the loss is not finite even with the rate {first:g}")
    return RangeTest(rates, losses, smoothed, _suggested(rates, losses, smoothed))


def _suggested(rates: list[float], losses: list[float], smoothed: list[float]) -> float:
    """Return the rate to suggest, and warn where the test does not show one."""
    where = "find_learning_rate"
    least = int(np.argmin(smoothed))
    rate = rates[least] / _MARGIN
    # The losses of batches scatter, by how much tell those at rates far below the best one; a
    # smoothed loss that is lower by less has not fallen.
    half = least // 2 + 1
    scatter = float(np.median(np.abs(np.diff(losses[: max(half, 5)])))) if len(losses) > 2 else 0.0
    start = float(np.mean(losses[:half]))
    advice = None
    if not smoothed[least] < start - scatter:
        rate = float("nan")
        advice = (
            f"the loss fell at no rate from {rates[0]:g} to {rates[-1]:g}, so there is none to "
            "suggest; try a smaller start or a larger end, more steps, or scaled inputs"
        )
    elif rate < rates[0]:
        rate = rates[0]
        advice = (
            f"the loss was least at {rates[least]:g}, so near the start that a smaller rate may be "
            "better; try a smaller start"
        )
    if advice is not None:
        warnings.warn(f"{where}: {advice}", UserWarning, stacklevel=5)  # its caller
    return rate


def _of_mean_one(rows: Rows, compiled: Compiled) -> Any:
    """Return the rows' weights divided by their mean, as fit takes them; None stays None."""
    if rows.weight is None:
        return None
    ignored = getattr(compiled.target, "ignore_class", None)
    counted = rows.weight if ignored is None else rows.weight[rows.y != ignored]
    mean = counted.mean(axis=0, dtype=np.float64) if len(counted) else np.float64(0)
    return rows.weight / np.where(mean > 0, mean, 1).astype(rows.weight.dtype)


def _copy(model: Training, compiled: Compiled, rows: Rows, rate: float) -> Training:
    """Return a model with the same weights, its optimizer fresh and of a constant rate."""
    optimizer = compiled.optimizer
    settings = {**optimizer.get_config(), "learning_rate": rate}
    # Of layers of the user's own a built model has the programs, a configuration their classes.
    own = model._model is not None and any(layer._own for layer in model.layers)
    twin = copy.copy(model) if own else type(model).from_config(model.get_config())
    # As compile does, but without its advice, which the user has had.
    twin._compiled = compiled.without_metrics(optimizer.from_config(settings), twin)
    if twin._model is None:
        twin._build(rows.x.shape[1:])
    else:
        twin._compiled.apply(twin._model)
    if model._model is not None:
        twin.set_weights(model.get_weights())
    return twin
