# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from support import identity_model, outputs, spec_id, specs, targets

from laminar import losses

# Probabilities are given straight to the losses, by networks that change nothing.
pytestmark = [pytest.mark.kernels, pytest.mark.filterwarnings("ignore:compile")]

ON_LOGITS = [spec for spec in specs("loss") if "from_logits" in spec]
# The defaults of every loss, and each with its options changed.
VARIANTS = [
    *specs("loss"),
    *({**spec, "from_logits": True} for spec in ON_LOGITS),
    *(
        {**spec, "from_logits": on_logits, "label_smoothing": 0.1}
        for spec in ON_LOGITS
        for on_logits in (False, True)
        if "label_smoothing" in spec
    ),
    *(
        {**spec, "from_logits": on_logits, "gamma": gamma, "alpha": 0.6}
        for spec in ON_LOGITS
        for on_logits in (False, True)
        for gamma in (0.0, 0.7, 3.5)
        if "gamma" in spec
    ),
    *(
        {**spec, "from_logits": on_logits, "apply_class_balancing": True}
        for spec in ON_LOGITS
        for on_logits in (False, True)
        if "apply_class_balancing" in spec
    ),
    {"name": "huber", "delta": 0.3},
    {"name": "quantile", "quantile": 0.9},
    {"name": "tversky", "alpha": 0.3, "beta": 0.9},
    *({"name": "tweedie", "power": power} for power in (-1.0, 0.0, 1.0, 1.3, 1.9, 2.0, 2.5)),
]


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_agree_with_the_formula(
    spec: reference.Spec, weighted: bool, rng: np.random.Generator
) -> None:
    rows, width = 37, 5
    p = outputs(spec, rows, width, rng)
    y = targets(spec, rows, width, rng)
    weight = rng.uniform(0, 2, rows) if weighted else None
    model = identity_model(width, "linear")
    model.compile("sgd", loss=spec)
    expected = reference.finish(spec, np.average(reference.losses(spec, y, p), weights=weight))
    assert model.evaluate(p, y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    if weight is not None:  # a batch alone is divided by its rows
        expected = reference.finish(spec, np.mean(weight * reference.losses(spec, y, p)))
    assert model.loss_and_gradients(p, y, weight)[0] == pytest.approx(expected, rel=1e-12)
    assert model.train_on_batch(p, y, weight) == pytest.approx(expected, rel=1e-12)


# With differences that float32 holds exactly: rounding one of 20 costs 1e-6 of its exponential.
SIZES = (1e-30, 1e-8, 1e-3, 1.0, 3.0, 10.0, 20.0, 100.0, 1e4, 1e30)
LOGITS = [sign * size for size in SIZES for sign in (1, -1)]


def exact(spec: reference.Spec, y: Any, z: Any) -> tuple[Any, list[Any]]:
    """Return the loss of one row of logits and its derivatives, in 60 decimal places and more.

    The derivatives are the published ones by the probabilities, times those of the probabilities:
    differences of logits up to 1e30 would need as many places as 1e30 has nats.
    """
    mp = pytest.importorskip("mpmath")
    mp.mp.dps = 60
    y, z = [mp.mpf(float(v)) for v in y], [mp.mpf(float(v)) for v in z]
    k, gamma = len(z), mp.mpf(spec.get("gamma", 0))
    if spec["name"].startswith("binary"):
        log_p = [-mp.log1p(mp.exp(-v)) for v in z]
        log_rest = [-mp.log1p(mp.exp(v)) for v in z]
        value, slopes = mp.mpf(0), []
        for t, a, b in zip(y, log_p, log_rest, strict=True):
            p, rest = mp.exp(a), mp.exp(b)
            entropy = -t * a - (1 - t) * b
            missed = t * rest + (1 - t) * p
            bend = gamma * missed ** (gamma - 1) * (1 - 2 * t) * p * rest if missed else 0
            value += missed**gamma * entropy / k
            slopes.append((missed**gamma * ((1 - t) * p - t * rest) + bend * entropy) / k)
        return value, slopes
    top = max(range(k), key=lambda j: z[j])
    others = mp.fsum(mp.exp(z[j] - z[top]) for j in range(k) if j != top)
    log_total = mp.log1p(others)
    log_p = [(v - z[top]) - log_total for v in z]
    p = [mp.exp(a) for a in log_p]
    rest = [mp.fsum(p[i] for i in range(k) if i != j) for j in range(k)]
    factor = mp.mpf(spec.get("alpha", 1))
    value = -factor * mp.fsum(y[j] * rest[j] ** gamma * log_p[j] for j in range(k) if y[j])
    by_log = [
        factor
        * y[j]
        * ((gamma * rest[j] ** (gamma - 1) * p[j] * log_p[j] if rest[j] else 0) - rest[j] ** gamma)
        for j in range(k)
    ]
    slopes = [
        by_log[j] * rest[j] - p[j] * mp.fsum(by_log[i] for i in range(k) if i != j)
        for j in range(k)
    ]
    return value, slopes


def close_to(value: Any, expected: Any, dtype: str) -> bool:
    """Whether a value has a relative error below 1e-6, or is too small for normal numbers."""
    return bool(abs(float(value) - expected) <= 1e-6 * abs(expected) + 2 * np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("spec", ON_LOGITS, ids=spec_id)
def test_all_logits_are_right(spec: reference.Spec, fused: bool, dtype: str) -> None:
    binary, sparse = spec["name"].startswith("binary"), spec["name"].startswith("sparse")
    activation = ("sigmoid" if binary else "softmax") if fused else "linear"
    for width in (1,) if binary else (2, 3, 20):
        model = identity_model(width, activation, dtype)
        model.compile("sgd", {**spec, "from_logits": not fused})
        for z in LOGITS:
            for other in (0.0, -z, 2.5):
                row = np.array([z, other, *np.arange(18) / 16][:width]).astype(dtype)
                for label in (0, 1):
                    hot = np.array([label]) if binary else np.eye(width)[label]
                    value, (d_kernel, d_bias) = model.loss_and_gradients(
                        row[np.newaxis], [label] if sparse else hot[np.newaxis]
                    )
                    expected, slopes = exact(spec, hot, row)
                    assert np.isfinite(d_kernel).all()
                    assert close_to(value, expected, dtype), (row, label, value, expected)
                    for got, slope in zip(d_bias, slopes, strict=True):
                        assert close_to(got, slope, dtype), (row, label, d_bias, slopes)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [("sigmoid", "binary_crossentropy"), ("softmax", "sparse_categorical_crossentropy")],
)
def test_from_logits_beside_the_activation_applies_it_once(activation: str, loss: str) -> None:
    width = 1 if activation == "sigmoid" else 2
    x, y = np.array([[0.3, -1.2][:width]]), np.array([1])
    results = []
    for from_logits in (False, True):
        model = identity_model(width, activation)
        model.compile("sgd", {"name": loss, "from_logits": from_logits})
        results.append([model.evaluate(x, y), *model.loss_and_gradients(x, y)[1]])
    np.testing.assert_equal(*results)


def test_sparse_and_one_hot_targets_are_one_loss(rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 4))
    labels = rng.integers(0, 4, 20)
    results = []
    for loss, y in (
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(4)[labels]),
    ):
        model = identity_model(4, "softmax")
        model.compile("sgd", loss)
        value, gradients = model.loss_and_gradients(x, y)
        results.append([np.array(value), *gradients])
    np.testing.assert_equal(*results)


