# SPDX-License-Identifier: Apache-2.0
"""Models from Keras's files: `load` reads ``.keras``, without Keras.

Structure and weights are taken over whole, or the file is refused by what laminar lacks. What only
training knows, such as the loss, is taken where laminar has it, and named in a warning where not.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layers, losses, metrics, optimizers
from .._printable import lines
from . import _shapes
from ._keras_archive import Archive
from ._keras_layers import component, described, layer_of, policy

if TYPE_CHECKING:
    from ..sequential import Sequential


def load(path: str | os.PathLike[str]) -> Sequential:
    """Return the model of a ``.keras`` file: a Sequential, or a functional model that is a chain.

    It is compiled with the file's optimizer, loss and metrics; the optimizer starts afresh.

    Parameters
    ----------
    path : str or path
        The file, written by Keras 3.

    Raises
    ------
    ImportError, OSError, ValueError
        Where h5py is missing, the file is absent or damaged, or has a layer or an option that
        laminar lacks, which is named.

    Warns
    -----
    UserWarning
        Where something that does not change predictions is not taken over.
    """
    archive = Archive(os.fspath(path))
    notes: list[str] = []
    try:
        model = _model(archive, notes)
    except RecursionError:
        raise archive.refusal("its configuration is nested too deeply") from None
    finally:
        archive.close()
    _compile(model, archive.config.get("compile_config"), notes)
    if notes:
        warnings.warn(
            lines(f"load_model: {archive.path}: not taken over: {'; '.join(notes)}"),
            UserWarning,
            stacklevel=2,
        )
    return model


def _model(archive: Archive, notes: list[str]) -> Sequential:
    from ..sequential import Sequential  # which imports this package

    try:
        kind, config = described(archive.config)
        entries = [dict(entry) for entry in config.get("layers", ())]
        if kind == "Sequential":
            chain = entries
        elif kind == "Functional":
            chain = _chain(entries, config)
        else:
            raise ValueError(f"must be a Sequential or a Functional model, got {kind}")
        dtype = _dtype(chain)
        shape = _input_shape(chain, config)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise archive.refusal(str(error)) from None

    names = dict(zip(map(id, entries), _names(entries), strict=True))
    stack: list[layers.Layer] = []
    given: list[Any] = []
    for entry in chain:
        name = entry.get("class_name")
        if name in ("InputLayer", "Identity"):
            continue
        label = f"layer {entry.get('config', {}).get('name')!r}"
        try:
            missed: list[str] = []
            layer = layer_of(entry, 1 + len(shape), missed)
            notes += [f"{label}: {what}" for what in missed]
            found = archive.weights(names[id(entry)])
            if isinstance(layer, layers.Normalization):
                found = _moments(layer, found, shape)
            _shapes.check(layer, shape, found, label)
            shape = _shapes.after(layer, shape)
        except (AttributeError, TypeError, ValueError, ZeroDivisionError) as error:
            message = str(error).removeprefix(f"load_model: {archive.path}: ")
            raise archive.refusal(
                message if message.startswith(label) else f"{label}: {message}"
            ) from None
        stack.append(layer)
        given += found
    try:
        start = [layers.Input(_input_shape(chain, config))]
        model = Sequential([*start, *stack], name=str(config.get("name") or ""), dtype=dtype)
        model.set_weights(given)
    except (MemoryError, TypeError, ValueError) as error:
        raise archive.refusal(f"its layers do not make a model: {error}") from None
    return model


def _chain(entries: list[dict[str, Any]], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a functional model from input to output; ValueError for other graphs."""
    by_name = {str(entry["name"]): entry for entry in entries}
    first, last = (_end(config[key], key) for key in ("input_layers", "output_layers"))
    chain, name = [], last
    for _ in entries:
        entry = by_name[name]
        chain.append(entry)
        if name == first:
            if len(chain) < len(by_name):
                break
            return chain[::-1]
        name = _read_by(entry)
    raise ValueError("its layers are not a chain: some are beside the way from input to output")


def _end(given: Any, key: str) -> str:
    """Return the name of the one layer at an end of a functional model."""
    found = [given] if given and isinstance(given[0], str) else given
    if len(found) != 1:
        raise ValueError(f"must have one input and one output, got {len(found)} {key}")
    return str(found[0][0])


