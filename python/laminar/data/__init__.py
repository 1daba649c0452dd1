# SPDX-License-Identifier: Apache-2.0
"""Data sets that need not fit into memory: arrays, .npy files, CSV and Parquet, generators.

Examples
--------
>>> import numpy as np
>>> import laminar
>>> from laminar.data import Dataset
>>> np.save("x.npy", np.eye(1000, 20, dtype=np.float32))
>>> np.save("y.npy", np.arange(1000, dtype=np.float32))
>>> train = Dataset.from_npy("x.npy", "y.npy", buffer_size="1GB")
>>> model = laminar.Sequential([laminar.layers.Dense(1)])
>>> model.compile("adam", "mse")
>>> history = model.fit(train, batch_size=256, epochs=3, verbose=0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._spelling import module_names
from ._dataset import Dataset

__all__ = ["Dataset"]

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
