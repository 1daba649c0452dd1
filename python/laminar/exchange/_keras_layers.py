# SPDX-License-Identifier: Apache-2.0
"""Layers and what they are made of, from Keras's configurations to laminar's.

Names and arguments are the same, so that this is a list of what an option that laminar lacks must
be for the result to be the same. Nothing is looked up by module: what is not Keras's own is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _component, activations, constraints, initializers, layers, regularizers
from .._component import Component
from .._spelling import argument_names

TAKEN: dict[str, type[layers.Layer]] = {
    cls.__name__: cls
    for cls in (*layers.Layer._classes.values(), *layers.Layer._variants)
    if cls is not layers.Operations  # which Keras does not have
}
# What changes nothing: names, bookkeeping, and arguments of options that are off.
_IGNORED = {"name", "dtype", "renorm_clipping", "renorm_momentum", "lora_alpha"}
# What options that laminar lacks must be.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "activity_regularizer": (None,),
    "count_weights": (None,),
    "data_format": ("channels_last", None),
    "lora_rank": (None,),
    "mask_zero": (False,),
    "noise_shape": (None,),
    "num_bins": (None,),
    "output_mode": ("int",),
    "quantization_config": (None,),
    "renorm": (False,),
    "rms_scaling": (False,),
    "shared_axes": (None,),
    "sparse": (False,),
    "synchronized": (False,),
}
_FAMILIES: dict[str, type[Component]] = {
    "initializer": initializers.Initializer,
    "regularizer": regularizers.Regularizer,
    "constraint": constraints.Constraint,
}


def layer_of(entry: Mapping[str, Any], rank: int, notes: list[str]) -> layers.Layer:
    """Return the layer that Keras describes.

    Parameters
    ----------
    entry : mapping
        Class and configuration.
    rank : int
        The axes of a batch that the layer reads.
    notes : list of str
        Receives what is not taken over, where that does not change what the model predicts.

    Raises
    ------
    TypeError, ValueError
        Where laminar has no such layer or option.
    """
    name, config = described(entry)
    cls = TAKEN.get(name)
    if cls is None:
        raise ValueError(f"there is no layer for Keras's {name}")
    known = argument_names(cls.__init__)
    arguments: dict[str, Any] = {}
    for option, value in config.items():
        if option == "axis":
            _check_axis(value, rank)
        elif option in known and option not in ("name", "input_shape"):
            arguments[option] = _argument(option, value, notes)
        elif option in _IGNORED or (name == "Discretization" and option == "epsilon"):
            pass
        elif option not in _NEUTRAL or value not in _NEUTRAL[option]:
            raise ValueError(f"{name}: laminar has no option {option!r}, which is {value!r}")
    return cls(name=config.get("name"), **arguments)


def described(entry: object) -> tuple[str, dict[str, Any]]:
    """Return class and arguments of a configuration of Keras's own; ValueError for others."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"a configuration must be a mapping, got {entry!r}")
    name, config, module = entry.get("class_name"), entry.get("config"), entry.get("module")
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise ValueError("a configuration must have class_name and config")
    if not isinstance(module, str) or module.partition(".")[0] != "keras":
        raise ValueError(f"{name} of module {module!r} is not Keras's own")
    if ">" in str(entry.get("registered_name")):
        raise ValueError(f"{entry['registered_name']} is not Keras's own")
    return name, dict(config)


def component(base: type[Component], spec: object) -> Any:
    """Return an initializer, loss, optimizer, … of Keras's configuration.

    Raises
    ------
    TypeError, ValueError
        Where laminar has none, or lacks one of its options.
    """
    if isinstance(spec, str):
        return _component.get(base, spec)
    if isinstance(spec, Mapping) and spec.get("class_name") == "function":
        module = str(spec.get("module")).partition(".")[0]
        if module != "keras":
            raise ValueError(f"function {spec.get('config')!r} is not Keras's own")
        return _component.get(base, spec.get("config"))
    name, config = described(spec)
    cls = _component.named(base, name)
    known = argument_names(cls.__init__)
    arguments = {}
    for option, value in config.items():
        if option in known:
            arguments[option] = value
        elif option in ("name", "dtype") or value is None or value is False:
            continue
        elif not (option == "axis" and value == -1):
            raise ValueError(f"{name}: laminar has no option {option!r}, which is {value!r}")
    return cls.from_config(arguments)


def policy(entry: Mapping[str, Any]) -> str | None:
    """Return the name of a layer's type policy, None where it has none."""
    dtype = entry.get("config", {}).get("dtype")
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name")
    return None if dtype is None else str(dtype)


def _check_axis(axis: object, rank: int) -> None:
    """Raise ValueError where an axis is not the last one."""
    given = axis if isinstance(axis, list) else [axis]
    if len(given) != 1 or given[0] not in (-1, rank - 1) or isinstance(given[0], bool):
        raise ValueError(f"axis must be the last one, got {axis!r}")


def _argument(option: str, value: Any, notes: list[str]) -> Any:
    """Return the value of an argument as laminar takes it."""
    if option == "activation":
        made = _activation(value)
        if made._entry == "sparsemax":
            notes.append("Keras's sparsemax, in whose place is the published one: they differ")
        return made
    family = option.rpartition("_")[2]
    if family not in _FAMILIES or value is None:
        return value
    try:
        return component(_FAMILIES[family], value)
    except (TypeError, ValueError) as error:
        notes.append(f"its {option} ({error})")
        return initializers.Zeros() if family == "initializer" else None


def _activation(spec: object) -> Any:
    """Return an activation that is named, or given as a layer."""
    if isinstance(spec, Mapping) and spec.get("class_name") != "function":
        name, _ = described(spec)
        if name in ("ELU", "LeakyReLU", "ReLU", "Softmax"):
            return layer_of(spec, 2, []).activation  # type: ignore[attr-defined]
    return component(activations.Activation, spec)
