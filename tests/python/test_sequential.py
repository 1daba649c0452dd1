# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, fingerprint, small_classifier
from test_arrays import forms

from laminar import Sequential, layers, utils
from laminar.callbacks import LambdaCallback


def regressor(dtype: str = "float32", **compiled: Any) -> Sequential:
    model = Sequential(
        [layers.Input(3), layers.Dense(17, "relu"), layers.Dense(2)], dtype=dtype, seed=5
    )
    model.compile(**{"optimizer": "adam", "loss": "mse", **compiled})
    return model


def regression(rows: int = 50) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    return x, np.stack([x.sum(axis=1), x[:, 0] * x[:, 1]], axis=1)


def state(model: Sequential) -> str:
    """Return a hash of the weights and, by what they would become, of the optimizer's state."""
    twin = model.get_weights()
    x, y = (blobs() if model.output_shape == (None, 3) else regression())[:2]
    result = fingerprint(twin)
    assert model.optimizer is not None
    return f"{result} {model.optimizer.iterations} {model.evaluate(x, y)}"


# One bit for all forms of input


@pytest.mark.kernels
def test_all_forms_of_input_give_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, (24, 6)).astype(np.float32)
    y = rng.integers(0, 3, 24).astype(np.int32)
    results = set()
    for form, value in forms(x).items():
        model = small_classifier(seed=8)
        model.fit(value, y, batch_size=7, epochs=2, verbose=0)
        results.add(fingerprint([*model.get_weights(), model.predict(value)]))
        assert len(results) == 1, form
    for kind in "bhilqBHILQefd":
        for labels in (y.astype(kind), y.astype(kind)[:, np.newaxis], y.astype(kind).tolist()):
            model = small_classifier(seed=8)
            model.fit(x, labels, batch_size=7, epochs=2, verbose=0)
            results.add(fingerprint([*model.get_weights(), model.predict(x)]))
    assert len(results) == 1


def test_one_dimensional_targets_are_a_column() -> None:
    x, y = regression()
    weights = []
    for target in (y[:, 0], y[:, :1]):
        model = Sequential([layers.Dense(1)], seed=1)
        model.compile("sgd", "mse")
        model.fit(x, target, verbose=0)
        weights.append(fingerprint(model.get_weights()))
    assert weights[0] == weights[1]


# What fit does


def test_fit_learns() -> None:
    x, y = regression(400)
    model = regressor(optimizer={"name": "adam", "learning_rate": 0.01})
    history = model.fit(x, y, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.1 * history[0]


def replay(model: Sequential, x: Any, y: Any, batch_size: int, epochs: int) -> list[float]:
    """Train batch by batch, without shuffling; return the loss of each epoch."""
    losses = []
    for _ in range(epochs):
        total = 0.0
        for first in range(0, len(x), batch_size):
            rows = slice(first, first + batch_size)
            total += model.train_on_batch(x[rows], y[rows]) * len(x[rows])
        losses.append(total / len(x))
    return losses


@pytest.mark.kernels
@pytest.mark.parametrize("batch_size", [1, 7, 16, 50, 99, None])
def test_fit_is_train_on_batch_after_batch(batch_size: int | None) -> None:
    x, y = regression()
    fitted, stepped = regressor(), regressor()
    history = fitted.fit(x, y, batch_size, epochs=3, shuffle=False, verbose=0)
    losses = replay(stepped, x, y, batch_size or len(x), 3)
    assert history.history["loss"] == pytest.approx(losses, rel=1e-6)
    assert fingerprint(fitted.get_weights()) == fingerprint(stepped.get_weights())
    assert fitted.optimizer is not None
    steps = -(-len(x) // min(batch_size or 50, 50))
    assert fitted.optimizer.iterations == 3 * steps


def test_two_trainings_continue_as_one() -> None:
    x, y = blobs()
    whole, parts = small_classifier(), small_classifier()
    long = whole.fit(x, y, batch_size=16, epochs=5, verbose=0).history["loss"]
    first = parts.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"]
    second = parts.fit(x, y, batch_size=16, epochs=5, initial_epoch=2, verbose=0).history["loss"]
    assert first + second == long
    assert fingerprint(parts.get_weights()) == fingerprint(whole.get_weights())


def test_shuffling_follows_the_seed() -> None:
    x, y = regression()

    def trained(seed: int, **options: Any) -> str:
        model = Sequential([layers.Input(3), layers.Dense(2)], seed=seed)
        model.compile("sgd", "mse")
        start = [np.full_like(w, 0.1) for w in model.get_weights()]
        model.set_weights(start)
        model.fit(x, y, batch_size=8, verbose=0, **options)
        return fingerprint(model.get_weights())

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)
    assert trained(1, shuffle=False) == trained(2, shuffle=False)
    assert trained(1) != trained(1, shuffle=False)


def test_every_row_is_seen_once_an_epoch() -> None:
    # A linear model without a bias, on one-hot rows: each row moves one weight, once.
    rows = 37
    model = Sequential([layers.Input(rows), layers.Dense(1, use_bias=False)], seed=1)
    model.set_weights([np.zeros((rows, 1))])
    model.compile({"name": "sgd", "learning_rate": 0.5}, "mse")
    model.fit(np.eye(rows), np.arange(1, rows + 1), batch_size=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], np.arange(1, rows + 1), rtol=1e-6)