def test_worked_example() -> None:
    model = identity_model(1, "sigmoid")
    model.compile("sgd", "binary_crossentropy")
    value, (_, d_bias) = model.loss_and_gradients([[0.0452266543]], [[1]])
    assert value == pytest.approx(0.6707895129, rel=1e-8)
    assert d_bias[0] == pytest.approx(-0.4886952633, rel=1e-8)


def test_a_row_of_weight_2_equals_the_row_twice(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    model = identity_model(2, "linear")
    model.compile("sgd", losses.MeanSquaredError(reduction="mean_with_sample_weight"))
    twice = model.loss_and_gradients(x[[0, 0, 1, 2, 3]], y[[0, 0, 1, 2, 3]])
    weighted = model.loss_and_gradients(x, y, [2, 1, 1, 1])
    assert weighted[0] == pytest.approx(twice[0], rel=1e-12)
    np.testing.assert_allclose(weighted[1][0], twice[1][0], rtol=1e-12)
    first = model.loss_and_gradients(x, y, [4, 0, 0, 0])
    alone = model.loss_and_gradients(x[:1], y[:1])
    assert first[0] == pytest.approx(alone[0])
    np.testing.assert_allclose(first[1][0], alone[1][0])


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
def test_smoothing_comes_before_weights(spec: reference.Spec, rng: np.random.Generator) -> None:
    """A row of weight 2 equals the row twice, for every loss and option."""
    p = outputs({**spec, "from_logits": spec.get("from_logits")}, 4, 3, rng)
    y = targets(spec, 4, 3, rng)
    model = identity_model(3, "linear")
    model.compile("sgd", {**spec, "reduction": "mean_with_sample_weight"})
    twice = model.loss_and_gradients(p[[0, 0, 1, 2, 3]], y[[0, 0, 1, 2, 3]])
    weighted = model.loss_and_gradients(p, y, [2, 1, 1, 1])
    assert weighted[0] == pytest.approx(twice[0], rel=1e-12)
    for one, other in zip(weighted[1], twice[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
def test_float32_values_and_gradients_are_those_of_float64(
    spec: reference.Spec, rng: np.random.Generator
) -> None:
    p = outputs(spec, 20, 6, rng).astype(np.float32)
    y = targets(spec, 20, 6, rng)
    y = y if y.dtype == np.int32 else y.astype(np.float32)
    results = []
    for dtype in ("float32", "float64"):
        model = identity_model(6, "linear", dtype)
        model.compile("sgd", spec)
        results.append(model.loss_and_gradients(p, y))
    (single, single_gradients), (double, double_gradients) = results
    assert single == pytest.approx(double, rel=1e-4)
    for one, other in zip(single_gradients, double_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


@pytest.mark.parametrize("batch_size", [1, 4, 11])
@pytest.mark.parametrize("ignored", [-1, 0, 77])
def test_training_on_rows_of_the_ignored_class_is_training_without_them(
    batch_size: int, ignored: int, rng: np.random.Generator
) -> None:
    x, y = rng.normal(size=(11, 3)), rng.integers(1, 3, 11)
    y[[0, 3, 10]] = ignored
    rest = y != ignored
    weight = rng.uniform(0.5, 2, 11)
    trained = []
    for rows in (np.ones(11, bool), rest):
        model = identity_model(3, "softmax")
        model.compile(
            "sgd",
            {"name": "sparse_categorical_crossentropy", "ignore_class": ignored},
            ["accuracy"],
        )
        loss, _ = model.evaluate(x[rows], y[rows], sample_weight=weight[rows])
        found, gradients = model.loss_and_gradients(x[rows], y[rows], weight[rows])
        assert found == pytest.approx(loss * weight[rest].mean(), rel=1e-12)
        history = model.fit(
            x[rows],
            y[rows],
            rows.sum() if batch_size == 11 else batch_size,
            sample_weight=weight[rows],
            shuffle=False,
            epochs=3,
            verbose=0,
        )
        trained.append(
            [np.array(loss), *gradients, np.array(history.history["loss"][0]), *model.get_weights()]
        )
    whole, alone = trained
    compared = len(whole) if batch_size in (1, 11) else 3  # else other rows meet in a batch
    for one, other in zip(whole[:compared], alone[:compared], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)
    model = identity_model(3, "softmax")
    model.compile("sgd", {"name": "sparse_categorical_crossentropy", "ignore_class": ignored})
    with pytest.raises(ValueError, match=f"the loss ignores class {ignored}, and y has no other"):
        model.fit(x, np.full(11, ignored), verbose=0)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_sum_of_a_batch_is_not_divided(batch_size: int, rng: np.random.Generator) -> None:
    x, y, weight = rng.normal(size=(8, 2)), rng.normal(size=(8, 2)), rng.uniform(size=8)
    model = identity_model(2, "linear")
    model.compile("sgd", losses.MeanSquaredError(reduction="sum"))
    rows = weight * ((x - y) ** 2).mean(axis=1)
    assert model.evaluate(x, y, sample_weight=weight) == pytest.approx(rows.sum())
    value, (_, d_bias) = model.loss_and_gradients(x, y, weight)
    assert value == pytest.approx(rows.sum())
    np.testing.assert_allclose(d_bias, (weight[:, np.newaxis] * (x - y)).sum(axis=0))
    model.compile({"name": "sgd", "learning_rate": 0.0}, losses.MeanSquaredError("sum"))
    history = model.fit(x, y, batch_size, verbose=0, sample_weight=weight)
    assert history.history["loss"] == pytest.approx([rows.sum() / (8 / batch_size)])


def test_training_needs_one_number() -> None:
    model = identity_model(2, "linear")
    with pytest.raises(ValueError, match="'mse' has reduction 'none', but training needs one"):
        model.compile("sgd", losses.MeanSquaredError(reduction="none"))


def test_the_root_of_the_mean_over_the_batch(rng: np.random.Generator) -> None:
    x, y, weight = rng.normal(size=(9, 3)), rng.normal(size=(9, 3)), rng.uniform(size=9)
    model = identity_model(3, "linear")
    model.compile("sgd", "rmse")
    expected = np.sqrt(np.average(((x - y) ** 2).mean(axis=1), weights=weight))
    assert model.evaluate(x, y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    of_rows = np.sqrt((weight[:, np.newaxis] * (x - y) ** 2).mean())
    assert model.loss_and_gradients(x, y, weight)[0] == pytest.approx(of_rows, rel=1e-12)
    history = model.fit(x, y, 9, sample_weight=weight, verbose=0)
    assert history.history["loss"] == pytest.approx([expected], rel=1e-12)


def test_targets_are_checked_before_training() -> None:
    model = identity_model(1, "linear")
    model.compile("sgd", "gamma")
    with pytest.raises(ValueError, match=r"fit: y must be greater than 0 .* row 1, column 0 is 0"):
        model.fit([[1.0], [1.0]], [[1.0], [0.0]], verbose=0)


def test_there_are_enough() -> None:
    assert len(specs("loss")) >= 22


@pytest.mark.parametrize("spec", specs("loss"), ids=spec_id)
def test_labels_are_what_the_core_says(spec: reference.Spec) -> None:
    assert losses.get(spec)._labels == spec["name"].startswith("sparse")
