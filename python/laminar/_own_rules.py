# SPDX-License-Identifier: Apache-2.0
"""Regularizers and constraints that are functions of the user's own, written in `laminar.ops`.

A function takes the weights of one tensor. It is traced for their shape, which is known where a
layer has its inputs; the core computes the program from then on, and files hold it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arrays, _core, _custom
from ._attributes import is_own
from ._component import Component
from ._guard import CORE_MODELS
from ._own_functions import is_program, name_of

if TYPE_CHECKING:
    from .layers import Layer
    from .ops._tapes import Computation

Shape = tuple[int, ...]

_OF_PYTHON = "function_of_python"  # in configurations that do not hold it


class _Weights(NamedTuple):
    """What stands for the weights while a function is traced."""

    shape: Shape


class Rule:
    """What regularizers and constraints of the user's own have in common.

    Parameters
    ----------
    kind : {"regularizer", "constraint"}
        What it is.
    function : callable or None
        The function.
    name : str or None
        By default the function's own.
    program : mapping or None
        In place of a function, what one was traced into.
    """

    def __init__(
        self,
        kind: str,
        function: Callable[[Any], Any] | None,
        name: str | None,
        program: Mapping[str, Any] | None,
    ) -> None:
        if (function is None) == (program is None):
            raise ValueError(f"{kind}s.Function: takes either a function or a program")
        self.kind, self.function = kind, function
        self.name = name or (kind if function is None else name_of(function, kind))
        if function is not None:
            _check_signature(function, kind, self.name)
        self._known: dict[Shape, tuple[dict[str, Any], Computation]] = {}
        self.program = None if program is None else dict(program)

    def spec(self) -> dict[str, Any]:
        """Return what configurations hold: the program, if there is one already."""
        program = self.known()
        of_python = {_OF_PYTHON: True} if program is None else {"program": program}
        return {"name": self.name, **of_python}

    def known(self) -> dict[str, Any] | None:
        """Return a program that there is already, that of the shape traced first."""
        if self.program is not None:
            return self.program
        return next((program for program, _ in self._known.values()), None)

    def config_for(self, shape: Sequence[int]) -> dict[str, Any]:
        """Return the core's description for weights of a shape."""
        return {"name": self.name, "program": self._traced(tuple(shape))[0]}

    def of(self, x: Any, dtype: str) -> Any:
        """Return what it makes of weights: a value of the tape's, or of the call's that is traced.

        Parameters
        ----------
        x : tensor or ndarray
            The weights, C-contiguous and of the type where they are an array.
        dtype : {"float32", "float64"}
            Of the weights.
        """
        from .ops._tapes import apply  # operations are needed by few programs
        from .ops._trace import active

        if active() is not None:
            if self.function is None:
                raise ValueError(
                    f"{self.kind} {self.name!r} is a program; its function, which a traced call "
                    "needs, is not known"
                )
            return self.function(x)
        return apply(self._traced(tuple(x.shape))[1], [x], dtype)[0]

    def _traced(self, shape: Shape) -> tuple[dict[str, Any], Computation]:
        found = self._known.get(shape)
        if found is None:
            from .ops._tapes import Computation

            program = self._program(shape)
            found = self._known[shape] = program, Computation(program)
        return found

    def _program(self, shape: Shape) -> dict[str, Any]:
        where = f"{self.kind} {self.name!r}"
        if self.program is not None:
            made_for = [tuple(weight) for weight in self.program["weights"]]
            if made_for != [shape]:
                raise ValueError(
                    f"{where}: was made for weights of shape {made_for[0]}, got {shape}; give its "
                    "function for others"
                )
            return self.program
        from .ops._shapes import formed, text_of
        from .ops._trace import Trace, value_of

        assert self.function is not None
        weights = _Weights(shape)

        def readable(variable: Any) -> None:
            if variable is not weights:
                raise ValueError(
                    f"{where}: reads {variable!r}, whose numbers at this moment it would keep; it "
                    "may read the weights that it is given alone"
                )

        trace = Trace(readable)
        with trace.recording():
            made = value_of(trace, self.function(trace.read(weights)), where)
            extents = made._extents
            if self.kind == "regularizer":
                if any(extent != 1 for extent in extents):
                    raise ValueError(
                        f"{where}: must return one number, of shape (), got {text_of(extents)}; "
                        "laminar.ops.sum adds up what there is for each weight"
                    )
                made = formed(made, ())
            elif extents != shape:
                raise ValueError(
                    f"{where}: must return weights of the shape that it is given, {shape}, got "
                    f"{text_of(extents)}"
                )
        program = trace.description([made], [weights])
        if self.kind == "regularizer":
            _check_slope(program, where)
        return program


