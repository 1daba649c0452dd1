# SPDX-License-Identifier: Apache-2.0
"""Weights as PyTorch has them: the state dict of an nn.Sequential in a safetensors file.

A kernel is transposed, and layers that hold weights have PyTorch's names for them. `write` numbers
modules as in an nn.Sequential where each layer is one module and each activation of a Dense, but
linear, one more: Dense(8, "relu") is Linear, ReLU. A layer without a module of its kind, such as
GaussianNoise, takes the place of an nn.Identity; those that prepare data, and Maxout, are refused.
Of a graph the modules have the names of the layers: a class of the user's own has them as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._printable import listed, printable
from ._onnx_layers import Step
from .onnx_writer import steps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel

Tensors = dict[str, "NDArray[Any]"]

# Of each kind of layer with weights: PyTorch's name of each, and the value where a layer has none.
_NAMES: dict[str, dict[str, tuple[str, float | None]]] = {
    "dense": {"kernel": ("weight", None), "bias": ("bias", None)},
    "batch_normalization": {
        "gamma": ("weight", 1.0),
        "beta": ("bias", 0.0),
        "moving_mean": ("running_mean", None),
        "moving_variance": ("running_var", None),
    },
    "layer_normalization": {"gamma": ("weight", 1.0), "beta": ("bias", 0.0)},
    "embedding": {"embeddings": ("weight", None)},
    "rms_normalization": {"scale": ("weight", None)},
    "prelu": {"alpha": ("weight", None)},
}
# Kinds without weights that have a module, or none where they do nothing in prediction.
_WITHOUT_WEIGHTS = (
    "activation",
    "alpha_dropout",
    "dropout",
    "flatten",
    "gaussian_dropout",
    "gaussian_noise",
    "reshape",
)
# {kind: why weights of PyTorch cannot have it}
REFUSED = {
    "category_encoding": "PyTorch has no module that prepares data",
    "discretization": "PyTorch has no module that prepares data",
    "maxout": "PyTorch has no such module",
    "normalization": "PyTorch has no module that prepares data",
    "operations": "PyTorch has no module for programs",
    "rescaling": "PyTorch has no module that prepares data",
}
# {activation: PyTorch's module for it}
ACTIVATIONS = {
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "hard_shrink": "Hardshrink",
    "hard_sigmoid": "Hardsigmoid",
    "hard_silu": "Hardswish",
    "hard_tanh": "Hardtanh",
    "leaky_relu": "LeakyReLU",
    "linear": "Identity",
    "log_sigmoid": "LogSigmoid",
    "log_softmax": "LogSoftmax",
    "mish": "Mish",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "soft_shrink": "Softshrink",
    "softmax": "Softmax",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "tanh": "Tanh",
    "tanh_shrink": "Tanhshrink",
    "threshold": "Threshold",
}
_OWN = "PyTorch has no module for it: one of the user's own takes its place, without weights"
WITHOUT_MODULE = dict.fromkeys(
    ("exponential", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "step"), _OWN
)
_COUNTER = "num_batches_tracked"


def write(model: BaseModel, path: str) -> None:
    """Write the weights of a built model.

    Raises
    ------
    ValueError, OSError
        Where the model is not built or has a layer that PyTorch lacks, which is named, or the file
        cannot be written; a file that was there is still in place then.
    """
    tensors: Tensors = {}
    index, chain = 0, model._is_chain()
    for step in steps_of(model):
        layer, entry = step.layer, step.kind
        plain = entry in _WITHOUT_WEIGHTS or layer._merges
        if entry not in _NAMES and (not plain or step.weights):
            raise ValueError(
                f"export: PyTorch has no module for layer {layer.name!r}, a "
                f"{type(layer).__name__}: {REFUSED.get(entry, 'it has no form')}; export to ONNX, "
                "which has every layer"
            )
        for name, value in _module(step).items():
            tensors[f"{index if chain else layer.name}.{name}"] = value
        activation = getattr(layer, "activation", None)
        joined = entry == "dense" and activation is not None and activation._entry != "linear"
        index += 2 if joined else 1
    _core.write_safetensors(path, tensors, {"format": "pt"})


def load(model: BaseModel, path: str) -> None:
    """Set the weights of a built model to those of a file; see `Sequential.load_torch_weights`."""
    where = f"load_torch_weights: {printable(path)}"
    steps = [step for step in steps_of(model) if step.weights]
    modules = _modules(_core.read_safetensors(path)[0], where)
    wanted = [step for step in steps if step.kind != "normalization"]
    for step in wanted:
        if step.kind not in _NAMES:
            kind = type(step.layer).__name__
            raise ValueError(f"{where}: layer {step.layer.name!r}, a {kind}, is none of PyTorch's")
    own = [str(step.layer.name) for step in wanted]
    if set(own) == set(modules):
        names = own
    elif model._is_chain():
        names = _in_order(modules, wanted, where)
    else:
        raise ValueError(
            f"{where}: the modules must have the names of the graph's layers with weights, "
            f"{listed(own)}; got {listed(modules)}"
        )
    given = dict(zip((step.layer.name for step in wanted), names, strict=True))
    values: list[NDArray[Any]] = []
    for step in steps:
        name = given.get(step.layer.name)
        values += (
            step.weights.values() if name is None else _weights(step, modules[name], name, where)
        )
    model.set_weights(values)


def _module(step: Step) -> Tensors:
    """Return a layer's weights as those of a module."""
    tensors: Tensors = {}
    names = _NAMES.get(step.kind, {})
    unknown = [name for name in step.weights if name not in names]
    if unknown:
        raise ValueError(f"layer {step.layer.name!r} has weights without a name: {unknown}")
    learned = any(names[name][1] is not None for name in step.weights if name in names)
    for own, (name, absent) in names.items():
        value = step.weights.get(own)
        if value is None and absent is not None and learned:
            # A module has both or none, but for LayerNorm, which may lack the bias.
            value = np.full_like(next(iter(step.weights.values())), absent)
        if value is not None:
            tensors[name] = np.ascontiguousarray(value.T if own == "kernel" else value)
    return tensors


