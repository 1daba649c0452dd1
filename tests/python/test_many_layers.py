# SPDX-License-Identifier: Apache-2.0
"""Time that grows with the number of layers, and no faster."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from laminar import Sequential, _core, layers, load_model
from laminar.exchange import c_source

_FEW, _MANY = 400, 1600
# Of the time for _MANY to that for _FEW: 4 is linear, 16 quadratic.
_MOST = 10
_AT_LEAST = 0.1  # seconds


def stack(count: int) -> Sequential:
    model = Sequential([layers.Input(2), *(layers.Dense(2) for _ in range(count))], seed=1)
    model.compile("adam", "mse")
    return model


def seconds(work: Callable[[Any], object], given: Any) -> float:
    """Return the processor time that some work takes."""
    start = time.process_time()
    work(given)
    return time.process_time() - start


def ratio(work: Callable[[Any], object], prepared: Callable[[int], Any]) -> float:
    """Return the ratio of the fastest runs, in turns: a processor that slows down slows both."""
    few, many = prepared(_FEW), prepared(_MANY)
    times: list[tuple[float, float]] = []
    while len(times) < 3 or (sum(map(sum, times)) < _AT_LEAST and len(times) < 50):
        times.append((seconds(work, few), seconds(work, many)))
    fastest = [min(turns) for turns in zip(*times, strict=True)]
    return fastest[1] / fastest[0]


def rebuilt(model: Sequential) -> None:
    model.add(layers.Dense(2))
    model.build(2)


WORK: dict[str, Callable[[Any], object]] = {
    "summary": lambda model: model.summary(print_fn=len, show_trainable=True),
    "names": lambda model: [layer.name for layer in model.layers],
    "weights of layers": lambda model: [layer.get_weights() for layer in model.layers],
    "counts of layers": lambda model: [layer.count_params() for layer in model.layers],
    "copy": copy.deepcopy,
    "configuration": lambda model: Sequential.from_config(model.get_config()),
    "another layer": rebuilt,
    "export to C": c_source.source,
}


@pytest.mark.parametrize("name", WORK)
def test_of_a_model(name: str) -> None:
    assert ratio(WORK[name], stack) < _MOST


def test_of_saving_and_loading(tmp_path: Path) -> None:
    def saved(count: int) -> str:
        path = str(tmp_path / f"{count}.safetensors")
        stack(count).save(path)
        return path

    assert ratio(load_model, saved) < _MOST
    models = {count: stack(count) for count in (_FEW, _MANY)}
    path = tmp_path / "m.safetensors"
    assert ratio(lambda model: model.save(path), models.__getitem__) < _MOST
    models[_MANY].save_weights(path)
    assert ratio(lambda model: model.save_weights(path), models.__getitem__) < _MOST


def test_of_a_file_that_names_no_layer(tmp_path: Path) -> None:
    """Every layer is then called flatten, flatten_1, …: each name was tried on all others."""

    def written(count: int) -> str:
        path = str(tmp_path / f"{count}.safetensors")
        network = {"input_shape": [1], "layers": [{"kind": "flatten"}] * count}
        metadata = {
            "laminar.format": "1",
            "laminar.dtype": "float32",
            "laminar.seed": "1",
            "laminar.network": json.dumps(network),
        }
        _core.write_safetensors(path, {}, metadata)
        return path

    assert ratio(load_model, written) < _MOST


def test_nested_lists_are_parsed_once() -> None:
    def text(count: int) -> str:
        return json.dumps({"input_shape": [1], "layers": [{"kind": "flatten"}] * 16 * count})

    assert ratio(_core.canonical_network, text) < _MOST


def test_deep_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        _core.canonical_network('{"input_shape":' + "[" * 100_000)
    quoted = json.dumps({"input_shape": [1], "layers": [{"kind": "flatten", "name": '"[{\\' * 99}]})
    assert json.loads(_core.canonical_network(quoted))["layers"][0]["name"] == '"[{\\' * 99
