# SPDX-License-Identifier: Apache-2.0
"""A trained network as C and C++ source, and in files for other programs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import laminar
from laminar import layers

Array: TypeAlias = NDArray[np.floating[Any]]


def exported(model: laminar.Model, folder: Path) -> list[Path]:
    source = model.to_c(name="net")
    assert_type(source, str)
    assert_type(model.to_hpp("net"), str)
    paths = [folder / "net.c", folder / "net.hpp", folder / "net.safetensors"]
    for path in paths:
        model.export(path)
    model.export(str(folder / "weights"), format="torch")
    return paths


def main() -> None:
    x = np.linspace(-1, 1, 40).reshape(10, 4)
    symbol = laminar.Input((4,))
    output = layers.Dense(2, activation="softmax")(layers.Dense(3, activation="tanh")(symbol))
    model = laminar.Model(symbol, output, seed=3)
    model.compile(laminar.optimizers.Adam(0.01), "categorical_crossentropy")
    model.fit(x, np.eye(2)[[0, 1] * 5], epochs=1, verbose=0)
    means = laminar.ensemble([model, laminar.models.clone_model(model)])
    assert_type(means.predict(x), Array)
    out = np.empty((10, 2), np.float32)
    assert_type(model.predict(x, out=out), Array)
    assert_type(laminar.get_include(), str)
    with tempfile.TemporaryDirectory() as folder:
        for path in exported(model, Path(folder)):
            assert_type(path.stat().st_size, int)


if __name__ == "__main__":
    main()
