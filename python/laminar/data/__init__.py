# SPDX-License-Identifier: Apache-2.0
"""Data sets that need not fit into memory: arrays, .npy files, CSV and Parquet, generators.

Examples
--------
>>> from laminar.data import Dataset
>>> train = Dataset.from_npy("x.npy", "y.npy", buffer_size="1GB")
>>> model.fit(train, batch_size=256, epochs=3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._spelling import module_getattr
from ._dataset import Dataset

__all__ = ["Dataset"]

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
