# SPDX-License-Identifier: Apache-2.0
"""The base of all layers.

A layer is a configuration until its model is built; `_place` says where its weights are then. It
is called on symbols to make a graph, see `symbol`, and on arrays to compute at once. What a layer
of the user's own computes is found by tracing its `call`, see `_own`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .._component import flag, integer
from .._spelling import keywords
from ._definable import Definable, active_trace, config_module, tracing_module
from ._place import tensor
from .symbol import Shape, Symbol, sample_shape

if TYPE_CHECKING:
    from typing_extensions import Self


__all__ = ["Layer", "Shape", "last_axis", "own_seed", "sample_shape", "tensor"]

_SEED_LIMIT = 2**63
_TAPES = "laminar.ops._tapes"


def tracing() -> bool:
    """Whether this thread traces a call."""
    return active_trace() is not None


def followed(values: Sequence[Any]) -> bool:
    """Whether a tape records, or a value is one that it could follow; nothing is imported."""
    if any(getattr(value, "_held", False) for value in values):
        return True
    tapes = sys.modules.get(_TAPES)
    return tapes is not None and tapes.listening()


def _is_rows(value: Any) -> bool:
    """Whether a list holds rows of numbers, and not several arrays or symbols."""
    return not any(hasattr(part, "shape") for part in value)


def last_axis(axis: int, where: str) -> int:
    """Return -1; an error where the axis is another one."""
    if isinstance(axis, bool) or axis != -1:
        raise ValueError(f"{where} must be -1, the last one, got {axis!r}")
    return -1


def own_seed(seed: int | None, where: str) -> int | None:
    """Return the seed of one layer's draws; an error where it is none."""
    checked = None if seed is None else integer(seed, where)
    if checked is not None and checked >= _SEED_LIMIT:
        raise ValueError(f"{where} must be less than 2**63, got {seed}")
    return checked


