# SPDX-License-Identifier: Apache-2.0
"""Kinds of models, and models from files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _saving
from ._custom import custom_object_scope
from ._spelling import keywords, module_names
from .model import Model
from .sequential import Sequential

if TYPE_CHECKING:
    from ._base_model import BaseModel

ModelT = TypeVar("ModelT", bound="BaseModel[Any]")

__all__ = ["Model", "Sequential", "clone_model", "load_model"]


# Files of other programs: {ending: module of laminar.exchange with a function load(path)}.
_READERS = {
    ".keras": "keras_file",
    ".h5": "keras_file",
    ".hdf5": "keras_file",
    ".json": "keras_file",
    ".onnx": "onnx_reader",
}


@keywords()
def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, type[Any]] | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> Sequential | Model[Any]:
    """Return the model of a file: laminar's own, Keras's or ONNX's, by the name's ending.

    A model of ``model.save`` or of C++'s ``save_model`` predicts the same bits as the one that was
    saved; it is compiled if that was, and its optimizer goes on where it stopped. Networks of other
    programs predict the same up to rounding where laminar has their layers; what it lacks is
    refused by name. Of ONNX, several outputs are a dict by their names, or a list where these are
    output_0, output_1, …; inputs of integers are categories, and given as numbers. Loading runs no
    code of the file's, whoever made it.

    Parameters
    ----------
    filepath : str or path
        Ends in ``.safetensors``, ``.keras``, ``.h5`` or ``.json`` (these of Keras need ``pip
        install laminar[keras]``: h5py, not Keras) or ``.onnx`` (``laminar[onnx]``), whose weights
        may lie beside it, in a file within its folder.
    custom_objects : mapping, optional
        Classes of one's own by their names, of which layers shall be. Without them the model
        computes and trains the same: the file holds what they compute.
    weights : str or path, optional
        With ``.json``, the configuration of a model of Keras: the file of its weights.

    Returns
    -------
    Sequential or Model
        The model, a Model where the file holds a graph.

    Raises
    ------
    ValueError
        Where the file is none of these, damaged, of a newer format, or holds what laminar lacks.
    OSError, ImportError
        Where it cannot be read, or the package that reads it is missing.

    Examples
    --------
    >>> import laminar
    >>> model = laminar.Sequential([laminar.layers.Input(3), laminar.layers.Dense(1)], seed=1)
    >>> model.save("model.safetensors")
    >>> again = laminar.load_model("model.safetensors")
    >>> x = [[1.0, 2.0, 3.0]]
    >>> bool((again.predict(x, verbose=0) == model.predict(x, verbose=0)).all())
    True
    """
    path = os.fspath(filepath)
    if not isinstance(path, str):
        raise TypeError(f"load_model: filepath must be text or a path, got {filepath!r}")
    if weights is not None and not isinstance(os.fspath(weights), str):
        raise TypeError(f"load_model: weights must be text or a path, got {weights!r}")
    ending = os.path.splitext(path)[1]
    if weights is not None and ending != ".json":
        raise ValueError(
            f"load_model: weights belong to a configuration in .json; {path!r} has its own, and "
            "model.load_weights gives it others"
        )
    known = (_saving.ENDING, *_READERS)
    if ending not in known:
        raise ValueError(_refusal(path, known, None))
    try:
        if ending == _saving.ENDING:
            with custom_object_scope({} if custom_objects is None else custom_objects):
                return cast("Sequential | Model[Any]", _saving.load(path, kind_of))
        reader = import_module(f"laminar.exchange.{_READERS[ending]}")
        made = reader.load(path) if weights is None else reader.load(path, weights)
        return cast("Sequential | Model[Any]", made)
    except (ValueError, IsADirectoryError) as error:
        message = _refusal(path, known, str(error))
        if message is None:
            raise
        raise type(error)(message) from None


def kind_of(graph: bool) -> type[BaseModel[Any]]:
    """Return the class of a file's model."""
    return Model if graph else Sequential


@keywords()
def clone_model(model: ModelT) -> ModelT:
    """Return a new model of the same structure, with new weights, not compiled.

    Parameters
    ----------
    model : Sequential or Model
        The model, which stays as it is. The clone draws from another seed.

    Raises
    ------
    TypeError
        Where it is no model.

    Examples
    --------
    >>> import laminar
    >>> model = laminar.Sequential([laminar.layers.Input(3), laminar.layers.Dense(1)], seed=1)
    >>> copy = laminar.models.clone_model(model)
    >>> copy.count_params()
    4
    """
    if not isinstance(model, (Sequential, Model)):
        raise TypeError(f"clone_model: model must be a Sequential or a Model, got {model!r}")
    config = {**model.get_config(), "seed": None}
    for entry, layer in zip(config["layers"], model.layers, strict=True):
        entry["config"]["name"] = layer._name  # those that a model has given, the clone gives anew
    with custom_object_scope(own_classes([model])):
        return cast("ModelT", type(model).from_config(config))


def own_classes(models: Iterable[BaseModel[Any]]) -> dict[str, type[Any]]:
    """Return the user's own classes among the layers of models, by their names."""
    layers = [layer for model in models for layer in model.layers]
    inner = [type(each) for layer in layers for each, _, _ in layer._inner()]
    kinds: list[Any] = [*inner, *map(type, layers)]
    return {kind.__name__: kind for kind in kinds if kind._own}


def _refusal(path: str, known: tuple[str, ...], reason: str | None) -> str | None:
    from ._file_kinds import refusal  # needed only on the way to an error

    return refusal(path, known, reason)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
