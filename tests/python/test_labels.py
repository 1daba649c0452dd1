# SPDX-License-Identifier: Apache-2.0
"""Texts as targets: they train what their numbers train, and are known to the saved model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import Sequential, layers

NAMES = np.array(["oak", "ash", "elm"])
ORDER = ("ash", "elm", "oak")


def data(classes: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    places = np.arange(60) % classes
    texts = NAMES[places]
    return x, texts, np.array([sorted(NAMES[:classes]).index(text) for text in texts])


def model(classes: int) -> Sequential:
    last = layers.Dense(1, "sigmoid") if classes == 2 else layers.Dense(classes, "softmax")
    made = Sequential([layers.Dense(5, "relu"), last], seed=1)
    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    made.compile("adam", loss, metrics=["accuracy"])
    return made


def containers(texts: Any) -> dict[str, Any]:
    found = {
        "list": texts.tolist(),
        "U": texts,
        "object": texts.astype(object),
        "column": texts.reshape(-1, 1),
    }
    try:
        import pandas

        found["pandas"] = pandas.Series(texts)
        found["categories"] = pandas.Series(texts).astype("category")
    except ImportError:
        pass
    try:
        import pyarrow

        found["arrow"] = pyarrow.array(texts.tolist())
    except ImportError:
        pass
    return found


@pytest.mark.parametrize("classes", [2, 3])
def test_texts_train_like_their_numbers(classes: int, tmp_path: Path) -> None:
    x, texts, numbers = data(classes)
    expected = model(classes)
    weights = {i: i + 1.0 for i in range(classes)}
    history = expected.fit(
        x, numbers, class_weight=weights, validation_data=(x, numbers), verbose=0
    )
    names = tuple(sorted(NAMES[:classes].tolist()))
    by_name = {name: i + 1.0 for i, name in enumerate(names)}
    for kind, y in containers(texts).items():
        found = model(classes)
        got = found.fit(x, y, class_weight=by_name, validation_data=(x, y), verbose=0)
        assert got.history == history.history, kind
        assert found.class_names == names
        assert found.evaluate(x, y) == expected.evaluate(x, numbers)
        assert found.loss_and_gradients(x, y)[0] == expected.loss_and_gradients(x, numbers)[0]
        found.save(tmp_path / "m.safetensors")
        loaded = laminar.load_model(tmp_path / "m.safetensors")
        assert loaded.class_names == names
        assert loaded.evaluate(x, y) == found.evaluate(x, y)
        found.train_on_batch(x, y)


def test_later_targets_keep_the_first_names() -> None:
    x, texts, numbers = data(3)
    one, other = model(3), model(3)
    one.fit(x, texts, verbose=0)
    other.fit(x, numbers, verbose=0)
    some = texts != "ash"
    one.fit(x[some], texts[some], verbose=0)
    other.fit(x[some], numbers[some], verbose=0)
    assert json.dumps(one.history.history) == json.dumps(other.history.history)
    assert one.class_names == ORDER


def test_what_is_wrong_is_said() -> None:
    x, texts, _ = data(3)
    with pytest.raises(ValueError, match="evaluate: y holds names of classes, such as 'ash'"):
        model(3).evaluate(x, texts)
    trained = model(3)
    trained.fit(x, texts, verbose=0)
    strange = texts.copy()
    strange[5] = "fir"
    with pytest.raises(ValueError, match="fit: y holds 'fir', which is none of the model's"):
        trained.fit(x, strange, verbose=0)
    with pytest.raises(ValueError, match="validation_data: y holds 'fir'"):
        model(3).fit(x, texts, validation_data=(x, strange), verbose=0)
    mixed = texts.astype(object)
    mixed[7] = None
    with pytest.raises(ValueError, match="row 7 is None"):
        model(3).fit(x, mixed, verbose=0)
    mixed[7] = 3.5
    with pytest.raises(TypeError, match=r"row 7 is 3\.5"):
        model(3).fit(x, mixed, verbose=0)
    regression = Sequential([layers.Dense(1)])
    regression.compile("sgd", "mse")
    with pytest.raises(TypeError, match="the loss mse takes numbers"):
        regression.fit(x, texts, verbose=0)
    with pytest.raises(ValueError, match="from 0 to 1"):
        made = Sequential([layers.Dense(2, "softmax")])
        made.compile("sgd", "sparse_categorical_crossentropy")
        made.fit(x, texts, verbose=0)
