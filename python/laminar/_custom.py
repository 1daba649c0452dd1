# SPDX-License-Identifier: Apache-2.0
"""Classes of the user's own by the names that files know them by.

A file needs none of them: it holds what they computed. Where one is known, what is loaded is of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T", bound=type)

_registered: dict[str, type[Any]] = {}


class _Scopes(threading.local):
    known: tuple[Mapping[str, type[Any]], ...] = ()


_scopes = _Scopes()


def find(name: str) -> type[Any] | None:
    """Return the class of a name: of the innermost scope that has it, or registered."""
    scopes: list[Mapping[str, type[Any]]] = [*reversed(_scopes.known), _registered]
    for scope in scopes:
        if name in scope:
            return scope[name]
    return None


def is_of_users(error: BaseException) -> bool:
    """Whether an error has come from a class that is known here, and not from a file."""
    known = {
        getattr(kind, "__module__", None)
        for scope in (*_scopes.known, _registered)
        for kind in scope.values()
    }
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in known:
            return True
        trace = trace.tb_next
    return False


@contextmanager
def custom_object_scope(objects: Mapping[str, type[Any]]) -> Iterator[None]:
    """Make classes of the user's own known by name, in a ``with`` block.

    Parameters
    ----------
    objects : mapping
        The classes by their names.

    Examples
    --------
    >>> import laminar
    >>> class Doubled(laminar.layers.Layer):
    ...     def call(self, inputs):
    ...         return 2.0 * inputs
    ...
    >>> laminar.Sequential([laminar.layers.Input(2), Doubled()]).save("doubled.safetensors")
    >>> with laminar.utils.custom_object_scope({"Doubled": Doubled}):
    ...     model = laminar.load_model("doubled.safetensors")
    ...
    >>> type(model.layers[0]).__name__
    'Doubled'
    """
    given: object = objects
    if not isinstance(given, Mapping):
        raise TypeError(
            "custom_objects must be a dict of classes by their names, such as {'Mine': Mine}, got "
            f"{type(given).__name__}"
        )
    before = _scopes.known
    _scopes.known = (*before, dict(given))
    try:
        yield
    finally:
        _scopes.known = before


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Decorate a class of the user's own, so that loaded models have layers of it.

    Parameters
    ----------
    package : str
        Accepted for Keras's sake.
    name : str, optional
        What files call it; the class's own name by default.

    Examples
    --------
    >>> import laminar
    >>> @laminar.utils.register_keras_serializable()
    ... class Halved(laminar.layers.Layer):
    ...     def call(self, inputs):
    ...         return 0.5 * inputs
    ...
    >>> laminar.Sequential([laminar.layers.Input(2), Halved()]).save("halved.safetensors")
    >>> type(laminar.load_model("halved.safetensors").layers[0]).__name__
    'Halved'
    """

    def decorate(kind: T) -> T:
        if not isinstance(kind, type):
            raise TypeError(f"register_keras_serializable: takes a class, got {kind!r}")
        _registered[name or kind.__name__] = kind
        return kind

    return decorate
