# SPDX-License-Identifier: Apache-2.0
"""laminar: dense neural networks on CPUs, fast, deterministic and small.

Names, arguments and defaults are those of Keras 3; ``import laminar as keras`` works. All
computation is done by the extension module ``_core``; nothing is imported here that takes long.

Examples
--------
>>> import laminar
>>> (x, y), test = laminar.datasets.load_digits()
>>> model = laminar.Sequential(
...     [laminar.layers.Dense(64, activation="relu"), laminar.layers.Dense(10, "softmax")]
... )
>>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
>>> history = model.fit(x, y, epochs=20, validation_data=test, verbose=0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    activations,
    callbacks,
    constraints,
    data,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from ._configuration import get_num_threads, set_num_threads, show_config
from ._core import __version__
from ._package import get_cmake_dir, get_include
from ._spelling import module_names
from .layers import Input
from .model import Model
from .models import load_model
from .sequential import Sequential

__all__ = [
    "GradientTape",
    "Input",
    "Model",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "callbacks",
    "constraints",
    "data",
    "datasets",
    "ensemble",
    "fit_many",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "initializers",
    "keras",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "regularizers",
    "set_num_threads",
    "show_config",
    "utils",
]

_ELSEWHERE = {
    **dict.fromkeys(["GradientTape", "Tensor", "Variable"], "_tape"),
    "ensemble": "_ensembles",
    "fit_many": "_many",
}

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(
        __name__, __all__, lazy=["keras", "ops"], elsewhere=_ELSEWHERE
    )
else:
    from . import keras, ops
    from ._ensembles import ensemble
    from ._many import fit_many
    from ._tape import GradientTape, Tensor, Variable
