# SPDX-License-Identifier: Apache-2.0
"""Models and weights as files, as bytes, and as what pickle and copy make of a model.

All of them are one format, the core's (``cpp/laminar/model_file.hpp``), which C++ reads as well:
a safetensors file with the structure in its metadata. What only Python knows, the classes of
layers, the history and where callbacks stand, is one more text in it.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import _core, _custom, layers
from ._compiling import Compiling
from ._component import flag
from ._printable import listed, printable
from ._spelling import keywords
from .callbacks import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._guard import CoreModel
    from .callbacks._list import CallbackList

S = TypeVar("S", bound="Saving")
Notes: TypeAlias = "tuple[dict[str, str], dict[str, NDArray[Any]]]"

ENDING = ".safetensors"
# The key of Python's text in the metadata.
_NOTES = "python"
# Looks, one a millisecond, at a fit whose first or last callback takes its time.
_PATIENCE = 1000


class Saving(Compiling):
    """A model that is written to files and made of them; see `Sequential`."""

    history: History | None = None
    stop_training: bool = False
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    # What else is in the file, {name: text}, and goes into the next one: a table's description.
    _texts: Mapping[str, str] = MappingProxyType({})
    # Of the fit that is running.
    _calls: CallbackList | None = None

    def _assign(self, name: str, value: object) -> None:
        where = f"{type(self).__name__}: {name}"
        if name == "stop_training":
            value = flag(value, where)
        elif name == "history" and not (value is None or isinstance(value, History)):
            raise TypeError(f"{where} must be a History or None, got {value!r}")
        elif name in ("feature_names", "class_names") and value is not None:
            texts = isinstance(value, (tuple, list)) and all(isinstance(v, str) for v in value)
            if not texts:
                raise TypeError(f"{where} must be a tuple of strings or None, got {value!r}")
            value = tuple(value)  # type: ignore[arg-type]  # which it is
        super()._assign(name, value)

    @keywords()
    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        include_optimizer: bool = True,
    ) -> None:
        """Write the model to a file, for `laminar.load_model` and for C++'s ``load_model``.

        It holds structure and weights and, of a compiled model, loss, metrics, the optimizer with
        its state, and the history: all that a later ``fit`` needs to go on at the same bit. Any
        safetensors reader finds the weights in it. Callbacks, handlers of signals and other
        threads may save the model while it is trained: as it is between two steps.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.safetensors``.
        overwrite : bool
            Replace a file of this name. A crash leaves the old one or the new one, whole.
        include_optimizer : bool
            Whether training is in the file; without it a file is as small as its weights.

        Raises
        ------
        ValueError, FileExistsError, OSError
            Where the model is not built, the name ends otherwise, the file is there and may not
            be replaced, or it cannot be written.
        """
        path = checked_path(filepath, "save", overwrite)
        training = flag(include_optimizer, "save: include_optimizer")
        core, (texts, arrays) = self._moment(self._core("save"), "save")
        _core.save_model(core, path, training, texts, arrays)

    @keywords()
    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write all weights to a file; structure and optimizer are not in it.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.safetensors``; one tensor for each name of `weights`, of the model's dtype
            even where `quantize` has rounded them.
        overwrite : bool
            Replace a file of this name. A crash leaves the old one or the new one, whole.

        Raises
        ------
        ValueError, FileExistsError, OSError
            As for `save`.
        """
        path = checked_path(filepath, "save_weights", overwrite)
        arrays = self._core("save_weights").get_weights()
        names = [weight.name for weight in self._facts("save_weights")]
        _core.write_safetensors(path, dict(zip(names, arrays, strict=True)), {})

    @keywords()
    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Set all weights to those of a file of `save_weights` or `save`; the optimizer stays.

        Parameters
        ----------
        filepath : str or path
            The file. Weights of another dtype are converted.

        Raises
        ------
        ValueError, OSError
            Where the model is not built, or the file is absent, damaged or of another model;
            nothing has changed then.
        """
        path = checked_path(filepath, "load_weights")
        self._core("load_weights")
        found, metadata = _core.read_safetensors(path)
        names = [weight.name for weight in self._facts("load_weights")]
        if "laminar.quantization" in metadata:  # its codes and scales are weights together
            core = _core.load_model(path)[0]
            values = zip(core.tensors(), core.get_weights(), strict=True)
            found = {tensor["name"]: value for tensor, value in values}
        own = set(names)
        if "laminar.format" in metadata:  # a whole model; the rest is its training
            found = {
                name: array
                for name, array in found.items()
                if name in own or not name.startswith(_BESIDE_WEIGHTS)
            }
        missing = [name for name in names if name not in found]
        unknown = sorted(found.keys() - own)
        if missing or unknown:
            raise ValueError(
                f"load_weights: {printable(path)} fits another model: "
                f"it lacks {listed(missing) or 'nothing'}, "
                f"and has {listed(unknown) or 'nothing'} besides"
            )
        self.set_weights([found[name] for name in names])

    def __getstate__(self) -> dict[str, Any]:
        """Return the bytes of a file, or of a model that is not built its configuration."""
        core = self._build_if_known()
        if core is not None:
            core, (texts, arrays) = self._moment(core, "save")
            return {"file": _core.model_bytes(core, True, texts, arrays)}
        compiled = self._compiled
        return {
            "config": self.get_config(),
            "compiled": None if compiled is None else compiled.arguments(),
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        if "file" in state:
            self._fill(*_core.load_model_bytes(state["file"]))
            return
        self._start(state["config"])
        if state["compiled"] is not None:
            self.compile(**state["compiled"])

    def _moment(self, core: CoreModel, where: str) -> tuple[CoreModel, Notes]:
        """Return the core's model and what Python has to say of it, both of one moment."""
        for _ in range(_PATIENCE):
            with self._lock:
                core = self._model or core  # another one, if the model has been resumed meanwhile
                if not self._trained_elsewhere():
                    return core.moment(where, True)[0], self._notes()
            still, notes = core.moment(where, True)  # waits for the training thread
            if notes:
                return still, notes
            time.sleep(0.001)  # the core does not train: a fit begins, takes over a file, or ends
        return still, self._notes()

    def _of_one_moment(self: S) -> S:
        """Return the model, or a copy of it while another thread trains it."""
        return copy.copy(self) if self._trained_elsewhere() else self

    def _notes(self) -> Notes:
        """Return the texts of a file beside the core's, and the arrays that callbacks keep."""
        history = self.history
        calls = self._calls  # once: another thread's training may end meanwhile
        states, arrays = (None, {}) if calls is None else calls.states()
        notes = {
            "model": self.get_config(),
            "history": None if history is None else history.record(),
            "stop_training": self.stop_training,
            "feature_names": self.feature_names,
            "class_names": self.class_names,
            "metric_names": [metric.name for metric in self.metrics],
            "callbacks": states,  # None unless fit is running
        }
        return {**self._texts, _NOTES: json.dumps(notes)}, arrays

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model, without weights, in a form that JSON can carry."""
        raise NotImplementedError

    @classmethod
    def from_config(cls: type[S], config: Mapping[str, Any]) -> S:
        """Make a model of what `get_config` returned; its initial weights are the same.

        Parameters
        ----------
        config : mapping
            A configuration.
        """
        raise NotImplementedError

    @classmethod
    def _network_config(cls, network: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a configuration says of a network that C++ describes."""
        raise NotImplementedError

    @classmethod
    def _config_of(cls, core: CoreModel) -> dict[str, Any]:
        """Return the configuration of a model that C++ has made."""
        return {
            "name": None,
            "dtype": "float32" if isinstance(core, _core.ModelFloat32) else "float64",
            "seed": core.seed,
            "precision": core.precision if core.precision == "bfloat16" else None,
            **cls._network_config(json.loads(core.config)),
        }

    def _start(self, config: Mapping[str, Any]) -> None:
        """Become the model of a configuration, not yet built."""
        raise NotImplementedError

    def _fill(self, core: CoreModel, texts: Mapping[str, str], arrays: object) -> None:
        """Become the model of a file."""
        notes = notes_of(texts)
        self._start(
            self._config_of(core) if notes is None else _known_classes(notes["model"], core)
        )
        names = None if notes is None else _names(notes, "metric_names")
        self._adopt(core, names if core.compiled_with is not None else None)
        self._texts = {name: text for name, text in texts.items() if name != _NOTES}
        if notes is not None:
            if notes["history"] is not None:
                self.history = History()
                self.history.restore(*notes["history"])
                self.history._titles = self._loss_titles()
            self.stop_training = bool(notes["stop_training"])
            self.feature_names = _names(notes, "feature_names")
            self.class_names = _names(notes, "class_names")


