# SPDX-License-Identifier: Apache-2.0
"""Limits on weights, as objects that carry their arguments and as functions of an array.

A layer applies its constraints after every update. Norms are Euclidean and taken along ``axis``:
along axis 0 of a kernel (in, out) they are those of each unit's incoming weights. As in Keras,
1e-7 is added to a norm before it divides, so that what is scaled to 1 is shorter by about 1e-7.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _arrays, _component, _core, _own_rules, _rule_operations
from ._attributes import is_own
from ._component import Component
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Constraint",
    "Function",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
]


class Constraint(Component, family="constraint"):
    """Base of all constraints.

    A class of one's own has a ``__call__(self, w)`` that is written in `laminar.ops`; a function
    will do as well, see `Function`.

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.get("non_neg")([-1.0, 2.0])
    array([0., 2.])
    """

    _of_user = False

    @classmethod
    def _derived_by_user(cls) -> None:
        if cls._entry or cls.__call__ is Constraint.__call__:
            super()._derived_by_user()

    def _need_entry(self) -> None:
        if is_own(type(self)):
            super()._need_entry()

    def _config_for(self, shape: Sequence[int]) -> dict[str, Any]:
        """Return the core's description, for weights of a shape."""
        return self._spec()

    @keywords()
    def __call__(self, w: ArrayLike) -> NDArray[Any]:
        """Return the constrained array.

        Parameters
        ----------
        w : array_like
            Weights; they are left as they are.

        Returns
        -------
        ndarray
            New, of the same shape; float32 where w is float32 or narrower, else float64. A NaN
            spoils the vector whose norm it enters, and no other.

        Raises
        ------
        ValueError
            If w does not have the constraint's axis.
        """
        if _rule_operations.traces(w):
            made: NDArray[Any] = _rule_operations.computed(self, w)
            return made
        weights: NDArray[Any] = _arrays.real(w, f"{type(self).__name__}: w").copy()
        _core.constrain(json.dumps(self._spec()), weights)
        return weights


class MaxNorm(Constraint, entry="max_norm"):
    """Norms of at most ``max_value``.

    Parameters
    ----------
    max_value : float
        The largest norm, at least 0.
    axis : int
        Along which norms are taken.

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.MaxNorm(2.5)([[3.0, 0.0], [4.0, 1.0]]).round(4)
    array([[1.5, 0. ],
           [2. , 1. ]])
    """

    @keywords()
    def __init__(self, max_value: float = 2.0, axis: int = 0) -> None:
        self.max_value = max_value
        self.axis = axis


class NonNeg(Constraint, entry="non_neg"):
    """No negative weights: max(w, 0).

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.NonNeg()([-1.0, 2.0])
    array([0., 2.])
    """


class UnitNorm(Constraint, entry="unit_norm"):
    """Norms of 1; a vector of zeros stays.

    Parameters
    ----------
    axis : int
        Along which norms are taken.

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.UnitNorm()([[3.0], [4.0]]).round(4)
    array([[0.6],
           [0.8]])
    """

    @keywords()
    def __init__(self, axis: int = 0) -> None:
        self.axis = axis


class MinMaxNorm(Constraint, entry="min_max_norm"):
    """Norms between ``min_value`` and ``max_value``; a vector of zeros stays.

    Parameters
    ----------
    min_value, max_value : float
        The bounds, at least 0.
    rate : float
        In [0, 1]: the share of the way to the bound that is gone at once.
    axis : int
        Along which norms are taken.

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.MinMaxNorm(0.5, 2.5)([[3.0, 0.0], [4.0, 1.0]]).round(4)
    array([[1.5, 0. ],
           [2. , 1. ]])
    """

    @keywords()
    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis


class Function(_own_rules.OfRule, Constraint):
    """A limit that is a function of the user's own, written in `laminar.ops`.

    It is traced for the shape of the weights, where a model takes the layer; its file holds the
    program, which is there in place of the function where it is loaded.

    Parameters
    ----------
    function : callable, optional
        Takes the weights of one tensor and returns what they become, in the same shape.
    name : str, optional
        By default the function's own.
    program : mapping, optional
        In place of a function, what one was traced into.

    Examples
    --------
    >>> import laminar
    >>> laminar.constraints.get(lambda w: laminar.ops.clip(w, -1, 1))([0.5, 3.0])
    array([0.5, 1. ])

    >>> from laminar import constraints
    >>> from laminar import ops
    >>> small = constraints.Function(lambda w: ops.clip(w, -1.0, 1.0))
    >>> small([-3.0, 0.5])
    array([-1. ,  0.5])
    """

    _of_user = True

    @keywords()
    def __init__(
        self,
        function: Callable[[Any], Any] | None = None,
        name: str | None = None,
        program: Mapping[str, Any] | None = None,
    ) -> None:
        self._rule = _own_rules.Rule("constraint", function, name, program)

    @keywords()
    def __call__(self, w: Any) -> Any:
        """Return the constrained array; of a variable or a tensor a tensor."""
        if getattr(w, "_symbolic", False):
            return self._rule.of(w, getattr(w, "dtype", "float32"))
        weights = _own_rules.array_of(w, f"{self!r}: w")
        return self._rule.of(weights, weights.dtype.name).numpy()


# The other names that Keras has for them.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

Identifier: TypeAlias = (
    "str | Mapping[str, Any] | type[Constraint] | Constraint | Callable[[Any], Any]"
)


def get(identifier: Identifier) -> Constraint:
    """Return the constraint that a user named.

    Parameters
    ----------
    identifier : str, mapping, Constraint or callable
        A name such as ``"non_neg"``, a configuration, an object (returned as it is), or a
        function of the weights that is written in `laminar.ops`.

    Raises
    ------
    TypeError, ValueError
        Where there is no such constraint; the message names the nearest one.

    Examples
    --------
    >>> from laminar import constraints
    >>> constraints.get("max_norm")
    MaxNorm(max_value=2.0, axis=0)
    >>> constraints.get({"name": "max_norm", "max_value": 2.5})([[3.0], [4.0]]).round(4)
    array([[1.5],
           [2. ]])
    """
    own: Any = _own_rules.function_of(Constraint, identifier)
    return _component.get(Constraint, identifier) if own is None else Function(**own)


def optional(identifier: Identifier | None) -> Constraint | None:
    """Return the constraint that a user named, or None for none."""
    return None if identifier is None else get(identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
