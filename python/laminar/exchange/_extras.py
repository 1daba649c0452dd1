# SPDX-License-Identifier: Apache-2.0
"""Packages that only an exchange format needs, imported when the first file of it comes along."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def required(module: str, extra: str, where: str) -> Any:
    """Return an optional module; ImportError that says how to get it where it is missing."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ImportError(
            f"{where}: needs {package}, which is not installed; "
            f"pip install laminar[{extra}] brings it"
        ) from None
