# SPDX-License-Identifier: Apache-2.0
"""Going on with a training that a file holds.

Everything is compared before the file's training takes the place of the model's, and a call that is
refused before its first update puts the model's own back.
"""

from __future__ import annotations

import json
import os
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _core
from ._printable import listed, printable
from ._saving import notes_of

if TYPE_CHECKING:
    from ._guard import CoreModel
    from ._saving import Saving
    from .callbacks import History
    from .callbacks._list import CallbackList


# What fit changes of a model beside its training.
_CHANGED = ("history", "feature_names", "class_names", "_texts")


class Resumed:
    """A fit that goes on where a file stopped, or without a file one of its own.

    Attributes
    ----------
    stopped : bool
        A callback had ended the file's training.
    class_names : tuple of str or None
        What the file's classes are called.
    """

    stopped = False
    class_names: tuple[str, ...] | None = None
    _other: CoreModel | None = None
    _notes: dict[str, Any] | None = None
    _arrays: Any = None

    def __init__(
        self,
        model: Saving,
        core: CoreModel,
        path: str | os.PathLike[str] | None,
        calls: CallbackList,
        history: History,
        class_names: tuple[str, ...] | None,
    ) -> None:
        self._model, self._core, self._path = model, core, path
        self._calls, self._history, self._given = calls, history, class_names
        self._previous = {name: getattr(model, name) for name in _CHANGED}

    def __enter__(self) -> Resumed:
        if self._path is not None:
            other, texts, self._arrays = _core.load_model(os.fspath(self._path))
            check_like(self._core, other, os.fspath(self._path))
            notes = notes_of(texts)
            if notes is not None:
                self.class_names = kept_classes(notes, self._given, os.fspath(self._path))
            if notes is not None and notes["callbacks"] is not None:  # saved while fit was running
                self._calls.check(notes["callbacks"])
                self.stopped = bool(notes["stop_training"])
            self._notes = notes
            self._exchange(other)
        self._iterations = self._core.iterations
        return self

    def restore(self) -> None:
        """Give history and callbacks what the file has of them."""
        if self._notes is None:
            return
        if self._notes["history"] is not None:
            self._history.restore(*self._notes["history"])
        if self._notes["callbacks"] is not None:
            self._calls.restore(self._notes["callbacks"], self._arrays)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        refused = isinstance(error, (TypeError, ValueError))
        if refused and self._core.iterations == self._iterations:
            for name, value in self._previous.items():
                setattr(self._model, name, value)
            if self._other is not None:
                self._exchange(self._other)

    def _exchange(self, other: CoreModel) -> None:
        self._core.exchange(other)  # type: ignore[arg-type]  # of one dtype, which was compared
        self._model._seed = self._core.seed
        self._other = other


def kept_classes(
    notes: dict[str, Any], given: tuple[str, ...] | None, path: str
) -> tuple[str, ...] | None:
    """Return the names of a file's classes; ValueError where numbers now stand for others."""
    if notes.get("class_names") is None:  # files of earlier versions have no such key
        return None
    kept = tuple(map(str, notes["class_names"]))
    if given is not None and kept != given:
        raise ValueError(
            f"fit: resume: {path!r} was trained on the classes {listed(kept[:10])}; "
            f"y has {listed(given[:10])}"
        )
    return kept


def check_like(mine: CoreModel, other: CoreModel, path: str) -> None:
    """Raise ValueError where a file holds another model, or one that is trained differently."""
    where = f"fit: resume: {path!r}"
    if type(mine) is not type(other):
        raise ValueError(f"{where} holds a model of another dtype")
    if mine.precision != other.precision:
        raise ValueError(
            f"{where} holds a model of precision {other.precision}, this one's is {mine.precision}"
        )
    if other.quantization is not None:
        raise ValueError(
            f"{where} holds weights of {other.quantization}, which quantize has rounded for "
            "inference: training goes on from a file of before"
        )
    own, kept = mine.compiled_with, other.compiled_with
    if own is None or kept is None:
        raise ValueError(f"{where} holds no training: the model was saved without its optimizer")
    if mine.config != other.config:
        raise ValueError(f"{where} holds another model: its layers are {printable(other.config)}")
    others = _choices(*kept)
    for name, here in _choices(*own).items():
        if _fixed(here) != _fixed(others[name]):
            theirs, ours = (json.dumps(_shown(value)) for value in (others[name], here))
            if theirs == ours:
                theirs += ", of other operations"
            raise ValueError(
                f"{where} was compiled with {name} {printable(theirs)}, the model with {ours}"
            )


def _choices(heads: str, optimizer: str, ignore_nan: bool) -> dict[str, Any]:
    """Return what a model is compiled with by the arguments of compile."""
    each = json.loads(heads)
    parts = {
        "loss": [head.get("loss") for head in each],
        "loss_weights": [head["weight"] for head in each],
        "metrics": [head["metrics"] for head in each],
    }
    choices = parts if len(each) > 1 else {name: values[0] for name, values in parts.items()}
    return {**choices, "optimizer": json.loads(optimizer), "ignore_nan": ignore_nan}


def _shown(value: Any) -> Any:
    """Return a configuration with as many operations as a program has in place of it."""
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{len(each['steps'])} operations" if key == "program" else _shown(each)
        for key, each in value.items()
    }


def _fixed(spec: Any) -> Any:
    """Return a configuration without the learning rate, which callbacks may have changed."""
    if isinstance(spec, dict) and not isinstance(spec.get("learning_rate"), dict):
        return {key: value for key, value in spec.items() if key != "learning_rate"}
    return spec
