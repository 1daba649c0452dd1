# SPDX-License-Identifier: Apache-2.0
"""Losses called on arrays, as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from support import WHOLE_BATCH, outputs, spec_id, specs, targets

from laminar import losses

pytestmark = pytest.mark.kernels

SPECS = [spec for spec in specs("loss") if spec["name"] not in WHOLE_BATCH]


def called(spec: reference.Spec, y: Any, p: Any, weight: Any = None, **changed: Any) -> Any:
    return losses.get({**spec, **changed})(y, p, sample_weight=weight)


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
@pytest.mark.parametrize("width", [1, 3, 17, 65])
def test_every_reduction_is_keras_s(
    spec: reference.Spec, width: int, rng: np.random.Generator
) -> None:
    p, weight = outputs(spec, 71, width, rng), rng.uniform(0, 2, 71)
    y = targets(spec, 71, width, rng)
    rows = reference.losses(spec, y, p)
    np.testing.assert_allclose(called(spec, y, p, reduction="none"), rows, rtol=1e-9, atol=1e-12)
    close = {"rel": 1e-9, "abs": 1e-12}
    weighted = (rows * weight).sum()
    for reduction in ("sum_over_batch_size", "mean"):
        assert called(spec, y, p, reduction=reduction) == pytest.approx(rows.mean(), **close)
        value = called(spec, y, p, weight, reduction=reduction)
        assert value == pytest.approx(weighted / 71, **close)
    assert called(spec, y, p, weight, reduction="sum") == pytest.approx(weighted, **close)
    value = called(spec, y, p, weight, reduction="mean_with_sample_weight")
    assert value == pytest.approx(weighted / weight.sum(), **close)
    row_values = called(spec, y, p, weight, reduction="none")
    np.testing.assert_allclose(row_values, rows * weight, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
def test_float32_follows_float64(spec: reference.Spec, rng: np.random.Generator) -> None:
    p = outputs(spec, 40, 6, rng).astype(np.float32)
    y = targets(spec, 40, 6, rng)
    y = y if y.dtype == np.int32 else y.astype(np.float32)
    single = called(spec, y, p, reduction="none")
    double = called(spec, y, p.astype(np.float64), reduction="none")
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-6)


def test_rmse_is_the_root_of_what_the_reduction_leaves() -> None:
    y, p = [[0.0, 0.0], [0.0, 0.0]], [[3.0, 5.0], [1.0, 1.0]]
    assert losses.RootMeanSquaredError()(y, p) == 3
    assert losses.RootMeanSquaredError("sum")(y, p) == pytest.approx(np.sqrt(18))
    np.testing.assert_allclose(losses.RootMeanSquaredError("none")(y, p), [np.sqrt(17), 1])
    assert losses.RootMeanSquaredError()(y, p, sample_weight=[0, 2]) == 1


def test_shapes(rng: np.random.Generator) -> None:
    mse = losses.get("mse")
    y, p = rng.normal(size=(2, 3, 4, 5))[0], rng.normal(size=(3, 4, 5))
    rows = ((y - p) ** 2).mean(axis=-1)
    assert mse(y, p) == pytest.approx(rows.mean())
    whole = losses.MeanSquaredError(reduction="none")
    np.testing.assert_allclose(whole(y, p), rows)
    np.testing.assert_allclose(whole(y, p, sample_weight=2), 2 * rows)
    first, both = rng.uniform(size=3), rng.uniform(size=(3, 4))
    np.testing.assert_allclose(whole(y, p, sample_weight=first), rows * first[:, np.newaxis])
    np.testing.assert_allclose(whole(y, p, sample_weight=both), rows * both)
    np.testing.assert_allclose(whole(y, p, sample_weight=both[..., np.newaxis]), rows * both)
    # one axis: one row
    assert whole([0.0, 1.0], [2.0, 2.0]) == pytest.approx(2.5)
    assert whole([0.0, 1.0], [2.0, 2.0]).shape == ()
    # a last axis of 1 may be missing
    np.testing.assert_allclose(whole([0.0, 1.0], [[2.0], [2.0]]), [4, 1])
    np.testing.assert_allclose(whole([[0.0], [1.0]], [[2.0], [2.0]]), [4, 1])
    sparse = losses.SparseCategoricalCrossentropy(reduction="none")
    shares = rng.dirichlet(np.ones(4), (2, 3))
    labels = rng.integers(0, 4, (2, 3))
    expected = -np.log(np.take_along_axis(shares, labels[..., np.newaxis], axis=-1))[..., 0]
    np.testing.assert_allclose(sparse(labels, shares), expected)
    np.testing.assert_allclose(sparse(labels[..., np.newaxis], shares), expected)
    assert sparse(2, shares[0, 0]).shape == ()


@pytest.mark.parametrize(
    ("y", "p", "weight", "error", "message"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], None, ValueError, r"Huber: y_true must have the shape"),
        ([1.0, 2.0], [1.0, 2.0], [1, 1], ValueError, r"one row, for 2 rows use reshape\(-1, 1\)"),
        ([[1.0], [2.0]], [[1.0], [2.0]], [1, 1, 1], ValueError, "sample_weight must have the"),
        ([["a"]], [[1.0]], None, TypeError, "Huber: y_true must hold"),
        ([[]], [[]], None, ValueError, "y_pred must have rows of outputs"),
        (1.0, 1.0, None, ValueError, "y_pred must have rows of outputs"),
    ],
)
def test_what_does_not_fit_is_refused(
    y: Any, p: Any, weight: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        losses.Huber()(y, p, sample_weight=weight)


def test_targets_for_which_a_loss_is_undefined_are_refused() -> None:
    p = [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(
        ValueError, match=r"gamma: y must be greater than 0 .*, but row 1, column 0 is 0"
    ):
        losses.GammaDeviance()([[1.0, 1.0], [0.0, 1.0]], p)
    with pytest.raises(ValueError, match="tweedie: y must not be negative"):
        losses.TweedieDeviance(1.5)([[1.0, -1.0], [0.0, 1.0]], p)
    with pytest.raises(ValueError, match="tweedie: y must be greater than 0"):
        losses.TweedieDeviance(2.5)([[1.0, 0.0], [0.0, 1.0]], p)
    assert losses.TweedieDeviance(0)([[-1.0, -2.0]], [[1.0, -1.0]]) == 2.5
    assert np.isfinite(losses.TweedieDeviance(-1)([[-1.0, 0.0]], [[1.0, 2.0]]))
    # As in Keras: counted as 1e-7, or finite anyway.
    assert np.isfinite(losses.MeanSquaredLogarithmicError()([[-1.0]], [[-2.0]]))
    assert np.isfinite(losses.Poisson()([[-1.0]], [[2.0]]))
    assert np.isfinite(losses.KLDivergence()([[-1.0]], [[2.0]]))
    with pytest.raises(ValueError, match=r"class numbers from 0 to 1 .* row 1 is 2"):
        losses.SparseCategoricalCrossentropy()([0, 2], p)
    # Outputs that are no means of positive amounts give NaN, which stops training.
    assert np.isnan(losses.GammaDeviance()([[1.0]], [[-1.0]]))
    assert np.isnan(losses.TweedieDeviance()([[1.0]], [[0.0]]))


@pytest.mark.parametrize("ignored", [-1, 1, 255])
def test_rows_of_the_ignored_class_do_not_count(ignored: int, rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.ones(5), 30)
    y = rng.choice([0, 2, 3, 4], 30)
    y[[0, 7, 29]] = ignored
    rest = y != ignored
    loss = losses.SparseCategoricalCrossentropy(ignore_class=ignored)
    plain = losses.SparseCategoricalCrossentropy()
    assert loss(y, p) == pytest.approx(plain(y[rest], p[rest]), rel=1e-12)
    rows = losses.SparseCategoricalCrossentropy(ignore_class=ignored, reduction="none")(y, p)
    np.testing.assert_array_equal(rows == 0, ~rest)
    weight = rng.uniform(size=30)
    loss = losses.SparseCategoricalCrossentropy(
        ignore_class=ignored, reduction="mean_with_sample_weight"
    )
    expected = np.average(-np.log(p[rest, y[rest]]), weights=weight[rest])
    assert loss(y, p, sample_weight=weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("power", [-1.5, 0, 1, 1.2, 1.5, 1.999, 2, 2.001, 3])
def test_deviances_are_scikit_learn_s(power: float, rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    y, p = rng.uniform(0.1, 3, (50, 1)), rng.uniform(0.1, 3, (50, 1))
    weight = rng.uniform(size=50)
    if power < 2:
        y[:5] = 0
    loss = losses.TweedieDeviance(power, reduction="mean_with_sample_weight")
    expected = metrics.mean_tweedie_deviance(y[:, 0], p[:, 0], sample_weight=weight, power=power)
    assert loss(y, p, weight) == pytest.approx(expected, rel=1e-9)
    if power == 2:
        expected = metrics.mean_gamma_deviance(y[:, 0], p[:, 0])
        assert losses.GammaDeviance()(y, p) == pytest.approx(expected, rel=1e-12)


def test_others_that_scikit_learn_has(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    y, p = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    for q in (0.0, 0.1, 0.5, 0.9, 1.0):
        expected = metrics.mean_pinball_loss(y, p, alpha=q)
        assert losses.Quantile(q)(y, p) == pytest.approx(expected, rel=1e-12)
    shares, labels = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    expected = metrics.log_loss(labels, shares, labels=np.arange(4))
    assert losses.SparseCategoricalCrossentropy()(labels, shares) == pytest.approx(expected)
    high = np.abs(y)
    expected = metrics.mean_squared_log_error(high, np.abs(p))
    assert losses.get("msle")(high, np.abs(p)) == pytest.approx(expected, rel=1e-6)


def test_those_that_torch_has(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    y, p = rng.normal(size=(40, 5)), rng.normal(size=(40, 5))
    labels, bits = rng.integers(0, 5, 40), rng.integers(0, 2, (40, 5)).astype(float)
    shares = rng.dirichlet(np.ones(5), (2, 40))
    counts = rng.poisson(2, (40, 5)).astype(float)
    t = torch.from_numpy
    one = torch.ones(40, dtype=torch.float64)
    pairs = [
        (losses.MeanSquaredError()(y, p), f.mse_loss(t(p), t(y))),
        (losses.MeanAbsoluteError()(y, p), f.l1_loss(t(p), t(y))),
        (losses.Huber(0.7)(y, p), f.huber_loss(t(p), t(y), delta=0.7)),
        (
            losses.KLDivergence()(*shares),
            f.kl_div(t(shares[1]).log(), t(shares[0]), reduction="batchmean"),
        ),
        (losses.CosineSimilarity()(y, p), 0 - f.cosine_similarity(t(p), t(y)).mean()),
        (losses.CosineSimilarity()(y, p), f.cosine_embedding_loss(t(p), t(y), one) - 1),
        (
            losses.Poisson()(counts, np.abs(p) + 0.1),
            f.poisson_nll_loss(t(np.abs(p) + 0.1), t(counts), log_input=False),
        ),
        (
            losses.BinaryCrossentropy(True)(bits, p),
            f.binary_cross_entropy_with_logits(t(p), t(bits)),
        ),
        (
            losses.CategoricalCrossentropy(True, 0.1)(np.eye(5)[labels], p),
            f.cross_entropy(t(p), t(labels), label_smoothing=0.1),
        ),
        (
            losses.SparseCategoricalCrossentropy(True, 3)(labels, p),
            f.cross_entropy(t(p), t(labels), ignore_index=3),
        ),
    ]
    for i, (ours, theirs) in enumerate(pairs):
        assert ours == pytest.approx(float(theirs), rel=1e-6), i


FUNCTIONS = sorted(name for name, value in vars(losses).items() if hasattr(value, "loss_class"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_return_the_losses_of_rows(name: str, rng: np.random.Generator) -> None:
    function = getattr(losses, name)
    loss = losses.get(function)
    assert type(loss) is function.loss_class
    assert function.__name__ == name
    spec = next(spec for spec in SPECS if spec["name"] == loss._entry)
    y, p = targets(spec, 9, 4, rng), outputs(spec, 9, 4, rng)
    np.testing.assert_array_equal(function(y, p), called(spec, y, p, reduction="none"))


def test_functions_take_the_arguments_of_their_classes() -> None:
    y, p = [[0.0], [1.0]], [[0.5], [4.0]]
    np.testing.assert_array_equal(losses.huber(y, p, delta=0.5), [0.125, 1.375])
    with pytest.raises(TypeError, match="Huber: unknown argument 'dleta'; did you mean 'delta'"):
        losses.huber(y, p, dleta=0.5)
