# SPDX-License-Identifier: Apache-2.0
"""Record a few files of Keras 3, and what their models predict.

    KERAS_BACKEND=torch python tests/python/golden/record_keras_files.py

needs keras and torch and writes keras_*.keras and keras_files.npz beside this file.
test_keras_file.py reads them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras_models

FOLDER = Path(__file__).parent
RECORDED = (
    ("classifier", "float32", False),
    ("normalized", "float64", False),
    ("learned slopes", "float32", True),
    ("adapted", "float32", False),
)


def main() -> None:
    """Write all files."""
    outputs = {}
    for name, dtype, functional in RECORDED:
        model = keras_models.model(name, dtype, functional)
        if name == "classifier":
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        x = keras_models.sample(name)
        key = f"keras_{name.replace(' ', '_')}"
        outputs[f"{key}/x"] = x
        outputs[f"{key}/y"] = keras_models.outputs(model, x, dtype)
        model.save(FOLDER / f"{key}.keras")
    np.savez_compressed(FOLDER / "keras_files.npz", **outputs)


if __name__ == "__main__":
    main()
