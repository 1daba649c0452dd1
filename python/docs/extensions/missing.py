# SPDX-License-Identifier: Apache-2.0
"""Counts public names without a docstring, with an undocumented parameter, or without an example.

`python python/docs/extensions/missing.py` prints the three numbers, and before them the names. Of
the public methods of a class a docstring and all parameters are asked for, not an example.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from numpydoc.docscrape import NumpyDocString
from public_names import documented, methods


def explained(doc: str) -> set[str]:
    """Return the names of the parameters that a docstring explains."""
    parsed = NumpyDocString(doc)
    listed = [p.name for part in ("Parameters", "Other Parameters") for p in parsed[part]]
    return {name.strip() for names in listed for name in names.split(",")}


def parameters(thing: Any) -> Iterator[str]:
    """Yield the names of the parameters of a class or a function."""
    try:
        signature = inspect.signature(thing)
    except ValueError:  # of an extension module, whose docstring says it
        return
    for name, parameter in signature.parameters.items():
        # An optimizer's options are listed one by one, and explained by the base.
        options = getattr(getattr(thing, "__init__", None), "option_names", ())
        if name not in ("self", "cls", *options) and not name.startswith("_"):
            star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
            yield star.get(parameter.kind, "") + name


def faults() -> tuple[list[str], list[str], list[str]]:
    """Return names without docstring, with undocumented parameters, and without example."""
    undocumented, unexplained, without = [], [], []
    for name in documented():
        things = [(name.path, name.value)]
        if name.kind == "class":
            members = ((m, inspect.getattr_static(name.value, m)) for m in methods(name))
            things += [(f"{name.path}.{m}", value) for m, value in members]
        for path, thing in things:
            if isinstance(thing, (staticmethod, classmethod)):
                thing = thing.__func__
            doc = inspect.getdoc(thing) or ""
            if not doc.strip():
                undocumented.append(path)
            elif not isinstance(thing, property):
                known = explained(doc)
                unexplained += [f"{path}: {p}" for p in parameters(thing) if p not in known]
        if ">>> " not in (inspect.getdoc(name.value) or ""):
            without.append(name.path)
    return undocumented, unexplained, without


def main() -> int:
    """Print what is missing, and how much of each."""
    found = faults()
    for what, names in zip(("docstring", "parameter", "example"), found, strict=True):
        for name in names:
            print(f"no {what}: {name}")
    print(*map(len, found))
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
