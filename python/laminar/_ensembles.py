# SPDX-License-Identifier: Apache-2.0
"""One model of several: a graph with a branch for each, whose outputs are the means of theirs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import layers
from ._base_model import BaseModel
from ._custom import custom_object_scope
from ._many import checked
from ._spelling import keywords
from .model import Model
from .models import own_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._types import OutputT


@keywords()
def ensemble(models: Sequence[BaseModel[OutputT]], name: str | None = None) -> Model[OutputT]:
    """Return one model whose outputs are the means of several models' outputs.

    It is a graph with a branch for each of them, and so can be saved, exported and loaded in C++
    as any other. What the models begin with in common, a `Normalization` of the same mean and
    variance for example, is there once. The models stay as they are, and share nothing with it.
    Its predictions differ from the mean of theirs by rounding alone, two ULP of the largest of
    them.

    Parameters
    ----------
    models : list of Sequential or Model
        Built ones of the same inputs and outputs, trained by `fit_many` for example. What a last
        softmax or sigmoid makes are probabilities, whose mean is one; logits are averaged as they
        are.
    name : str, optional
        Of the model; "ensemble" without it.

    Returns
    -------
    Model
        Compiled for the first one's loss and metrics, where that is compiled.

    Raises
    ------
    TypeError, ValueError
        Where they are not built, differ in inputs, outputs, dtype or classes, or their weights are
        rounded by `quantize`: quantize the ensemble in their place.

    Examples
    --------
    >>> import laminar
    >>> start, end = laminar.layers.Input(3), laminar.layers.Dense
    >>> members = [laminar.Sequential([start, end(1)], seed=i) for i in (1, 2)]
    >>> mean = laminar.ensemble(members)
    >>> x = [[1.0, 2.0, 3.0]]
    >>> both = [float(member.predict(x, verbose=0)[0, 0]) for member in members]
    >>> abs(float(mean.predict(x, verbose=0)[0, 0]) - sum(both) / 2) < 1e-6
    True
    """
    members = checked(models, "ensemble")
    _check_alike(members)
    branches = _Branches(members)
    first = members[0]
    with custom_object_scope(own_classes(members)):
        made: Model[OutputT] = Model.from_config(branches.config(name or "ensemble"))
    for layer, weights in zip(made.layers, branches.weights, strict=False):
        if weights:
            layer.set_weights(weights)
    made.feature_names, made.class_names = first.feature_names, first.class_names
    made._texts = first._texts
    compiled = first._compiled
    if compiled is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the first one's loss was chosen for it
            made.compile(**compiled.arguments())
    return made


def _check_alike(members: Sequence[BaseModel[Any]]) -> None:
    """Raise ValueError where models do not have the same inputs and outputs."""
    first = members[0]
    for i, model in enumerate(members):
        model._core("ensemble")
        if model._quantization is not None:
            raise ValueError(
                f"ensemble: the weights of models[{i}] are {model._quantization} since quantize; "
                "make the ensemble of models of floats, and quantize that"
            )
        for what in ("input_shape", "output_shape", "dtype", "precision", "class_names"):
            wanted, found = getattr(first, what), getattr(model, what)
            if wanted != found:
                raise ValueError(
                    f"ensemble: models must have the same {what}, got {wanted!r} for models[0] "
                    f"and {found!r} for models[{i}]"
                )


class _Branches:
    """The layers of several models as those of one graph.

    Parameters
    ----------
    members : list of BaseModel
        The models.

    Attributes
    ----------
    weights : list of list of ndarray
        Of each layer.
    """

    def __init__(self, members: Sequence[BaseModel[Any]]) -> None:
        self._members = members
        first = members[0].get_config()
        self._inputs = first.get("inputs") or [{"name": None, "shape": first["input_shape"]}]
        self._inputs_as = first.get("inputs_as", "one")
        self._outputs_as = first.get("outputs_as", "one")
        self._layers: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []
        self.weights: list[list[NDArray[Any]]] = []

    def config(self, name: str) -> dict[str, Any]:
        """Return the configuration of the graph."""
        first = self._members[0]
        shared = self._shared()
        ends = [self._branch(i, model, shared) for i, model in enumerate(self._members)]
        outputs = ends[0]
        if len(ends) > 1:
            names = [output.name for output in first._described_outputs()]
            outputs = [
                self._add(layers.Average()._entry_in_config(), name, reads)
                for name, reads in zip(names, zip(*ends, strict=True), strict=True)
            ]
        return {
            "name": name,
            "dtype": first.dtype,
            "seed": first.seed,
            "precision": None if first.precision == first.dtype else first.precision,
            "layers": self._layers,
            "inputs": self._inputs,
            "inputs_as": self._inputs_as,
            "nodes": self._nodes,
            "outputs": outputs,
            "outputs_as": self._outputs_as,
        }

    def _shared(self) -> int:
        """Return how many layers all models begin with in common; of graphs none."""
        stacks = [model.layers for model in self._members if model._is_chain()]
        if len(stacks) < max(2, len(self._members)):
            return 0
        count = 0
        for same in zip(*(stack[:-1] for stack in stacks), strict=False):
            entries = [{**layer._entry_in_config()["config"], "name": None} for layer in same]
            kinds = {type(layer) for layer in same}
            if len(kinds) > 1 or any(entry != entries[0] for entry in entries):
                break
            tensors = [layer.get_weights() for layer in same]
            if not all(_same_bits(tensors[0], other) for other in tensors):
                break
            count += 1
        return count

    def _branch(self, i: int, model: BaseModel, shared: int) -> list[int]:
        """Add a model's layers, but the first ones that are there; return its outputs' numbers."""
        config = model.get_config()
        nodes = config.get("nodes")
        if nodes is None:
            nodes = [{"layer": n, "inputs": [n]} for n in range(len(model.layers))]
        start = len(self._inputs)
        values = list(range(start))
        places: dict[int, int] = {}
        for n, node in enumerate(nodes):
            if i and n < shared:  # chains, whose nodes are their layers
                values.append(start + n)
                continue
            place = node["layer"]
            layer = model.layers[place]
            reads = [values[read] for read in node["inputs"]]
            if place in places:
                values.append(self._call(places[place], reads))
                continue
            places[place] = len(self._layers)
            called = layer.name if n < shared or len(self._members) == 1 else f"{layer.name}_{i}"
            entry = config["layers"][place]
            entry = {key: entry[key] for key in ("class_name", "config")}
            values.append(self._add(entry, called, reads, layer.get_weights()))
        return [values[number] for number in config.get("outputs", [len(values) - 1])]

    def _add(
        self,
        entry: Mapping[str, Any],
        called: str | None,
        reads: Sequence[int],
        weights: Sequence[NDArray[Any]] = (),
    ) -> int:
        """Add a layer and its first call; return the number of its value."""
        options = {**entry["config"], "name": None}
        self._layers.append({**entry, "config": options, "called": called})
        self.weights.append(list(weights))
        return self._call(len(self._layers) - 1, reads)

    def _call(self, layer: int, reads: Sequence[int]) -> int:
        self._nodes.append({"layer": layer, "inputs": list(reads)})
        return len(self._inputs) + len(self._nodes) - 1


def _same_bits(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]) -> bool:
    return len(a) == len(b) and all(
        one.shape == other.shape and one.tobytes() == other.tobytes()
        for one, other in zip(a, b, strict=True)
    )
