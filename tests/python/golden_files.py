# SPDX-License-Identifier: Apache-2.0
"""The golden model files of tests/golden: what is in them, and what they must give for ever.

`python tests/python/golden_files.py` records the files of the present format that are not there
yet, and never touches those that are. expected.txt holds, for each file and kind of kernels, the
hash of its predictions; for a model with a table, of those of raw rows, which the file carries as
lines of cells with tabs between them; for a training that stopped, of the weights that it ends in.
Python's tests and C++'s (tests/cpp/test_golden_files.cpp) compare with the same hashes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import laminar
from laminar import Model, Sequential, layers
from laminar._tables import Column, Table, Target
from laminar.callbacks import LambdaCallback

FOLDER = Path(__file__).parents[1] / "golden"
EXPECTED = FOLDER / "expected.txt"
ROWS = 13
BATCH_SIZE = 4
EPOCHS = 2


def inputs(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return samples that C++ writes down as easily."""
    count = ROWS * int(np.prod(shape))
    numbers = (np.arange(count) * 7919 % 2001 - 1000) / 1000
    return numbers.reshape(ROWS, *shape).astype(dtype)


def fnv1a(array: NDArray[Any]) -> str:
    """Return the 64-bit FNV-1a hash of an array's bytes."""
    value = 14695981039346656037
    for byte in array.tobytes():
        value = (value ^ byte) * 1099511628211 % 2**64
    return f"{value:016x}"


def kernels() -> str:
    """Return the kind of kernels in use: results with and without fused products differ."""
    return "baseline" if laminar.show_config()["isa"] == "baseline" else "fused"