class Layer(Definable, family="layer"):
    """Base of all layers.

    Attributes are the arguments of the constructor. They can be changed until the layer is built;
    from then on those that act in training alone, the rate of a `Dropout` for example, can: the
    next update follows them, from a callback too.

    A layer that is called on symbols, ``layer(symbol)``, returns the next symbol for a `Model`;
    called twice, it has its weights once. Called on arrays, it returns its output for them.

    Parameters
    ----------
    name : str, optional
        Unique within its model. Without it the model gives one: dense, dense_1, …
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample, in place of an `Input`.
    trainable : bool
        Whether training changes the weights, if it has any.

    Notes
    -----
    A class of one's own has a ``call`` that is written in `laminar.ops`, and a ``build`` that makes
    weights with `add_weight` where it has some. ``call`` runs once, on values without numbers; what
    it does to them is what the core computes from then on, and what a file holds.::

        class Scaled(layers.Layer):
            def build(self, input_shape):
                self.factors = self.add_weight((input_shape[-1],), "ones")

            def call(self, inputs):
                return ops.tanh(inputs * self.factors)

    Examples
    --------
    >>> from laminar import layers
    >>> layer = layers.Dense(3, name="first")
    >>> layer.name, layer.built
    ('first', False)
    """

    # Arguments that can be changed while the layer is in a built model.
    _changeable: ClassVar[frozenset[str]] = frozenset()

    _merges: ClassVar[bool] = False  # reads a list of inputs
    _trainable: bool
    _first_call: Symbol | None = None
    _shapes: tuple[list[tuple[int, ...]], tuple[int, ...]] | None = None  # of some call, in and out

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        self._need_entry()
        kind = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{kind}: name must be a string, got {name!r}")
        self._name = name
        self._trainable = flag(trainable, f"{kind}: trainable")
        self.input_shape = (
            None if input_shape is None else sample_shape(input_shape, f"{kind}: input_shape")
        )

    @overload
    def __call__(
        self, inputs: Symbol | Sequence[Symbol], training: bool | None = None
    ) -> Symbol: ...

    @overload
    def __call__(self, inputs: object, training: bool | None = None) -> Any: ...

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the symbol of the layer's output, or its output for arrays.

        Parameters
        ----------
        inputs : Symbol, array_like, or for merging layers a list of them
            Samples (n, features), or more axes.
        training : bool, optional
            True, what it does in training, is for layers of one's own alone.

        Returns
        -------
        Symbol or ndarray
            A layer without weights yet gets them with the first arrays.
        """
        if tracing():
            return tracing_module().call_inside(self, inputs, training)
        if self._own:
            self._listed = isinstance(inputs, (list, tuple)) and not _is_rows(inputs)
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        symbols = [value for value in given if isinstance(value, Symbol)]
        if not symbols and followed(given):
            from .._tape import calls  # needed by few programs

            return calls.of_layer(self, inputs, training)
        if training is not None and flag(training, f"{self._label()}: training"):
            if self._own and not symbols:
                return tracing_module().in_training(self, inputs)
            raise NotImplementedError(
                f"{self._label()}: a call computes what predict does; training=True is not "
                "supported"
            )
        if not symbols:
            from . import _immediate  # needed by few programs

            return _immediate.compute(self, inputs)
        if len(symbols) < len(given):
            raise TypeError(f"{self._label()}: takes symbols or arrays, got both in one list")
        return self._called_on(symbols)

    def _called_on(self, symbols: Sequence[Symbol]) -> Symbol:
        """Return the symbol of the output; ValueError where number or shapes do not fit."""
        for symbol in symbols:
            if symbol._of_batch:
                advice = symbol._advice()  # type: ignore[attr-defined]  # of a BatchSymbol
                raise ValueError(f"{self._label()}: cannot read {symbol!r}: {advice}")
        self._check_number(len(symbols))
        before = [symbol.shape for symbol in symbols]
        shape = self._output_shape(before)
        if self._is_traced:
            tracing_module().recorded(self, before)  # what it may not do is refused here
        made = Symbol(self, symbols, shape)
        self._shapes = (before, shape)
        if self._first_call is None and self._owner() is None:
            self._first_call = made
        return made

    def _check_number(self, count: int) -> None:
        """Raise ValueError where a number of inputs is none that the layer takes."""
        if count != 1 and not self._own:
            raise ValueError(
                f"{self._label()}: takes one symbol, got a list of {count}; Concatenate makes one "
                "of several"
            )

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """Return the shape of the output of a sample for the shapes of the inputs."""
        return tracing_module().output_shape(self, shapes) if self._own else shapes[0]

    @property
    def name(self) -> str | None:
        """The given name; in a built model, the unique one."""
        return self._known_name

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; what is set is in force from the next compile.

        A frozen layer's weights keep their bits, and no gradient by them is computed.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, f"{self._label()}: trainable")

    @property
    def built(self) -> bool:
        """Whether the layer has weights, or is in a built model."""
        owner = self._owner()
        if self._model is None and owner is not None:
            owner._build_if_known()
        return self._model is not None

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch that leaves the layer, (None, units); ValueError if not built."""
        return (None, *self._described()["output_shape"])

    @property
    def output(self) -> Symbol:
        """The symbol of its output, that of its first call; ValueError where there is none."""
        owner = self._owner()
        found = self._first_call if owner is None else owner._symbol_of(self)
        if found is None:
            raise ValueError(f"{self._label()} has no input and output: call it on a symbol first")
        return found

    @property
    def input(self) -> Symbol | list[Symbol]:
        """The symbol that it reads, or several as a list; ValueError as for `output`."""
        reads = self.output._reads
        return reads[0] if len(reads) == 1 else list(reads)

    def _change(self, name: str, value: object) -> None:
        users = self._living()
        for user in users:
            user._check_change(self, name, value)
        with ExitStack() as locks:
            for user in users:
                locks.enter_context(user._lock)
            held = self._held()
            if held is not None:
                raise AttributeError(
                    f"{type(self).__name__}: {name} cannot be changed inside {held._label()}, "
                    "whose call has been recorded with it; make a new layer and model"
                )
            if self._model is not None and name not in self._changeable:
                raise AttributeError(
                    f"{type(self).__name__}: {name} cannot be changed in a built model, which "
                    f"has taken it (layer {self.name!r}); make a new layer and model"
                    + self._what_can_change()
                )
            made = self._with(name, value)
            if self._shapes is not None and made._output_shape(self._shapes[0]) != self._shapes[1]:
                raise AttributeError(
                    f"{type(self).__name__}: {name} cannot be changed, as the layer was called on "
                    "symbols, which have their shapes; make a new layer"
                )
            if self._model is not None:
                spec = json.dumps(made._spec())
                self._model.set_layer(self._index, spec)
                for user in users:
                    if user._model is not None and user._model is not self._model:
                        user._model.set_layer(user._place_of(self), spec)
            vars(self).update(vars(made))

    def _instead(self, name: str) -> str:
        if name in ("built", "input", "output", "output_shape"):
            return "; it follows from the model that the layer is in"
        computed = isinstance(getattr(type(self), name, None), property)
        return "; assign and set_weights change weights" if computed else "; make a new layer"

    def _what_can_change(self) -> str:
        if not self._changeable:
            return ""
        return f" ({' and '.join(sorted(self._changeable))} can be changed at any time)"

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "name": self._name}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as JSON can carry them; ``trainable`` where frozen."""
        own = self._own and not self._ours
        config = config_module().config_of(self) if own else super().get_config()
        if config["trainable"]:
            del config["trainable"]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a layer of what `get_config` returned.

        Parameters
        ----------
        config : mapping
            Arguments of the constructor by name.
        """
        return config_module().from_config(cls, config) if cls._own else super().from_config(config)

    def _options(self) -> dict[str, Any]:
        """Return the options that the core knows: the arguments, but for classes that differ."""
        config = self.get_config()
        for name in ("input_shape", "name", "trainable"):
            config.pop(name, None)
        return config

    def _spec_for(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, Any]:
        """Return the description that the core takes, for samples of some shapes."""
        if self._is_traced:
            traced: dict[str, Any] = tracing_module().spec(self, shapes)
            return traced
        spec = self._spec()
        if any(getattr(value, "_of_user", False) for value in vars(self).values()):
            from .._own_rules import with_rules  # needed by few programs

            spec = with_rules(self, spec, shapes)
        return spec

    def _spec(self) -> dict[str, Any]:
        spec = {"kind": self._entry, "name": self._name, **self._options()}
        if not self._trainable:
            spec["trainable"] = False
        return {key: value for key, value in spec.items() if value is not None}
