# SPDX-License-Identifier: Apache-2.0
"""The tape: what is computed while it runs, and the way back through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._component import flag
from .._spelling import keywords
from ..layers.symbol import Symbol
from ..ops._held import ONES, Held, Tensor
from ..ops._tapes import Recorded, leave, listen
from ..ops._traced import Operators, Traced
from . import _traced
from .fusing import Link, back, fit_together
from .variable import Changing, Variable, Weight

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_UNCONNECTED = ("none", "zero")
_THEMSELVES = frozenset((Tensor, Variable, Weight))  # which stand for themselves on tapes


class GradientTape:
    """Records what is computed in its ``with`` block, and returns gradients of it.

    It follows variables that are trainable, a model's weights included, and what `watch` is told.
    What NumPy's own functions compute is not recorded: they return arrays, and the gradient of such
    a one is None.

    In a layer's ``call``, or a loss of one's own, it differentiates what is traced there: by its
    inputs, say, which `watch` is told of. The gradients become part of the layer, and training
    differentiates them once more.

    Parameters
    ----------
    persistent : bool
        Whether `gradient` can be called several times.
    watch_accessed_variables : bool
        Whether variables are followed without `watch`.

    Examples
    --------
    >>> import laminar
    >>> x = laminar.Variable(3.0)
    >>> with laminar.GradientTape() as outer:
    ...     with laminar.GradientTape() as inner:
    ...         y = x**3
    ...     first = inner.gradient(y, x)
    >>> float(first), float(outer.gradient(first, x))
    (27.0, 18.0)
    """

    @keywords()
    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        if persistent is not False or watch_accessed_variables is not True:  # rarely
            flag(persistent, "GradientTape: persistent")
            flag(watch_accessed_variables, "GradientTape: watch_accessed_variables")
        self._persistent, self._all = bool(persistent), bool(watch_accessed_variables)
        self._nodes: list[Recorded] = []
        self._known: dict[int, Held] = {}  # by identity, and kept so that it stays
        self._traced: list[Traced] = []  # that are watched
        self._recording = self._used = False

    def __enter__(self) -> Self:
        if self._recording:
            raise ValueError("GradientTape: it records already")
        self._recording = True
        listen(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._recording:
            self._recording = False
            leave(self)

    def _note_call(self, node: Recorded, trained: Mapping[int, Any]) -> None:
        if not self._all or not trained:
            self._note(node)
            return
        known = self._known
        known.update(trained)
        self._nodes.append(node)
        for value in node.outputs:
            known[id(value)] = value

    def _note(self, node: Recorded) -> None:
        followed, known, everything = False, self._known, self._all
        for value in node.inputs:
            if id(value) in known:
                followed = True
            elif everything and isinstance(value, Changing) and value.trainable:
                known[id(value)] = value
                followed = True
        if followed:
            self._nodes.append(node)
            for value in node.outputs:
                known[id(value)] = value

    def watch(self, tensor: Any) -> None:
        """Follow a tensor, or a variable that is not followed without it; or a list of them.

        Parameters
        ----------
        tensor : Tensor, Variable or a list of them
            What is followed from now on.
        """
        for value in _flat(tensor):
            if isinstance(value, Traced):
                self._traced.append(value)
                continue
            if not isinstance(value, Held):
                raise TypeError(
                    "GradientTape: watch takes tensors and variables, got "
                    f"{type(value).__name__}; "
                    + _advice(
                        value,
                        "laminar.ops.convert_to_tensor makes a tensor of an array or a number",
                    )
                )
            own = value._itself()
            self._known[id(own)] = own

    def watched_variables(self) -> tuple[Changing, ...]:
        """Return the variables that have been followed, in the order of their use."""
        return tuple(value for value in self._known.values() if isinstance(value, Changing))

    def reset(self) -> None:
        """Forget what has been recorded."""
        self._nodes, self._known, self._traced, self._used = [], {}, [], False

    @keywords()
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Return the gradient of the sum of a target by each source.

        Parameters
        ----------
        target : tensor, or a list of them
            What has been computed while the tape was recording; several are added up.
        sources : variable or tensor, or a list, a tuple or a dict of them
            By what is differentiated.
        output_gradients : array_like, optional
            The gradient of something else by the target, in its shape, or a list of as many; ones
            without it.
        unconnected_gradients : {"none", "zero"}
            What is returned for a source that the target does not depend on.

        Returns
        -------
        tensor or None, or a list or a dict of them
            In the form of the sources.

        Raises
        ------
        RuntimeError
            For the second call of a tape that is not persistent.
        TypeError, ValueError
            Where an argument is none of these, or something on the way back has no gradient.
        """
        if unconnected_gradients not in _UNCONNECTED:
            raise ValueError(
                "gradient: unconnected_gradients must be 'none' or 'zero', got "
                f"{unconnected_gradients!r}"
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "gradient: a tape that is not persistent computes gradients once; make it with "
                "GradientTape(persistent=True)"
            )
        gradients: Sequence[Any]
        plain = type(target) is Tensor and type(sources) is list and _are_themselves(sources)
        ends, flat = ([target], sources) if plain else (_flat(target), _flat(sources))
        plain = plain or _are_themselves((*ends, *flat))  # as almost always
        if not plain and any([isinstance(value, Traced) for value in (*ends, *flat)]):
            watched = [*self._traced, *self._known.values()]
            gradients = _traced.gradient(ends, flat, output_gradients, watched, self._all)
        else:
            wanted = flat if plain else list(map(_source, flat))
            targets = ends if plain else _targets(ends)
            if plain and output_gradients is None:
                starts: list[Tensor | None] = [_ones_like(each) for each in ends]
            else:
                starts = _starts(targets, output_gradients)
            if self._recording and not self._persistent:
                self._stop()
            gradients = _back(self._nodes, targets, starts, wanted, self._known)
        self._used = True
        if not self._persistent:
            self._stop()
            self._nodes, self._known, self._traced = [], {}, []
        if unconnected_gradients == "zero":
            gradients = [
                _zeros_like(source) if each is None else each
                for each, source in zip(gradients, flat, strict=True)
            ]
        if plain and type(sources) is list:
            return gradients
        return _like(sources, iter(gradients))