def outcome(path: Path) -> list[str]:
    """Return the hashes that a file gives: of predictions, and of weights after its training."""
    model = laminar.load_model(path)
    assert model._input is not None
    x = inputs(model._input, model.dtype)  # of several inputs side by side
    predicted = model.predict(x)
    outputs = predicted if isinstance(predicted, list) else [predicted]
    found = [fnv1a(np.concatenate(outputs, axis=1) if len(outputs) > 1 else outputs[0])]
    if "rows" in model._texts:
        columns = Table.from_json(model._texts["table"]).needed()
        cells = [line.split("\t") for line in model._texts["rows"].split("\n")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cells that training has not seen
            rows = [dict(zip(columns, line, strict=True)) for line in cells]
            found.append(fnv1a(model.predict(rows)))
    if model.optimizer is not None:
        y = inputs(model._outputs, model.dtype)
        model.fit(x, y, BATCH_SIZE, EPOCHS, verbose=0, resume=path)
        found.append(fnv1a(np.concatenate([w.ravel() for w in model.get_weights()])))
    return found


def expected() -> dict[tuple[str, str], list[str]]:
    """Return {(file, kernels): hashes}."""
    lines = (line.split() for line in EXPECTED.read_text().splitlines())
    return {(name, kind): hashes for name, kind, *hashes in lines}


def _stack() -> list[Any]:
    return [
        layers.Input((2, 3)),
        layers.Flatten(),
        layers.Rescaling(0.5, 0.1),
        layers.Normalization(mean=[0.1] * 6, variance=[0.5] * 6),
        layers.Dense(7, "gelu", kernel_regularizer="l2", kernel_constraint="max_norm"),
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        layers.Dropout(0.2),
        layers.Reshape((7, 1)),
        layers.Flatten(),
        layers.Maxout(5),
        layers.LayerNormalization(),
        layers.PReLU("ones"),
        layers.AlphaDropout(0.1),
        layers.GaussianNoise(0.1),
        layers.GaussianDropout(0.1),
        layers.ReLU(6.0, 0.1),
        layers.LeakyReLU(),
        layers.ELU(0.5),
        layers.Dense(3, "sigmoid"),
        layers.Softmax(),
    ]


def _table() -> dict[str, str]:
    """Return a table of all kinds of columns and rows of all kinds of cells."""
    table = Table(
        ("size", "id", "city", "member", "kind", "class"),
        (
            Column("size", "number", 2.5, indicator=True),
            Column("city", "category", categories=("Bern", "Zürich", "3"), indicator=True),
            Column("member", "number", -0.1),
            Column("kind", "category", categories=("a", "b")),
        ),
        Target("class", "class", ("cheap", "dear", "free")),
        ("Not Given",),
    )
    rows = [
        ("1.5", "Bern", "1", "a"),
        ("+.5", " Zürich ", "1e1", "b"),
        ("not given", "?", "-0.30000000000000004", "A"),
        ("NaN", "Rome", "none", "\u00a0b"),
        ("1e-999", "3", "00012.", ""),
    ]
    return {"table": table.to_json(), "rows": "\n".join(map("\t".join, rows))}


def _graph(several: bool) -> Model:
    """Return a graph with every merge, a shared and a frozen layer, and several inputs."""
    a, b = layers.Input(4, name="a"), layers.Input((2, 2), name="b")
    flat = layers.Flatten()(b)
    shared = layers.Dense(5, "tanh", name="shared")
    left, right = shared(a), shared(flat)
    merged = [
        layers.Average()([left, right, left]),
        layers.Maximum()([left, right]),
        layers.Minimum()([left, right]),
        layers.Subtract()([left, right]),
        layers.Dot(axes=1, normalize=True)([left, right]),
        layers.Dot(axes=1)([right, left]),
    ]
    h = layers.Dense(6, "relu", name="h")(layers.Concatenate()([*merged, flat]))
    for i in range(2):
        f = layers.Dense(6, "gelu", name=f"f{i}", trainable=i == 0)(layers.LayerNormalization()(h))
        h = layers.Add()([h, layers.Multiply()([f, layers.Dropout(0.2)(f)])])
    out = layers.Dense(3, "sigmoid", name="out")(layers.BatchNormalization()(h))
    return Model([a, b], [out, left] if several else out, seed=15)


def _models() -> dict[str, Model | Sequential]:
    models: dict[str, Model | Sequential] = {
        f"v1_layers_{dtype}": Sequential(_stack(), dtype=dtype, seed=11)
        for dtype in ("float32", "float64")
    }
    models["v1_categories"] = Sequential(
        [
            layers.Input(4),
            layers.Discretization([-0.5, 0.0, 0.5]),
            layers.CategoryEncoding(4, "count"),
            layers.Dense(2, "softmax"),
        ],
        seed=12,
    )
    models["v1_table"] = Sequential(
        [
            layers.Input(9),
            layers.Normalization(mean=[2.5, *[0] * 8], variance=[4, *[1] * 8]),
            layers.Dense(3, "softmax"),
        ],
        seed=14,
    )
    models["v1_table"]._texts = _table()
    for dtype in ("float32", "float64"):
        model = Sequential(_stack(), dtype=dtype, seed=13)
        model.compile(laminar.optimizers.Adam(use_ema=True), "mse", metrics=["mae", "r2_score"])
        models[f"v1_training_{dtype}"] = model
    models["v2_outputs"] = _graph(True)
    models["v2_heads"] = _graph(True)
    models["v2_heads"].compile(
        laminar.optimizers.Adam(use_ema=True),
        ["mse", "mae"],
        metrics=[["mae"], ["r2_score"]],
        loss_weights=[0.5, 2.0],
        ignore_nan=True,
    )
    for mode in ("int8", "bfloat16"):
        models[f"v3_{mode}"] = Sequential(
            [
                layers.Input(4),
                layers.Discretization([-0.5, 0.0, 0.5]),
                layers.Embedding(4, 5),
                layers.Flatten(),
                layers.Dense(130, "tanh"),
                layers.Maxout(3, use_bias=False),
            ],
            seed=16,
        )
        models[f"v3_{mode}"].quantize(mode)
    models["v2_graph"] = _graph(False)
    models["v2_graph"].compile(laminar.optimizers.Adam(use_ema=True), "mse", metrics=["mae"])
    return models


def record() -> None:
    """Write what is not there yet."""
    for name, model in _models().items():
        path = FOLDER / f"{name}.safetensors"
        if path.exists():
            continue
        if model.optimizer is not None:

            def save(batch: int, logs: Any, model: Any = model, path: Path = path) -> None:
                if model.optimizer is not None and model.optimizer.iterations == 6:
                    model.save(path)

            assert model._input is not None
            x, y = (inputs(shape, model.dtype) for shape in (model._input, model._outputs))
            stop = LambdaCallback(on_train_batch_end=save)
            model.fit(x, y, BATCH_SIZE, EPOCHS, verbose=0, callbacks=stop)
        else:
            model.save(path)
    known = expected() if EXPECTED.exists() else {}
    for isa in ("baseline", ""):
        code = "import golden_files; golden_files.append_missing()"
        environment = {**os.environ, "LAMINAR_ISA": isa} if isa else dict(os.environ)
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert all(expected()[key] == hashes for key, hashes in known.items())


def append_missing() -> None:
    """Append the hashes of these kernels for files that have none."""
    known = expected() if EXPECTED.exists() else {}
    with EXPECTED.open("a") as file:
        for path in sorted(FOLDER.glob("*.safetensors")):
            if (path.stem, kernels()) not in known:
                print(path.stem, kernels(), *outcome(path), file=file)


if __name__ == "__main__":
    record()
