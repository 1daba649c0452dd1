# SPDX-License-Identifier: Apache-2.0
"""The base of everything that has a name in one of the core's lists.

An activation, initializer, layer, loss, metric or optimizer is a name and its parameters. The
core holds the lists and checks ranges; a class here gives one entry a typed constructor, checks
the kind of what it is given, and turns it into the configuration that the core reads.
"""

from __future__ import annotations

import functools
import json
import math
import numbers
import operator
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from . import _core, _custom
from ._attributes import Attributes, is_own
from ._spelling import argument_names, hint, keywords

C = TypeVar("C", bound="Component")


@functools.cache
def entries(family: str) -> dict[str, dict[str, Any]]:
    """Return the core's list of a family as {canonical name: entry}."""
    return {entry["name"]: entry for entry in _core.entries(family)}


def flag(value: object, where: str) -> bool:
    """Return ``value`` as a bool; TypeError where it is none."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{where} must be True or False, got {value!r}")


def number(value: object, where: str) -> int | float:
    """Return ``value`` as a finite Python number; TypeError or ValueError where it is none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{where} must be a number, got {value!r}")
    result = int(value) if isinstance(value, numbers.Integral) else float(value)
    if not math.isfinite(result):
        raise ValueError(f"{where} must be finite, got {value!r}")
    return result


def integer(value: object, where: str, minimum: int = 0) -> int:
    """Return ``value`` as an int of at least ``minimum``; TypeError or ValueError otherwise."""
    try:
        if isinstance(value, bool):
            raise TypeError
        result = operator.index(value)  # type: ignore[arg-type]  # the TypeError is the check
    except TypeError:
        raise TypeError(f"{where} must be an integer, got {value!r}") from None
    if result < minimum:
        raise ValueError(f"{where} must be at least {minimum}, got {result}")
    return result


def number_of_bytes(value: object, where: str) -> int:
    """Return a number of bytes, given as one or as a text such as "2GB" or "512 MiB"."""
    if not isinstance(value, str):
        return integer(value, where, minimum=1)
    digits = value.rstrip("BbIiKkMmGgTt ")
    unit = value[len(digits) :].strip().lower().removesuffix("b")
    powers = {"": 1, **{p: 1000**i for i, p in enumerate("kmgt", 1)}}
    powers |= {f"{p}i": 1024**i for i, p in enumerate("kmgt", 1)}
    try:
        size = float(digits) * powers[unit]
    except (KeyError, ValueError):
        raise ValueError(
            f"{where} must be a size such as '2GB' or '512MiB', got {value!r}"
        ) from None
    if not 1 <= size < 2**63:
        raise ValueError(f"{where} must be at least one byte and less than 2**63, got {value!r}")
    return int(size)


def encoded(value: object) -> object:
    """Return a constructor argument as what JSON can carry."""
    if isinstance(value, Component):
        return value._spec()
    return list(value) if isinstance(value, tuple) else value