def _read_by(entry: Mapping[str, Any]) -> str:
    """Return the name of the one layer that another reads."""
    where = f"layer {entry['name']!r}"
    nodes = entry.get("inbound_nodes", ())
    if len(nodes) != 1:
        raise ValueError(f"{where} is used {len(nodes)} times; only chains of layers can be read")
    arguments = nodes[0]["args"]
    unknown = [k for k, v in nodes[0].get("kwargs", {}).items() if v not in (None, False)]
    if len(arguments) != 1 or not isinstance(arguments[0], Mapping) or unknown:
        raise ValueError(f"{where} reads more than one value; only chains of layers can be read")
    return str(arguments[0]["config"]["keras_history"][0])


def _names(entries: list[dict[str, Any]]) -> list[str]:
    """Return the layers' names among the weights: the class in small letters, and a counter."""
    counts: dict[str, int] = {}
    names = []
    for entry in entries:
        words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", str(entry.get("class_name")))
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        count = counts.get(name, 0)
        counts[name] = count + 1
        names.append(f"{name}_{count}" if count else name)
    return names


def _dtype(chain: list[dict[str, Any]]) -> str:
    """Return the type of all layers; ValueError where they differ or laminar lacks it."""
    found = {policy(e) for e in chain if e.get("class_name") != "InputLayer"} - {None}
    if len(found) > 1 or not found <= {"float32", "float64"}:
        names = ", ".join(sorted(str(name) for name in found))
        raise ValueError(f"all layers must be float32, or all float64, got {names}")
    return str(found.pop()) if found else "float32"


def _input_shape(chain: list[dict[str, Any]], config: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the shape of a sample; ValueError where the file does not tell."""
    shape = config.get("build_input_shape")
    if chain and chain[0].get("class_name") == "InputLayer":
        shape = chain[0]["config"].get("batch_shape")
    if not isinstance(shape, list) or len(shape) < 2 or None in shape[1:]:
        raise ValueError(f"the shape of its input must be known, got {shape}; build the model")
    return tuple(int(extent) for extent in shape[1:])


def _moments(
    layer: layers.Normalization, found: list[Any], shape: tuple[int, ...]
) -> list[np.ndarray[Any, Any]]:
    """Return mean and variance: of the file, where they were adapted, or of the configuration."""
    values = (
        found[:2] if found else [np.asarray(v, np.float64) for v in (layer.mean, layer.variance)]
    )
    if values[0].dtype == object or values[0].ndim == 0 or values[0].size not in (1, shape[-1]):
        raise ValueError("Normalization: mean and variance must have one number a feature")
    return [np.broadcast_to(np.asarray(v).reshape(-1), shape[-1:]) for v in values]


def _compile(model: Sequential, config: object, notes: list[str]) -> None:
    """Compile with the optimizer, loss and metrics of the file, where laminar has them all."""
    if not isinstance(config, Mapping) or config.get("optimizer") is None:
        return
    try:
        if config.get("loss_weights") is not None:
            raise ValueError(f"loss_weights, which are {config['loss_weights']!r}")
        loss, optimizer = config.get("loss"), config.get("optimizer")
        if isinstance(loss, list) and len(loss) == 1:
            loss = loss[0]
        chosen = {
            key: [component(metrics.Metric, spec) for spec in _flat(config.get(key))]
            for key in ("metrics", "weighted_metrics")
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on a choice that was made long ago
            model.compile(
                _optimizer(optimizer),
                None if loss is None else component(losses.Loss, loss),
                chosen["metrics"] or None,
                chosen["weighted_metrics"] or None,
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        notes.append(f"what it was compiled with ({error})")


def _flat(given: Any) -> list[Any]:
    """Return a list of metrics, which Keras nests by output."""
    if given is None:
        return []
    if not isinstance(given, list):
        return [given]
    return [part for inner in given for part in (inner if isinstance(inner, list) else [inner])]


def _optimizer(spec: Any) -> optimizers.Optimizer:
    """Return the optimizer, with its schedule if it has one."""
    if isinstance(spec, Mapping) and isinstance(spec.get("config"), Mapping):
        config = dict(spec["config"])
        if isinstance(config.get("learning_rate"), Mapping):
            schedule = optimizers.schedules.LearningRateSchedule
            config["learning_rate"] = component(schedule, config["learning_rate"])
        spec = {**spec, "config": config}
    made: optimizers.Optimizer = component(optimizers.Optimizer, spec)
    return made
