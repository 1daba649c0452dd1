# SPDX-License-Identifier: Apache-2.0
"""What a class of the user's own defines of a layer, and what there is for it: `_own` traces it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from .._attributes import is_own
from .._spelling import keywords
from ._place import Placed
from .symbol import Shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from .._tape.variable import Changing
    from ._own import Recorded
    from ._variable import Variable
    from .base import Layer


F = TypeVar("F", bound=Callable[..., Any])

_TRACE = "laminar.ops._trace"


def tracing_module() -> Any:
    """Return the module that traces, which few programs need."""
    return import_module(f"{__package__}._own")


def once(build: Callable[..., None]) -> Callable[..., None]:
    """Return a `build` that does nothing for a layer that has been built."""

    @functools.wraps(build)
    def built(self: Definable, input_shape: Any) -> None:
        if not self._is_built:
            build(self, input_shape)
            self._is_built = True

    return built


def _name_first(add_weight: F) -> F:
    """Return a function that takes the name first as well, as Keras 2 did."""

    @functools.wraps(add_weight)
    def ordered(self: Definable, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            kwargs["name"], args = args[0], args[1:]
        return add_weight(self, *args, **kwargs)

    return cast("F", ordered)


def active_trace() -> Any:
    """Return what this thread traces, or None; nothing is imported for that."""
    trace = sys.modules.get(_TRACE)
    return None if trace is None else trace.active()


def config_module() -> Any:
    """Return the module that writes such layers down."""
    return import_module(f"{__package__}._own_config")


class Definable(Placed):
    """Base of layers; see `Layer`."""

    # Of classes of the user's own, and of layers inside these.
    _own: ClassVar[bool] = False
    _ours: ClassVar[bool] = False  # such a layer of laminar's, which files are read into again
    _variables: Sequence[Variable] = ()
    _recorded: Mapping[Any, Recorded] = MappingProxyType({})
    _is_built = False
    _hands_on: bool = False  # its output is its first input, see `AddLoss`
    _listed = False  # whether it is called on a list
    _given: tuple[tuple[Any, ...], Mapping[str, Any]] = ((), MappingProxyType({}))

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments, from which a layer of one's own can be made again."""
        made = super().__new__(cls)
        if cls._own:
            made._given = (args, kwargs)
        if not is_own(cls):  # some do not call the base's constructor
            vars(made).update(_name=None, _trainable=True, input_shape=None)
        return made

    @classmethod
    def _derived_by_user(cls) -> None:
        bases = [base for base in cls.__mro__[1:] if issubclass(base, Definable)]
        if any(base._entry and not base._own for base in bases):
            super()._derived_by_user()
        cls._own = True
        words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", cls.__name__)
        cls._entry = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower().lstrip("_")
        if "build" in vars(cls):
            cls.build = once(vars(cls)["build"])  # type: ignore[method-assign]  # whoever calls it

    @property
    def _is_traced(self) -> bool:
        """Whether the layer is a program: one of the user's own, or with a function of theirs."""
        return self._own or getattr(vars(self).get("activation"), "_of_user", False)

    def build(self, input_shape: Any) -> None:
        """Make the weights. A class of one's own defines it where it has some, with `add_weight`.

        Parameters
        ----------
        input_shape : tuple
            The shape of a batch, (None, features), or a list of them where it reads several.
        """
        layer = cast("Layer", self)
        if not self._own and not layer.built:
            from . import _immediate  # needed by few programs

            _immediate.build(layer, input_shape)

    def call(self, inputs: Any) -> Any:
        """Return what a layer of one's own makes of its inputs: for its class to define.

        Parameters
        ----------
        inputs : value
            A batch without numbers, for the operations of `laminar.ops`; a list of several. A
            further argument ``training`` tells training from prediction.
        """
        kind = type(self).__name__
        if self._own:
            raise NotImplementedError(f"{kind}: a layer of one's own defines call(self, inputs)")
        return cast("Layer", self)(inputs)

    @_name_first
    @keywords()
    def add_weight(
        self,
        shape: Shape | None = None,
        initializer: Any = None,
        dtype: object = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new weight of a layer of one's own, for its ``__init__`` or ``build``.

        Parameters
        ----------
        shape : tuple of int or int
            Its shape; () by default, one number.
        initializer : str, mapping, Initializer or callable
            See `laminar.initializers`; "glorot_uniform" by default. A function takes the shape
            and ``dtype=``, and returns an array.
        dtype : str, optional
            Accepted for Keras's sake: weights are of the model's type.
        trainable : bool
            Whether training changes it.
        regularizer : str, mapping or Regularizer, optional
            See `laminar.regularizers`.
        constraint : str, mapping or Constraint, optional
            See `laminar.constraints`.
        name : str, optional
            Without it, it is called like the attribute that it becomes.

        Raises
        ------
        RuntimeError
            In ``call``: weights are made once.
        TypeError
            For a layer of laminar's.
        """
        if not self._own:
            raise TypeError(f"{type(self).__name__}: add_weight is for layers of one's own")
        made: Variable = tracing_module().add_weight(
            self,
            shape,
            name,
            initializer=initializer,
            regularizer=regularizer,
            constraint=constraint,
            trainable=trainable,
        )
        return made

    def add_loss(self, loss: Any) -> None:
        """Add to the loss of the model, from ``call`` of a layer of one's own.

        Parameters
        ----------
        loss : value or list of values
            What operations have made in this call, or a number. As in Keras the sum of its elements
            counts, the rows among them: write a mean over the batch as ``ops.mean(x)``, or
            ``ops.sum(x)`` where it shall grow with the batch. Only such means and sums of what
            follows from each row, and what follows from weights alone, can be added.

        Raises
        ------
        RuntimeError
            Outside ``call``.
        TypeError
            For what is no value, and for a layer of laminar's.
        ValueError
            Where rows are brought together in another way, or the value has no slope.

        Notes
        -----
        ``fit`` and ``evaluate`` count it in "loss", where rows all weigh the same; without a
        ``loss`` in `compile` a model that adds some is trained on them alone, and needs no y.
        Predictions, exports and nested models' outputs do without.
        """
        if not self._own:
            raise TypeError(f"{type(self).__name__}: add_loss is for layers of one's own")
        tracing_module().add_loss(self, loss)

    @property
    def _adds_losses(self) -> bool:
        """Whether a call that has been traced adds losses."""
        return any(len(made.program["outputs"]) > 1 for made in self._recorded.values())

    def __setattr__(self, name: str, value: object) -> None:
        if name == "built" and self._own and not self._ours:  # which build sets in Keras
            return
        super().__setattr__(name, value)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        if self._own:
            vars(self).update(vars(type(self).from_config(state["config"])))
        else:
            super().__setstate__(state)

    def _tensor(self, name: str) -> Changing | None:
        found = [each for each in self._variables if each.name == name]
        if found and active_trace() is not None:  # a layer inside one whose call is traced
            return found[0]
        return super()._tensor(name)

    def _inner(self) -> Iterable[tuple[Placed, int, int]]:
        return tracing_module().places_of(self) if self._own else ()

    def _trained_inside(self) -> tuple[bool, ...]:
        """Return whether training changes the weights of a layer of one's own, one by one."""
        trained: tuple[bool, ...] = tracing_module().trained_inside(self) if self._own else ()
        return trained

    def _freeze_inside(self, weights: Sequence[Mapping[str, Any]]) -> None:
        """Take from a file which weights of a layer of one's own are not trained."""
        if self._own:
            tracing_module().freeze_inside(self, weights)

    def _brought(self) -> Sequence[ArrayLike] | None:
        known = super()._brought()
        if known is not None:
            return known
        return tracing_module().brought(self) if self._is_traced else self._of_functions()

    def _of_functions(self) -> list[NDArray[Any]] | None:
        """Return the weights with the values that the user's own initializers give to some."""
        functions = {
            name.removesuffix("_initializer"): value
            for name, value in vars(self).items()
            if getattr(value, "_of_user", False) and name.endswith("_initializer")
        }
        if not functions:
            return None
        values = self.get_weights()
        for i, weight in enumerate(self._facts()):
            function = functions.get(weight.name.rpartition("/")[2])
            if function is not None:
                values[i] = function(weight.shape, values[i].dtype)
        return values

    def _entry_in_config(self) -> dict[str, Any]:
        """Return what a model's configuration says of the layer."""
        if self._is_traced:
            entry: dict[str, Any] = config_module().entry_of(self)
            return entry
        return {"class_name": type(self).__name__, "config": self.get_config()}
