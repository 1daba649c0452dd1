# SPDX-License-Identifier: Apache-2.0
"""Layers that several models have, and the weights that these models share through them.

Every built model has weights of its own in the core. A layer knows the model where its weights
changed last, and counts changes; a model that is used takes over what others have changed since it
looked last. What trains or sets weights becomes the model that has the newest ones. Models that
share nothing pay one comparison. A layer inside one of the user's own has its weights there alone:
other models that have it follow, and do not train it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ._guard import CoreModel, Guarded
from .layers import Layer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ._layered import Layered
    from .layers._place import Placed


class Sharing(Guarded):
    """A model whose layers may be in others as well."""

    _layers: list[Layer]
    _places: Sequence[int]  # the layers' numbers in the core's model
    _seen: list[int]  # for each layer, which version of its weights the core's model has

    def _places_in(self, model: CoreModel) -> Sequence[int]:
        """Return the numbers of the layers in a core model."""
        return range(len(self._layers))

    def _place_of(self, layer: Layer) -> int:
        """Return the number of a layer in the core's model."""
        return self._places[self._layers.index(layer)]

    def _attach(self, model: CoreModel) -> None:
        """Give the layers their places in a new model, and it the weights that they bring."""
        brought: list[tuple[Placed, Sequence[ArrayLike]]] = []
        self._places = self._places_in(model)
        self._seen = [-1] * len(self._layers)
        for index, layer in enumerate(self._layers):
            others = [user for user in layer._living() if user._model not in (None, model)]
            layer._use(cast("Layered", self))
            layer._first_call = None  # which the model knows, and which refers to the layer
            held = layer._held()
            if held is not None:
                _check_beside(layer, held, cast("Layered", self))
            if others or held is not None:
                if held is None:
                    layer._called = layer._known_name
                for user in (*others, self, *(() if held is None else held._living())):
                    user._sharing = True
                layer._fix_parts()
                continue
            if layer._model is not None:  # what no living model has
                layer._kept = layer.get_weights() or None
            inner = layer._from_inside()
            if any(each._living() for each, _, _ in layer._inner()):  # these will follow
                self._sharing = True
            layer._attach(model, self._places[index])
            self._seen[index] = layer._version
            weights = layer._brought()
            if weights:
                brought.append((layer, weights))
            brought.extend(inner)
        if brought:
            everything = model.get_weights()
            for placed, weights in brought:
                placed._put(weights, everything)
            model.set_weights(everything)

    def _pull(self, core: CoreModel) -> None:
        """Take over the weights of layers that other models have changed.

        They are read before the lock is taken: a thread that trains another model may have to
        answer, and may wait for the lock in a callback.
        """
        if not self._sharing or self._being_trained:
            return
        fresh = []
        for index, layer in enumerate(self._layers):
            home = layer._model
            if home is None or home is core:
                continue
            held = layer._held()
            users = [*layer._living(), *(() if held is None else held._living())]
            changing = any(user._model is home and user._being_trained for user in users)
            version = layer._stamp()
            if version != self._seen[index] or changing:
                fresh.append((index, version, layer.get_weights()))
        if not fresh:
            return
        with self._lock:
            if self._model is not core or self._being_trained:
                return
            for index, version, weights in fresh:
                if weights:
                    first, _ = core.layer(self._places[index])["tensors"]
                    core.set_weights([np.ascontiguousarray(w, self._dtype) for w in weights], first)
                self._seen[index] = version

    def _claim(self, where: str) -> None:
        core = self._model
        if core is None:
            return
        for layer in self._layers:
            for user in layer._living():
                if user is not self and user._being_trained:
                    raise RuntimeError(
                        f"{where}: {layer._label()} is being trained in the model {user.name!r}, "
                        "which has it as well"
                    )
            held = layer._held()
            if held is not None and layer._inside != (0, 0):
                raise RuntimeError(
                    f"{where}: {layer._label()} is inside {held._label()}, which has its weights: "
                    "they are changed there, and followed here"
                )
        for index, layer in enumerate(self._layers):
            layer._inside = layer._outer = None
            layer._move(core, self._places[index])
            layer._version += 1
            self._seen[index] = layer._version

    def _inherit(self, layer: Layer) -> None:
        """Become the model that has the newest weights of a layer, which another has lost."""
        assert self._model is not None
        index = self._layers.index(layer)
        kept = layer._kept
        layer._join(self._model, self._places[index])
        if kept is not None:
            layer.set_weights(kept)
        self._seen[index] = layer._version


def _check_beside(layer: Layer, held: Placed, model: Layered) -> None:
    """Raise ValueError where a model has a layer that is inside another of its layers as well."""
    if any(user is model for user in held._living()):
        raise ValueError(
            f"{layer._label()} is inside {held._label()} and beside it in the model "
            f"{model.name!r}, so that it would have two kinds of weights; make another layer"
        )
