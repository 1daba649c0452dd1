# SPDX-License-Identifier: Apache-2.0
"""The record of a training."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from .. import _plot
from .._spelling import late
from ._base import Callback, Logs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .._base_model import BaseModel

_PICTURE = "laminar._pictures.history"


class History(Callback):
    """The record of a training, which fit returns.

    Attributes
    ----------
    epoch : list of int
        The epochs completed, counted from 0.
    history : dict of list of float
        For each key (``loss``, metrics, and the same with ``val_``) one value an epoch, or one for
        each that was validated.

    Examples
    --------
    >>> from laminar import Sequential, layers
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse", metrics=["mae"])
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, verbose=0)
    >>> history.epoch, list(history.history)
    ([0, 1, 2], ['loss', 'mae'])
    """

    epoch: list[int]
    history: dict[str, list[float]]
    # The epochs of values that not every epoch has.
    _of: dict[str, list[int]]
    # What keys are called in pictures, of losses with their names.
    _titles: Mapping[str, str] = MappingProxyType({})

    def __init__(self) -> None:
        self.epoch = []
        self.history = {}
        self._of = {}

    # A model keeps its last history: a strong reference back would make a cycle, which delays
    # the release of the model's memory.
    def set_model(self, model: BaseModel[Any]) -> None:
        """Receive the model, before training begins."""
        self.model = cast("BaseModel[Any]", weakref.proxy(model))

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start empty."""
        self._titles = self.model._loss_titles()
        self.epoch = []
        self.history = {}
        self._of = {}

    def record(self) -> list[Any]:
        """Return what a file keeps of it, the arguments of `restore`."""
        gaps = {name: of for name, of in self._of.items() if len(of) < len(self.epoch)}
        return [self.epoch, self.history, *([gaps] if gaps else [])]

    def restore(
        self,
        epoch: list[int],
        history: dict[str, list[float]],
        gaps: Mapping[str, list[int]] = MappingProxyType({}),
    ) -> None:
        """Take over the record of an earlier training, to go on with it.

        Parameters
        ----------
        epoch : list of int
            The numbers of the epochs.
        history : dict
            Values by name.
        gaps : list
            As `record` has them.
        """
        self.epoch = list(epoch)
        self.history = {name: list(values) for name, values in history.items()}
        last = {name: self.epoch[len(self.epoch) - len(v) :] for name, v in self.history.items()}
        self._of = {**last, **{name: list(of) for name, of in gaps.items()}}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Append the values of one epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._of.setdefault(name, []).append(epoch)

    def _epochs(self) -> dict[str, list[int]]:
        """Return the epochs of each key's values."""
        return {name: self._of.get(name, self.epoch) for name in self.history}

    def __repr__(self) -> str:
        return f"<History: {late(_PICTURE).text(self._epochs(), self.history, self.epoch)}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: curves, and a table of epochs."""
        made: str = late(_PICTURE).html(self._epochs(), self.history, self._titles, self.epoch)
        return made

    def plot(self) -> Figure:
        """Draw each value against the epochs, those of training and validation in one picture.

        Needs matplotlib, ``pip install laminar[plot]``. Three panels stand side by side, further
        ones below. The epoch of the least validation loss, without validation of the least loss,
        is marked; validation is dashed, and the loss is called by its name.

        Returns
        -------
        matplotlib.figure.Figure
            One panel for the loss and one for each other key. Notebooks show it; nothing is
            written: ``history.plot().savefig("training.png")`` does that.

        Raises
        ------
        ImportError
            Where matplotlib is missing.
        ValueError
            Where no epoch has been trained.

        Examples
        --------
        >>> from laminar import Sequential, layers
        >>> model = Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, verbose=0)
        >>> [panel.get_ylabel() for panel in history.plot().axes]
        ['loss (mse)']
        """
        if not self.epoch:
            raise ValueError("History.plot: there is nothing to draw, no epoch has been trained")
        return _plot.history(self._epochs(), self.history, self._titles)
