# SPDX-License-Identifier: Apache-2.0
"""How a training shows itself: not at all, as one line an epoch, or as a bar.

A bar is drawn on a terminal or in a notebook alone, at most ten times a second however short the
epochs are. tqdm is imported when the first bar is drawn. The library prints nowhere else unless
a function is asked to.
"""

from __future__ import annotations

import numbers
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TextIO

from ._printable import printable

REDRAW_SECONDS = 0.1


class Silent:
    """Shows nothing; the base of the others.

    Parameters
    ----------
    epochs : int
        The number of epochs, those before ``initial_epoch`` included.
    initial_epoch : int
        The first epoch, counted from 0.
    """

    # Whether progress within an epoch is wanted.
    within_epoch = False

    def __init__(self, epochs: int, initial_epoch: int) -> None:
        self.epochs = epochs
        self.initial_epoch = initial_epoch

    def batch(self, epoch: int, done: int, batches: int, logs: Mapping[str, float]) -> None:
        """Show progress within an epoch, counted from 0."""

    def epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Show a completed epoch, counted from 0."""

    def close(self) -> None:
        """Leave the screen in order, also after an error."""


class Lines(Silent):
    """Prints exactly one line an epoch."""

    def __init__(self, epochs: int, initial_epoch: int) -> None:
        super().__init__(epochs, initial_epoch)
        self._began = time.monotonic()

    def epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Print the line of a completed epoch."""
        now = time.monotonic()
        seconds, self._began = now - self._began, now
        print(f"Epoch {epoch + 1}/{self.epochs} - {seconds:.3g}s - {described(logs)}", flush=True)


class Bar(Silent):
    """Draws one tqdm bar over the whole training, from the first news on."""

    within_epoch = True

    def __init__(self, epochs: int, initial_epoch: int) -> None:
        super().__init__(epochs, initial_epoch)
        self._bar: Any = None
        self._began = time.time()
        self._drawn = 0.0

    def batch(self, epoch: int, done: int, batches: int, logs: Mapping[str, float]) -> None:
        """Move within an epoch whose end is known, and draw if the last drawing is long ago."""
        share = done / batches if batches else 0.0
        self._move(epoch, epoch - self.initial_epoch + share, logs)

    def epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Move to the end of an epoch, and draw if the last drawing is long enough ago."""
        self._move(epoch, epoch + 1 - self.initial_epoch, logs)

    def _move(self, epoch: int, position: float, logs: Mapping[str, float]) -> None:
        if self._bar is None:
            self._bar = _new_bar(self.epochs - self.initial_epoch)
            self._bar.start_t = self._began
        self._bar.n = position
        self._bar.set_description_str(f"Epoch {epoch + 1}/{self.epochs}", refresh=False)
        self._bar.set_postfix_str(described(logs), refresh=False)
        now = time.monotonic()
        if now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._bar.refresh()

    def close(self) -> None:
        """Draw the last state and end the line."""
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()


def described(logs: Mapping[str, object]) -> str:
    """Return logs as one line of text."""
    # A callback may have added what is no number.
    parts = (
        f"{name}: {float(value):.4g}" if isinstance(value, numbers.Real) else f"{name}: {value}"
        for name, value in logs.items()
    )
    return printable(" - ".join(parts))


def style(verbose: object, where: str = "fit") -> type[Silent]:
    """Return the kind of display that a user asked for.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        0 is silent, 2 one line an epoch; 1 and "auto" draw a bar where one can be drawn, and
        are like 2 elsewhere.
    where : str
        The function that was called, for error messages.

    Raises
    ------
    ValueError
        For other values of ``verbose``.
    """
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"{where}: verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
    if verbose == 0 or sys.stdout is None:
        return Silent
    if verbose != 2 and (_is_terminal(sys.stdout) or _in_notebook()):
        return Bar
    return Lines


def _is_terminal(stream: TextIO) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _new_bar(total: int) -> Any:
    tqdm = import_module("tqdm").tqdm
    # Drawing is timed here; tqdm's watching thread would only stand in the way of a fork.
    kind = type("Bar", (tqdm,), {"monitor_interval": 0})
    return kind(
        total=total,
        delay=1e-9,  # nothing is drawn before the first position is known
        file=sys.stdout,
        dynamic_ncols=True,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
    )
