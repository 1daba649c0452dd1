# SPDX-License-Identifier: Apache-2.0
"""What a long command owes to whoever calls it.

Where it speaks (people read lines, a program wants one JSON object, a script nothing), that no
hour of work ends at a file that cannot be written, and what Ctrl-C and a diverging loss end in.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _saving
from .._printable import printable

if TYPE_CHECKING:
    from types import TracebackType

    from .._saving import Saving
    from ..callbacks import History

# What a user can do about; all else is a fault of the program and shows its traceback.
ERRORS = (OSError, ValueError, ImportError, FloatingPointError, MemoryError)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says who reads the output."""
    group = parser.add_argument_group("what is printed")
    group.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object for programs and nothing else; lines go to stderr",
    )
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")


def message(error: BaseException) -> str:
    """Return an error as a line for a user."""
    return str(error) or ("out of memory" if isinstance(error, MemoryError) else repr(error))


@contextlib.contextmanager
def answering(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Send what is printed to where it belongs, and at the end print the answer where it is JSON.

    Yields
    ------
    dict
        The answer, to be filled; it is printed at an error and at Ctrl-C too, with what has ended
        it as ``"error"``.
    """
    answer: dict[str, Any] = {}
    stdout = sys.stdout
    with contextlib.ExitStack() as stack:
        if arguments.quiet:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        elif arguments.json:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        try:
            yield answer
        except (*ERRORS, KeyboardInterrupt) as error:
            answer.setdefault("error", "interrupted" if _interrupts(error) else message(error))
            raise
        finally:
            if arguments.json and answer:
                print(json.dumps(_plain(answer), allow_nan=False), file=stdout)


def _interrupts(error: BaseException | None) -> bool:
    return isinstance(error, KeyboardInterrupt)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: what is no finite number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def check_outputs(arguments: argparse.Namespace, inputs: Iterable[str | None]) -> None:
    """Raise ValueError or OSError where a file that is asked for could not be written at the end.

    Parameters
    ----------
    arguments : Namespace
        Has ``save``, ``plot``, ``report`` and ``out_of_fold``, the files or None.
    inputs : iterable of str or None
        What is read, and so must not be written.
    """
    read = {os.path.realpath(path): path for path in inputs if path and os.path.exists(path)}
    taken: dict[str, str] = {}
    if arguments.save is not None:
        _saving.checked_path(arguments.save, "--save")
    for name in ("save", "plot", "report", "out_of_fold"):
        path = getattr(arguments, name)
        if path is None:
            continue
        option = name.replace("_", "-")
        place = os.path.realpath(path)
        if place in read:
            raise ValueError(f"--{option}: {path!r} is what is read; choose another file")
        if place in taken:
            raise ValueError(f"--{option}: {path!r} is the file of --{taken[place]} as well")
        taken[place] = option
        _check_writable(path, option)
    if arguments.plot is not None:
        _check_picture(arguments.plot)


def _check_writable(path: str, name: str) -> None:
    folder = os.path.dirname(path) or "."
    if not path or os.path.isdir(path):
        raise ValueError(f"--{name} must be a file, got {path!r}, a folder")
    if not os.path.isdir(folder):
        raise ValueError(f"--{name}: there is no folder {folder!r}")
    try:
        if os.path.exists(path):
            with open(path, "ab"):
                pass
        else:
            with open(path, "xb"):
                pass
            os.unlink(path)
        if name == "save":  # which is written beside the old file and then takes its place
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise OSError(f"--{name}: {path!r} cannot be written: {error.strerror}") from error


def _check_picture(path: str) -> None:
    """Raise where matplotlib is missing or has no such kind of file."""
    try:
        known = importlib.import_module("matplotlib.figure").Figure().canvas
    except ImportError:
        raise ImportError(
            "--plot: needs matplotlib, which is not installed; pip install laminar[plot] brings it"
        ) from None
    ending = os.path.splitext(path)[1].lstrip(".").lower()
    kinds = sorted(known.get_supported_filetypes())
    if ending and ending not in kinds:
        raise ValueError(f"--plot: {path!r} must end as one of {', '.join(kinds)}")


class Training(NamedTuple):
    """How a training went."""

    history: History
    best: int | None  # the epoch whose weights were kept, counted from 1; None kept the last ones
    interrupted: bool = False
    members: int = 1  # networks whose outputs are averaged; the history is the first one's
    apart: int = 0  # those of them that take numbers apart


class Stops:
    """Where training ends early: Ctrl-C keeps what there is, a diverging loss becomes advice.

    Parameters
    ----------
    model : Sequential or Model
        What is trained; before a first completed epoch an interrupt goes on, with a sentence.
    arguments : Namespace
        Those of the command.
    """

    def __init__(self, model: Saving, arguments: argparse.Namespace) -> None:
        self._model, self._arguments = model, arguments
        self.interrupted = False

    def __enter__(self) -> Stops:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, FloatingPointError):
            raise _diverged(error, self._arguments) from error
        if not _interrupts(error):
            return False
        if self._model.history is None or not self._model.history.epoch:
            raise KeyboardInterrupt(
                "interrupted before the first epoch had ended; nothing is saved"
            ) from None
        self.interrupted = True
        return True


def interrupted(training: Training, arguments: argparse.Namespace) -> str:
    """Return what a user who has interrupted training should know."""
    epochs = len(training.history.epoch)
    done = f"interrupted after {epochs} epoch{'s' * (epochs != 1)}"
    which = (
        "the weights of the last update"
        if training.best is None
        else f"the best weights, those of epoch {training.best}"
    )
    if training.members > 1:
        which = f"the mean of {training.members} networks, of the first {which}"
    if arguments.save is None:
        return f"{done}; --save FILE would have kept {which}"
    return f"{done}; {printable(arguments.save)} holds {which}"


def _diverged(error: FloatingPointError, arguments: argparse.Namespace) -> ValueError:
    """Return an error that says what helps where the loss is no longer finite."""
    rate = arguments.learning_rate
    slower = (
        "a smaller --learning-rate"
        if rate is None
        else f"--learning-rate {rate / 10:g} in place of {rate:g}"
    )
    return ValueError(
        f"training diverged, nothing is saved: {error}. What helps: {slower}, a larger "
        "--batch-size, or --drop COLUMN for columns with values that are wrong or far too large"
    )
