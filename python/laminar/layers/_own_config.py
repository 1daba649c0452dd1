# SPDX-License-Identifier: Apache-2.0
"""How layers of the user's own are written down: by their class, or by what they compute."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _custom
from .._attributes import is_own
from .._component import encoded
from .._printable import listed

if TYPE_CHECKING:
    from .base import Layer

_OURS = "laminar."


def config_text(layer: Layer) -> str:
    """Return how the layer is made again; nothing where JSON cannot carry it."""
    if type(layer).__name__ == "Lambda":
        return ""
    try:
        return json.dumps(layer.get_config())
    except (TypeError, ValueError):
        return ""


def class_name(kind: type[Any]) -> str:
    """Return what files call a class; laminar's have a prefix that no class of the user's has."""
    known = kind._ours and is_own(kind)
    return f"{_OURS}{kind.__name__}" if known else kind.__name__


def _class_of(name: str) -> Any:
    """Return the class of a file's name, where it is known."""
    if not name.startswith(_OURS):
        return _custom.find(name)
    from .. import layers  # which imports this file

    return vars(layers).get(name.removeprefix(_OURS))


def entry_of(layer: Layer) -> dict[str, Any]:
    """Return what a model's configuration says of a layer."""
    config = config_text(layer)
    if config or not layer._recorded:
        return {"class_name": type(layer).__name__, "config": json.loads(config or "{}")}
    from ._own import spec  # which imports this file

    _, shapes = next(iter(layer._recorded))
    description = spec(layer, shapes)
    return operations_entry(
        {**description, "name": layer._known_name, "trainable": layer._trainable}
    )


def operations_entry(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a layer of which there is the core's description alone."""
    rest = dict(description)
    config = {name: rest.pop(name, None) for name in ("name", "trainable")}
    if rest.pop("kind", None) == "batch_operations":
        rest["whole_batch"] = True
    if config["trainable"] is None:
        config["trainable"] = True
    return {"class_name": "Operations", "config": {"recorded": rest, **config}}


def loaded_entry(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return how to make a layer of a file's: of the class that it was, where that is known."""
    kind, config = description.get("class_name"), description.get("config")
    found: Any = _class_of(kind) if kind and config else None
    if found is not None and not (isinstance(found, type) and getattr(found, "_own", False)):
        raise ValueError(
            f"custom_objects: {kind!r} must be a class that derives from layers.Layer, got "
            f"{found!r}"
        )
    if kind and config and found is not None:
        read = json.loads(config)
        if _is_known(read):
            return {"class_name": kind.removeprefix(_OURS), "config": read}
    return operations_entry(description)


def _is_known(config: Any) -> bool:
    """Whether the classes of all layers in a configuration are known."""
    if isinstance(config, list):
        return all(map(_is_known, config))
    if not isinstance(config, dict):
        return True
    if config.keys() == {"class_name", "config"}:
        from . import __all__ as names  # which imports this file

        name = config["class_name"]
        if name not in names and _custom.find(name) is None:
            return False
    return all(map(_is_known, config.values()))


def config_of(layer: Layer) -> dict[str, Any]:
    """Return the constructor's arguments of a layer, as it has them now, and its name.

    Raises
    ------
    TypeError
        Where they are more than it has names for.
    """
    args, given = layer._given
    names = _argument_names(type(layer))
    if len(args) > len(_argument_names(type(layer), positional=True)):
        raise TypeError(
            f"{type(layer).__name__}: get_config cannot tell what *arguments have become; define "
            "get_config and from_config, or give them names"
        )
    known = {**dict(zip(names, args, strict=False)), **given}
    config: dict[str, Any] = {"name": layer._name, "trainable": layer._trainable}
    for name in names:
        if hasattr(layer, name):
            known[name] = getattr(layer, name)
    known.pop("input_shape", None)
    config.update({name: _written(value) for name, value in known.items()})
    return config


def _written(value: object) -> object:
    """Return an argument as what JSON can carry; layers as `layers.get` takes them."""
    from .base import Layer  # which imports this file

    if isinstance(value, Layer):
        if value._is_traced and not config_text(value):
            raise TypeError(f"{value!r} has no configuration")
        return value._entry_in_config()
    if isinstance(value, (list, tuple)):
        return [_written(part) for part in value]
    if isinstance(value, dict):
        return {name: _written(part) for name, part in value.items()}
    return encoded(value)


def _read(value: Any) -> Any:
    """Return an argument of what `_written` has returned."""
    if isinstance(value, list):
        return [_read(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"class_name", "config"}:
        from . import get  # which imports this file

        return get(value)
    return {name: _read(part) for name, part in value.items()}


def from_config(kind: type[Any], config: Mapping[str, Any]) -> Any:
    """Make a layer of its constructor's arguments; those of all layers it need not take."""
    options = {name: _read(value) for name, value in config.items()}
    parameters = inspect.signature(kind.__init__).parameters
    free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    rest = {}
    for name in ("name", "trainable"):
        if name in options and name not in parameters and not free:
            rest[name] = options.pop(name)
    try:
        inspect.signature(kind).bind(**options)
    except TypeError as error:
        raise ValueError(
            f"{kind.__name__}: its constructor does not take what its configuration has, "
            f"{listed(sorted(options))}: {error}; get_config must return the arguments"
        ) from None
    made = kind(**options)
    if rest.get("name") is not None:
        made._name = rest["name"]
    made._trainable = rest.get("trainable", made._trainable)
    return made


def _argument_names(kind: type[Any], positional: bool = False) -> list[str]:
    parameters = inspect.signature(kind.__init__).parameters.values()
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    if positional:
        kinds.discard(inspect.Parameter.KEYWORD_ONLY)
    return [each.name for each in parameters if each.kind in kinds and each.name != "self"]
