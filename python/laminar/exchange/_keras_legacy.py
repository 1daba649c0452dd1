# SPDX-License-Identifier: Apache-2.0
"""Files that Keras wrote before version 3: one HDF5 file, or JSON and weights in HDF5.

Configurations are brought into the form of Keras 3 and read as such. Weights lie in a group for
each outermost layer, those of a model within the model in one list: first what is trained of all
its layers, then the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ._extras import required
from ._keras_archive import LARGEST_CONFIG, WHERE, Source, size_of, text_of
from ._keras_graph import is_model
from ._keras_names import variables

_MERGING = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
_DROPPED = ("batch_input_shape", "implementation", "input_dtype", "input_length")
_MOST_LAYERS = 2**16
_MOST_PARTS = 2**10  # of a list of names


class Legacy(Source):
    """A ``.h5`` file of a whole model, or a configuration and a file of weights.

    Parameters
    ----------
    path : str
        The file of the model, or of its configuration.
    weights : str, optional
        The file of weights, where it is another.

    Raises
    ------
    ImportError, OSError, ValueError
        Where h5py is missing, or a file is absent, damaged or holds no model.
    """

    def __init__(self, path: str, weights: str | None = None) -> None:
        super().__init__(path)
        self._left = size_of(path if weights is None else weights)
        self._arrays: dict[tuple[str, ...], list[NDArray[Any]]] = {}
        try:
            if weights is None:
                self._weights = self._opened(path)
                self.config = self._whole()
                root = self._inside(self._weights, "model_weights")
            else:
                self.config = modern(self._json(text_of(path, self.refusal)))
                self.path = weights
                self._weights = root = self._opened(weights)
            if not isinstance(root, self._h5py.Group):
                raise self.refusal("has no group of weights")
            self._read(root, self.config.get("config", {}).get("layers", []))
        except (MemoryError, OSError, RecursionError, ValueError):
            raise
        except Exception as error:  # whatever h5py raises, and configurations that are none
            raise self.refusal(f"its weights are not those of its layers: {error}") from None

    def names(self, entries: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the names of layers among the weights: their own."""
        return [_name(entry) for entry in entries]

    def weights(self, *path: str) -> list[NDArray[Any]]:
        """Return the arrays of a layer, in order."""
        return self._arrays.get(path, [])

    def _whole(self) -> dict[str, Any]:
        attributes = self._weights.attrs
        if "model_config" not in attributes:
            raise self.refusal(
                "holds weights without a model: give load_model the file of model.to_json(), and "
                "this one as weights="
            )
        text = attributes["model_config"]
        if len(text) > LARGEST_CONFIG:
            raise self.refusal(f"a configuration has at most {LARGEST_CONFIG:,} bytes")
        config = modern(self._json(text))
        if "training_config" in attributes:
            training = self._json(attributes["training_config"])
            config["compile_config"] = _modern_parts(
                {**training, "optimizer": training.get("optimizer_config")}
            )
        return config

    def _read(self, root: Any, entries: Sequence[Mapping[str, Any]]) -> None:
        """Find the arrays of all layers."""
        known = self._texts(root, "layer_names")
        for entry in entries:
            name = _name(entry)
            if name not in known:  # those of no weights need not be there
                continue
            group = self._inside(root, name)
            found = [(each, self._at(group, each)) for each in self._texts(group, "weight_names")]
            if not is_model(entry):
                self._arrays["layers", name] = [array for _, array in found]
                continue
            parts = list(_leaves(entry, ("layers", name)))
            for trained in (True, False):
                for path, leaf, is_trained in parts:
                    own = variables(leaf, trained, is_trained)
                    for role in own:
                        if found and _role(found[0][0]) == role.rstrip("?"):
                            self._arrays.setdefault(path, []).append(found.pop(0)[1])
                        elif not role.endswith("?"):
                            there = found[0][0] if found else "no more"
                            raise self.refusal(
                                f"weights of {name!r}: expected the {role} of {path[-1]!r}, "
                                f"found {there}"
                            )
            if found:
                raise self.refusal(f"weights of {name!r}: no layer has {found[0][0]!r}")

    def _at(self, group: Any, place: str) -> NDArray[Any]:
        *folders, last = place.split("/")
        for folder in folders:
            group = self._inside(group, folder)
            if group is None:
                raise self.refusal(f"{place!r} is not there")
        return self._array(group, last)

    def _texts(self, group: Any, name: str) -> list[str]:
        """Return a list of texts, which may be in several parts."""
        attributes = group.attrs
        if name in attributes:
            parts = [attributes[name]]
        else:
            keys = (f"{name}{i}" for i in range(_MOST_PARTS))
            parts = [attributes[key] for key in keys if key in attributes]
        found = [text for part in parts for text in part]
        if len(found) > _MOST_LAYERS:
            raise self.refusal(f"{group.name} has {len(found):,} names, too many")
        return [text.decode() if isinstance(text, bytes) else str(text) for text in found]


