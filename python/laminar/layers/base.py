# SPDX-License-Identifier: Apache-2.0
"""The input of a model and the base of all layers.

A layer is a configuration until its model is built. The weights of all layers then lie in one
buffer of the core's model; a layer reads and writes its part of it. A layer that leaves a built
model keeps its weights, and brings them to the model it is next built in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from .. import _arrays
from .._attributes import Attributes
from .._component import Component, flag, integer
from .._spelling import keywords

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._core import ModelFloat32, ModelFloat64

Shape: TypeAlias = "int | Sequence[int]"

_SEED_LIMIT = 2**63


def sample_shape(shape: Shape, where: str) -> tuple[int, ...]:
    """Return the shape of one sample as a tuple; an error where an extent is not positive."""
    extents = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if not extents:
        raise ValueError(
            f"{where} must be the shape of one sample, such as (features,), got {shape!r}"
        )
    return tuple(integer(extent, where, minimum=1) for extent in extents)


def last_axis(axis: int, where: str) -> int:
    """Return -1; an error where the axis is another one."""
    if isinstance(axis, bool) or axis != -1:
        raise ValueError(f"{where} must be -1, the last one, got {axis!r}")
    return -1


def refuse_frozen(value: object, where: str) -> None:
    """Raise NotImplementedError where ``trainable`` shall be False."""
    if not flag(value, f"{where}: trainable"):
        raise NotImplementedError(
            f"{where}: trainable=False is not supported yet: all weights are trained that "
            "training changes at all, and those of this object would be as well"
        )


def own_seed(seed: int | None, where: str) -> int | None:
    """Return the seed of one layer's draws; an error where it is none."""
    checked = None if seed is None else integer(seed, where)
    if checked is not None and checked >= _SEED_LIMIT:
        raise ValueError(f"{where} must be less than 2**63, got {seed}")
    return checked


class Input(Attributes):
    """The shape of one sample; a model that starts with it is built at once.

    Parameters
    ----------
    shape : tuple of int or int
        ``(features,)``; several axes, such as ``(28, 28)``, need a `Flatten` before a `Dense`.
    name : str, optional
        Kept for the reader.
    """

    @keywords(input_shape="shape", input_dim="shape")
    def __init__(self, shape: Shape, name: str | None = None) -> None:
        self.shape = sample_shape(shape, "Input: shape")
        self.name = name

    def _change(self, name: str, value: object) -> None:
        raise AttributeError(f"Input: {name} cannot be changed; make another Input")

    def __repr__(self) -> str:
        return f"Input(shape={self.shape!r})"


