# SPDX-License-Identifier: Apache-2.0
"""Whether something leads from a model's outputs back to each weight that is to be trained.

Operations such as `floor` have slope 0 wherever they have one. Behind weights, layers of the user's
own may have such ones on all ways; then training would leave the weights as they are and say so to
nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import _core
from ._printable import listed

_WITHOUT = "comparisons, argmax, one_hot, sign, floor, stop_gradient"


class _Slopes(NamedTuple):
    """Which inputs and weights of a layer's program have a slope, of its value and its losses."""

    value: Sequence[bool]  # inputs, then weights
    losses: Sequence[bool]  # of those that the layer adds, whoever reads its value
    unread: Sequence[bool]  # weights that the program does not read


def check(where: str, config: str) -> None:
    """Raise ValueError where nothing leads back to a weight that is trained.

    Parameters
    ----------
    where : str
        What trains.
    config : str
        The core's description of a network.
    """
    network = json.loads(config)
    specs = network["layers"]
    first = len(network.get("inputs", "1"))
    nodes = network.get("nodes") or [
        {"layer": i, "inputs": [i - 1 + first]} for i in range(len(specs))
    ]
    reached = set(network.get("outputs") or [first + len(nodes) - 1])
    used: set[int] = set()
    known = {i: _of(spec) for i, spec in enumerate(specs) if "program" in spec}
    learned = {i: list(slopes.unread) for i, slopes in known.items()}
    for i in reversed(range(len(nodes))):
        number, reads = nodes[i]["layer"], nodes[i]["inputs"]
        is_read = first + i in reached
        if number not in known:
            leads = [is_read] * len(reads)
        else:
            value, losses, _ = known[number]
            leads = [a or b for a, b in zip(value, losses, strict=True)] if is_read else [*losses]
            by_weight = leads[len(reads) :]
            learned[number] = [a or b for a, b in zip(learned[number], by_weight, strict=True)]
        if is_read or any(leads):
            used.add(number)
        reached.update(read for read, has in zip(reads, leads, strict=False) if has)
    for number, spec in enumerate(specs):
        if not spec.get("trainable", True):
            continue
        called = f"{where}: layer {spec['name']!r}"
        if number not in used and _has_weights(spec):
            without = [specs[i]["name"] for i, each in known.items() if not all(each.value)]
            raise ValueError(
                f"{called}: no slope leads from the outputs back to its weights: "
                f"{listed(map(repr, without))} behind it has operations that have none "
                f"({_WITHOUT}); freeze it with trainable = False, or write them otherwise"
            )
        weights = zip(spec["weights"], learned[number], strict=True) if number in known else ()
        stuck = [weight["name"] for weight, has in weights if _trains(weight) and not has]
        if stuck:
            raise ValueError(
                f"{called}: no slope leads from its output back to {listed(stuck)}: on the way are "
                f"operations that have none ({_WITHOUT}); what training is not to change has "
                "trainable=False"
            )


def _of(spec: Mapping[str, Any]) -> _Slopes:
    program = spec.get("training_program") or spec["program"]
    inputs, weights = len(program["inputs"]), len(program["weights"])
    core = _core.Program(json.dumps(program))
    by_output = [_by(core, output, inputs + weights) for output in range(len(program["outputs"]))]
    losses = [any(each) for each in zip(*by_output[1:], strict=True)]
    read = {value for step in program["steps"] for value in step.get("reads", ())}
    return _Slopes(
        by_output[0],
        losses or [False] * (inputs + weights),
        [inputs + i not in read for i in range(weights)],
    )


def _by(core: _core.Program, output: int, count: int) -> list[bool]:
    """Return which of the inputs and weights have a slope of an output."""
    return _by_each(core, output, list(range(count))) if count else []


def _by_each(core: _core.Program, output: int, values: list[int]) -> list[bool]:
    try:
        made = json.loads(core.with_gradients(output, values).description())
    except ValueError:  # a function of Python that has no way back
        return (
            [has for each in values for has in _by_each(core, output, [each])]
            if values[1:]
            else [False]
        )
    start = len(made["inputs"]) + len(made["weights"])
    return [_leads(made, value - start) for value in made["outputs"][-len(values) :]]


def _leads(program: Mapping[str, Any], step: int) -> bool:
    """Whether a gradient is more than the 0 of what nothing depends on."""
    if step < 0:
        return True
    made = program["steps"][step]
    return made["op"] != "constant" or any(made["numbers"])


def _has_weights(spec: Mapping[str, Any]) -> bool:
    if "program" in spec:
        return any(map(_trains, spec["weights"]))
    return any(name.endswith("_initializer") for name in spec)


def _trains(weight: Mapping[str, Any]) -> bool:
    return bool(weight.get("trainable", True))
