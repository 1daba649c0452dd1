# SPDX-License-Identifier: Apache-2.0
"""Where the weights of a layer are.

Each built model has all its weights in one buffer of the core's. A layer that is in several models
has a place in each of them, and knows the one where its weights changed last: the others take them
over from there when they are used next. A layer that leaves its only model keeps its weights, and
brings them to the model it is next built in.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .. import _arrays
from .._component import Component

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._guard import CoreModel
    from .._layered import Layered
    from .._tape.variable import Changing
    from .._types import Array
    from .base import Layer


class Facts(NamedTuple):
    """What a tensor of weights is called, its shape, and whether training changes it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool


def tensor(name: str, doc: str) -> Any:
    """Return a property: the layer's tensor of a name, as a variable."""

    def get(layer: Placed) -> Changing | None:
        return layer._tensor(name)

    return property(get, doc=f"{doc} A variable, see `weights`; ValueError if not built.")


def facts_of(tensors: Iterable[Mapping[str, Any]]) -> list[Facts]:
    """Return what the core says of tensors."""
    return [Facts(t["name"], tuple(t["shape"]), bool(t["trainable"])) for t in tensors]


class Placed(Component):
    """What layers have of weights; see `Layer`."""

    _name: str | None
    _called: str | None = None  # by models, where the user has given no name
    _model: CoreModel | None = None  # the core model with the newest weights
    _index = 0  # the layer's number there
    _version = 0  # counts changes of the weights
    _kept: list[NDArray[Any]] | None = None  # weights while no model has them
    _users: tuple[weakref.ref[Layered], ...] = ()
    _inside: tuple[int, int] | None = None  # which of that layer's tensors, if it is in another
    _outer: weakref.ref[Placed] | None = None  # which that is

    @property
    def weights(self) -> list[Changing]:
        """The tensors, in the order of `get_weights`, as variables.

        They have ``name``, ``shape``, ``dtype``, ``trainable``, ``numpy()`` and ``assign(value)``,
        which changes the layer; operations and NumPy compute with their present numbers, and a
        `laminar.GradientTape` follows them. ValueError if the layer is not built.
        """
        from .._tape.variable import weights_of  # needed by few programs

        self._built()
        return list(weights_of(self))

    @property
    def variables(self) -> list[Changing]:
        """`weights`."""
        return self.weights

    def _facts(self) -> list[Facts]:
        """Return what there is to know of `weights`, for whom that is enough."""
        return facts_of(self._built().tensors()[slice(*self._part())])

    @property
    def trainable_variables(self) -> list[Changing]:
        """Those of `variables` that training changes."""
        return [each for each in self.variables if each.trainable and vars(self)["_trainable"]]

    @property
    def non_trainable_variables(self) -> list[Changing]:
        """Those of `variables` that it does not."""
        trained = [id(each) for each in self.trainable_variables]
        return [each for each in self.variables if id(each) not in trained]

    @property
    def trainable_weights(self) -> list[Changing]:
        """`trainable_variables`."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Changing]:
        """`non_trainable_variables`."""
        return self.non_trainable_variables

    def count_params(self) -> int:
        """Return the number of weights; ValueError if the layer is not built."""
        if self._inside is not None:
            return sum(math.prod(weight.shape) for weight in self._facts())
        return int(self._described()["parameters"])

    def get_weights(self) -> list[Array]:
        """Return copies of the weights.

        Returns
        -------
        list of ndarray
            For `Dense` the kernel (in, out) and, if used, the bias (out,).

        Raises
        ------
        ValueError
            If the layer is not in a built model.
        """
        first, last = self._part()
        return self._built().get_weights(first, last)

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace the weights.

        Parameters
        ----------
        weights : sequence of array_like
            As many arrays as `get_weights` returns, of the same shapes.

        Raises
        ------
        ValueError
            If the layer is not built, or number or shapes differ; nothing has changed then.
        """
        model = self._built()
        everything = model.get_weights()
        self._put(weights, everything)
        first, last = self._part()
        model.set_weights(everything[first:last], first)
        self._changed()

    def _changed(self) -> None:
        """Count a change of the weights."""
        self._version += 1
        outer = self._held()
        if outer is not None:
            outer._changed()

    def _stamp(self) -> int:
        """Return a number that is another one after each change of the weights."""
        outer = self._held()
        if outer is None and self._outer is not None and self._outer() is None:
            return -2 - self._version  # what that layer has changed at last may not be known yet
        return self._version + (0 if outer is None else outer._version)

    def _held(self) -> Placed | None:
        """Return the layer that this one is inside of, if that has its weights."""
        outer = None if self._outer is None else self._outer()
        return outer if outer is not None and outer._model is self._model is not None else None

    def _tensor(self, name: str) -> Changing | None:
        """Return a tensor by the last part of its name; None where the layer has none such."""
        self._built()
        for weight in self.weights:
            if weight.name is not None and weight.name.rpartition("/")[2] == name:
                return weight
        return None

    def _put(self, weights: Sequence[ArrayLike], everything: list[NDArray[Any]]) -> None:
        """Put weights of the layer into the list of all; ValueError where they do not fit."""
        first, last = self._part()
        where = f"set_weights of {self._label()}"
        if len(weights) != last - first:
            raise ValueError(f"{where} takes {last - first} arrays, got {len(weights)}")
        for i, value in enumerate(weights):
            array = _arrays.tensor(value, f"{where}: weights[{i}]", everything[first + i].dtype)
            expected = everything[first + i].shape
            if array.shape != expected:
                raise ValueError(f"{where}: weights[{i}] must be {expected}, got {array.shape}")
            everything[first + i] = array

    @property
    def _known_name(self) -> str | None:
        """The given name, or the one that a built model has found."""
        known = self._name or self._called
        if known is None and self._model is not None and self._inside is None:
            return str(self._described()["name"])
        return known

    def _word(self) -> str:
        """Return what models name the layer after, where it has no name."""
        return self._entry

    def _label(self) -> str:
        """Return what an error message calls the layer."""
        return f"layer {self._known_name or self._word()!r}"

    def _living(self) -> list[Layered]:
        """Return the models that have the layer."""
        found = (user() for user in self._users)
        return [user for user in found if user is not None]

    def _owner(self) -> Layered | None:
        """Return the first model that has the layer."""
        return next(iter(self._living()), None)

    def _use(self, model: Layered) -> None:
        """Note that a model has the layer."""
        living = [user for user in self._living() if user is not model]
        self._users = tuple(map(weakref.ref, (*living, model)))

    def _leave(self, model: Layered) -> None:
        """Note that a model has the layer no more."""
        self._users = tuple(weakref.ref(user) for user in self._living() if user is not model)

    def _built(self) -> CoreModel:
        if self._model is None:
            owner = self._owner()
            if owner is not None:
                owner._build_if_known()  # which attaches this layer
        if self._model is None:
            raise ValueError(
                f"{self._label()} has no weights and no shape yet: "
                "its model is built by Input, build, or the first data"
            )
        return self._model

    def _described(self) -> Mapping[str, Any]:
        return self._built().layer(self._index)

    def _part(self) -> tuple[int, int]:
        """Return where the layer's tensors begin and end in the model's list."""
        first, last = self._described()["tensors"]
        if self._inside is not None:
            return first + self._inside[0], first + self._inside[0] + self._inside[1]
        return first, last

    def _inner(self) -> Iterable[tuple[Placed, int, int]]:
        """Return the layers inside this one, and where their weights lie among its own."""
        return ()

    def _fix_parts(self) -> None:
        """Fix what the layer consists of, since a built model has taken it."""
        for part in vars(self).values():
            if isinstance(part, Component):
                part._fix()

    def _join(self, model: CoreModel, index: int) -> None:
        """Become layer ``index`` of a built model, with the weights that it has there."""
        self._kept = None
        self._place(model, index)

    def _attach(self, model: CoreModel, index: int) -> None:
        """Become layer ``index`` of a built model, which then takes the weights of `_brought`."""
        self._place(model, index)

    def _place(self, model: CoreModel, index: int) -> None:
        self._inside = self._outer = None
        self._move(model, index)
        self._fix_parts()

    def _move(self, model: CoreModel, index: int) -> None:
        """Have the newest weights in a model, with the layers inside."""
        self._model, self._index = model, index
        for layer, first, count in self._inner():
            layer._model, layer._index, layer._inside = model, index, (first, count)
            layer._outer, layer._kept = weakref.ref(self), None

    def _from_inside(self) -> list[tuple[Placed, Sequence[ArrayLike]]]:
        """Return the weights that layers inside bring along; models that have these will follow.

        Raises
        ------
        ValueError
            Where one is inside another layer as well, or beside this one in its model.
        RuntimeError
            While one is being trained in another model.
        """
        found: list[tuple[Placed, Sequence[ArrayLike]]] = []
        inner = [layer for layer, _, count in self._inner() if count]
        for layer in inner:
            outer = layer._held()
            if outer is not None and outer is not self and all(outer is not each for each in inner):
                raise ValueError(
                    f"{layer._label()} is inside {outer._label()} already, and cannot be inside "
                    f"{self._label()} as well; make another layer"
                )
            for user in layer._living():
                if any(user is each for each in self._living()):
                    raise ValueError(
                        f"{layer._label()} is inside {self._label()} and beside it in the model "
                        f"{user.name!r}, so that it would have two kinds of weights; make another "
                        "layer"
                    )
                if user._being_trained:
                    raise RuntimeError(
                        f"{layer._label()} is being trained in the model {user.name!r}"
                    )
                user._sharing = True
            weights = layer._kept if layer._model is None else layer.get_weights()
            if weights:
                found.append((layer, weights))
        return found

    def _brought(self) -> Sequence[ArrayLike] | None:
        """Return the weights that an attached layer brings to its model, if there are any."""
        return self._kept

    def _detach(self, model: CoreModel, everything: list[NDArray[Any]] | None = None) -> None:
        """Leave a built model; with the list of all its weights, take the layer's along."""
        if self._model is not model:  # its weights are another model's
            return
        first, last = self._part()
        if everything is not None:
            self._kept = everything[first:last] or None
        self._model = self._called = None
        for layer, begin, count in self._inner():
            layer._model = layer._inside = layer._outer = None
            if everything is not None:
                layer._kept = everything[first + begin : first + begin + count] or None
            layer._pass_on(model)
        self._pass_on(model)

    def _pass_on(self, model: CoreModel) -> None:
        """Leave the newest weights to another model that has the layer, if there is one."""
        for user in self._living():
            if user._model is not None and user._model is not model:
                user._inherit(cast("Layer", self))
                return