def _modules(tensors: Tensors, where: str) -> dict[str, Tensors]:
    """Return the tensors of each module, by its name."""
    modules: dict[str, Tensors] = {}
    for key, value in tensors.items():
        module, _, name = key.rpartition(".")
        if name not in ("weight", "bias", "running_mean", "running_var", _COUNTER):
            raise ValueError(f"{where}: tensor {key!r} is none of a layer that laminar has")
        if name != _COUNTER:
            modules.setdefault(module, {})[name] = value
    return dict(sorted(modules.items(), key=lambda item: _by_number(item[0])))


def _by_number(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts the numbers in names as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _in_order(modules: dict[str, Tensors], steps: list[Step], where: str) -> list[str]:
    """Return the module of each layer.

    Modules that differ by their numbers alone are in the order of these. Names tell no order: where
    there are several, a module is known by its shapes, or the file is refused.
    """
    if len(modules) != len(steps):
        raise ValueError(
            f"{where}: the model has {len(steps)} layers with weights, "
            f"the file {len(modules)} modules: {listed(modules)}"
        )
    if len({_without_numbers(name) for name in modules}) <= 1:
        return list(modules)
    free = list(modules)
    chosen = []
    for step in steps:
        fitting = [name for name in free if _fits(step, modules[name])]
        if not fitting:
            raise ValueError(
                f"{where}: no module fits layer {step.layer.name!r}, whose weights have shapes "
                f"{_shapes(_module(step))}; there are {listed(free)}"
            )
        if len({_without_numbers(name) for name in fitting}) > 1:
            raise ValueError(
                f"{where}: layer {step.layer.name!r} may be any of {listed(fitting)}: their "
                "names tell no order; number the modules"
            )
        chosen.append(fitting[0])
        free.remove(fitting[0])
    return chosen


def _without_numbers(name: str) -> str:
    return re.sub(r"\d+", "", name)


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in tensors.items()}


def _fits(step: Step, tensors: Tensors) -> bool:
    try:
        _weights(step, tensors, "", "")
    except ValueError:
        return False
    return True


def _weights(step: Step, tensors: Tensors, module: str, where: str) -> list[NDArray[Any]]:
    """Return a module's tensors as a layer's weights; ValueError where they are not."""
    names = _NAMES[step.kind]
    expected = _shapes(_module(step))
    left = dict(tensors)
    values = []
    for own, (name, _) in names.items():
        if own not in step.weights:
            continue
        value = left.pop(name, None)
        if value is not None and step.kind == "prelu" and value.size == 1:
            value = np.broadcast_to(value.reshape(()), expected[name])
        if value is None or value.shape != expected[name]:
            found = None if value is None else value.shape
            raise ValueError(
                f"{where}: layer {step.layer.name!r} takes a {name} of shape {expected[name]}, "
                f"module {module!r} has {found}"
            )
        values.append(value.T if own == "kernel" else value)
    for name, value in left.items():  # what the layer does not have must change nothing
        absent = {torch: default for torch, default in names.values()}.get(name)
        if absent is None or not np.all(value == absent):
            raise ValueError(
                f"{where}: module {module!r} has a {name}, layer {step.layer.name!r} has none"
            )
    return values
