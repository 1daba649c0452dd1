# SPDX-License-Identifier: Apache-2.0
"""What users see of the package: its public modules, and in them what is meant for users alone."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import laminar

# Modules that one imports by their own names: laminar does without them.
APART = {"laminar.compat", "laminar.sklearn"}
# Programs, which show nothing.
PROGRAMS = {"laminar.command", "laminar.test"}
# Names of types, for annotations; they have no module of their own.
ALIASES = {"laminar.callbacks.Logs"}


def modules_below(module: ModuleType) -> Iterator[ModuleType]:
    """Yield a module and those that it shows, and they show."""
    yield module
    for name in dir(module):
        value = getattr(module, name)
        if inspect.ismodule(value) and value.__name__ == f"{module.__name__}.{name}":
            yield from modules_below(value)


def public_modules() -> dict[str, ModuleType]:
    found = list(modules_below(laminar))
    for name in sorted(APART):
        try:
            found += modules_below(importlib.import_module(name))
        except ImportError:  # scikit-learn is missing
            assert name == "laminar.sklearn"
    return {module.__name__: module for module in found}


MODULES = public_modules()


def test_the_list_of_public_modules() -> None:
    for module in pkgutil.walk_packages(laminar.__path__, "laminar."):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        # Parts of a public module, such as laminar.layers.dense, it does not show.
        above = MODULES.get(module.name.rpartition(".")[0])
        hidden = above is None or module.name.rpartition(".")[2] not in dir(above)
        assert (module.name in MODULES) or module.name in PROGRAMS or hidden


@pytest.mark.parametrize("name", MODULES)
def test_modules_show_what_is_public_and_nothing_else(name: str) -> None:
    module = MODULES[name]
    assert dir(module) == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    for shown in module.__all__:
        assert not shown.startswith("_") or shown == "__version__"
        value = getattr(module, shown)
        if inspect.ismodule(value):
            assert value.__name__ in MODULES
        elif f"{name}.{shown}" not in ALIASES and not isinstance(value, str):
            home = getattr(value, "__module__", None) or type(value).__module__
            assert home.partition(".")[0] == "laminar", f"{name}.{shown} is of {home}"


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_defines_for_users_it_shows(name: str) -> None:
    module = MODULES[name]
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    hidden = {found for found in defined if not found.startswith("_")} - set(module.__all__)
    assert hidden == FOR_THE_PACKAGE.get(name, set())


# What other files of the package take from a public one.
FOR_THE_PACKAGE = {
    "laminar.activations": {"Function"},
    "laminar.constraints": {"optional"},
    "laminar.initializers": {"Function"},
    "laminar.models": {"kind_of", "own_classes"},
    "laminar.optimizers.schedules": {"arguments"},
    "laminar.regularizers": {"optional", "of_outputs"},
}


def test_stars_bring_what_is_public() -> None:
    for name, module in MODULES.items():
        space: dict[str, object] = {}
        exec(f"from {name} import *", space)
        assert set(space) - {"__builtins__"} == set(module.__all__)


def test_completion_and_help_find_lazy_names() -> None:
    assert {"ops", "keras", "GradientTape", "fit_many"} <= set(dir(laminar))
    assert "np" not in dir(laminar.activations)
    assert "annotations" not in dir(laminar)
