# SPDX-License-Identifier: Apache-2.0
"""Targets that a loss is not for are refused, wherever rows go, with the value and the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from laminar import Sequential, layers, losses
from laminar.data import Dataset

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
SIGN = np.where(X[:, :1] > 0, 1.0, -1.0)

SHARES = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "kl_divergence",
    "dice",
    "tversky",
)
MARGINS = ("hinge", "squared_hinge", "categorical_hinge")
COUNTS = ("poisson", "msle", "tweedie")
ALL = (*SHARES, *MARGINS, *COUNTS)


def model_for(loss: str, units: int = 2) -> Sequential:
    model = Sequential([layers.Input(3), layers.Dense(units, "softplus")], seed=1)
    options = {"from_logits": True} if "crossentropy" in loss else {}
    model.compile("sgd", {"name": loss, **options})
    return model


OPERATIONS: dict[str, Callable[[Sequential, Any], object]] = {
    "fit": lambda m, y: m.fit(X, y, verbose=0),
    "fit: validation_data": lambda m, y: m.fit(
        X, np.tile([1.0, 0.0], (40, 1)), validation_data=(X, y), verbose=0
    ),
    "fit of a Dataset": lambda m, y: m.fit(Dataset.from_arrays(X, y), verbose=0),
    "evaluate": lambda m, y: m.evaluate(X, y),
    "train_on_batch": lambda m, y: m.train_on_batch(X, y),
    "loss_and_gradients": lambda m, y: m.loss_and_gradients(X, y),
    "find_learning_rate": lambda m, y: m.find_learning_rate(X, y),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("loss", ALL)
def test_wrong_targets_are_refused_everywhere(loss: str, operation: str) -> None:
    wrong = np.zeros((40, 2))
    wrong[:, 0] = 1
    wrong[7, 1] = -3
    with pytest.raises(ValueError, match=rf"y must .* for the loss '{loss}'.* column 1 is -3") as e:
        OPERATIONS[operation](model_for(loss), wrong)
    if loss not in COUNTS:
        assert "a class is" in str(e.value)


@pytest.mark.parametrize("loss", ["binary_crossentropy", "binary_focal_crossentropy"])
@pytest.mark.parametrize("classes", [(-1, 1), (0, 2), (1, 2), (0, 255)])
def test_classes_with_other_numbers_do_not_train_to_nonsense(
    loss: str, classes: tuple[int, int]
) -> None:
    y = np.where(SIGN[:, 0] > 0, classes[1], classes[0])
    for activation in ("sigmoid", None):
        model = Sequential([layers.Input(3), layers.Dense(1, activation)])
        model.compile("adam", {"name": loss, "from_logits": activation is None})
        before = model.get_weights()[0]
        with pytest.raises(ValueError, match="y must be from 0 to 1") as error:
            model.fit(X, y, verbose=0)
        wrong = [c for c in classes if not 0 <= c <= 1]
        assert any(str(error.value).find(f"is {c};") > 0 for c in wrong)
        assert "(y + 1) / 2" in str(error.value)
        np.testing.assert_array_equal(model.get_weights()[0], before)
        model.fit(X, y == classes[1], verbose=0)
        model.fit(X, 0.05 + 0.9 * (y == classes[1]), verbose=0)  # soft ones


def test_rounding_is_no_mistake() -> None:
    y = np.zeros((40, 2), np.float32)
    y[:, 0] = np.nextafter(np.float32(1), np.float32(2))
    y[:, 1] = -1e-8
    for loss in SHARES:
        model_for(loss).fit(X, y, verbose=0)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margins_take_both_kinds_of_classes(loss: str) -> None:
    ends = []
    for y in (SIGN, (SIGN + 1) / 2):
        model = model_for(loss, 1)
        model.fit(X, y, verbose=0)
        ends.append(model.get_weights()[0])
    np.testing.assert_array_equal(*ends)


def test_losses_of_arrays_are_keras_s() -> None:
    # -y ln(p) - (1 - y) ln(1 - p), for any y
    p = 0.25
    expected = 0.5 * (np.log(p) - 2 * np.log(1 - p)) - 0.5 * np.log(p)
    assert losses.BinaryCrossentropy()([[-1.0, 1.0]], [[p, p]]) == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "categorical_focal_crossentropy"])
def test_rows_that_are_no_distributions_warn(loss: str) -> None:
    y = np.zeros((40, 2))
    y[3] = 1
    y[:, 0] = 1
    operations: tuple[Callable[[Sequential], object], ...] = (
        lambda m: m.fit(X, y, verbose=0),
        lambda m: m.evaluate(X, y),
        lambda m: m.train_on_batch(X, y),
        lambda m: m.fit(Dataset.from_arrays(X, y), verbose=0),
    )
    for operation in operations:
        with pytest.warns(UserWarning, match=f"row 3 of y sums to 2.* '{loss}' .*sum to 1"):
            operation(model_for(loss))
