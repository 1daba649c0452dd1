# SPDX-License-Identifier: Apache-2.0
"""Small things that one changed line breaks: tests/mutants.sh changes these lines."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, small_classifier

from laminar import Sequential, layers, optimizers
from laminar.callbacks import Callback, EarlyStopping, ModelCheckpoint


class Keeper(Callback):
    """Keeps arrays, which a file holds beside the weights."""

    def __init__(self, *arrays: NDArray[Any]) -> None:
        self.arrays = list(arrays)

    def get_state(self) -> dict[str, Any]:
        return {"arrays": self.arrays}

    def set_state(self, state: dict[str, Any]) -> None:
        self.arrays = state["arrays"]


def _trained(model: Sequential, path: str, epochs: int, *callbacks: Callback, **more: Any) -> None:
    """Train a model up to an epoch, which the file at the path holds afterwards."""
    every = [*callbacks, ModelCheckpoint(path)]
    model.fit(*blobs(), epochs=epochs, batch_size=8, verbose=0, callbacks=every, **more)


@pytest.fixture
def checkpoint(tmp_path: Path) -> tuple[Sequential, Keeper, str]:
    """Return a model after two epochs, a callback that keeps arrays, and the file with both."""
    path = str(tmp_path / "m.safetensors")
    keeper = Keeper(np.array([1.5, -2.0, 1 / 3]), np.eye(2, dtype=np.float32))
    model = small_classifier()
    _trained(model, path, 2, keeper)
    return model, keeper, path


def assert_same(found: list[NDArray[Any]], expected: list[NDArray[Any]]) -> None:
    assert len(found) == len(expected)
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, other, strict=True)


def test_arrays_of_callbacks_come_back_on_resume(
    checkpoint: tuple[Sequential, Keeper, str],
) -> None:
    _, keeper, path = checkpoint
    found = Keeper()
    _trained(small_classifier(), path, 3, found, resume=path)
    assert_same(found.arrays, keeper.arrays)


def test_arrays_of_callbacks_are_no_weights(checkpoint: tuple[Sequential, Keeper, str]) -> None:
    model, _, path = checkpoint
    other = small_classifier(seed=9)
    other.load_weights(path)
    assert_same(other.get_weights(), model.get_weights())


class Raising(Callback):
    """Ends training by an error at the first call of a name, and keeps the weights it saw."""

    def __init__(self, name: str) -> None:
        setattr(self, name, self._raise)

    def _raise(self, epoch: int, logs: Any = None) -> None:
        self.weights = self.model.get_weights()
        raise ValueError("not now")


def test_what_resume_has_trained_stays_after_an_error(
    checkpoint: tuple[Sequential, Keeper, str],
) -> None:
    """Only a call that is refused before its first update gives the model's own training back."""
    *_, path = checkpoint
    model, raising = small_classifier(), Raising("on_epoch_end")
    with pytest.raises(ValueError, match="not now"):
        _trained(model, path, 4, Keeper(), raising, resume=path)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 15
    assert_same(model.get_weights(), raising.weights)


def test_a_refused_resume_gives_the_own_training_back(
    checkpoint: tuple[Sequential, Keeper, str],
) -> None:
    *_, path = checkpoint
    model = small_classifier(seed=9)
    before = model.get_weights()
    with pytest.raises(ValueError, match="not now"):
        _trained(model, path, 4, Keeper(), Raising("on_epoch_begin"), resume=path)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 0
    assert_same(model.get_weights(), before)


