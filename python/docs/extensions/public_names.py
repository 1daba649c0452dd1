# SPDX-License-Identifier: Apache-2.0
"""The public names of laminar, as the package itself tells them.

A module is public where no part of its name begins with an underscore and the one above it lists it
in `__all__`, or where it is a package of its own below laminar, as `laminar.sklearn` is. Its public
names are those in its `__all__`. What has several has its home where it is met first; elsewhere it
is a further name of the same thing.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import laminar

# Packages that hold the parts of programs, not names to import.
PROGRAMS = ("laminar.command", "laminar.exchange")
# Where names are those of others: what they name has its home elsewhere.
OTHERS = ("laminar.keras", "laminar.compat")


@dataclass(frozen=True)
class Name:
    """A public name: where it is found, and what it stands for."""

    module: str
    name: str
    value: Any

    @property
    def path(self) -> str:
        """The name with its module."""
        return f"{self.module}.{self.name}"

    @property
    def kind(self) -> str:
        """What stands behind the name: class, function, module, object or constant."""
        if inspect.isclass(self.value):
            return "class"
        if inspect.ismodule(self.value):
            return "module"
        if inspect.isroutine(self.value):
            return "function"
        return "object" if type(self.value).__module__.startswith("laminar") else "constant"


def below(package: ModuleType) -> Iterator[ModuleType]:
    """Yield the public modules below a package, with what is below them."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        short = found.name.rpartition(".")[2]
        listed = short in getattr(package, "__all__", ())
        if short.startswith("_") or found.name in PROGRAMS:
            continue
        if listed or (found.ispkg and package is laminar):
            module = importlib.import_module(found.name)
            yield module
            if found.ispkg:
                yield from below(module)


def modules() -> list[ModuleType]:
    """Return the public modules, laminar first, those with the names of others last."""
    found = [laminar, *below(laminar)]
    return sorted(found, key=lambda module: module.__name__.startswith(OTHERS))


def names() -> list[Name]:
    """Return all public names, of modules in their order."""
    return [
        Name(module.__name__, name, getattr(module, name))
        for module in modules()
        for name in getattr(module, "__all__", ())
    ]


def homes() -> dict[int, Name]:
    """Return for each thing, by its identity, the name that is its home: its own, or the first."""
    found: dict[int, Name] = {}
    for name in names():
        known = found.get(id(name.value))
        own = getattr(name.value, "__name__", None) == name.name
        if known is None or (own and known.module == name.module and not is_own(known)):
            found[id(name.value)] = name
    return found


def is_own(name: Name) -> bool:
    """Whether a thing is called so by itself as well."""
    return getattr(name.value, "__name__", None) == name.name


def documented() -> list[Name]:
    """Return the classes and functions, each under the name that is its home."""
    return [name for name in homes().values() if name.kind in ("class", "function")]


def methods(name: Name) -> list[str]:
    """Return public methods and properties of a class that no public class above it has."""
    public = {id(each.value) for each in documented() if each.kind == "class"} - {id(name.value)}
    above = [base for base in name.value.__mro__[1:] if id(base) in public]
    found = []
    for attribute in dir(name.value):
        if attribute.startswith("_"):
            continue
        member = inspect.getattr_static(name.value, attribute)
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if not (inspect.isfunction(member) or isinstance(member, property) or _cached(member)):
            continue
        owner = next(base for base in name.value.__mro__ if attribute in vars(base))
        if owner.__module__.startswith("laminar") and not any(hasattr(b, attribute) for b in above):
            found.append(attribute)
    return found


def _cached(member: object) -> bool:
    return type(member).__name__ in ("cached_property", "_lru_cache_wrapper")