def _are_themselves(values: Iterable[Any]) -> bool:
    return _THEMSELVES.issuperset(map(type, values))


def _back(
    nodes: list[Recorded],
    targets: list[Held | None],
    starts: list[Tensor | None],
    sources: list[Held],
    known: dict[int, Held],
) -> list[Tensor | None]:
    """Return the gradients by the sources, from those of the targets."""
    made: list[Tensor | None] | None = _core.way_back(nodes, targets, starts, sources, known)
    if made is not None:
        return made
    asked = list(map(id, sources))
    reached = {key for key in asked if key in known}
    way: list[Link] = []
    for node in list(nodes):
        keys = list(map(id, node.inputs))
        wanted = [i for i, key in enumerate(keys) if key in reached]
        if wanted:
            reached.update(map(id, node.outputs))
            way.append(Link(node, tuple(wanted), [keys[i] for i in wanted]))
    way.reverse()
    gradients: dict[int, Tensor] = {}

    def add(keys: Iterable[int], found: Sequence[Tensor | None]) -> None:
        for key, gradient in zip(keys, found, strict=True):
            if gradient is not None:
                before = gradients.get(key)
                gradients[key] = gradient if before is None else before + gradient

    def alone(link: Link) -> None:
        node = link.node
        d_outputs = [gradients.get(id(output)) for output in node.outputs]
        if any([each is not None for each in d_outputs]):
            add(link.keys, node.slopes(d_outputs, link.wanted))

    add(map(id, targets), starts)
    _together(way, gradients, set(asked), alone)
    return [gradients.get(key) if key in reached else None for key in asked]


def _together(
    way: Sequence[Link],
    gradients: dict[int, Tensor],
    ends: set[int],
    alone: Callable[[Link], None],
) -> None:
    """Go back, through operations that follow each other at once."""
    run: list[Link] = []
    for link in way:
        if run and not fit_together(run, link):
            back(run, gradients, ends, alone)
            run = []
        if link.node.applied is None:
            alone(link)
        else:
            run.append(link)
    back(run, gradients, ends, alone)


def _advice(value: Any, otherwise: str) -> str:
    """Return what to do with a value that no tape follows."""
    if isinstance(value, Symbol):
        return "a symbol has no slopes: take them in the call of a layer of one's own"
    return otherwise


def _source(value: Any) -> Held:
    if not isinstance(value, Held):
        raise TypeError(
            "gradient: sources must be variables and tensors, got "
            f"{type(value).__name__}; "
            + _advice(
                value,
                "model.trainable_variables has a model's weights, laminar.ops.convert_to_tensor "
                "makes a tensor that watch takes",
            )
        )
    return value._itself()


def _targets(targets: Sequence[Any]) -> list[Held | None]:
    """Return the targets; None for an array, which nothing is known of."""
    found: list[Held | None] = []
    for value in targets:
        if isinstance(value, Held):
            found.append(value._itself())
        elif isinstance(value, (np.ndarray, np.generic, float, int)):
            found.append(None)
        else:
            raise TypeError(
                f"gradient: target must be a tensor, got {value!r}: compute it from variables with "
                "laminar.ops inside the tape's with block"
            )
    return found


def _starts(targets: Sequence[Held | None], given: Any) -> list[Tensor | None]:
    """Return the gradients that the way back begins with."""
    if given is None:
        return [None if target is None else _ones_like(target) for target in targets]
    each = list(given) if isinstance(given, (list, tuple)) and len(targets) > 1 else [given]
    if len(each) != len(targets):
        raise ValueError(
            f"gradient: output_gradients must be a list of {len(targets)}, got {len(each)}"
        )
    from ..ops import convert_to_tensor

    starts: list[Tensor | None] = []
    for target, value in zip(targets, each, strict=True):
        if target is None:
            starts.append(None)
            continue
        start = convert_to_tensor(value, target.dtype)
        if start.shape != target.shape:
            raise ValueError(
                f"gradient: output_gradients must be of the target's shape {target.shape}, got "
                f"{start.shape}"
            )
        starts.append(start)
    return starts


def _ones_like(target: Held) -> Tensor:
    if not target.shape:  # as almost always
        return ONES[4 if target.dtype == "float32" else 8]
    return Tensor(np.ones(target.shape, target.dtype))


def _zeros_like(source: Any) -> Any:
    if isinstance(source, Traced):
        return _traced.filled(source, 0.0)
    return Tensor(np.zeros(source.shape, source.dtype))


def _flat(values: Any) -> list[Any]:
    if isinstance(values, Operators):
        return [values]
    if isinstance(values, (list, tuple)):
        if _are_themselves(values):
            return list(values)
        return [each for value in values for each in _flat(value)]
    if isinstance(values, Mapping):
        return [each for value in values.values() for each in _flat(value)]
    return [values]


def _like(form: Any, gradients: Any) -> Any:
    """Return gradients in the form that the sources have."""
    if isinstance(form, Operators):
        return next(gradients)
    if isinstance(form, (list, tuple)):
        return [
            next(gradients) if isinstance(value, Operators) else _like(value, gradients)
            for value in form
        ]
    if isinstance(form, Mapping):
        return {key: _like(value, gradients) for key, value in form.items()}
    return next(gradients)
