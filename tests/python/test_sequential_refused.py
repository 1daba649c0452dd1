# SPDX-License-Identifier: Apache-2.0
"""Bad input of models in a row: refused before anything changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import blobs, small_classifier
from test_sequential import regression, regressor, state

# Bad input: what is changed in a right call of fit, the error, and what its message says.
X, Y = blobs()
BAD_FIT: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("width", {"x": X[:, :4]}, ValueError, r"fit: x has 4 features, the network takes 6"),
    ("no rows", {"x": X[:0], "y": Y[:0]}, ValueError, "fit: x has no rows"),
    ("lengths", {"y": Y[:-1]}, ValueError, "fit: x has 40 rows, y has 39"),
    ("one dimension", {"x": X[:, 0]}, ValueError, r"reshape\(-1, 1\)"),
    (
        "three dimensions",
        {"x": X[:, np.newaxis]},
        ValueError,
        r"must have shape \(rows, 6\), got|takes samples of shape \(features,\)",
    ),
    ("ragged", {"x": [[1, 2], [3]]}, ValueError, "fit: x is not a rectangular array"),
    ("NaN in x", {"x": np.where(X > 1, np.nan, X)}, ValueError, "fit: x .*(nan|finite)"),
    ("inf in x", {"x": np.where(X > 1, np.inf, X)}, ValueError, "fit: x .*(inf|finite)"),
    ("object", {"x": X.astype(object)}, TypeError, "fit: x must hold .* got dtype object"),
    ("complex", {"x": X + 1j}, TypeError, "fit: x must hold .* got dtype complex64"),
    ("string", {"x": X.astype(str)}, TypeError, "fit: x must hold .* got dtype <U"),
    ("datetime", {"x": X.astype("M8[s]")}, TypeError, "fit: x must hold .* got dtype datetime"),
    ("mixed labels", {"y": ["a"] * 39 + [3]}, TypeError, "fit: y holds names .* row 39 is 3"),
    ("large label", {"y": Y + 1}, ValueError, "fit: y .* from 0 to 2 .* is 3"),
    ("negative label", {"y": Y - 1}, ValueError, "fit: y .*-1"),
    ("fractional labels", {"y": Y + 0.5}, ValueError, "fit: y must hold whole class numbers"),
    ("one-hot", {"y": np.eye(3)[Y]}, ValueError, "one-hot rows .* categorical_crossentropy"),
    ("no y", {"y": None}, ValueError, "fit: y is missing"),
    ("weights' length", {"sample_weight": [1]}, ValueError, "40 rows, sample_weight has 1"),
    ("negative weight", {"sample_weight": -np.ones(40)}, ValueError, "sample_weight"),
    ("NaN weight", {"sample_weight": np.full(40, np.nan)}, ValueError, "sample_weight"),
    ("class weight", {"class_weight": {0: 1, 1: 1}}, ValueError, "no weight for class 2"),
    ("batch of 0", {"batch_size": 0}, ValueError, "fit: batch_size must be at least 1, got 0"),
    ("batch of 1.5", {"batch_size": 1.5}, TypeError, "fit: batch_size must be an integer"),
    ("epochs", {"epochs": -1}, ValueError, "fit: epochs must be at least 0, got -1"),
    ("epochs 1.5", {"epochs": 1.5}, TypeError, "fit: epochs must be an integer"),
    ("initial epoch", {"initial_epoch": -1}, ValueError, "fit: initial_epoch must be at least 0"),
    ("shuffle", {"shuffle": "yes"}, TypeError, "fit: shuffle must be True or False"),
    ("verbose", {"verbose": 7}, ValueError, "fit: verbose must be"),
    ("split", {"validation_split": 1.0}, ValueError, r"fit: validation_split must be in \[0, 1\)"),
    ("validation", {"validation_data": (X,)}, ValueError, "fit: validation_data must be .* of 1"),
    ("validation array", {"validation_data": X}, ValueError, "must be .* got ndarray"),
    (
        "validation width",
        {"validation_data": (X[:, :3], Y)},
        ValueError,
        "fit: validation_data: x has 3 features, the network takes 6",
    ),
    (
        "validation labels",
        {"validation_data": (X, Y + 9)},
        ValueError,
        "fit: validation_data: y .*",
    ),
    ("argument", {"epoch": 1}, TypeError, "fit: unknown argument 'epoch'; did you mean 'epochs'"),
]


@pytest.mark.parametrize(
    ("built", "changed", "error", "message"),
    # Any width is right for a model that is not built.
    [(built, *bad[1:]) for built in (True, False) for bad in BAD_FIT if built or bad[0] != "width"],
    ids=lambda value: None if isinstance(value, (dict, type, str)) else f"built={value}",
)
def test_fit_refuses_before_anything_changes(
    built: bool, changed: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = small_classifier(built=built)
    if built:
        model.fit(X, Y, verbose=0)  # so that the optimizer has a state
    before, history = state(model) if built else None, model.history
    with pytest.raises(error, match=f"(?s){message}"):
        model.fit(**{"x": X, "y": Y, "verbose": 0, **changed})
    assert model.built is built
    assert model.history is history
    if built:
        assert state(model) == before
    model.fit(X, Y, verbose=0)


BAD_DENSE: list[tuple[str, Any, type[Exception], str]] = [
    ("columns", regression()[1][:, :1], ValueError, r"y .*1.*2"),
    ("one dimension", regression()[1][:, 0], ValueError, r"y .*1.*2"),
    ("NaN", np.full((50, 2), np.nan), ValueError, "y .*(nan|finite)"),
    ("too large", np.full((50, 2), 1e300), ValueError, "y holds a value too large for float32"),
    ("complex", np.ones((50, 2), complex), TypeError, "y must hold .* complex128"),
    ("missing", None, ValueError, "y is missing"),
]


@pytest.mark.parametrize("call", ["fit", "train_on_batch", "evaluate", "loss_and_gradients"])
@pytest.mark.parametrize(
    ("y", "error", "message"), [bad[1:] for bad in BAD_DENSE], ids=[bad[0] for bad in BAD_DENSE]
)
def test_targets_are_refused_before_anything_changes(
    call: str, y: Any, error: type[Exception], message: str
) -> None:
    model = regressor()
    before = state(model)
    x, _ = regression()
    with pytest.raises(error, match=f"(?s){call}: {message}"):
        getattr(model, call)(x, y)
    assert state(model) == before


def test_integer_labels_for_a_one_hot_loss_are_refused() -> None:
    model = small_classifier(loss="categorical_crossentropy")
    with pytest.raises(ValueError, match=r"fit: y .*1.*3"):
        model.fit(X, Y)


def test_predict_refuses() -> None:
    model = regressor()
    x, _ = regression()
    with pytest.raises(ValueError, match="predict: x has 2 features, the network takes 3"):
        model.predict(x[:, :2])
    with pytest.raises(ValueError, match="predict: x has no rows"):
        model.predict(x[:0])
    with pytest.raises(ValueError, match="predict: batch_size must be at least 1"):
        model.predict(x, batch_size=0)
    with pytest.raises(TypeError, match="predict: x must hold"):
        model.predict([["a", "b", "c"]])
    with pytest.raises(ValueError, match=r"predict: out must be of shape \(50, 2\) and float32"):
        model.predict(x, out=np.empty((50, 3), np.float32))
