# SPDX-License-Identifier: Apache-2.0
"""Callbacks that are no subclasses of laminar's: objects with the methods of one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ._base import Callback

if TYPE_CHECKING:
    from .._base_model import BaseModel

HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


def has_own(callback: object, name: str) -> bool:
    """Whether a callback answers a call itself, and not only by what a base class has for it.

    Keras's base, which is called Callback as well, answers every call by doing nothing.
    """
    if name in getattr(callback, "__dict__", ()):
        return True
    owner = next((c for c in type(callback).__mro__ if name in vars(c)), None)
    if owner is None:  # made by __getattr__, if there
        return callable(getattr(callback, name, None))
    return owner.__name__ != "Callback" and callable(getattr(callback, name, None))


def is_callback(candidate: object) -> bool:
    """Whether an object may be used as a callback: whether it has a method of one."""
    if isinstance(candidate, type):
        return False
    return isinstance(candidate, Callback) or any(has_own(candidate, name) for name in HOOKS)


class Adapted(Callback):
    """Hands the calls that an object answers on to it.

    Parameters
    ----------
    answering : object
        Has methods of a `Callback`. It gets the model by ``set_model``, if it has that, else as its
        attribute ``model``, and likewise ``params``.
    """

    answering: Any

    def __init__(self, answering: object) -> None:
        self.answering = answering
        for name in HOOKS:
            if has_own(answering, name):
                setattr(self, name, getattr(answering, name))

    def set_model(self, model: BaseModel[Any]) -> None:
        """Receive the model, before training begins."""
        self._hand_on("model", model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the training, before it begins."""
        self._hand_on("params", params)

    def _hand_on(self, name: str, value: object) -> None:
        setter = getattr(self.answering, f"set_{name}", None)
        if callable(setter):
            setter(value)
            return
        with contextlib.suppress(AttributeError):  # it has no room for it, and does not ask
            setattr(self.answering, name, value)

    def get_state(self) -> dict[str, Any]:
        """Return what the object wants to be kept, if it has such a method."""
        state = getattr(self.answering, "get_state", None)
        return dict(state()) if callable(state) else {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Hand it on."""
        setter = getattr(self.answering, "set_state", None)
        if callable(setter):
            setter(state)