class Told(Callback):
    """Puts a value of each epoch into the logs."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        logs["told"] = self.values[epoch]


def test_patience_0_outlives_a_bad_first_epoch() -> None:
    stopping = EarlyStopping(monitor="told", mode="min", patience=0)
    told = Told(float("nan"), 3.0, 2.0, 2.5, 1.0)
    history = small_classifier().fit(*blobs(), epochs=5, verbose=0, callbacks=[told, stopping])
    assert len(history.epoch) == 4
    assert (stopping.best_epoch, stopping.stopped_epoch) == (2, 3)


def _kernel_and_bias_after_a_step(optimizer: Any) -> tuple[float, float]:
    """Return what weight decay alone makes of a kernel and a bias of 1: there is no gradient."""
    stack = [layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")]
    model = Sequential([layers.Input(1), *stack])
    model.compile(optimizer, "mse")
    model.fit(np.zeros((4, 1)), np.ones(4), verbose=0)
    kernel, bias = model.get_weights()
    return float(kernel[0, 0]), float(bias[0])


@pytest.mark.parametrize("way", ["the second model", "deepcopy", "pickle"])
def test_copies_of_optimizers_keep_the_excluded_names(way: str) -> None:
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    if way == "the second model":
        owner = Sequential([layers.Input(1), layers.Dense(1)])
        owner.compile(optimizer, "mse")
    elif way == "deepcopy":
        optimizer = copy.deepcopy(optimizer)
    else:
        optimizer = pickle.loads(pickle.dumps(optimizer))
    kernel, bias = _kernel_and_bias_after_a_step(optimizer)
    assert kernel == pytest.approx(0.95)
    assert bias == 1


def test_values_on_a_bin_edge_of_float32_are_exported_as_they_are(tmp_path: Path) -> None:
    """Rounded to float32, 0.1 lies above the edge and 0.7 below it."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    edges = [0.1, 0.3, 0.5, 0.7]
    model = Sequential([layers.Input(1), layers.Discretization(edges), layers.Dense(1)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    at = np.array(edges, np.float32)
    x = np.concatenate([at, np.nextafter(at, np.float32(0)), np.nextafter(at, np.float32(1))])
    expected = np.searchsorted(edges, x.astype(np.float64), side="right")
    np.testing.assert_array_equal(model.predict(x[:, None], verbose=0)[:, 0], expected)
    path = str(tmp_path / "m.onnx")
    model.export(path)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x[:, None]})
    np.testing.assert_array_equal(found[:, 0], expected)


def _counts(rows: int = 40) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return rows, counts that depend on them, and weights, some of them 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3))
    return x, rng.poisson(np.exp(0.5 * x[:, 0] + 0.5)).astype(float), rng.integers(0, 4, rows)


def test_weighted_poisson_loss_is_that_of_repeated_rows() -> None:
    """The loss of a fit with weights, whose constant part laminar.sklearn adds itself."""
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    from laminar.sklearn import MLPRegressor

    x, y, weights = _counts()
    settings = {"hidden_layer_sizes": (), "loss": "poisson", "solver": "lbfgs", "random_state": 0}
    weighted = MLPRegressor(**settings).fit(x, y, sample_weight=weights)
    repeated = MLPRegressor(**settings).fit(np.repeat(x, weights, 0), np.repeat(y, weights))
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-6)
    model = Sequential([layers.Input(3), layers.Dense(1, "exponential")], dtype="float64", seed=1)
    model.compile("sgd", "poisson")
    np.testing.assert_allclose(
        model.evaluate(x, y, sample_weight=weights, verbose=0),
        model.evaluate(np.repeat(x, weights, 0), np.repeat(y, weights), verbose=0),
        rtol=1e-12,
    )


def test_rows_of_weight_0_are_no_part_of_a_merged_batch() -> None:
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    from laminar._rows import Rows
    from laminar.sklearn import MLPRegressor, _merged

    x, y, weights = _counts()
    merged = _merged.merged(Rows(x, y, weights.astype(float)))
    assert len(merged.x) == np.count_nonzero(weights)
    assert merged.weight is not None
    assert (merged.weight > 0).all()
    assert merged.weight.sum() == weights.sum()

    settings = {"batch_size": 40, "max_iter": 5, "random_state": 0, "n_iter_no_change": 9}
    full = MLPRegressor(**settings)
    with pytest.warns(UserWarning, match="hasn't converged"):
        full.fit(x, y, sample_weight=weights)
    kept = weights > 0
    few = MLPRegressor(**{**settings, "batch_size": int(kept.sum())})
    with pytest.warns(UserWarning, match="hasn't converged"):
        few.fit(x[kept], y[kept], sample_weight=weights[kept])
    assert_same(full.coefs_, few.coefs_)


def test_moving_means_outlive_a_warm_start_with_other_arguments() -> None:
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    from laminar.sklearn import MLPRegressor

    x, y, _ = _counts()
    estimator = MLPRegressor(
        hidden_layer_sizes=(4,),
        batch_normalization=True,
        warm_start=True,
        max_iter=100,
        n_iter_no_change=200,
        random_state=0,
    )
    with pytest.warns(UserWarning, match="hasn't converged"):
        estimator.fit(x + 3, y)
    before = estimator._model.layers[1].get_weights()[2]
    estimator.set_params(alpha=0.01, max_iter=1)
    with pytest.warns(UserWarning, match="hasn't converged"):
        estimator.fit(x + 3, y)
    after = estimator._model.layers[1].get_weights()[2]
    assert np.abs(before).max() > 0.5
    np.testing.assert_allclose(after, before, atol=0.2 * np.abs(before).max())