def test_validation_split_is_validation_data() -> None:
    x, y = blobs()
    split, given = small_classifier(metrics=["acc"]), small_classifier(metrics=["acc"])
    weight = np.linspace(0.5, 2, len(x))
    first = split.fit(x, y, validation_split=0.25, sample_weight=weight, epochs=2, verbose=0)
    held_out = (x[30:], y[30:], weight[30:])
    second = given.fit(
        x[:30], y[:30], sample_weight=weight[:30], validation_data=held_out, epochs=2, verbose=0
    )
    assert first.history == second.history
    assert fingerprint(split.get_weights()) == fingerprint(given.get_weights())


def test_sorted_data_warn_at_the_caller() -> None:
    x, y = blobs(60)
    order = np.argsort(y, kind="stable")
    with pytest.warns(UserWarning, match="are the rows sorted") as caught:
        small_classifier().fit(x[order], y[order], validation_split=0.4, verbose=0)
    assert caught[0].filename == __file__


def test_class_weight_is_sample_weight() -> None:
    x, y = blobs()
    table = {0: 1.0, 1: 2.5, 2: 0.5}
    by_class, by_row = small_classifier(), small_classifier()
    by_class.fit(x, y, class_weight=table, sample_weight=np.full(40, 2.0), verbose=0)
    by_row.fit(x, y, sample_weight=[2 * table[label] for label in y], verbose=0)
    assert fingerprint(by_class.get_weights()) == fingerprint(by_row.get_weights())
    loss = by_class.train_on_batch(x, y, class_weight=table)
    assert loss == by_row.train_on_batch(x, y, sample_weight=[table[label] for label in y])


def test_a_row_of_weight_zero_is_not_learnt_from() -> None:
    x, y = regression()
    weight = np.ones(50)
    weight[25:] = 0
    poisoned = y.copy()
    poisoned[25:] = 1e6
    models = [regressor(), regressor()]
    for model, target in zip(models, (y, poisoned), strict=True):
        model.fit(x, target, sample_weight=weight, verbose=0)
    assert fingerprint(models[0].get_weights()) == fingerprint(models[1].get_weights())


def test_a_set_seed_repeats_everything() -> None:
    x, y = blobs()

    def train() -> str:
        utils.set_random_seed(3)
        model = Sequential([layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(3)])
        model.compile("adam", "mse")
        model.fit(x, np.eye(3)[y], epochs=2, verbose=0)
        return fingerprint(model.get_weights())

    assert train() == train()


def test_zero_epochs_train_nothing() -> None:
    model = regressor()
    before = state(model)
    model.fit(*regression(), epochs=0, verbose=0)
    model.fit(*regression(), epochs=2, initial_epoch=2, verbose=0)
    assert state(model) == before


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_that_is_not_finite_stops_with_the_last_finite_weights(dtype: str) -> None:
    x, y = regression()
    model = regressor(dtype, optimizer={"name": "sgd", "learning_rate": 1e15})
    seen: list[int] = []
    callback = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    with pytest.raises(FloatingPointError, match=r"epoch \d+, batch \d+"):
        model.fit(x, y, batch_size=10, epochs=20, verbose=0, shuffle=False, callbacks=callback)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.history is not None
    assert len(model.history.epoch) == len(seen) < 20
    assert model.optimizer is not None
    twin = regressor(dtype, optimizer={"name": "sgd", "learning_rate": 1e15})
    for step in range(model.optimizer.iterations):
        rows = slice(10 * (step % 5), 10 * (step % 5) + 10)
        twin.train_on_batch(x[rows], y[rows])
    assert fingerprint(twin.get_weights()) == fingerprint(model.get_weights())


# evaluate, train_on_batch, loss_and_gradients


def test_results_have_the_form_that_keras_gives() -> None:
    x, y = blobs()
    plain, measured = small_classifier(), small_classifier(metrics=["accuracy"])
    assert isinstance(plain.evaluate(x, y), float)
    assert isinstance(plain.train_on_batch(x, y), float)
    assert list(plain.evaluate(x, y, return_dict=True)) == ["loss"]
    values = measured.evaluate(x, y)
    assert measured.evaluate(x, y, return_dict=True) == dict(
        zip(["loss", "accuracy"], values, strict=True)
    )
    assert len(measured.train_on_batch(x, y)) == 2
    assert list(measured.train_on_batch(x, y, return_dict=True)) == ["loss", "accuracy"]


