# SPDX-License-Identifier: Apache-2.0
"""How a training shows itself: not at all, as lines, or as a bar.

A bar is drawn on a terminal or in a notebook alone, at most ten times a second however short the
epochs are, and leaves one line with all values. tqdm is imported when the first bar on a terminal
is drawn; a notebook's bar is HTML, which needs no widgets. The library prints nowhere else unless a
function is asked to.
"""

from __future__ import annotations

import math
import numbers
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TextIO

from ._printable import printable, say
from ._progress_line import State, complete, fitted
from ._spelling import late

REDRAW_SECONDS = 0.1
# Of a long training whose lines go to a file: all lines of the first so many epochs, then every
# tenth, then every hundredth; and one after so many seconds in any case.
_WHOLE = 30
_FIRST = 10
_PATIENCE = 60.0


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
        """Print the line of a completed epoch, and the seconds since the last line."""
        now = time.monotonic()
        seconds, self._began = now - self._began, now
        print(f"Epoch {epoch + 1}/{self.epochs} - {seconds:.3g}s - {described(logs)}", flush=True)


class FewLines(Lines):
    """Prints one line an epoch of a short training, and ever fewer of a long one."""

    _held: tuple[int, dict[str, float]] | None = None

    def epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Print the line of a completed epoch if it is due."""
        done = epoch + 1 - self.initial_epoch
        every = 10 ** max(0, math.floor(math.log10(max(done - 1, 1) / _FIRST)) + 1)
        due = self.epochs - self.initial_epoch <= _WHOLE or done % every == 0
        if due or epoch + 1 == self.epochs or time.monotonic() - self._began >= _PATIENCE:
            self._held = None
            super().epoch(epoch, logs)
        else:
            self._held = epoch, dict(logs)

    def close(self) -> None:
        """Print the line of the last epoch, where training has ended early."""
        if self._held is not None:
            (epoch, logs), self._held = self._held, None
            super().epoch(epoch, logs)


class Moving(Silent):
    """Base of what is drawn again and again in one place."""

    within_epoch = True

    def __init__(self, epochs: int, initial_epoch: int) -> None:
        super().__init__(epochs, initial_epoch)
        self._began = time.time()
        self._drawn = 0.0
        self._state: State | None = None

    def batch(self, epoch: int, done: int, batches: int, logs: Mapping[str, float]) -> None:
        """Move within an epoch whose end is known, and draw if the last drawing is long ago."""
        share = done / batches if batches else 0.0
        self._move(epoch, epoch - self.initial_epoch + share, logs)

    def epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Move to the end of an epoch, and draw if the last drawing is long enough ago."""
        self._move(epoch, epoch + 1 - self.initial_epoch, logs)

    def _move(self, epoch: int, position: float, logs: Mapping[str, float]) -> None:
        share = position / max(self.epochs - self.initial_epoch, 1)
        values = {printable(name): _texts(value) for name, value in logs.items()}
        seconds = time.time() - self._began
        self._state = State(epoch + 1, self.epochs, share, seconds, values)
        now = time.monotonic()
        if now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._draw(self._state)

    def _draw(self, state: State) -> None:
        raise NotImplementedError


class Bar(Moving):
    """Draws one tqdm bar over the whole training, from the first news on."""

    _bar: Any = None

    def _draw(self, state: State) -> None:
        if self._bar is None:
            self._bar = _new_bar()
            self._bar.start_t = self._began
        before, behind = fitted(state, self._width())
        self._bar.n = min(state.share, 1.0)
        parts = [text and text.replace("{", "{{").replace("}", "}}") for text in (before, behind)]
        self._bar.bar_format = parts[0] if behind is None else f"{parts[0]}{{bar}}{parts[1]}"
        self._bar.refresh()

    def _width(self) -> int | None:
        width: int | None = self._bar.format_dict["ncols"]
        return width

    def close(self) -> None:
        """Draw the last state, with all that the logs have, and end the line."""
        if self._state is None:
            return
        self._draw(self._state)
        if fitted(self._state, self._width()).behind is None:
            self._bar.leave = False  # which takes it away
            self._bar.close()
            say(complete(self._state))
        else:
            self._bar.close()


class Display(Moving):
    """Shows one bar in a notebook's output, and text where that shows no HTML."""

    _handle: Any = None

    def _draw(self, state: State) -> None:
        page = late("laminar._pictures.progress")
        shown = {"text/plain": complete(state), "text/html": page.html(state)}
        if self._handle is None:
            display = import_module("IPython.display").display
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def close(self) -> None:
        """Show the last state."""
        if self._state is not None:
            self._draw(self._state)


def message(text: str) -> None:
    """Print a line of a callback's, above the bar where one is drawn."""
    tqdm = sys.modules.get("tqdm")  # imported where a bar has been drawn
    if tqdm is None:
        say(text)
    else:
        tqdm.tqdm.write(text, file=sys.stdout)


def described(logs: Mapping[str, object]) -> str:
    """Return logs as one line of text."""
    # A callback may have added what is no number.
    parts = (
        f"{name}: {float(value):.4g}" if isinstance(value, numbers.Real) else f"{name}: {value}"
        for name, value in logs.items()
    )
    return printable(" - ".join(parts))


def _texts(value: object) -> tuple[str, str]:
    """Return a value as text of four digits and of two."""
    if isinstance(value, numbers.Real):
        return f"{float(value):.4g}", f"{float(value):.2g}"
    return printable(value), printable(value)


def style(verbose: object, where: str = "fit") -> type[Silent]:
    """Return the kind of display that a user asked for.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        0 is silent, 2 one line an epoch; 1 and "auto" draw a bar where one can be drawn, and
        print lines elsewhere, of a long training not all.
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
    if verbose == 2:
        return Lines
    if _in_notebook():
        return Display
    return Bar if _is_terminal(sys.stdout) else FewLines


def _is_terminal(stream: TextIO) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _new_bar() -> Any:
    tqdm = import_module("tqdm").tqdm
    # Drawing is timed here; tqdm's watching thread would only stand in the way of a fork.
    kind = type("Bar", (tqdm,), {"monitor_interval": 0})
    return kind(
        total=1.0,
        delay=1e-9,  # nothing is drawn before the first position is known
        file=sys.stdout,
        dynamic_ncols=True,
    )
