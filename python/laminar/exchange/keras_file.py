# SPDX-License-Identifier: Apache-2.0
"""Models from Keras's files, without Keras: ``.keras``, ``.h5``, and JSON with weights.

Structure and weights are taken over whole, or the file is refused by what laminar lacks. What only
training knows, such as the loss, is taken where laminar has it, and named in a warning where not.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layers, losses, metrics, optimizers
from .._printable import lines
from . import _shapes
from ._keras_archive import Archive, Configured, Source
from ._keras_graph import graph, is_model
from ._keras_layers import component, described, layer_of, policy
from ._keras_legacy import Legacy, is_legacy

if TYPE_CHECKING:
    from ..model import Model
    from ..sequential import Sequential


def load(
    path: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None
) -> Sequential | Model:
    """Return the model of a file: a Sequential, also for chains, or a Model.

    It is compiled with the file's optimizer, loss and metrics; the optimizer starts afresh.

    Parameters
    ----------
    path : str or path
        A ``.keras`` file, a ``.h5`` file of a whole model, or the ``.json`` of ``model.to_json``.
    weights : str or path, optional
        With ``.json``: what ``model.save_weights`` wrote.

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
    archive = _source(os.fspath(path), None if weights is None else os.fspath(weights))
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


def _source(path: str, weights: str | None) -> Source:
    """Return what a file holds, by its name."""
    ending = os.path.splitext(path)[1]
    if ending == ".keras":
        return Archive(path)
    if ending != ".json":
        return Legacy(path)
    if weights is None:
        raise ValueError(
            f"load_model: {path!r} is a configuration without weights; give those as weights=, the "
            "file that model.save_weights wrote in Keras"
        )
    return Legacy(path, weights) if is_legacy(weights) else Configured(path, weights)


def _model(archive: Source, notes: list[str]) -> Sequential | Model:
    from ..sequential import Sequential  # which imports this package

    try:
        kind, config = described(archive.config)
        entries = [dict(entry) for entry in config.get("layers", ())]
        if kind == "Sequential":
            chain = entries
            if any(is_model(entry) for entry in entries):
                return _graph(archive, entries, notes, _input_shape(chain, config))
        elif kind == "Functional":
            way = _chain(entries, config)
            if way is None or any(is_model(entry) for entry in way):
                return _graph(archive, entries, notes)
            chain = way
        else:
            raise ValueError(f"must be a Sequential or a Functional model, got {kind}")
        dtype = _dtype(chain)
        shape = _input_shape(chain, config)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        message = str(error).removeprefix(f"load_model: {archive.path}: ")
        raise archive.refusal(message) from None

    names = dict(zip(map(id, entries), archive.names(entries), strict=True))
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
            found = archive.weights("layers", names[id(entry)])
            if isinstance(layer, layers.Normalization):
                found = _moments(layer, found, shape)
            _shapes.check(layer, shape, found, label)
            shape = layer._output_shape([shape])
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


def _graph(
    archive: Source,
    entries: list[dict[str, Any]],
    notes: list[str],
    shape: tuple[int, ...] | None = None,
) -> Model:
    """Return the model of a configuration that is no chain of layers."""

    def weights(path: tuple[str, ...], layer: layers.Layer, shape: tuple[int, ...]) -> list[Any]:
        found = archive.weights(*path)
        return _moments(layer, found, shape) if isinstance(layer, layers.Normalization) else found

    return graph(archive.config, weights, _dtype(_all(entries)), notes, archive.names, shape)


def _all(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the layers, with those of models within the model in place of these."""
    found = []
    for entry in entries:
        inner = entry.get("config", {}).get("layers")
        found += [entry] if inner is None else _all([dict(each) for each in inner])
    return found


def _chain(entries: list[dict[str, Any]], config: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the layers of a functional model from input to output; None for other graphs."""
    by_name = {str(entry["name"]): entry for entry in entries}
    first, last = (_end(config[key]) for key in ("input_layers", "output_layers"))
    chain, name = [], last
    for _ in entries:
        if name is None or name not in by_name:
            return None
        entry = by_name[name]
        chain.append(entry)
        if name == first:
            return chain[::-1] if len(chain) == len(by_name) else None
        name = _read_by(entry)
    return None


def _end(given: Any) -> str | None:
    """Return the name of the one layer at an end of a functional model; None for others."""
    if isinstance(given, Mapping):
        return None
    found = [given] if given and isinstance(given[0], str) else given
    return str(found[0][0]) if len(found) == 1 else None


def _read_by(entry: Mapping[str, Any]) -> str | None:
    """Return the name of the one layer that another reads; None where it reads otherwise."""
    nodes = entry.get("inbound_nodes", ())
    if len(nodes) != 1:
        return None
    arguments = nodes[0]["args"]
    unknown = [k for k, v in nodes[0].get("kwargs", {}).items() if v not in (None, False)]
    if len(arguments) != 1 or not isinstance(arguments[0], Mapping) or unknown:
        return None
    return str(arguments[0]["config"]["keras_history"][0])


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


def _compile(model: Sequential | Model, config: object, notes: list[str]) -> None:
    """Compile with the optimizer, loss and metrics of the file, where laminar has them all."""
    if not isinstance(config, Mapping) or config.get("optimizer") is None:
        return
    try:
        loss, optimizer = config.get("loss"), config.get("optimizer")
        chosen = {
            key: _made(metrics.Metric, config.get(key)) for key in ("metrics", "weighted_metrics")
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on a choice that was made long ago
            model.compile(
                _optimizer(optimizer),
                _made(losses.Loss, loss),
                chosen["metrics"] or None,
                chosen["weighted_metrics"] or None,
                config.get("loss_weights"),
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        notes.append(f"what it was compiled with ({error})")


def _made(kind: Any, given: Any) -> Any:
    """Return losses or metrics in the form in which Keras has them: nested by outputs."""
    if given is None:
        return None
    if isinstance(given, list):
        return [_made(kind, part) for part in given]
    if isinstance(given, Mapping) and "class_name" not in given:
        return {name: _made(kind, part) for name, part in given.items()}
    return component(kind, given)


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
