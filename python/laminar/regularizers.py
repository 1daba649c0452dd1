# SPDX-License-Identifier: Apache-2.0
"""Penalties on weights, as objects that carry their arguments and as functions of an array.

A layer adds the penalty of its kernel, bias or output to the loss that is minimized. w are the
weights of one tensor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from . import _arrays, _component, _core, _own_rules, _rule_operations
from ._attributes import is_own
from ._component import Component
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .ops._held import Held, Tensor

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Function",
    "OrthogonalRegularizer",
    "Regularizer",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
]


class Regularizer(Component, family="regularizer"):
    """Base of all regularizers.

    A class of one's own has a ``__call__(self, x)`` that is written in `laminar.ops`; a function
    will do as well, see `Function`.

    Examples
    --------
    >>> from laminar import regularizers
    >>> regularizers.get("l2")([1.0, 2.0])
    0.05
    """

    _of_user = False

    @classmethod
    def _derived_by_user(cls) -> None:
        if cls._entry or cls.__call__ is Regularizer.__call__:
            super()._derived_by_user()

    def _need_entry(self) -> None:
        if is_own(type(self)):
            super()._need_entry()

    def _config_for(self, shape: Sequence[int]) -> dict[str, Any]:
        """Return the core's description, for weights of a shape."""
        return self._spec()

    @overload
    def __call__(self, x: Held) -> Tensor: ...

    @overload
    def __call__(self, x: ArrayLike) -> float: ...

    @keywords()
    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array.

        Parameters
        ----------
        x : array_like
            Weights of any shape, `OrthogonalRegularizer`: of two axes. Summed in double.

        Returns
        -------
        float
            NaN where a weight is NaN. For a variable or a tensor a tensor, which a
            `laminar.GradientTape` follows.
        """
        if _rule_operations.traces(x):
            return _rule_operations.computed(self, x)
        if getattr(x, "_held", False):
            from ._tape import losses  # needed by few programs

            return losses.penalty(self, x)
        weights = _arrays.real(x, f"{type(self).__name__}: x")
        return _core.penalty(json.dumps(self._spec()), weights)


class L1(Regularizer, entry="l1"):
    """Sum l1 * abs(w), which makes weights zero; its gradient at 0 is 0.

    Parameters
    ----------
    l1 : float
        The factor, at least 0.

    Examples
    --------
    >>> from laminar import regularizers
    >>> regularizers.L1(0.5)([1.0, -2.0])
    1.5
    """

    @keywords()
    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = l1


class L2(Regularizer, entry="l2"):
    """Sum l2 * w**2, which makes weights small; there is no factor ½.

    Parameters
    ----------
    l2 : float
        The factor, at least 0.

    Examples
    --------
    >>> from laminar import regularizers
    >>> regularizers.L2(0.5)([1.0, -2.0])
    2.5
    """

    @keywords()
    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = l2


class L1L2(Regularizer, entry="l1_l2"):
    """Sum l1 * abs(w) + l2 * w**2, the elastic net.

    Parameters
    ----------
    l1, l2 : float
        The factors, at least 0.

    Examples
    --------
    >>> from laminar import regularizers
    >>> regularizers.L1L2(l1=0.5, l2=0.25)([1.0, -2.0])
    2.75
    """

    @keywords()
    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = l1
        self.l2 = l2


class OrthogonalRegularizer(Regularizer, entry="orthogonal"):
    """Mean of ``factor`` * abs(cosine) over all pairs of rows or of columns of a matrix.

    A single row or column has penalty 0; one of norm below 1e-7 counts as nearly zero, as in Keras.

    Parameters
    ----------
    factor : float
        The factor, at least 0.
    mode : {"rows", "columns"}
        What shall be orthogonal. The columns of a kernel are the units of its layer.

    Examples
    --------
    >>> from laminar import regularizers
    >>> round(regularizers.OrthogonalRegularizer(0.5)([[1.0, 0.0], [1.0, 1.0]]), 6)
    0.353553
    """

    @keywords()
    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = factor
        self.mode = mode


class Function(_own_rules.OfRule, Regularizer):
    """A penalty that is a function of the user's own, written in `laminar.ops`.

    It is traced for the shape of the weights, where a model takes the layer; its file holds the
    program, which is there in place of the function where it is loaded.

    Parameters
    ----------
    function : callable, optional
        Takes the weights of one tensor and returns one number.
    name : str, optional
        By default the function's own.
    program : mapping, optional
        In place of a function, what one was traced into.

    Examples
    --------
    >>> import laminar
    >>> half = laminar.regularizers.get(lambda w: 0.5 * laminar.ops.sum(w * w))
    >>> half([1.0, 3.0])
    5.0

    >>> from laminar import regularizers
    >>> from laminar import ops
    >>> smooth = regularizers.Function(lambda w: ops.sum(ops.square(w[1:] - w[:-1])))
    >>> smooth([1.0, 2.0, 4.0])
    5.0
    """

    _of_user = True

    @keywords()
    def __init__(
        self,
        function: Callable[[Any], Any] | None = None,
        name: str | None = None,
        program: Mapping[str, Any] | None = None,
    ) -> None:
        self._rule = _own_rules.Rule("regularizer", function, name, program)

    @keywords()
    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array; of a variable or a tensor a tensor."""
        if getattr(x, "_symbolic", False):
            return self._rule.of(x, getattr(x, "dtype", "float32"))
        weights = _own_rules.array_of(x, f"{self!r}: x").astype(np.float64)
        return float(self._rule.of(weights, "float64"))


# The other names that Keras has for them.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

Identifier: TypeAlias = (
    "str | Mapping[str, Any] | type[Regularizer] | Regularizer | Callable[[Any], Any]"
)


def get(identifier: Identifier) -> Regularizer:
    """Return the regularizer that a user named.

    Parameters
    ----------
    identifier : str, mapping, Regularizer or callable
        A name such as ``"l2"``, a configuration, an object (returned as it is), or a
        function of the weights that is written in `laminar.ops`.

    Raises
    ------
    TypeError, ValueError
        Where there is no such regularizer; the message names the nearest one.

    Examples
    --------
    >>> from laminar import regularizers
    >>> regularizers.get("l1")
    L1(l1=0.01)
    >>> regularizers.get({"name": "l2", "l2": 0.5})([1.0, -2.0])
    2.5
    """
    own: Any = _own_rules.function_of(Regularizer, identifier)
    return _component.get(Regularizer, identifier) if own is None else Function(**own)


def optional(identifier: Identifier | None) -> Regularizer | None:
    """Return the regularizer that a user named, or None for none."""
    return None if identifier is None else get(identifier)


def of_outputs(identifier: Identifier | None, where: str) -> Regularizer | None:
    """Return what a user named as a penalty on outputs; TypeError for a function."""
    made = optional(identifier)
    if made is not None and made._of_user:
        raise TypeError(
            f"{where}: activity_regularizer must be one of laminar.regularizers, got {made!r}, a "
            "function of one's own; a layer of one's own or a loss may add a penalty on outputs"
        )
    return made


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
