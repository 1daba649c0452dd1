# SPDX-License-Identifier: Apache-2.0
"""Metrics of models that give logits see the probabilities that an activation would give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from laminar import Sequential, layers, load_model, losses, metrics

ROWS = 400
COUNTS = ["precision", "recall", "auc", "true_positives", "false_negatives", "f1_score", "mse"]


def task(classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS, 3)).astype(np.float32)
    z = x @ rng.normal(size=(3, max(classes, 1))) + rng.normal(size=(ROWS, max(classes, 1))) - 0.7
    if classes == 1:
        return x, (z[:, 0] > 0).astype(np.float32)
    return x, np.argmax(z, axis=1).astype(np.int32)


def twins(classes: int, measured: Any, width: int = 4) -> tuple[Sequential, Sequential]:
    """Return models of logits and of probabilities with the same weights."""
    found = []
    for from_logits in (True, False):
        loss = (
            losses.BinaryCrossentropy(from_logits=from_logits)
            if classes == 1
            else losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        )
        last = "linear" if from_logits else "sigmoid" if classes == 1 else "softmax"
        model = Sequential(
            [layers.Input(3), layers.Dense(width, "tanh"), layers.Dense(classes, last)], seed=4
        )
        model.compile("adam", loss, measured, [metrics.Precision(name="weighted_precision")])
        found.append(model)
    return found[0], found[1]


@pytest.mark.parametrize("width", [4, 400])
@pytest.mark.parametrize("batch", [1, 32])
def test_binary_metrics_are_those_of_probabilities(width: int, batch: int) -> None:
    x, y = task(1)
    weight = np.linspace(0.2, 2, ROWS)
    logits, expected = twins(1, ["accuracy", *COUNTS, "binary_crossentropy"], width)
    for call in ("evaluate", "train_on_batch"):
        one, other = (getattr(m, call)(x, y, sample_weight=weight) for m in (logits, expected))
        assert one == pytest.approx(other, rel=1e-5), call
    history = [
        m.fit(x, y, batch, 2, 0, sample_weight=weight, validation_data=(x, y)).history
        for m in (logits, expected)
    ]
    for key, values in history[1].items():
        assert history[0][key] == pytest.approx(values, rel=1e-3, abs=2e-3), key


def test_softmax_metrics_are_those_of_probabilities() -> None:
    x, y = task(3)
    measured = ["accuracy", *COUNTS[:-1], "sparse_categorical_crossentropy"]
    measured += [metrics.SparseTopKCategoricalAccuracy(2), metrics.Recall(top_k=2, name="top")]
    measured.append(metrics.FBetaScore(threshold=0.4))
    logits, expected = twins(3, measured)
    one, other = (m.evaluate(x, y, return_dict=True) for m in (logits, expected))
    assert one == pytest.approx(other, rel=1e-5)


def test_right_answers_by_hand() -> None:
    x, y = task(1)
    model, _ = twins(1, ["accuracy", "precision", "recall", metrics.BinaryAccuracy(threshold=0.3)])
    model.fit(x, y, epochs=5, verbose=0)
    z = model.predict(x)[:, 0]
    yes = z > 0
    found = model.evaluate(x, y, return_dict=True)
    assert found["accuracy"] == pytest.approx((yes == (y > 0)).mean())
    assert found["precision"] == pytest.approx(y[yes].mean())
    assert found["recall"] == pytest.approx(yes[y > 0].mean())
    at = (1 / (1 + np.exp(-z.astype(float))) > 0.3) == (y > 0.3)
    assert found["binary_accuracy"] == pytest.approx(at.mean())


def test_metrics_that_take_logits_get_logits() -> None:
    x, y = task(1)
    own = [metrics.AUC(50, from_logits=True), metrics.BinaryCrossentropy(from_logits=True), "hinge"]
    model, _ = twins(1, own)
    found = model.evaluate(x, y, return_dict=True)
    z = model.predict(x)[:, 0].astype(float)
    assert found["binary_crossentropy"] == pytest.approx(found["loss"], rel=1e-6)
    assert found["auc"] == pytest.approx(metrics.AUC(50)(y, 1 / (1 + np.exp(-z))), abs=1e-6)
    assert found["hinge"] == pytest.approx(np.maximum(0, 1 - (2 * y - 1) * z).mean(), rel=1e-5)


def test_files_and_parts_of_a_batch(tmp_path: Path) -> None:
    x, y = task(1)
    model, _ = twins(1, ["accuracy", "auc"])
    model.fit(x, y, None, 2, 0, memory_limit=80 << 10)
    model.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.evaluate(x, y) == model.evaluate(x, y)


def test_a_penalty_on_probabilities_leaves_the_loss_alone() -> None:
    """It keeps the last activation apart from the loss, which must not take a second one."""
    x, y = task(1)
    values = []
    for from_logits in (True, False):
        last = layers.Dense(1, "sigmoid", activity_regularizer="l2")
        model = Sequential([layers.Input(3), last], dtype="float64", seed=1)
        model.compile("sgd", losses.BinaryCrossentropy(from_logits=from_logits), ["accuracy"])
        values.append(model.evaluate(x, y))
    assert values[0] == pytest.approx(values[1], rel=1e-6)
