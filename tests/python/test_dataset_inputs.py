# SPDX-License-Identifier: Apache-2.0
"""Datasets and batches of several inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import (
    FEATURES,
    ROWS,
    Batches,
    X,
    Y,
    model,
    refused,
    same,
)

from laminar import Input, Model, layers
from laminar.data import Dataset

INPUTS = {"wide": X[:, :3], "deep": X[:, 3], "side": np.arange(2 * ROWS).reshape(ROWS, 2) / 100}


def branched() -> Model:
    wide, deep, side = Input((3,), name="wide"), Input((1,), name="deep"), Input((2,), name="side")
    hidden = layers.Dense(6, "tanh", kernel_initializer="ones")(layers.concatenate([deep, side]))
    made = Model([wide, deep, side], layers.Dense(1)(layers.concatenate([wide, hidden])), seed=5)
    made.compile("adam", "mse", metrics=["mae"])
    return made


def files_of(folder: Path, parts: int) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for key, array in {**INPUTS, "y": Y}.items():
        paths[key] = [folder / f"{key}{i}.npy" for i in range(parts)]
        for path, part in zip(paths[key], np.array_split(array, parts), strict=True):
            np.save(path, part)
    return paths


@pytest.mark.parametrize("form", ["dict", "list"])
@pytest.mark.parametrize("buffer", ["1MB", 4000])
def test_several_inputs_come_in_datasets_and_batches(
    form: str, buffer: int | str, tmp_path: Path
) -> None:
    def formed(rows: slice = slice(None)) -> Any:
        parts = {key: array[rows] for key, array in INPUTS.items()}
        return list(parts.values()) if form == "list" else dict(reversed(parts.items()))

    def batches(size: int) -> Iterator[Any]:
        for first in range(0, ROWS, size):
            part = slice(first, first + size)
            yield formed(part), Y[part]

    options: dict[str, Any] = {"shuffle": False, "verbose": 0, "epochs": 2}
    expected = branched()
    history = expected.fit(formed(), Y, 20, validation_data=(formed(), Y), **options).history
    outputs = expected.predict(formed())
    paths = files_of(tmp_path, 2)
    targets = paths.pop("y")
    datasets = [
        Dataset.from_arrays(formed(), Y, buffer_size=buffer),
        Dataset.from_generator(lambda: batches(33), buffer_size=buffer),
        Dataset.from_npy(paths, targets, buffer_size=buffer),
    ]
    for data in datasets:
        found = branched()
        got = found.fit(data, batch_size=20, validation_data=data, **options).history
        assert same(found, expected)
        np.testing.assert_allclose(got["val_loss"], history["val_loss"], rtol=1e-12)
        np.testing.assert_array_equal(found.predict(data), outputs)
        np.testing.assert_allclose(found.evaluate(data), expected.evaluate(formed(), Y), rtol=1e-12)
    data = datasets[0]
    found = branched()
    for epoch in range(2):
        for rows, y, _ in data.batches(20, shuffle=False, epoch=epoch):
            assert type(rows) is (dict if form == "dict" else list) and len(rows) == 3
            found.train_on_batch(rows, y)
    assert same(found, expected)

    class Sequence(Batches):
        def __init__(self) -> None:
            super().__init__()
            self.batches = list(batches(20))

    for given in (Sequence(), iter([*batches(20)] * 2)):
        found = branched()
        found.fit(given, steps_per_epoch=5, validation_data=Sequence(), **options)
        assert same(found, expected)
    np.testing.assert_array_equal(found.predict(Sequence()), outputs)
    np.testing.assert_array_equal(found.predict(x for x, _ in batches(20)), outputs)


TARGETS = {"size": Y, "kind": np.arange(ROWS) % 3}
WEIGHTS = {"size": np.linspace(0.5, 2, ROWS), "kind": np.linspace(1, 0, ROWS)}


def of_two_outputs(ignore_nan: bool = False) -> Model:
    x = Input((FEATURES,), name="x")
    hidden = layers.Dense(6, "tanh")(x)
    ends = {"size": layers.Dense(1)(hidden), "kind": layers.Dense(3, "softmax")(hidden)}
    made = Model(x, ends, seed=5)
    losses = {"size": "mse", "kind": "sparse_categorical_crossentropy"}
    made.compile("adam", losses, metrics={"kind": ["accuracy"]}, ignore_nan=ignore_nan)
    return made


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_several_outputs_come_in_datasets_and_batches(weighted: bool, missing: bool) -> None:
    targets = {key: np.array(array, np.float32) for key, array in TARGETS.items()}
    if missing:
        targets["size"][::3] = np.nan
        targets["kind"][1::4] = np.nan
    weight = WEIGHTS if weighted else None

    def batches() -> Iterator[Any]:
        for first in range(0, ROWS, 20):
            part = slice(first, first + 20)
            y = {key: array[part] for key, array in targets.items()}
            w = {key: array[part] for key, array in WEIGHTS.items()}
            yield (X[part], y, w) if weighted else (X[part], y)

    class Sequence(Batches):
        def __init__(self) -> None:
            super().__init__()
            self.batches = list(batches())

    def made() -> Model:
        return of_two_outputs(missing)

    options: dict[str, Any] = {"epochs": 2, "shuffle": False, "verbose": 0}
    expected = made()
    both = {"sample_weight": weight, "validation_data": (X, targets)}
    history = expected.fit(X, targets, 20, **both, **options).history
    data = Dataset.from_arrays(X, targets, weight)
    found = made()
    got = found.fit(data, batch_size=20, validation_data=(X, targets), **options).history
    assert same(found, expected) and got == history
    found = made()
    found.fit(X, targets, 20, sample_weight=weight, steps_per_epoch=5, **options)
    assert same(found, expected)
    np.testing.assert_allclose(
        found.evaluate(Sequence()),
        found.evaluate(X, targets, sample_weight=weight),
        rtol=1e-6,
    )
    outputs = found.predict(Sequence())
    assert {key: array.shape for key, array in outputs.items()} == {
        "size": (ROWS, 1),
        "kind": (ROWS, 3),
    }
    one, other, third = made(), made(), made()  # what batches weigh on average is not known
    one.fit(Sequence(), **options)
    other.fit(iter([*batches()] * 2), steps_per_epoch=5, **options)
    for epoch in range(2):
        for x, y, *w in batches() if weighted else data.batches(20, shuffle=False, epoch=epoch):
            third.train_on_batch(x, y, *w)
    assert same(one, other) and same(one, third)
    assert weighted or same(one, expected)


def test_wrong_targets_are_said() -> None:
    cases: list[tuple[str, Any]] = [
        ("y must be a dict by the names of the outputs, .* lacks 'kind'", {"size": Y}),
        ("has 'other' besides", {**TARGETS, "other": Y}),
        ("with one array for each output, 'size', 'kind'; got list of 1", [Y]),
        (r"x has 100 rows, y\['kind'\] has 7", {"size": Y, "kind": TARGETS["kind"][:7]}),
    ]
    for match, y in cases:
        found = of_two_outputs()
        refused(ValueError, f"batch 1: .*{match}", lambda: found.fit(iter([(X, y)]), verbose=0))  # noqa: B023
        refused(ValueError, match, lambda: found.fit(Dataset.from_arrays(X, y), verbose=0))  # noqa: B023


def test_wrong_inputs_are_said() -> None:
    wide, deep, side = INPUTS.values()
    cases: list[tuple[str, Any]] = [
        (r"batch 1: x must be a dict with the keys .*lacks 'side'", {"wide": wide, "deep": deep}),
        ("has 'other' besides", {**INPUTS, "other": deep}),
        ("batch 1: x must be a list or a dict with one array for each input", [wide, deep]),
        (r"batch 1: x\['wide'\] must have shape \(rows, 3\)", [side, deep, wide]),
        (r"x\['wide'\] has 100 rows, .*x\['deep'\] has 7", [wide, deep[:7], side]),
    ]
    for match, x in cases:
        for given in (iter([(x, Y)]), Batches()):
            if isinstance(given, Batches):
                given.batches = [(x, Y)]
            refused(ValueError, match, lambda: branched().fit(given, verbose=0))  # noqa: B023
    from_arrays = Dataset.from_arrays
    refused(
        ValueError,
        "lacks 'side'",
        lambda: branched().fit(from_arrays({"wide": wide, "deep": deep}, Y)),
    )
    refused(
        ValueError, r"x has 100 rows, x\['b'\] has 7", lambda: from_arrays({"a": X, "b": X[:7]}, Y)
    )
    refused(ValueError, "x is an empty dict", lambda: from_arrays({}, Y))
    refused(TypeError, "got a dict with the keys", lambda: model().fit(from_arrays({"a": X}, Y)))
    refused(TypeError, "got a dict with the keys", lambda: model().predict({"a": X}))
    odd = Dataset.from_generator(lambda: iter([(INPUTS, Y), ({"wide": wide}, Y)]))
    refused(ValueError, "has the keys", lambda: list(odd.batches(8)))
    refused(ValueError, "x must name at least one file", lambda: Dataset.from_npy({}, "y.npy"))


def test_lists_of_rows_stay_rows() -> None:
    rows = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    data = Dataset.from_arrays(rows, [1.0, 2.0, 3.0])
    assert data.rows == 3 and next(data.batches(8, shuffle=False))[0].shape == (3, 2)
    pair = Dataset.from_arrays([np.arange(3), np.arange(3)], [1.0, 2.0, 3.0])
    assert pair.rows == 3 and len(next(pair.batches(8, shuffle=False))[0]) == 2
    for x, y, shape in (  # rows by the targets, inputs by what else is there
        (rows, None, (3, 2)),
        (rows, [np.ones(1)] * 3, (3, 2)),
        ([np.ones(4)] * 2, [np.ones(4)] * 3, None),
        ([np.ones(4)] * 2, {"a": np.ones(4)}, None),
    ):
        found = Dataset.from_arrays(x, y)._pieces.first
        assert found is not None
        assert (isinstance(found.x, list), np.shape(found.x)) == (shape is None, shape or (2, 4))
    trained = model()
    trained.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(trained.predict(memoryview(X)), trained.predict(X))
