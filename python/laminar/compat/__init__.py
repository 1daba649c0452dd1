# SPDX-License-Identifier: Apache-2.0
"""Names of other libraries, for programs that were written for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._spelling import module_names

__all__ = ["tensorflow"]

if TYPE_CHECKING:
    from . import tensorflow
else:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__, lazy=__all__)
