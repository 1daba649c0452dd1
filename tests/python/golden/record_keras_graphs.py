# SPDX-License-Identifier: Apache-2.0
"""Record what Keras 3 makes of the graphs of graph_models.py.

    KERAS_BACKEND=torch python tests/python/golden/record_keras_graphs.py

needs keras and torch and writes keras_graphs.npz beside this file. test_keras_graphs.py compares.
All is computed in float64.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from graph_models import MODELS, run

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras

keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")

recorded = {
    f"{build.__name__}_{i}": np.asarray(array, np.float64)
    for build in MODELS
    for i, array in enumerate(run(keras, build))
}
np.savez_compressed(Path(__file__).with_name("keras_graphs.npz"), **recorded)
