# SPDX-License-Identifier: Apache-2.0
"""Ending quietly where training stops being finite."""

from __future__ import annotations

from ._base import Callback, Logs


class TerminateOnNaN(Callback):
    """Ends training quietly at a loss that is not finite; without it fit raises an error.

    The weights are the last finite ones, the broken epoch is not in the history, and the other
    callbacks end as they do after the last epoch.

    Attributes
    ----------
    reason : str or None
        What the error would have said: epoch, batch and loss. None after a training that was
        finite to its end.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile(laminar.optimizers.SGD(1e30), "mse")
    >>> end = laminar.callbacks.TerminateOnNaN()
    >>> history = model.fit(x, y, epochs=9, callbacks=[end], verbose=0)
    >>> len(history.epoch) < 9
    True
    """

    reason: str | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget earlier trainings."""
        self.reason = None