class Layer(Component, family="layer"):
    """Base of all layers.

    Attributes are the arguments of the constructor. They can be changed until the layer is built;
    from then on those that act in training alone, the rate of a `Dropout` for example, can: the
    next update follows them, from a callback too.

    Parameters
    ----------
    name : str, optional
        Unique within its model. Without it the model gives one: dense, dense_1, …
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample, in place of an `Input`.
    """

    # Arguments that can be changed while the layer is in a built model.
    _changeable: ClassVar[frozenset[str]] = frozenset()

    _model: ModelFloat32 | ModelFloat64 | None = None
    _index = 0
    _kept: list[NDArray[Any]] | None = None
    _owner: Callable[[], Any] | None = None

    @keywords(input_dim="input_shape")
    def __init__(self, name: str | None = None, input_shape: Shape | None = None) -> None:
        self._need_entry()
        kind = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{kind}: name must be a string, got {name!r}")
        self._name = name
        self.input_shape = (
            None if input_shape is None else sample_shape(input_shape, f"{kind}: input_shape")
        )

    @property
    def name(self) -> str | None:
        """The given name; in a built model, the unique one."""
        return self._name if self._model is None else str(self._described()["name"])

    @property
    def trainable(self) -> bool:
        """True: freezing a layer is not supported yet, so that False cannot be set."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        refuse_frozen(value, f"layer {self.name or self._entry!r}")

    @property
    def built(self) -> bool:
        """Whether the layer is in a built model."""
        if self._model is None and self._owner is not None and self._owner() is not None:
            self._owner()._build_if_known()
        return self._model is not None

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch that leaves the layer, (None, units); ValueError if not built."""
        return (None, *self._described()["output_shape"])

    def count_params(self) -> int:
        """Return the number of weights; ValueError if the layer is not built."""
        return int(self._described()["parameters"])

    def get_weights(self) -> list[NDArray[Any]]:
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

    def _put(self, weights: Sequence[ArrayLike], everything: list[NDArray[Any]]) -> None:
        """Put weights of the layer into the list of all; ValueError where they do not fit."""
        first, last = self._part()
        where = f"set_weights of layer {self.name!r}"
        if len(weights) != last - first:
            raise ValueError(f"{where} takes {last - first} arrays, got {len(weights)}")
        for i, value in enumerate(weights):
            array = _arrays.tensor(value, f"{where}: weights[{i}]", everything[first + i].dtype)
            expected = everything[first + i].shape
            if array.shape != expected:
                raise ValueError(f"{where}: weights[{i}] must be {expected}, got {array.shape}")
            everything[first + i] = array

    def _built(self) -> ModelFloat32 | ModelFloat64:
        owner = None if self._owner is None else self._owner()
        if self._model is None and owner is not None:
            owner._build_if_known()  # which attaches this layer
        if self._model is None:
            raise ValueError(
                f"layer {self._name or self._entry!r} has no weights and no shape yet: "
                "its model is built by Input, build, or the first data"
            )
        return self._model

    def _described(self) -> Mapping[str, Any]:
        return self._built().layer(self._index)

    def _part(self) -> tuple[int, int]:
        """Return where the layer's tensors begin and end in the model's list."""
        first, last = self._described()["tensors"]
        return first, last

    def _change(self, name: str, value: object) -> None:
        owner = None if self._owner is None else self._owner()
        if owner is not None:
            owner._check_change(self, name, value)
        with nullcontext() if owner is None else owner._lock:
            made = self._with(name, value)
            if self._model is not None:
                if name not in self._changeable:
                    raise AttributeError(
                        f"{type(self).__name__}: {name} cannot be changed in a built model, which "
                        f"has taken it (layer {self.name!r}); make a new layer and model"
                        + self._what_can_change()
                    )
                self._model.set_layer(self._index, json.dumps(made._spec()))
            vars(self).update(vars(made))

    def _what_can_change(self) -> str:
        if not self._changeable:
            return ""
        return f" ({' and '.join(sorted(self._changeable))} can be changed at any time)"

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "name": self._name}

    def _fix_parts(self) -> None:
        """Fix what the layer consists of, since a built model has taken it."""
        for part in vars(self).values():
            if isinstance(part, Component):
                part._fix()

    def _join(self, model: ModelFloat32 | ModelFloat64, index: int) -> None:
        """Become layer ``index`` of a built model, with the weights that it has there."""
        self._model, self._index, self._kept = model, index, None
        self._fix_parts()

    def _attach(self, model: ModelFloat32 | ModelFloat64, index: int) -> None:
        """Become layer ``index`` of a built model, which then takes the weights of `_brought`."""
        self._model, self._index = model, index
        self._fix_parts()

    def _brought(self) -> Sequence[ArrayLike] | None:
        """Return the weights that an attached layer brings to its model, if there are any."""
        return self._kept

    def _detach(self, everything: list[NDArray[Any]] | None = None) -> None:
        """Leave the built model; with the list of all its weights, take the layer's along."""
        if self._model is not None and everything is not None:
            first, last = self._part()
            self._kept = everything[first:last] or None
        self._model = None

    def _options(self) -> dict[str, Any]:
        """Return the options that the core knows: the arguments, but for classes that differ."""
        config = self.get_config()
        del config["input_shape"], config["name"]
        return config

    def _spec(self) -> dict[str, Any]:
        spec = {"kind": self._entry, "name": self._name, **self._options()}
        return {key: value for key, value in spec.items() if value is not None}
