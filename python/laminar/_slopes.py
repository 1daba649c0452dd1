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
    """Which inputs of a program have a slope, and which of the weights that it reads have none."""

    inputs: Sequence[bool]
    stuck: Sequence[int]


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
    known = {i: _of(spec) for i, spec in enumerate(specs) if spec["kind"] == "operations"}
    for i in reversed(range(len(nodes))):
        if first + i in reached:
            number, reads = nodes[i]["layer"], nodes[i]["inputs"]
            used.add(number)
            slopes = known.get(number)
            leads = [True] * len(reads) if slopes is None else slopes.inputs
            reached.update(read for read, has in zip(reads, leads, strict=True) if has)
    for number, spec in enumerate(specs):
        if not spec.get("trainable", True):
            continue
        called = f"{where}: layer {spec['name']!r}"
        if number in known:
            stuck = [spec["weights"][i]["name"] for i in known[number].stuck]
            if stuck:
                raise ValueError(
                    f"{called}: no slope leads from its output back to {listed(stuck)}: on the way "
                    f"are operations that have none ({_WITHOUT}); what training is not to change "
                    "has trainable=False"
                )
        if number not in used and _has_weights(spec):
            without = [specs[i]["name"] for i, each in known.items() if not all(each.inputs)]
            raise ValueError(
                f"{called}: no slope leads from the outputs back to its weights: "
                f"{listed(map(repr, without))} behind it has operations that have none "
                f"({_WITHOUT}); freeze it with trainable = False, or write them otherwise"
            )


def _of(spec: Mapping[str, Any]) -> _Slopes:
    program = spec.get("training_program") or spec["program"]
    inputs, weights = len(program["inputs"]), len(program["weights"])
    made = json.loads(
        _core.Program(json.dumps(program))
        .with_gradients(0, list(range(inputs + weights)))
        .description()
    )
    start = len(made["inputs"]) + len(made["weights"])
    slopes = [_leads(made, value - start) for value in made["outputs"][1:]]
    read = {value for step in program["steps"] for value in step.get("reads", ())}
    stuck = [
        i
        for i in range(weights)
        if inputs + i in read
        and not slopes[inputs + i]
        and spec["weights"][i].get("trainable", True)
    ]
    return _Slopes(slopes[:inputs], stuck)


def _leads(program: Mapping[str, Any], step: int) -> bool:
    """Whether a gradient is more than the 0 of what nothing depends on."""
    if step < 0:
        return True
    made = program["steps"][step]
    return made["op"] != "constant" or any(made["numbers"])


def _has_weights(spec: Mapping[str, Any]) -> bool:
    if spec["kind"] == "operations":
        return any(weight.get("trainable", True) for weight in spec["weights"])
    return any(name.endswith("_initializer") for name in spec)
