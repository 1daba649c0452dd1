# SPDX-License-Identifier: Apache-2.0
"""Nearest spellings for names and arguments that do not exist, and old names for those that do.

Every misspelt name in the package is reported through this file, so that all messages read alike.
Nothing here runs on the path of a correct call beyond one comparison of the keyword names.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

# A module that few programs need, for functions that are called so often that an import statement
# in them, which takes a microsecond, would be felt.
late: Callable[[str], Any] = functools.cache(import_module)

_LISTED = 60  # names of a module at most, that a message lists


def hint(word: str, candidates: Iterable[str]) -> str:
    """Return the part of an error message that helps a user who wrote ``word``."""
    from difflib import SequenceMatcher, get_close_matches  # needed only on the way to an error

    from ._printable import listed

    names = sorted(candidates)
    lowered = {name.lower(): name for name in names}
    found = get_close_matches(word.lower(), lowered, n=5, cutoff=0.6)
    if found:  # two letters swapped are likelier than two left out

        def distance(name: str) -> float:
            unlike = 1 - SequenceMatcher(None, word.lower(), name).ratio()
            return unlike + 0.05 * abs(len(name) - len(word))

        nearest = min(found, key=distance)
        return f"did you mean {lowered[nearest]!r}?"
    return f"there is {listed(names)}" if names else "there is none"


def argument_names(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of a function's arguments, ``self`` excluded, in order.

    What a function takes as ``**options`` it lists in its attribute ``option_names``.
    """
    inner = cast(Any, getattr(function, "__wrapped__", function))
    code = inner.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    options: tuple[str, ...] = getattr(inner, "option_names", ())
    return (*(name for name in names if name != "self"), *options)


def keywords(**renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that a misspelt keyword is a TypeError with the nearest right one.

    Parameters
    ----------
    **renamed
        Old names that still work and the arguments they stand for, ``lr="learning_rate"``.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        names = argument_names(function)
        known = frozenset(names)
        constructs = function.__name__ == "__init__"

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if not kwargs or kwargs.keys() <= known:
                return function(*args, **kwargs)
            called = type(args[0]).__name__ if constructs else function.__name__
            return function(*args, **cast(Any, translated(called, names, renamed, kwargs)))

        return checked

    return decorate


def translated(
    called: str, names: tuple[str, ...], renamed: Mapping[str, str], given: Mapping[str, object]
) -> dict[str, object]:
    """Return the keywords under their present names."""
    result: dict[str, object] = {}
    for word, value in given.items():
        name = renamed.get(word, word)
        if name not in names:
            raise TypeError(f"{called}: unknown argument {word!r}; {hint(word, names)}")
        if name in result or (name != word and name in given):
            raise TypeError(f"{called}: {word!r} is another name of {name!r}; give one of them")
        result[name] = value
    return result


def module_getattr(
    module: str,
    public: Iterable[str],
    lazy: Iterable[str] = (),
    elsewhere: Mapping[str, str] | None = None,
    instead: Callable[[str], str | None] | None = None,
) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for a module that names the nearest public name.

    Modules below it that few programs need, ``lazy``, are imported when they are asked for; so are
    those that names are in, ``elsewhere``. For a name that other libraries have, ``instead`` gives
    the advice.
    """
    names = tuple(public)
    modules = frozenset(lazy)
    places = elsewhere or {}

    def missing(name: str) -> Any:
        if name in places:
            found = getattr(import_module(f"{module}.{places[name]}"), name)
            setattr(sys.modules[module], name, found)  # so that it is not asked for again
            return found
        if name in modules:
            return import_module(f"{module}.{name}")
        # Dunder names are asked for by Python's own machinery; they deserve no advice.
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        advice = (instead and instead(name)) or hint(name, names)
        if advice.startswith("there is ") and len(names) > _LISTED:
            advice = f"help({module}) lists what there is"
        raise AttributeError(f"module {module!r} has no attribute {name!r}; {advice}")

    return missing


def module_names(
    module: str,
    public: Iterable[str],
    lazy: Iterable[str] = (),
    elsewhere: Mapping[str, str] | None = None,
    instead: Callable[[str], str | None] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a public module; arguments as in `module_getattr`.

    What a module imports for itself, `dir` and completion do not show.
    """
    names = sorted(public)
    return module_getattr(module, names, lazy, elsewhere, instead), names.copy