class OfRule(Component):
    """A regularizer or constraint that is a rule."""

    _rule: Rule

    def _config_for(self, shape: Sequence[int]) -> dict[str, Any]:
        return self._rule.config_for(shape)

    @property
    def name(self) -> str:
        """What errors and files call it."""
        return self._rule.name

    def _assign(self, name: str, value: object) -> None:
        vars(self)[name] = value

    def _spec(self) -> dict[str, Any]:
        return self._rule.spec()

    def get_config(self) -> dict[str, Any]:
        """Return name and program; TypeError for a function that no model has taken."""
        if self._rule.known() is None:
            raise TypeError(f"{self!r} has no configuration, as it is a function of Python's")
        return self._spec()

    def __getstate__(self) -> dict[str, Any]:
        """Return all that pickle and copy take along."""
        rule = self._rule
        return {"function": rule.function, "name": rule.name, "program": rule.program}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        type(self).__init__(self, **state)

    def __repr__(self) -> str:
        return f"<{self._rule.kind} {self.name}>"


def _check_signature(function: Callable[..., Any], kind: str, name: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of what is written in C nothing is known
        return
    try:
        signature.bind(None)
    except TypeError:
        raise TypeError(
            f"{kind} {name!r}: must be a function of the weights alone, got one of {signature}"
        ) from None


def _check_slope(program: dict[str, Any], where: str) -> None:
    slopes = json.loads(_core.Program(json.dumps(program)).with_gradients(0, [0]).description())
    place = slopes["outputs"][1] - len(slopes["inputs"]) - len(slopes["weights"])
    made = slopes["steps"][place] if place >= 0 else {"op": ""}
    if made["op"] == "constant" and not any(made["numbers"]):
        raise ValueError(
            f"{where}: has no slope by the weights, so that it would change nothing: it does not "
            "depend on them, or through operations alone that have none (comparisons, sign, "
            "floor, stop_gradient)"
        )


def function_of(base: type[Any], identifier: object) -> object:
    """Return the arguments of a `Function` for what a user named; None where it is none.

    Parameters
    ----------
    base : type
        `Regularizer` or `Constraint`.
    identifier : object
        What was named: a function, an object that is called, a class of the user's below ``base``,
        a program, or the name of something of these in a `laminar.utils.custom_object_scope`.
    """
    if isinstance(identifier, str):
        own = _custom.find(identifier)
        return None if own is None else function_of(base, own)
    if isinstance(identifier, type):
        if not issubclass(identifier, base) or is_own(identifier):
            return None
        identifier = identifier()
    if is_program(identifier):
        return identifier
    if isinstance(identifier, Mapping) and identifier.get(_OF_PYTHON):
        raise ValueError(
            f"{base._family} {identifier.get('name')!r} was a function of Python's that no model "
            "had taken yet, so that the configuration does not hold it: build the model first, or "
            "give the function"
        )
    if isinstance(identifier, base) and not is_own(type(identifier)):
        return {"function": identifier}
    if callable(identifier) and not isinstance(identifier, Component):
        return {"function": identifier}
    return None


def array_of(x: object, where: str) -> Any:
    """Return weights as an array that a program reads."""
    return np.ascontiguousarray(_arrays.real(x, where))


def with_rules(layer: Layer, spec: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    """Return a layer's description with the programs of its regularizers and constraints.

    Parameters
    ----------
    layer : Layer
        The layer, one of laminar's.
    spec : dict
        The core's description.
    shapes : sequence of shapes
        Of the samples that it reads.
    """
    rules = {name: rule for name, rule in vars(layer).items() if is_rule(name, rule)}
    plain = {name: value for name, value in spec.items() if name not in rules}
    if not rules:
        return spec
    inputs = list(range(len(shapes)))
    network = {
        "layers": [{**plain, "name": "layer"}],
        "inputs": [{"name": f"input_{i}", "shape": shapes[i]} for i in inputs],
        "nodes": [{"layer": 0, "inputs": inputs}],
        "outputs": [len(shapes)],
    }
    core = CORE_MODELS["float32"](json.dumps(network), 0, "float32")
    for tensor in core.tensors():
        word = str(tensor["name"]).rpartition("/")[2]
        for name in (f"{word}_regularizer", f"{word}_constraint"):
            if name in rules:
                plain[name] = rules[name]._config_for(tensor["shape"])
    return plain


def is_rule(name: str, value: object) -> bool:
    """Whether a layer's attribute is a regularizer or a constraint of the user's own."""
    return name.endswith(("_regularizer", "_constraint")) and getattr(value, "_of_user", False)