def is_legacy(path: str) -> bool:
    """Whether a file of weights was written before Keras 3; OSError where it cannot be read."""
    h5py = required("h5py", "keras", f"{WHERE}: {path!r}")
    size_of(path)
    try:
        with h5py.File(path, "r") as file:
            return "layers" not in file
    except Exception:  # whatever h5py raises: another reader says what is wrong
        return False


def _role(place: str) -> str:
    """Return what a weight is of its layer: ``dense/kernel:0`` is a kernel."""
    return place.rpartition("/")[2].partition(":")[0]


def _leaves(
    entry: Mapping[str, Any], path: tuple[str, ...], trained: bool = True
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], bool]]:
    """Yield the layers of a model within the model, with their places, and whether they train."""
    for inner in entry["config"].get("layers", []):
        trains = trained and bool(inner["config"].get("trainable", True))
        own = (*path, "layers", _name(inner))
        if is_model(inner):
            yield from _leaves(inner, own, trains)
        elif inner.get("class_name") != "InputLayer":
            yield own, inner, trains


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"].get("name"))


def modern(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration of a model in the form of Keras 3."""
    made: dict[str, Any] = _modern_parts(dict(entry))
    return _modern_model(made) if is_model(made) else made


def _modern_parts(value: Any) -> Any:
    """Return a configuration in which all classes say that they are Keras's."""
    if isinstance(value, list):
        return [_modern_parts(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _modern_parts(each) for key, each in value.items()}
    if isinstance(found.get("class_name"), str) and "config" in found:
        found.setdefault("module", "keras")
        if found["class_name"] == "Model":
            found["class_name"] = "Functional"
    return found


def _modern_model(entry: dict[str, Any]) -> dict[str, Any]:
    config = entry["config"]
    if isinstance(config, list):  # of the oldest stacks
        config = {"layers": config}
    layers = [_modern_layer(dict(each)) for each in config.get("layers", [])]
    config = {**config, "layers": layers}
    if entry["class_name"] == "Sequential" and layers:
        first = layers[0]
        shape = first["config"].pop("batch_input_shape", None)
        if first["class_name"] != "InputLayer" and shape is not None:
            name = f"{_name(first)}_input"
            start = {"name": name, "batch_shape": shape}
            config["layers"] = [
                {"class_name": "InputLayer", "module": "keras", "config": start},
                *layers,
            ]
    old = any(isinstance(node, list) for e in layers for node in e.get("inbound_nodes", ()))
    if old:
        models = {_name(each) for each in layers if each["class_name"] == "Functional"}
        for each in layers:
            nodes = each.get("inbound_nodes", ())
            each["inbound_nodes"] = [_modern_node(node, each["class_name"]) for node in nodes]
        # Keras 3 counts the calls of a functional model from 1 here.
        config["output_layers"] = [
            [end[0], end[1] + (end[0] in models), *end[2:]] for end in config["output_layers"]
        ]
    for each in config["layers"]:
        for key in _DROPPED:
            each["config"].pop(key, None)
    return {**entry, "config": config}


def _modern_layer(entry: dict[str, Any]) -> dict[str, Any]:
    if is_model(entry):
        return _modern_model(entry)
    kind, config = entry["class_name"], dict(entry["config"])
    if kind == "InputLayer" and "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    if kind == "LeakyReLU" and "alpha" in config:
        config["negative_slope"] = config.pop("alpha")
    return {**entry, "config": config}


def _modern_node(node: Any, kind: str) -> dict[str, Any]:
    """Return a call: ``[["dense", 0, 0, {}], …]`` with what each value is read with."""
    histories = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": list(each[:3])}}
        for each in node
    ]
    options: dict[str, Any] = {}
    for each in node:
        options |= each[3] if len(each) > 3 else {}
    several = len(histories) > 1 or kind in _MERGING
    return {"args": [histories if several else histories[0]], "kwargs": options}
