# SPDX-License-Identifier: Apache-2.0
"""Integer programs of real data: what they lose, and the same bytes on a Cortex-M4 as here."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_source import C99, compiler, library

from laminar import Sequential, datasets, layers
from laminar.exchange.integers import IntegerProgram

FOLDER = Path(__file__).parents[2] / "bench" / "microcontroller"


def board() -> Any:
    """Return the module of the benchmark, or skip where its tools are not installed."""
    spec = importlib.util.spec_from_file_location("board", FOLDER / "board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["board"] = module
    spec.loader.exec_module(module)
    if missing := module.missing():
        pytest.skip(f"there is no {missing}")
    return module


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequential, IntegerProgram]:
    """Return the digits network of the example, trained for less long, and its program."""
    (x, y), _ = datasets.load_digits()
    model = Sequential(
        [
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        seed=7,
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=15, verbose=0)
    path = tmp_path_factory.mktemp("digits") / "digits.c"
    return model, model.export(path, quantize="int8", x=x, y=y)


def test_digits_lose_less_than_half_a_point(
    digits: tuple[Sequential, IntegerProgram], tmp_path: Path
) -> None:
    model, program = digits
    _, (x, y) = datasets.load_digits()
    accuracy = np.mean(program.predict(x).argmax(axis=1) == y)
    assert model.evaluate(x, y)[1] > 0.95
    assert accuracy > model.evaluate(x, y)[1] - 0.005
    assert program.report["after"]["accuracy"] > program.report["before"]["accuracy"] - 0.005
    assert program.flash_bytes < 20_000
    compiler("gcc")
    found = library(tmp_path, program.source, *C99, "-O2", "-Wconversion")
    q = program.quantize(x)
    expected = program.run(q)
    out = np.zeros_like(expected)
    for row, result in zip(q, out, strict=True):
        found.digits_predict(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(result.ctypes.data))
    np.testing.assert_array_equal(out, expected)


def test_the_board_computes_the_same_bytes(
    digits: tuple[Sequential, IntegerProgram], tmp_path: Path
) -> None:
    tools = board()
    _, program = digits
    _, (x, _) = datasets.load_digits()
    q = program.quantize(x)
    built = tools.compiled(program.source, "digits", tmp_path)
    sizes = tools.sizes(built)
    assert program.flash_bytes < sizes.flash < program.flash_bytes + 2000
    assert sizes.variables == 0
    assert program.ram_bytes <= sizes.stack < program.ram_bytes + 400
    assert not [name for name in tools.undefined(built) if name.startswith("__aeabi_")]
    np.testing.assert_array_equal(tools.run(built, "digits", q, 10), program.run(q))


def test_the_board_has_every_function_of_programs(tmp_path: Path) -> None:
    tools = board()
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(60, 9)) * 10.0 ** np.arange(-4, 5)).astype(np.float32)
    model = Sequential(
        [
            layers.Input(9),
            layers.Normalization(mean=x.mean(axis=0), variance=x.var(axis=0)),
            layers.SmoothClip(4.0),
            layers.Dense(12, "leaky_relu"),
            layers.Dense(8, "tanh"),
            layers.BatchNormalization(),
            layers.Activation("gelu"),
            layers.Dense(4, "step"),
        ],
        seed=2,
    )
    program = model.export(tmp_path / "every.c", quantize="int8", x=x)
    built = tools.compiled(program.source, "every", tmp_path)
    called = tools.undefined(built)
    assert not [name for name in called if name.startswith(("__aeabi_f", "__aeabi_d"))], called
    q = program.quantize(x)
    np.testing.assert_array_equal(tools.run(built, "every", q, 4), program.run(q))