def _known_classes(config: Mapping[str, Any], core: CoreModel) -> Mapping[str, Any]:
    """Return a model's configuration without classes of the user's that nobody knows here."""
    specs = json.loads(core.config)["layers"]
    entries = [
        _known_class(entry, spec) if "program" in spec else entry
        for entry, spec in zip(config["layers"], specs, strict=True)
    ]
    return {**config, "layers": entries}


def _known_class(entry: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    found = loaded_entry(spec)
    of_file = found["class_name"] == "Operations"
    if of_file and entry["class_name"] == "Operations":
        return dict(entry)
    trainable = entry["config"].get("trainable", True)  # as it is set, not as it was last compiled
    return {**entry, **found, "config": {**found["config"], "trainable": trainable}}


def loaded_entry(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a layer of operations of which the core's is known."""
    from .layers import _own_config  # which few programs need

    return _own_config.loaded_entry(spec)


def _names(notes: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """Return names that a file of an earlier version may lack."""
    names = notes.get(key)
    return None if names is None else tuple(map(str, names))


_BESIDE_WEIGHTS = ("optimizer.", "training/", "extra/")


def checked_path(
    path: str | os.PathLike[str], where: str, overwrite: bool = True, ending: str = ENDING
) -> str:
    """Return the path as text; an error for another ending, or for a file that must stay."""
    text = os.fspath(path)
    if not text.endswith(ending):
        raise ValueError(f"{where}: the file's name must end in {ending!r}, got {text!r}")
    if not flag(overwrite, f"{where}: overwrite") and os.path.exists(text):
        raise FileExistsError(
            f"{where}: {printable(text)} is there already; overwrite=True replaces it"
        )
    return text


def load(path: str, kinds: Callable[[bool], type[S]], file: _core.OpenFile | None = None) -> S:
    """Return the model of a file, which may be open already.

    Parameters
    ----------
    path : str
        The file.
    kinds : callable
        Returns the class for a file, told whether a graph is in it.
    file : OpenFile, optional
        The same, opened.
    """
    contents = (_core.OpenFile(path) if file is None else file).model()
    try:
        notes = notes_of(contents[1])
        network = json.loads(contents[0].config) if notes is None else notes["model"]
        kind = kinds("nodes" in network)
        model = kind.__new__(kind)
        model._fill(*contents)
    except ValueError as error:  # of what the file says of Python
        if _custom.is_of_users(error):
            raise
        raise ValueError(f"cannot load {path!r}: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:  # of notes that no laminar has written
        if _custom.is_of_users(error):
            raise
        raise ValueError(
            f"cannot load {path!r}: what it says of Python is damaged: {error!r}"
        ) from None
    return model


def notes_of(texts: Mapping[str, str]) -> dict[str, Any] | None:
    """Return Python's text of a file; None where C++ has written the file."""
    if _NOTES not in texts:
        return None
    notes = json.loads(texts[_NOTES])
    if not isinstance(notes, dict):
        raise ValueError("what the file says of Python is damaged")
    return notes


def layer_config(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a layer of which the core's is known."""
    if "program" in spec:
        return loaded_entry(spec)
    options = dict(spec)
    kind = layers.Layer._classes[options.pop("kind")]
    return {"class_name": kind.__name__, "config": options}