@pytest.mark.parametrize("batch_size", [None, 1, 7, 1000])
def test_evaluate_does_not_depend_on_the_batch_size(batch_size: int | None) -> None:
    x, y = blobs(300)
    model = small_classifier(metrics=["accuracy"])
    assert model.evaluate(x, y, batch_size) == model.evaluate(x, y)


def test_loss_and_gradients_changes_nothing() -> None:
    x, y = regression()
    model = regressor()
    before = state(model)
    first = model.loss_and_gradients(x, y)
    second = model.loss_and_gradients(x, y)
    np.testing.assert_equal(first, second)
    assert first[0] == pytest.approx(model.evaluate(x, y), rel=1e-6)
    assert [g.shape for g in first[1]] == [w.shape for w in model.get_weights()]
    assert state(model) == before


def test_gradients_make_the_step() -> None:
    x, y = regression()
    model = regressor(optimizer={"name": "sgd", "learning_rate": 0.5})
    before = model.get_weights()
    _, gradients = model.loss_and_gradients(x, y)
    model.train_on_batch(x, y)
    for old, g, new in zip(before, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - np.float32(0.5) * g, rtol=1e-5, atol=1e-7)


# predict


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_prediction_depends_on_its_row_alone(dtype: str, rng: np.random.Generator) -> None:
    model = Sequential(
        [layers.Dense(65, "tanh"), layers.Dropout(0.5), layers.Dense(33, "elu"), layers.Dense(7)],
        dtype=dtype,
        seed=1,
    )
    x = rng.normal(size=(203, 19)).astype(dtype)
    whole = model.predict(x)
    for count in (1, 2, 3, 13, 14, 15, 64, 65, 100):
        for first in (0, 1, 50):
            part = model.predict(x[first : first + count])
            np.testing.assert_array_equal(part, whole[first : first + count])
    order = rng.permutation(len(x))
    np.testing.assert_array_equal(model.predict(x[order]), whole[order])
    np.testing.assert_array_equal(model.predict(x, batch_size=10), whole)


def test_predict_into_an_array() -> None:
    model = regressor()
    x, _ = regression()
    out = np.full((50, 2), np.nan, np.float32)
    assert model.predict(x, out=out) is out
    np.testing.assert_array_equal(out, model.predict(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_needing_conversion_gives_the_same_prediction(
    dtype: str, rng: np.random.Generator
) -> None:
    class Subclass(np.ndarray):
        pass

    model = Sequential([layers.Input((5,)), layers.Dense(7, "tanh"), layers.Dense(3)], dtype=dtype)
    model.compile("sgd", "mse")
    x = rng.standard_normal((9, 5)).astype(dtype)
    x = np.round(x, 3)
    expected = model.predict(x)
    assert expected.dtype == dtype
    other = "float64" if dtype == "float32" else "float32"
    unaligned = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(dtype).reshape(x.shape)
    swapped = x.astype(x.dtype.newbyteorder())
    every_second = np.repeat(x, 2, axis=0)[::2]
    for same in (
        np.asfortranarray(x),
        every_second,
        x.view(Subclass),
        unaligned,
        swapped,
        x.tolist(),
    ):
        outputs = model.predict(same)
        assert type(outputs) is np.ndarray
        np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(
        model.predict(x.astype("float32").astype(other)), model.predict(x.astype("float32"))
    )


def test_predict_reads_read_only_memory(tmp_path: Any) -> None:
    x, _ = regression()
    path = tmp_path / "x.npy"
    np.save(path, x)
    mapped = np.load(path, mmap_mode="r")
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(regressor().predict(mapped), regressor().predict(x))


def test_predict_passes_nan_on() -> None:
    model = regressor()
    x, _ = regression()
    x[7, 1] = np.nan
    result = model.predict(x)
    assert np.isnan(result[7]).all()
    assert np.isfinite(np.delete(result, 7, axis=0)).all()


def test_many_threads_may_predict_with_one_model() -> None:
    model = regressor()
    x, _ = regression(500)
    expected = model.predict(x)

    def ask(number: int) -> bool:
        rows = slice(number % 7, len(x) - number % 11)
        return bool((model.predict(x[rows]) == expected[rows]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(400)))


def test_many_threads_may_ask_for_gradients() -> None:
    x, y = regression()
    model = regressor()
    expected = fingerprint(model.loss_and_gradients(x, y)[1])
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda _: fingerprint(model.loss_and_gradients(x, y)[1]), range(100))
        assert set(results) == {expected}


def test_nothing_warns() -> None:
    x, y = blobs()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = small_classifier(metrics=["accuracy"])
        model.fit(x, y, validation_split=0.2, verbose=0)
        model.evaluate(x, y)
        model.predict(x)
