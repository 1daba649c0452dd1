# SPDX-License-Identifier: Apache-2.0
"""The core's losses within losses of one's own, in operations, agree with the core."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import reference
from support import outputs, spec_id, specs, targets

from laminar import Sequential, _component, _core, layers, losses, ops
from laminar._losses_traced import ROWS_OF
from laminar._own_losses import traced

# What the defaults leave out.
OTHERS: dict[str, list[reference.Spec]] = {
    "huber": [{"delta": 0.3}],
    "quantile": [{"quantile": 0.9}],
    "tversky": [{"alpha": 0.2, "beta": 0.7}],
    "tweedie": [{"power": power} for power in (0.0, 1.0, 1.2, 2.0, 3.0)],
    "binary_crossentropy": [{"from_logits": True}, {"label_smoothing": 0.1}],
    "binary_focal_crossentropy": [
        {"from_logits": True, "gamma": 1.5},
        {"apply_class_balancing": True, "label_smoothing": 0.1},
    ],
    "categorical_crossentropy": [{"from_logits": True}, {"label_smoothing": 0.1}],
    "categorical_focal_crossentropy": [{"from_logits": True, "gamma": 1.5}],
    "sparse_categorical_crossentropy": [{"from_logits": True}],
}
SPECS = [
    {**spec, **other} for spec in specs("loss") for other in [{}, *OTHERS.get(spec["name"], [])]
]
ROWS, WIDTH = 21, 5


def program_of(function: Any, y: Any, p: Any) -> Any:
    shape = y.shape[1:] or (1,)
    return _core.Program(json.dumps(traced(function, shape, p.shape[1:])["program"]))


def test_every_loss_is_there() -> None:
    assert set(ROWS_OF) == set(_component.entries("loss"))


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
def test_values_and_slopes_are_the_core_s(spec: reference.Spec, rng: np.random.Generator) -> None:
    p, y = outputs(spec, ROWS, WIDTH, rng), targets(spec, ROWS, WIDTH, rng)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", "none"):
        if spec["name"] == "rmse" and reduction == "none":
            continue
        loss = losses.get({**spec, "reduction": reduction})
        program = program_of(lambda y, p, loss=loss: loss(y, p), y, p)
        program, given = program.with_gradients(0, [1]), np.full(ROWS, 1 / ROWS)
        inputs = [np.asarray(y, np.float64).reshape(ROWS, -1), p, given]
        rows, slopes = program.run(inputs, [], ROWS, "float64")
        expected, d_p = _core.loss_and_gradient(
            json.dumps({**spec, "reduction": "sum" if reduction == "none" else reduction}),
            *loss._read(y, p, None)[:2],
            None,
        )
        if reduction == "none":
            np.testing.assert_allclose(rows, loss(y, p), rtol=1e-6, atol=1e-9)
            slopes = slopes * ROWS
        else:
            assert rows.mean() == pytest.approx(expected, rel=1e-6, abs=1e-9)
        np.testing.assert_allclose(slopes, d_p, rtol=1e-5, atol=1e-9)


def test_a_loss_of_other_losses_trains_as_their_sum(rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 3)).astype(np.float32)
    y = (x[:, :1] > 0).astype(np.float32)
    crossentropy = losses.BinaryCrossentropy(from_logits=True)

    class Own(losses.Loss):
        """One of the user's own, which another calls."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.abs(y_pred)

    own = Own()

    def combined(y_true: Any, y_pred: Any) -> Any:
        return 0.5 * crossentropy(y_true, y_pred) + 0.1 * own(y_true, y_pred)

    def written(y_true: Any, y_pred: Any) -> Any:
        value = ops.softplus(y_pred) - y_true * y_pred
        return 0.5 * ops.mean(value, axis=-1) + 0.1 * ops.mean(ops.abs(y_pred), axis=-1)

    found = []
    for loss in (combined, written):
        model = Sequential([layers.Dense(4, "tanh"), layers.Dense(1)], seed=1)
        model.compile("adam", loss=loss)
        model.fit(x, y, epochs=3, verbose=0)
        found.append(model.predict(x))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)
    assert not program_of(combined, y, x[:, :1]).mixes_rows()


def test_sample_weights_may_be_computed(rng: np.random.Generator) -> None:
    y, p = rng.normal(size=(ROWS, 2)), rng.normal(size=(ROWS, 2))
    weight = np.abs(y[:, 0])
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        loss = losses.Huber(reduction=reduction)
        program = program_of(
            lambda y, p, loss=loss: loss(y, p, sample_weight=ops.abs(y[:, 0])), y, p
        )
        rows = program.run([y, p], [], ROWS, "float64")[0]
        assert rows.mean() == pytest.approx(loss(y, p, sample_weight=weight), rel=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    mse = losses.MeanSquaredError()
    with pytest.raises(
        ValueError, match=r"MeanSquaredError: y_true must be .* \(None, 3\), .* \(N"
    ):
        traced(lambda y, p: mse(y, p), (1,), (3,))
    sparse = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    with pytest.raises(ValueError, match="ignore_class is not for calls within"):
        traced(lambda y, p: sparse(y, p), (1,), (3,))
