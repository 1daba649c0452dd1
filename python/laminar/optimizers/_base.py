# SPDX-License-Identifier: Apache-2.0
"""What all optimizers share: options, the live learning rate, and updates of plain arrays.

An object is a configuration until a model is compiled with it, or until it has updated arrays; from
then on its ``learning_rate`` is the live one. The state (momenta, averages, step counter) is the
core's: the model's, or that of the arrays.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypedDict, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._component import Component, encoded, entries
from .._spelling import argument_names, keywords, late
from . import schedules
from .schedules import InverseTimeDecay, LearningRateSchedule

if TYPE_CHECKING:
    from .._core import ModelFloat32, ModelFloat64, UpdaterFloat32, UpdaterFloat64

P = ParamSpec("P")
Used = TypeVar("Used", bound="Optimizer")
Rate: TypeAlias = "float | LearningRateSchedule | Mapping[str, Any]"

_TAPE = "laminar._tape.updates"

OPTIONS: dict[str, Any] = entries("optimizer_options")["all"]["parameters"]


class SharedOptions(TypedDict, total=False):
    """What every optimizer takes by keyword; the class docstring of `Optimizer` explains it."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None


class Options(SharedOptions, total=False):
    """The same for optimizers whose weight decay is not part of the rule."""

    weight_decay: float | None


def arguments(init: Callable[P, None]) -> Callable[P, None]:
    """Decorate the constructor of an optimizer: it takes the options, and spellings of older Keras.

    ``lr`` is ``learning_rate``; ``decay=k`` makes that an `InverseTimeDecay`, η / (1 + k t).
    """
    own = argument_names(init)
    names = tuple(name for name in OPTIONS if name not in own)
    signature = inspect.signature(init)
    listed = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    listed += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=OPTIONS[name])
        for name in names
    ]
    function: Any = init
    function.option_names = names
    function.__signature__ = signature.replace(parameters=listed)
    checked: Any = keywords(lr="learning_rate")(init)

    @functools.wraps(init)
    def construct(*args: P.args, **kwargs: P.kwargs) -> None:
        optimizer: Any = args[0]
        decay = kwargs.pop("decay", None)
        given = {name: kwargs.get(name, OPTIONS[name]) for name in names}
        checked(*args, **kwargs)
        for name, value in given.items():
            setattr(optimizer, name, value)
        if decay is not None:
            optimizer.learning_rate = InverseTimeDecay(optimizer.learning_rate, 1, decay)  # type: ignore[arg-type]
        _core.check("optimizer", json.dumps(optimizer._spec()))

    return construct


