# SPDX-License-Identifier: Apache-2.0
"""Progress as a callback."""

from __future__ import annotations

from .. import _progress
from .._spelling import keywords
from ._base import Callback


class ProgressBar(Callback):
    """Makes fit show its progress, whatever its own ``verbose`` says.

    It is Keras's ProgbarLogger, which is another name of it. Nothing is called between batches:
    the bar is drawn at most ten times a second, however short they are.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        As in fit: 1 draws a bar on a terminal or in a notebook, 2 prints one line an epoch.

    Examples
    --------
    >>> from laminar import Sequential, callbacks, layers
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit([[1.0]], [1.0], verbose=1, callbacks=callbacks.ProgressBar(verbose=0))
    """

    @keywords()
    def __init__(self, verbose: str | int = 1) -> None:
        _progress.style(verbose, "ProgressBar")
        self.verbose = verbose


ProgbarLogger = ProgressBar
