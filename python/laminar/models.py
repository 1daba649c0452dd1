# SPDX-License-Identifier: Apache-2.0
"""Kinds of models, under the module name that Keras users look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._spelling import module_getattr
from .sequential import Sequential

__all__ = ["Sequential"]

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
