# SPDX-License-Identifier: Apache-2.0
"""laminar under Keras's name: ``from laminar import keras``, ``import laminar.keras.layers``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .. import (
    GradientTape,
    Input,
    Model,
    Sequential,
    Variable,
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    regularizers,
    utils,
)
from .._spelling import module_names
from ..layers import Layer
from ..losses import Loss
from ..metrics import Metric
from ..ops import random

__all__ = [
    "GradientTape",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Sequential",
    "Variable",
    "activations",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "utils",
]

# So that `from laminar.keras.layers import Dense` and `import laminar.keras.layers` find them.
for _name in __all__:
    _module = globals()[_name]
    if hasattr(_module, "__path__") or hasattr(_module, "__spec__"):
        sys.modules[f"{__name__}.{_name}"] = _module
sys.modules[f"{__name__}.optimizers.schedules"] = optimizers.schedules

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
