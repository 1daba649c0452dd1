# SPDX-License-Identifier: Apache-2.0
"""What assigning to an attribute does, the same for models, layers, losses, callbacks and the rest.

The attributes of an object are the arguments of its constructor and those its class declares. A
misspelt one is refused with the nearest right name, and what a constructor would refuse is refused
as well, so that an assignment either takes effect or says why it does not. Names that begin with
``_`` are free, and so are all names in classes of the user's own.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from ._spelling import argument_names, hint

A = TypeVar("A", bound="Attributes")

_PACKAGE = __name__.partition(".")[0]


def is_own(kind: type) -> bool:
    """Whether a class is one of laminar's, and not a user's."""
    return kind.__module__.partition(".")[0] == _PACKAGE


@functools.cache
def arguments_of(kind: type) -> frozenset[str]:
    """Return the names of the arguments of a class's constructor."""
    init: Any = kind.__init__  # type: ignore[misc]  # of the class itself
    return frozenset(() if init is object.__init__ else argument_names(init))


@functools.cache
def _declared(kind: type) -> frozenset[str]:
    """Return the public names that a class and its bases declare: what there is beside methods."""
    names: set[str] = set()
    for base in kind.__mro__[:-1]:
        names |= set(getattr(base, "__annotations__", ()))
        names |= {
            name
            for name, value in vars(base).items()
            if not callable(value) and not isinstance(value, (classmethod, staticmethod))
        }
        if "__init__" in vars(base):
            names |= arguments_of(base)
    return frozenset(name for name in names if not name.startswith("_"))


class Attributes:
    """Base of all whose attributes are known."""

    def __setattr__(self, name: str, value: object) -> None:
        kind: Any = type(self)
        if name.startswith("_") or not is_own(kind):
            super().__setattr__(name, value)
            return
        declared = getattr(kind, name, None)
        if name not in _declared(kind) and declared is None:
            raise AttributeError(
                f"{kind.__name__} has no attribute {name!r}; {hint(name, _declared(kind))}"
            )
        computed = isinstance(declared, property) and declared.fset is None
        if name in arguments_of(kind) and (computed or name in vars(self)):
            self._change(name, value)
        elif computed or (name in vars(self) and name not in arguments_of(kind) and self._derived):
            raise AttributeError(f"{kind.__name__}: {name} cannot be set{self._instead(name)}")
        else:
            self._assign(name, value)

    # Whether attributes that are no arguments follow from these, so that only they can be set.
    _derived = False

    def _instead(self, name: str) -> str:
        """Return the end of the message that an attribute cannot be set: what to do."""
        return ""

    def _assign(self, name: str, value: object) -> None:
        """Give an attribute its value: for the first time, if it is an argument's."""
        super().__setattr__(name, value)

    def _change(self, name: str, value: object) -> None:
        """Give an argument that the constructor had another value, which it must accept."""
        vars(self)[name] = getattr(self._with(name, value), name)

    def _with(self: A, name: str, value: object) -> A:
        """Return a new object with another value of one argument."""
        return type(self)(**{**self._arguments(), name: value})

    def _arguments(self) -> dict[str, Any]:
        """Return what the constructor would take to make an equal object."""
        return {name: getattr(self, name) for name in argument_names(type(self).__init__)}
