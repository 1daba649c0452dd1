# SPDX-License-Identifier: Apache-2.0
"""Callbacks made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .._spelling import keywords
from ._base import Callback, Logs

OfNumber: TypeAlias = "Callable[[int, Logs], object] | None"
OfLogs: TypeAlias = "Callable[[Logs], object] | None"


class LambdaCallback(Callback):
    """Calls functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called with ``(epoch, logs)``.
    on_train_begin, on_train_end : callable, optional
        Called with ``(logs)``.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Called with ``(batch, logs)``.
    on_test_begin, on_test_end, on_predict_begin, on_predict_end : callable, optional
        Called with ``(logs)``.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> seen = []
    >>> note = laminar.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    >>> history = model.fit(x, y, epochs=3, callbacks=[note], verbose=0)
    >>> seen
    [0, 1, 2]
    """

    @keywords(on_batch_begin="on_train_batch_begin", on_batch_end="on_train_batch_end")
    def __init__(
        self,
        on_epoch_begin: OfNumber = None,
        on_epoch_end: OfNumber = None,
        on_train_begin: OfLogs = None,
        on_train_end: OfLogs = None,
        on_train_batch_begin: OfNumber = None,
        on_train_batch_end: OfNumber = None,
        on_test_begin: OfLogs = None,
        on_test_end: OfLogs = None,
        on_predict_begin: OfLogs = None,
        on_predict_end: OfLogs = None,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            "on_test_begin": on_test_begin,
            "on_test_end": on_test_end,
            "on_predict_begin": on_predict_begin,
            "on_predict_end": on_predict_end,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be callable, got {function!r}")
            setattr(self, name, function)
