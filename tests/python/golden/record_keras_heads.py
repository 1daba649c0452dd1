# SPDX-License-Identifier: Apache-2.0
"""Record what Keras 3 makes of the models of head_models.py.

    KERAS_BACKEND=torch python tests/python/golden/record_keras_heads.py

needs keras and torch and writes keras_heads.npz beside this file. test_heads_keras.py compares. All
is computed in float64.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from head_models import MODELS, run, run_masked, run_missing

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
from keras import ops

keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")


class Masked(keras.losses.Loss):
    """The mean of a loss over the rows of which some target is there, and over these."""

    def __init__(self, classes: bool) -> None:
        super().__init__(name="masked", dtype="float64")
        self.classes = classes

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch."""
        y = ops.reshape(ops.convert_to_tensor(y_true), (y_pred.shape[0], -1))
        there = ops.cast(ops.logical_not(ops.isnan(y)), "float64")
        filled = ops.where(ops.isnan(y), ops.zeros_like(y), y)
        if self.classes:
            values = keras.losses.sparse_categorical_crossentropy(filled[:, 0], y_pred)
            counts = there[:, 0]
            return ops.sum(values * counts) / ops.sum(counts)
        squares = ops.square(filled - y_pred) * there
        each = ops.sum(there, axis=1)
        rows = ops.sum(squares, axis=1) / ops.maximum(each, 1.0)
        return ops.sum(rows) / ops.sum(ops.cast(each > 0, "float64"))


found = {build.__name__: run(keras, build) for build in MODELS}
found["masked"] = run_masked(keras)
found["missing"] = run_missing(keras, {"loss": [Masked(False), Masked(True)]})
recorded = {
    f"{name}/{part}": np.asarray(array)
    for name, parts in found.items()
    for part, array in parts.items()
}
np.savez_compressed(Path(__file__).with_name("keras_heads.npz"), **recorded)
