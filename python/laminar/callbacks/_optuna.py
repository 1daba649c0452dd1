# SPDX-License-Identifier: Apache-2.0
"""Trials of Optuna that end early."""

from __future__ import annotations

from typing import Any

from .._spelling import keywords
from ._base import Logs
from ._monitor import Monitoring
from ._outside import package


class OptunaPruning(Monitoring):
    """Reports a value of each epoch to a trial of Optuna, and ends it where Optuna says so.

    ``fit`` then raises ``optuna.TrialPruned``, which the study takes as it is meant. Needs
    ``pip install laminar[optuna]``.

    Parameters
    ----------
    trial : optuna.trial.Trial
        The trial that the study gives to its objective.
    monitor : str
        The key of the value, one of `History.history`; one that not every epoch has is reported
        when it is there.
    mode : {"auto", "min", "max"}
        Whether less or more of it is better, which must be the direction of the study.

    Raises
    ------
    ImportError
        Where Optuna is missing; the message says how to get it.
    TypeError, ValueError
        Where an argument is wrong; when training begins, where there is no such key, or the study
        goes the other way.

    Examples
    --------
    >>> import numpy as np, optuna
    >>> from laminar import Sequential, callbacks, layers
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> x, y = np.ones((64, 3)), np.ones(64)
    >>> def objective(trial):
    ...     model = Sequential([layers.Dense(trial.suggest_int("units", 1, 8)), layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     pruning = callbacks.OptunaPruning(trial, "val_loss")
    ...     history = model.fit(x, y, epochs=5, validation_split=0.25, callbacks=pruning, verbose=0)
    ...     return min(history.history["val_loss"])
    ...
    >>> study = optuna.create_study(pruner=optuna.pruners.MedianPruner())
    >>> study.optimize(objective, n_trials=3)
    >>> len(study.trials)
    3
    """

    @keywords()
    def __init__(self, trial: Any, monitor: str = "val_loss", mode: str = "auto") -> None:
        package("OptunaPruning", "optuna", "Optuna", "optuna")
        for name in ("report", "should_prune"):
            if not callable(getattr(trial, name, None)):
                raise TypeError(
                    "OptunaPruning: trial must be a trial of Optuna, which has report and "
                    f"should_prune, got {type(trial).__name__}"
                )
        self.trial = trial
        self.best = float("inf")
        self._set_monitor(monitor, mode)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the key, and that the study wants as little or as much of it as possible."""
        self._begin()
        directions = getattr(getattr(self.trial, "study", None), "directions", None)
        if directions is None:  # of a FixedTrial, which belongs to no study
            return
        if len(directions) > 1:
            raise ValueError(
                f"OptunaPruning: the study has {len(directions)} objectives, and Optuna prunes "
                "trials of one alone"
            )
        upwards = self._sign < 0
        if (directions[0].name == "MAXIMIZE") != upwards:
            wanted = "maximize" if upwards else "minimize"
            raise ValueError(
                f"OptunaPruning: of {self.monitor!r} {'more' if upwards else 'less'} is better, "
                f"but the study's direction is {directions[0].name.lower()}; give "
                f"create_study(direction={wanted!r}), or mode"
            )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the value; raise optuna.TrialPruned where the trial is to end."""
        value = self._value(logs)
        if value is None:
            return
        self.trial.report(value, step=epoch)
        if self.trial.should_prune():
            pruned = package("OptunaPruning", "optuna", "Optuna", "optuna").TrialPruned
            raise pruned(f"after epoch {epoch + 1}, with {self.monitor} {value:.6g}")