class Component(Attributes):
    """An entry of one of the core's lists, with its parameters.

    A subclass names its family, ``class Optimizer(Component, family="optimizer")``; the classes
    below it name their entry, ``class Adam(Optimizer, entry="adam")``. A further class for an entry
    that has one says so, ``class ReLU(Activation, variant=True)``: it is found by its class name.

    Attributes can be changed until a model uses the object; then it is fixed, since the core has
    taken its values.
    """

    _derived = True
    # Whether a model uses the object, or all of a process do.
    _fixed = False
    _family: ClassVar[str] = ""
    _entry: ClassVar[str] = ""
    _classes: ClassVar[dict[str, type[Any]]] = {}
    _variants: ClassVar[list[type[Any]]] = []

    def __init_subclass__(
        cls, family: str = "", entry: str = "", variant: bool = False, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if not is_own(cls):
            cls._derived_by_user()
            return
        if family:
            cls._family = family
            cls._classes = {}
            cls._variants = []
        if variant:
            cls._variants.append(cls)
        if entry:
            cls._entry = entry
            cls._classes[entry] = cls

    @classmethod
    def _derived_by_user(cls) -> None:
        """Refuse a class of the user's, or get it ready."""
        raise NotImplementedError(f"{cls.__name__}: {own_part(cls)}")

    @keywords()
    def __init__(self) -> None:
        """Make an entry that has no parameters."""
        self._need_entry()

    def _need_entry(self) -> None:
        """Raise NotImplementedError for the base of a family, which computes nothing."""
        if not self._entry:
            raise NotImplementedError(f"{type(self).__name__}: {own_part(type(self))}")

    def _assign(self, name: str, value: object) -> None:
        """Check a parameter: its kind against the core's default, its range by the core."""
        parameters = entries(self._family)[self._entry]["parameters"]
        if name in parameters:
            value = self._checked(name, value, parameters[name])
        super()._assign(name, value)

    def _change(self, name: str, value: object) -> None:
        if self._fixed:
            kind = type(self).__name__
            raise AttributeError(
                f"{kind}: {name} cannot be changed any more, since models take the values of a "
                f"{self._family} when they begin to use it; make another object"
            )
        vars(self).update(vars(self._with(name, value)))

    def _fix(self) -> None:
        """Refuse changes from now on."""
        self._fixed = True

    def _checked(self, name: str, value: object, default: object) -> object:
        """Return a parameter's value in the kind that its default has."""
        where = f"{type(self).__name__}: {name}"
        if isinstance(default, bool):
            return flag(value, where)
        if isinstance(default, str):
            words = entries(self._family)[self._entry]["words"][name]
            if not isinstance(value, str):
                raise TypeError(f"{where} must be one of {', '.join(words)}, got {value!r}")
            if value not in words:
                raise ValueError(f"{where}: unknown word {value!r}; {hint(value, words)}")
            return value
        if default is None and value is None:
            return None
        if isinstance(default, tuple):
            if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
                raise TypeError(f"{where} must be a list of numbers, got {value!r}")
            checked: object = tuple(number(v, f"{where}[{i}]") for i, v in enumerate(value))
        else:
            checked = number(value, where)
            integers = entries(self._family)[self._entry]["integers"]
            if name in integers and isinstance(checked, float):
                raise TypeError(f"{where} must be an integer, got {value!r}")
        _core.check(self._family, json.dumps({"name": self._entry, name: checked}))
        return checked

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, in a form that JSON can carry.

        Returns
        -------
        dict
            ``type(self).from_config(config)`` makes an equal object of it.
        """
        names = argument_names(type(self).__init__)
        return {name: encoded(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls: type[C], config: Mapping[str, Any]) -> C:
        """Make an object of what `get_config` returned.

        Parameters
        ----------
        config : mapping
            Arguments of the constructor by name.
        """
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        """Return the configuration: all that pickle and copy take along."""
        return {"config": self.get_config()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        type(self).__init__(self, **state["config"])

    def _spec(self) -> dict[str, Any]:
        """Return the configuration that the core reads."""
        parameters = entries(self._family)[self._entry]["parameters"]
        return {"name": self._entry, **{name: encoded(getattr(self, name)) for name in parameters}}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def own_part(kind: type[Component]) -> str:
    """Return why there are no classes of the user's own, and what to do."""
    module = _module_of(next(base for base in kind.__mro__ if "_family" in vars(base)))
    instead = {
        "schedule": "laminar.callbacks.LearningRateScheduler takes a function of the epoch",
    }.get(kind._family, f"laminar.{module} has those there are, and their arguments")
    if kind._family in ("loss", "metric"):
        base = kind._family.capitalize()
        return (
            f"a {kind._family} of one's own is a function of (y_true, y_pred), or a class that "
            f"derives from {base} itself, with call(self, y_true, y_pred); both are written in "
            "laminar.ops"
        )
    if kind._family in ("regularizer", "constraint"):
        base = kind._family.capitalize()
        return (
            f"a {kind._family} of one's own is a function of the weights, or a class that derives "
            f"from {base} itself, with __call__(self, weights); both are written in laminar.ops"
        )
    if kind._family == "layer":
        return (
            "a layer of one's own is a class that derives from Layer itself, with call(self, "
            "inputs) that is written in laminar.ops, and has layers of others inside"
        )
    return (
        f"a {kind._family} of one's own is not supported yet, since the core computes while it "
        f"trains; use one of laminar.{module}: {instead}"
    )


def _module_of(base: type[Component]) -> str:
    """Return the public module of a family."""
    return base.__module__.split(".")[1].removeprefix("_")


def get(base: type[C], identifier: object) -> C:
    """Return the object of family ``base`` that a user named.

    Parameters
    ----------
    base : type
        The family's class.
    identifier : str, mapping, type or object
        A name, alias or class name; ``{"name": name, **parameters}`` or Keras's
        ``{"class_name": name, "config": parameters}``; a class; or an object, which is returned.

    Raises
    ------
    TypeError, ValueError
        Where there is no such entry; the message names the nearest one.
    """
    if isinstance(identifier, base):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, str):
        return named(base, identifier)()
    if isinstance(identifier, Mapping):
        config = dict(identifier)
        name = config.pop("class_name", None) or config.pop("name", None)
        if not isinstance(name, str):
            raise ValueError(
                f"{base._family}: a configuration needs a 'name', got {dict(identifier)!r}"
            )
        return named(base, name).from_config(config.get("config", config))
    module = _module_of(base)
    advice = ""
    if callable(identifier) and not isinstance(identifier, Component):
        advice = "; Python functions are not taken, since the core computes while it trains"
    raise TypeError(
        f"{base._family} must be a name or an object of laminar.{module}, got {identifier!r}"
        + advice
    )


def named(base: type[C], name: str) -> type[C]:
    """Return the class of a canonical name, an alias or a class name."""
    classes: dict[str, type[C]] = base._classes
    own = _custom.find(name)
    if isinstance(own, type) and issubclass(own, base):
        return own
    for cls in (*classes.values(), *base._variants):
        if name == cls.__name__:
            return cls
    try:
        return classes[_core.resolve(base._family, name)]
    except ValueError:
        listed = entries(base._family).values()
        known = {alias for entry in listed for alias in (entry["name"], *entry["aliases"])}
        known.update(cls.__name__ for cls in (*classes.values(), *base._variants))
        raise ValueError(f"unknown {base._family} {name!r}; {hint(name, known)}") from None