class Optimizer(Component, family="optimizer"):
    """Base of all optimizers.

    All take these options by keyword, as in Keras.

    Parameters
    ----------
    weight_decay : float, optional
        Before each update, w -= learning_rate * weight_decay * w.
    clipnorm : float, optional
        The gradient of each tensor is scaled down to this norm where it is longer.
    clipvalue : float, optional
        Each element of the gradients is kept within ± this value.
    global_clipnorm : float, optional
        All gradients together are scaled down to this norm.
    use_ema : bool
        Keep a running average of the weights, which takes their place at the end of training.
    ema_momentum : float
        Memory of that average.
    ema_overwrite_frequency : int, optional
        The average takes the weights' place after every so many updates as well.
    gradient_accumulation_steps : int, optional
        One update with the mean of the gradients of so many batches.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import optimizers
    >>> optimizer, w = optimizers.SGD(0.1, clipnorm=1.0), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([10.0, 0.0])], [w])
    >>> w
    array([0.9, 2. ])
    """

    __module__ = "laminar.optimizers"

    _model: ModelFloat32 | ModelFloat64 | None = None
    _updater: UpdaterFloat32 | UpdaterFloat64 | None = None
    _applied_to: Any = None  # the variables of the first call, as `_tape.updates` knows them
    _dtype: np.dtype[Any] | None = None
    _learning_rate: float = 0.0  # the present one
    _given_rate: float = (
        0.0  # that of the constructor, or of a user since, which no training changes
    )
    _schedule: LearningRateSchedule | None = None
    _owner: Callable[[], Any] | None = None
    _excluded_names: tuple[str, ...] = ()
    _excluded_arrays: tuple[NDArray[Any], ...] = ()

    def _assign(self, name: str, value: object) -> None:
        if name in OPTIONS and name not in entries(self._family)[self._entry]["parameters"]:
            value = self._checked(name, value, OPTIONS[name])
        super()._assign(name, value)

    def _change(self, name: str, value: object) -> None:
        if self._live is not None:
            raise AttributeError(
                f"{type(self).__name__}: only learning_rate can be changed after compile; "
                f"compile again to change {name}"
            )
        super()._change(name, value)

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "learning_rate": self._schedule or self._learning_rate}

    def _checked(self, name: str, value: object, default: object) -> object:
        if name == "learning_rate" and isinstance(value, (LearningRateSchedule, Mapping)):
            return schedules.get(value)
        return super()._checked(name, value, default)

    @property
    def _live(self) -> ModelFloat32 | ModelFloat64 | UpdaterFloat32 | UpdaterFloat64 | None:
        """What the learning rate and the step counter are read from, once there is training.

        Another thread may compile meanwhile: whoever asks keeps the answer.
        """
        model = self._model
        return self._updater if model is None else model

    @property
    def learning_rate(self) -> float:
        """The factor η on the next update; setting it acts at once.

        With a schedule this is its present value, which cannot be set. What callbacks set while a
        model is trained is that model's alone: `compile` begins with the rate that was given.
        """
        live = self._live
        if live is not None:
            return live.learning_rate
        return self._learning_rate if self._schedule is None else float(self._schedule(0))

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        kind = type(self).__name__
        if isinstance(value, LearningRateSchedule):
            if self._live is not None:
                raise AttributeError(f"{kind}: compile again to give learning_rate a schedule")
            value._fix()
            self._schedule = value
            return
        assert isinstance(value, (int, float))
        if self._schedule is not None:
            raise TypeError(
                f"{kind}: learning_rate is given by {self._schedule!r} and cannot be set to {value}"
            )
        live = self._live
        if live is not None:
            live.learning_rate = value
        self._learning_rate = value
        owner_of = self._owner
        owner = None if owner_of is None else owner_of()
        if owner is None or not owner._being_trained:
            self._given_rate = value

    @property
    def iterations(self) -> int:
        """The number of updates that the model, or the arrays, have had."""
        live = self._live
        return 0 if live is None else live.iterations

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, in a form that JSON can carry."""
        config = super().get_config()
        if self._schedule is not None:
            config["learning_rate"] = encoded(self._schedule)
        return config

    def _spec(self) -> dict[str, Any]:
        spec = super()._spec()
        if self._schedule is not None:
            spec["learning_rate"] = encoded(self._schedule)
        for name, default in OPTIONS.items():
            if name not in spec and getattr(self, name) != default:
                spec[name] = getattr(self, name)
        if self._excluded_names:
            spec["exclude_from_weight_decay"] = list(self._excluded_names)
        return spec

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "excluded": self._excluded_names}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        self._excluded_names = state["excluded"]

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[NDArray[Any]] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Leave weights out of weight decay; to be called before training.

        Parameters
        ----------
        var_list : iterable of arrays, optional
            Arrays that `apply` will be given.
        var_names : iterable of str, optional
            Regular expressions that are searched for in the names of a model's weights, such as
            ``"bias"``.
        """
        if self._live is not None:
            raise AttributeError(
                f"{type(self).__name__}: exclude_from_weight_decay must be called before training"
            )
        names = [var_names] if isinstance(var_names, str) else list(var_names or ())
        self._excluded_names = (*self._excluded_names, *names)
        self._excluded_arrays = (*self._excluded_arrays, *(var_list or ()))

    def apply(self, grads: Sequence[ArrayLike], trainable_variables: Sequence[Any]) -> None:
        """Update arrays in place, or variables, by their gradients.

        The first call makes the state for these arrays; later calls must bring as many, of the same
        shapes and type. Variables must be the same ones; their constraints hold after it.

        Parameters
        ----------
        grads : sequence of arrays
            The gradient of each array; converted to its type.
        trainable_variables : sequence of arrays, or of variables
            float32 or float64, all of one type, writeable; or `laminar.Variable` and what
            `trainable_variables` of models and layers holds. A variable whose gradient is None
            stays as it is.

        Raises
        ------
        TypeError, ValueError
            Where arrays do not fit; nothing has changed then.
        """
        kind = type(self).__name__
        if self._model is not None:
            raise ValueError(f"{kind}: this object belongs to a model; make another one for arrays")
        if self._applied_to is not None or any(
            [getattr(variable, "_held", False) for variable in trainable_variables]
        ):
            late(_TAPE).apply(self, grads, trainable_variables)
            return
        weights = self._weights(trainable_variables)
        if len(grads) != len(weights):
            raise ValueError(f"{kind}: {len(weights)} arrays but {len(grads)} gradients")
        dtype = weights[0].dtype
        gradients = [self._gradient(i, g, dtype) for i, g in enumerate(grads)]
        updater = self._updater
        if updater is None:
            updater = self._made(dtype, weights)
        ready = [np.require(w, requirements=["C", "A"]) for w in weights]
        updater.apply(gradients, ready)
        self._updater, self._dtype = updater, dtype
        for weight, updated in zip(weights, ready, strict=True):
            if updated is not weight:
                weight[...] = updated

    def apply_gradients(self, grads_and_vars: Iterable[tuple[ArrayLike, Any]]) -> int:
        """Update arrays in place by their gradients, given in pairs; see `apply`.

        Parameters
        ----------
        grads_and_vars : iterable of pairs
            A gradient and an array or variable each.

        Returns
        -------
        int
            The number of updates so far.
        """
        pairs: list[Any] = list(grads_and_vars)
        if self._applied_to is not None and self._model is None:
            number: int | None = self._applied_to.updated(self._updater, pairs)
            if number is not None:  # as almost always
                return number
        for pair in pairs:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"{type(self).__name__}: apply_gradients takes pairs of a gradient and a "
                    "variable, as zip(gradients, variables) gives them, got "
                    f"{type(pair).__name__}"
                )
        gradients, variables = zip(*pairs, strict=True) if pairs else ((), ())
        self.apply(gradients, variables)
        return self.iterations

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """With ``use_ema``, let the running averages take the place of the arrays' values.

        Parameters
        ----------
        var_list : sequence of arrays
            Those that `apply` has updated.
        """
        if self._updater is None:
            return
        weights = self._weights(var_list)
        ready = [np.require(w, requirements=["C", "A"]) for w in weights]
        self._updater.finalize(ready)
        for weight, updated in zip(weights, ready, strict=True):
            if updated is not weight:
                weight[...] = updated

    def _gradient(self, i: int, gradient: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a gradient in the type of its weight."""
        array = np.asarray(gradient)
        if array.dtype.kind not in "fiu":
            kind = type(self).__name__
            raise TypeError(f"{kind}: gradient {i} must be an array of numbers, got {gradient!r}")
        return np.require(array, dtype, ["C", "A"])

    def _weights(self, arrays: Sequence[Any]) -> list[NDArray[Any]]:
        """Return arrays that can be updated in place, all of one type."""
        kind = type(self).__name__
        weights = list(arrays)
        if not weights:
            raise ValueError(f"{kind}: there are no arrays to update")
        dtype = self._dtype
        for i, weight in enumerate(weights):
            if not isinstance(weight, np.ndarray):
                raise TypeError(
                    f"{kind}: weight {i} must be a NumPy array, got {type(weight).__name__}"
                )
            dtype = weight.dtype if dtype is None else dtype
            if weight.dtype != dtype or dtype not in (np.float32, np.float64):
                wanted = "float32 or float64" if i == 0 and self._dtype is None else f"{dtype}"
                raise TypeError(f"{kind}: weight {i} must be {wanted}, got {weight.dtype}")
            if not weight.flags.writeable:
                raise ValueError(f"{kind}: weight {i} must be writeable")
        return weights

    def _made(
        self,
        dtype: np.dtype[Any],
        weights: Sequence[NDArray[Any]],
        names: Sequence[str] | None = None,
    ) -> UpdaterFloat32 | UpdaterFloat64:
        """Return the core's state for these arrays."""
        spec = self._spec()
        out = [i for i, w in enumerate(weights) if any(w is e for e in self._excluded_arrays)]
        if out:
            spec["exclude_from_weight_decay"] = [
                *self._excluded_names,
                *(f"^array_{i}$" for i in out),
            ]
        kind = _core.UpdaterFloat32 if dtype == np.float32 else _core.UpdaterFloat64
        called = names or [f"array_{i}" for i in range(len(weights))]
        return kind(json.dumps(spec), called, [w.shape for w in weights])

    def _for(self: Used, owner: object) -> Used:
        """Return the object for a model to use: itself, or a copy if it is used elsewhere.

        Either begins with the rate that was given, so that it does not matter whether a model that
        has used it is still there.
        """
        user = None if self._owner is None else self._owner()
        if self._updater is None and (user is None or user is owner):
            return self
        copy = self.from_config({**self.get_config(), "learning_rate": self._rate_to_begin_with()})
        copy._excluded_names = self._excluded_names
        return copy

    def _rate_to_begin_with(self) -> Any:
        """Return the rate, or the configuration of the schedule, that training starts with."""
        return self._given_rate if self._schedule is None else encoded(self._schedule)

    def _bind(self, model: ModelFloat32 | ModelFloat64 | None) -> None:
        """Become the live optimizer of a compiled core model, or of none."""
        self._learning_rate = self.learning_rate
        self._model = model

    def _release(self) -> None:
        """Belong to no model any more, and know nothing of its training."""
        self._model = self._owner = None
        self._learning_rate = self._given_rate
