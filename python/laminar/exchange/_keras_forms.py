# SPDX-License-Identifier: Apache-2.0
"""Layers and what they are made of in Keras 3's configurations: the way out of `_keras_layers`.

Names and arguments are the same, so that this is a list of what Keras has. What only training knows
and Keras lacks, such as an initializer, is left out; anything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import constraints, initializers, layers, regularizers
from .._component import Component
from ._onnx_layers import Step

_WHERE = "export"

# {activation: what Keras has for other arguments than its function's own: a layer with the same
# arguments, or nothing}
ACTIVATIONS: dict[str, str | None] = {
    "celu": None,
    "elu": "ELU",
    "exponential": None,
    "gelu": None,
    "hard_shrink": None,
    "hard_sigmoid": None,
    "hard_silu": None,
    "hard_tanh": None,
    "leaky_relu": "LeakyReLU",
    "linear": None,
    "log_sigmoid": None,
    "log_softmax": None,
    "mish": None,
    "relu": "ReLU",
    "relu6": None,
    "selu": None,
    "sigmoid": None,
    "silu": None,
    "soft_shrink": None,
    "softmax": None,
    "softplus": None,
    "softsign": None,
    "sparse_plus": None,
    "sparse_sigmoid": None,
    "squareplus": None,
    "tanh": None,
    "tanh_shrink": None,
}
# {activation: why files of Keras cannot have it}
REFUSED_ACTIVATIONS = {
    "sparsemax": "Keras's function of that name gives other numbers than the published one",
    "step": "Keras has no such function",
    "threshold": "Keras has it as a function whose arguments files do not hold",
}
# {kind of layer: why files of Keras cannot have it}
REFUSED = {
    "maxout": "Keras has no such layer",
    "operations": "Keras has no such layer, and its files hold no programs",
}
# {kind of layer: the names of its variables here, in Keras's order}
LAYERS: dict[str, tuple[str, ...]] = {
    "activation": (),
    "add": (),
    "alpha_dropout": (),
    "average": (),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "category_encoding": (),
    "concatenate": (),
    "dense": ("kernel", "bias"),
    "discretization": (),
    "dot": (),
    "dropout": (),
    "embedding": ("embeddings",),
    "flatten": (),
    "gaussian_dropout": (),
    "gaussian_noise": (),
    "layer_normalization": ("gamma", "beta"),
    "maximum": (),
    "minimum": (),
    "multiply": (),
    "normalization": (),  # its moments are arguments
    "prelu": ("alpha",),
    "rescaling": (),
    "reshape": (),
    "rms_normalization": ("scale",),
    "subtract": (),
}
_INITIALIZERS = (
    *("Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Zeros"),
    *("LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform"),
    *("TruncatedNormal", "VarianceScaling"),
)
_FAMILIES: dict[str, tuple[str, type[Component], tuple[str, ...]]] = {
    "initializer": (
        "keras.initializers",
        initializers.Initializer,
        _INITIALIZERS,
    ),
    "regularizer": (
        "keras.regularizers",
        regularizers.Regularizer,
        ("L1", "L1L2", "L2", "OrthogonalRegularizer"),
    ),
    "constraint": (
        "keras.constraints",
        constraints.Constraint,
        ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"),
    ),
}
_OURS = ("name", "input_shape", "trainable")  # written otherwise


def refusal(layer: layers.Layer, why: str) -> ValueError:
    """Return the error that a layer does not go into a file of Keras."""
    return ValueError(
        f"{_WHERE}: layer {layer.name!r}, a {type(layer).__name__}, cannot be in a file of Keras: "
        f"{why}; export to ONNX, which has every layer"
    )


def described(kind: str, config: Mapping[str, Any], module: str) -> dict[str, Any]:
    """Return an object of Keras's as its configurations have it."""
    return {"module": module, "class_name": kind, "config": dict(config), "registered_name": None}


def layer_form(step: Step, dtype: str) -> dict[str, Any]:
    """Return the configuration of a layer; ValueError where Keras lacks it."""
    layer = step.layer
    if step.kind not in LAYERS:
        raise refusal(layer, REFUSED.get(step.kind, "it is not among those that are written"))
    config: dict[str, Any] = {"name": layer.name}
    if not layer.trainable:  # which not all of Keras's classes take
        config["trainable"] = False
    config["dtype"] = described("DTypePolicy", {"name": dtype}, "keras")
    for option, value in layer.get_config().items():
        family = option.rpartition("_")[2]
        if option in _OURS:
            continue
        if option == "activation":
            config[option] = _activation(layer)
        elif family in _FAMILIES:
            found = _part(family, getattr(layer, option))
            if found is not None:
                config[option] = found
        else:
            config[option] = value
    if step.kind == "normalization":
        config |= _moments(step, layer)
    return described(type(layer).__name__, config, "keras.layers")


def _activation(layer: Any) -> Any:
    """Return a function's name, or a layer in its place; ValueError where Keras has neither."""
    function = layer.activation
    spec = function._spec()
    name = spec.pop("name")
    if name not in ACTIVATIONS:
        raise refusal(layer, f"its activation is {name!r}: {REFUSED_ACTIVATIONS.get(name, '')}")
    if spec == {key: value for key, value in type(function)()._spec().items() if key != "name"}:
        return name
    other = ACTIVATIONS[name]
    if other is None:
        given = ", ".join(f"{key}={value}" for key, value in spec.items())
        raise refusal(
            layer, f"its activation is {name}({given}), and Keras's files hold no such arguments"
        )
    return described(other, spec, "keras.layers")


def _part(family: str, made: Any) -> dict[str, Any] | None:
    module, base, known = _FAMILIES[family]
    kind = type(made).__name__
    if not isinstance(made, base) or kind not in known:
        return None
    config = {k: v for k, v in made.get_config().items() if k != "name"}
    return described(kind, config, module)


def _moments(step: Step, layer: layers.Normalization) -> dict[str, Any]:
    """Return mean and variance: that of a constant column leaves nothing of it in Keras as well."""
    from ._moments import deviation

    found = deviation(step.weights, layer.invert)
    largest = np.finfo(np.float32).max
    variance = np.where(np.isinf(found), largest, np.square(found.astype(np.float64)))
    variance = np.where(np.isfinite(found) & (found > 1e-7), step.weights["variance"], variance)
    return {"mean": step.weights["mean"].tolist(), "variance": variance.tolist()}
