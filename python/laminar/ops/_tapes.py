# SPDX-License-Identifier: Apache-2.0
"""What tapes are told: which values came about from which, and how slopes go back.

A computation is a program on whole arrays. Its slopes are one as well, made once for each shape, so
that they are recorded like everything else while another tape listens.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import _core
from ._held import Held, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

Slopes = Callable[[Sequence["Tensor | None"], Sequence[int]], "list[Tensor | None]"]


class Applied(NamedTuple):
    """A program that has been run, and draws nothing."""

    computation: Computation
    given: Sequence[NDArray[Any]]
    dtype: str
    rows: int


class Node(NamedTuple):
    """A computation that has been done.

    ``slopes(d_outputs, wanted)`` returns the gradients by the inputs whose numbers are wanted; None
    stands for those that nothing depends on.
    """

    inputs: Sequence[Any]
    outputs: Sequence[Tensor]
    slopes: Slopes
    applied: Applied | None = None


class Recorded(Protocol):
    """What a tape keeps: a `Node`, or what has all that it has."""

    @property
    def inputs(self) -> Sequence[Any]: ...
    @property
    def outputs(self) -> Sequence[Tensor]: ...
    @property
    def slopes(self) -> Slopes: ...
    @property
    def applied(self) -> Applied | None: ...


class Listener(Protocol):
    """A tape, as what records sees it."""

    def _note(self, node: Recorded) -> None: ...
    def _note_call(self, node: Recorded, trained: Mapping[int, Any]) -> None: ...


class _Listening(threading.local):
    tapes: tuple[Listener, ...] = ()


_listening = _Listening()


def listening() -> bool:
    """Whether a tape of this thread records."""
    return bool(_listening.tapes)


def listen(tape: Listener) -> None:
    """Let a tape record what this thread computes from now on."""
    _listening.tapes = (*_listening.tapes, tape)


def leave(tape: Listener) -> None:
    """Let a tape record no more."""
    tapes = _listening.tapes
    last = tapes[-1:] == (tape,)  # as almost always
    _listening.tapes = tapes[:-1] if last else tuple(each for each in tapes if each is not tape)


def record(
    inputs: Sequence[Any],
    outputs: Sequence[Tensor],
    slopes: Slopes,
    applied: Applied | None = None,
) -> None:
    """Tell all tapes what has been computed."""
    if _listening.tapes:
        own = [each._itself() if isinstance(each, Held) else each for each in inputs]
        note(Node(own, outputs, slopes, applied))


def note(node: Recorded) -> None:
    """Tell all tapes of a computation, whose inputs are as they stand on tapes."""
    for tape in _listening.tapes:
        tape._note(node)


def note_call(node: Recorded, trained: Mapping[int, Any]) -> None:
    """Tell all tapes of a model's call, which reads some trainable variables, by identity."""
    for tape in _listening.tapes:
        tape._note_call(node, trained)


def refused(message: str) -> Slopes:
    """Return slopes that cannot be computed, and say why when they are needed."""

    def slopes(d_outputs: Sequence[Tensor | None], wanted: Sequence[int]) -> list[Tensor | None]:
        raise ValueError(message)

    return slopes


class Computation:
    """A program whose inputs are all that it reads.

    Parameters
    ----------
    description : dict
        In the core's form; its weights become further inputs.
    """

    def __init__(self, description: dict[str, Any]) -> None:
        inputs = [*description["inputs"], *description["weights"]]
        self.description = {**description, "inputs": inputs, "weights": []}
        self.core = _core.Program(json.dumps(self.description))
        self.draws = any(step["op"] == "random" for step in description["steps"])
        self.shapes = self.core.shapes()  # of the outputs
        self._slopes: dict[tuple[int, tuple[int, ...]], tuple[Computation, tuple[int, ...]]] = {}

    def slopes(self, output: int, by: tuple[int, ...]) -> tuple[Computation, tuple[int, ...]]:
        """Return the gradients of one output, which reads its own gradient last.

        Parameters
        ----------
        output : int
            The output's number.
        by : tuple of int
            Numbers of inputs.

        Returns
        -------
        computation, tuple of int
            The gradients, and those of the inputs that have one.
        """
        known = self._slopes.get((output, by))
        if known is None:
            made = json.loads(self.core.with_gradients(output, by).description())
            first = len(made["inputs"])
            gradients = made["outputs"][-len(by) :]
            kept = [i for i, each in enumerate(gradients) if not _nothing(made, each - first)]
            made["outputs"] = [gradients[i] for i in kept]
            known = Computation(_needed(made)), tuple([by[i] for i in kept])
            self._slopes[output, by] = known
        return known


def _nothing(description: dict[str, Any], step: int) -> bool:
    """Whether a value is 0 because nothing depends on it."""
    if step < 0:
        return False
    made = description["steps"][step]
    return made["op"] == "constant" and not any(made["numbers"])


def _needed(description: dict[str, Any]) -> dict[str, Any]:
    """Return a program without the steps that no output needs."""
    first = len(description["inputs"])
    steps = description["steps"]
    needed = {each - first for each in description["outputs"]}
    for i in reversed(range(len(steps))):
        if i in needed:
            needed.update(read - first for read in steps[i].get("reads", ()))
    places = {i: i for i in range(first)}
    kept: list[dict[str, Any]] = []
    for i, step in enumerate(steps):
        if i in needed:
            places[first + i] = first + len(kept)
            kept.append({**step, "reads": [places[read] for read in step.get("reads", ())]})
    outputs = [places[each] for each in description["outputs"]]
    return {**description, "steps": kept, "outputs": outputs}


def apply(
    computation: Computation,
    inputs: Sequence[Any],
    dtype: str,
    rows: int = 0,
    seed: int = 0,
    arrays: Sequence[NDArray[Any]] | None = None,
) -> list[Tensor]:
    """Return what a computation makes of its inputs, and tell the tapes.

    Parameters
    ----------
    computation : Computation
        What is computed.
    inputs : sequence
        Tensors and variables of the type, and C-contiguous arrays of it.
    dtype : {"float32", "float64"}
        The type.
    rows : int
        How many there are, where shapes speak of rows.
    seed : int
        Of its random values.
    arrays : sequence of ndarray, optional
        The numbers that the inputs had, where variables may have changed since.
    """
    if arrays is None:
        arrays = [each._numbers() if isinstance(each, Held) else each for each in inputs]
    given = arrays
    made = [Tensor(array) for array in computation.core.run(given, [], rows, dtype, seed)]
    if _listening.tapes:

        def slopes(d_outputs: Sequence[Tensor | None], wanted: Sequence[int]) -> Any:
            found: dict[int, Any] = {}
            for output, d_output in enumerate(d_outputs):
                if d_output is None:
                    continue
                back, by = computation.slopes(output, tuple(wanted))
                if not by:
                    continue
                read = [*given, d_output._numbers()]
                gradients = apply(back, [*inputs, d_output], dtype, rows, seed, read)
                for i, gradient in zip(by, gradients, strict=True):
                    found[i] = gradient if i not in found else found[i] + gradient
            return [found.get(i) for i in wanted]

        applied = None if computation.draws else Applied(computation, given, dtype, rows)
        record(inputs, made, slopes, applied)
    return made
