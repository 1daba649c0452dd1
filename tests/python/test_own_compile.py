# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own in compile: what they compute, are saved as, and refuse."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import run_python

import laminar
from laminar import Input, Model, Sequential, callbacks, layers, losses, metrics, ops
from laminar.data import Dataset

Array = np.ndarray[Any, Any]


def huber(y: Any, p: Any) -> Any:
    e = ops.abs(y - p)
    return ops.mean(ops.where(e <= 1, 0.5 * ops.square(e), e - 0.5), axis=-1)


def mse(y: Any, p: Any) -> Any:
    return ops.mean(ops.square(y - p), axis=-1)


def pinball(y: Any, p: Any, q: float = 0.9) -> Any:
    return ops.mean(ops.maximum(q * (y - p), (q - 1) * (y - p)), axis=-1)


def cox(y: Any, p: Any) -> Any:
    """The partial likelihood of events in order of their times: every row looks at all."""
    time, event, risk = y[:, 0], y[:, 1], p[:, 0]
    there = ops.where(ops.expand_dims(time, 0) >= ops.expand_dims(time, 1), 1.0, 0.0)
    return event * (ops.log(ops.sum(there * ops.exp(ops.expand_dims(risk, 0)), axis=1)) - risk)


def mixture(y: Any, p: Any) -> Any:
    weights, means, logs = ops.log_softmax(p[:, :3]), p[:, 3:6], p[:, 6:]
    return -ops.logsumexp(weights - 0.5 * ops.square((y - means) * ops.exp(-logs)) - logs, axis=1)


def crossentropy(y: Any, p: Any) -> Any:
    return -ops.sum(ops.one_hot(y[:, 0], 3) * ops.log_softmax(p), axis=-1)


def net(units: int = 1, built: bool = True, dtype: str = "float32") -> Sequential:
    first = [layers.Input(6)] if built else []
    hidden = layers.Dense(8, activation="tanh")
    return Sequential([*first, hidden, layers.Dense(units)], seed=3, dtype=dtype)


def two() -> Model:
    x = Input(6)
    hidden = layers.Dense(8, activation="tanh", name="hidden")(x)
    a, b = layers.Dense(1, name="a")(hidden), layers.Dense(9, name="b")(hidden)
    return Model(x, {"a": a, "b": b}, seed=3)


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return rng.normal(size=(120, 6)).astype("f")


@pytest.fixture
def y(x: Array) -> Array:
    return 2 * x[:, :1] + np.sin(3 * x[:, 1:2])


@pytest.fixture
def survival(x: Array, rng: np.random.Generator) -> Array:
    return np.stack([rng.exponential(size=len(x)), rng.random(len(x)) < 0.7], axis=1)


SAME: dict[str, tuple[Any, Any]] = {
    "huber": (huber, "huber"),
    "mse": (mse, "mse"),
    "pinball": (pinball, losses.Quantile(0.9)),
    "mean of all": (lambda y, p: ops.mean(ops.square(y - p)), "mse"),
    "an object": (losses.Function(mse, reduction="sum"), losses.MeanSquaredError(reduction="sum")),
}


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("name", SAME)
def test_like_the_built_in_ones(name: str, weighted: bool, built: bool, x: Array, y: Array) -> None:
    found = []
    for loss in SAME[name]:
        model = net(built=built)
        model.compile("adam", loss)
        weight = np.linspace(0, 2, len(x)) if weighted else None
        history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2, sample_weight=weight)
        found.append([history.history["loss"], history.history["val_loss"]])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def test_metrics_like_the_built_in_ones_beside_these(x: Array, y: Array) -> None:
    model = net()
    model.compile("sgd", "mse", metrics=[huber, "mae"], weighted_metrics=[mse])
    own = metrics.Function(huber, name="mine")
    other = net()
    other.compile("sgd", mse, metrics=["huber", "mae", own], weighted_metrics=["mse"])
    weight = np.linspace(0, 2, len(x))
    here, there = (
        m.fit(x, y, epochs=2, verbose=0, sample_weight=weight).history for m in (model, other)
    )
    assert list(here) == ["loss", "huber", "mae", "mse"]
    assert list(there) == ["loss", "huber", "mae", "mine", "mse"]
    for key, values in here.items():
        np.testing.assert_allclose(values, there[key], rtol=1e-6, err_msg=key)
    np.testing.assert_allclose(there["mine"], there["huber"], rtol=1e-6)


@pytest.mark.parametrize("loss", ["mse", mse])
def test_metrics_are_called_by_their_functions(loss: Any, x: Array, y: Array) -> None:
    model = net()
    model.compile("sgd", loss, metrics=[huber, lambda y, p: ops.abs(y - p)])
    assert model.metrics_names == ["loss", "huber", "metric"]
    with pytest.raises(ValueError, match="metric 'huber' is given twice"):
        model.compile("sgd", loss, metrics=[huber, huber])
    assert model.metrics_names == ["loss", "huber", "metric"]


@pytest.mark.parametrize("form", ["array", "list", "labels"])
def test_class_numbers_are_one_column(form: str, x: Array, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, len(x))
    given: Any = {"array": labels[:, None].astype(float), "list": labels.tolist()}.get(form, labels)
    found = []
    for loss in (crossentropy, losses.SparseCategoricalCrossentropy(from_logits=True)):
        model = net(3)
        model.compile("adam", loss)
        weights = {0: 1.0, 1: 2.0, 2: 0.5}
        fitted = model.fit(x, given, epochs=2, verbose=0, class_weight=weights)
        found.append(fitted.history["loss"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def gradient_error(model: Any, x: Array, y: Any) -> float:
    """The largest difference between gradients and central differences of the loss."""
    _, gradients = model.loss_and_gradients(x, y)
    weights = model.get_weights()
    worst = 0.0
    for tensor, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(tensor.shape):
            kept, values = tensor[place], []
            for step in (1e-5, -1e-5):
                tensor[place] = kept + step
                model.set_weights(weights)
                values.append(model.loss_and_gradients(x, y)[0])
            tensor[place] = kept
            worst = max(worst, abs((values[0] - values[1]) / 2e-5 - gradient[place]))
    return worst


def test_cox_looks_at_all_rows(x: Array, survival: Array) -> None:
    model = net(dtype="float64")
    model.compile("adam", cox)
    assert model.loss.name == "cox"
    wide = x.astype(float)
    assert gradient_error(model, wide, survival) < 1e-8
    time, event, risk = survival[:, 0], survival[:, 1], model.predict(wide)[:, 0]
    sums = np.array([np.exp(risk[time >= t]).sum() for t in time])
    expected = np.mean(event * (np.log(sums) - risk))
    np.testing.assert_allclose(model.evaluate(wide, survival), expected, rtol=1e-12)
    history = model.fit(wide, survival, batch_size=None, epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_mixture_density(x: Array, y: Array) -> None:
    model = net(9, dtype="float64")
    model.compile("adam", mixture, metrics=[mixture])
    assert gradient_error(model, x.astype(float), y) < 1e-8
    history = model.fit(x, y[:, 0], epochs=10, verbose=0, validation_data=(x, y)).history
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(history["val_loss"], history["val_mixture"], rtol=1e-12)


def test_several_outputs(x: Array, y: Array) -> None:
    model = two()
    with pytest.raises(ValueError, match="must be a list with one entry for each output"):
        model.compile("adam", mse, metrics=huber)
    model.compile(
        "adam",
        {"a": huber, "b": mixture},
        metrics={"a": [mse, "mae"], "b": mixture},
        loss_weights={"b": 0.5},
    )
    weight = {"a": np.linspace(0, 2, len(x)), "b": None}
    history = model.fit(x, {"a": y, "b": y}, epochs=2, verbose=0, sample_weight=weight).history
    assert list(history) == ["loss", "a_loss", "b_loss", "a_mae", "a_mse", "b_mixture"]
    total = np.array(history["a_loss"]) + 0.5 * np.array(history["b_loss"])
    np.testing.assert_allclose(history["loss"], total, rtol=1e-6)
    np.testing.assert_allclose(history["b_loss"], history["b_mixture"], rtol=1e-6)
    with pytest.raises(ValueError, match=r"y\['b'\] must have shape \(rows, 1\), .* \(rows, 2\)"):
        model.fit(x, [y, np.c_[y, y]], verbose=0)
    by_list = two()
    by_list.compile("adam", [huber, mixture], loss_weights=[1, 0.5])
    again = by_list.fit(x, [y, y], epochs=2, verbose=0, sample_weight=weight).history
    assert again["loss"] == history["loss"]


def test_missing_targets(x: Array, y: Array) -> None:
    y[::3] = np.nan
    found = []
    for loss in ("mse", mse):
        model = net()
        model.compile("adam", loss, metrics=[huber], ignore_nan=True)
        found.append(list(model.fit(x, y, epochs=2, verbose=0).history.values()))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
    with pytest.raises(ValueError, match="looks at all rows of a batch"):
        net().compile("adam", lambda y, p: ops.sum(ops.square(y - p)), ignore_nan=True)


@pytest.mark.parametrize("units", [1, 9])
def test_the_same_bits_on_several_threads(units: int, x: Array, y: Array, survival: Array) -> None:
    results = []
    before = laminar.get_num_threads()
    try:
        for threads in (1, 2, 4):
            laminar.set_num_threads(threads)
            model = net(units)
            model.compile("adam", cox if units == 1 else mixture, metrics=[])
            model.fit(x, survival if units == 1 else y, epochs=2, batch_size=50, verbose=0)
            results.append(b"".join(w.tobytes() for w in model.get_weights()))
    finally:
        laminar.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_targets_keep_their_shape_once_there_was_an_update(x: Array, y: Array) -> None:
    model = net()
    model.compile("adam", mse)
    tried = model.evaluate(x, np.c_[y, y])
    assert tried == pytest.approx(model.evaluate(x, y), rel=1e-6)
    model.train_on_batch(x, y)
    before = model.get_weights()
    for call in (model.fit, model.evaluate, model.train_on_batch, model.loss_and_gradients):
        with pytest.raises(ValueError, match=r"must have shape \(rows, 1\).* got \(rows, 2\)"):
            call(x, np.c_[y, y])
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    model.compile("adam", mse)
    model.fit(x, np.c_[y, y], verbose=0)


def test_targets_keep_their_shape_while_the_model_is_trained(x: Array, y: Array) -> None:
    model = net()
    model.compile("adam", mse)
    seen: list[Any] = []

    def look(logs: Any = None) -> None:
        with pytest.raises(ValueError, match=r"must have shape \(rows, 1\)"):
            model.evaluate(x, np.c_[y, y])
        seen.append(model.evaluate(x, y))

    model.fit(x, y, verbose=0, callbacks=callbacks.LambdaCallback(on_train_begin=look))
    assert len(seen) == 1


def test_a_call_that_fails_leaves_the_model_as_it_was(x: Array, y: Array, survival: Array) -> None:
    model = net()
    model.compile("adam", cox)
    with pytest.raises(IndexError, match="index 1 is out of range for axis 1 with extent 1"):
        model.fit(x, y, verbose=0)
    reference = net()
    reference.compile("adam", cox)
    for each in (model, reference):
        each.fit(x, survival, verbose=0, epochs=2)
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_that_are_brought(x: Array, survival: Array) -> None:
    rows = [slice(first, first + 40) for first in range(0, len(x), 40)]
    for built in (True, False):
        for data in (
            ((x[part], survival[part]) for part in rows),
            Dataset.from_arrays(x, survival),
        ):
            model = net(built=built)
            model.compile("adam", cox)
            assert np.isfinite(model.fit(data, verbose=0).history["loss"]).all()
            with pytest.raises(ValueError, match="must have shape"):
                model.evaluate(x, survival[:, :1])


def test_targets_of_several_axes(x: Array, rng: np.random.Generator) -> None:
    y = rng.normal(size=(len(x), 2, 3)).astype("f")

    def model_of(loss: Any) -> Model:
        symbol = Input(6)
        outputs = layers.Reshape((2, 3))(layers.Dense(6)(symbol))
        model = Model(symbol, outputs, seed=1)
        model.compile("sgd", loss)
        return model

    found = [
        model_of(loss).fit(x, y, epochs=2, verbose=0).history["loss"]
        for loss in ("mse", lambda y, p: ops.square(y - p))
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
    wide = rng.normal(size=(len(x), 2, 2, 4))
    model = model_of(lambda y, p: ops.square(y[:, :, :, 1] - p[:, :, :2]))
    part = wide[:, :, :, 1].astype("f") - model.predict(x)[:, :, :2]
    assert model.evaluate(x, wide) == pytest.approx(np.mean(part**2), rel=1e-5)
    model.fit(x, wide, verbose=0)
    with pytest.raises(ValueError, match=r"must have shape \(rows, 2, 2, 4\)"):
        model.fit(x, y, verbose=0)


def test_validation_is_held_to_the_shape_of_training(x: Array, y: Array, survival: Array) -> None:
    model = net()
    model.compile("adam", cox)
    with pytest.raises(ValueError, match="y has 1 column, the loss 'cox' takes 2"):
        model.fit(x, survival, validation_data=(x, y), verbose=0)


def test_metrics_may_be_monitored(x: Array, y: Array) -> None:
    model = net()
    model.compile("sgd", mse, metrics=[huber])
    stop = callbacks.EarlyStopping(monitor="val_huber", patience=1, min_delta=10.0)
    history = model.fit(x, y, epochs=9, validation_split=0.2, callbacks=[stop], verbose=0)
    assert len(history.epoch) == 2


def test_what_takes_other_targets_is_refused(x: Array, y: Array, survival: Array) -> None:
    model = net()
    model.compile("sgd", cox, metrics=["mae"])
    with pytest.raises(ValueError, match="'mae' compares targets with as many outputs"):
        model.fit(x, survival, verbose=0)
    with pytest.raises(IndexError, match="out of range"):  # targets are as those of mse
        model.compile("sgd", "mse", metrics=[cox])
    names = np.where(y[:, 0] > 0, "a", "b")
    model.compile("sgd", mse)
    with pytest.raises(TypeError, match="holds names of classes; the loss function takes numbers"):
        model.fit(x, names, verbose=0)


def test_frozen_layers_and_range_test(x: Array, y: Array) -> None:
    model = net(9)
    model.compile("adam", mixture)
    tested = model.find_learning_rate(x, y, batch_size=None, start=1e-3, end=1.0, steps=20)
    assert len(tested.rates) == 20
    model.layers[0].trainable = False
    model.compile("adam", mixture)
    first = model.get_weights()[0]
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], first)


def compiled_pair() -> Model:
    model = two()
    model.compile("adam", {"a": huber, "b": mixture}, metrics={"a": [mse, "mae"], "b": mixture})
    return model


CONTINUE = """
import sys
import numpy as np
import laminar

model = laminar.load_model(sys.argv[1] if len(sys.argv) > 1 else {path!r})
data = np.load({data!r})
assert [loss.name for loss in model.loss] == ["huber", "mixture"], model.loss
assert model.loss[1].program["inputs"] == [[-1, 1], [-1, 9]]
model.fit(data["x"], [data["y"], data["y"]], epochs=2, verbose=0)
model.save({out!r})
"""


def test_files_train_on_where_nobody_knows_the_functions(
    x: Array, y: Array, tmp_path: Path
) -> None:
    model = compiled_pair()
    model.fit(x, [y, y], epochs=1, verbose=0)
    path, data, out = (str(tmp_path / name) for name in ("m.safetensors", "d.npz", "o.safetensors"))
    model.save(path)
    np.savez(data, x=x, y=y)
    code = CONTINUE.format(path=path, data=data, out=out)
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    model.fit(x, [y, y], epochs=2, verbose=0)
    other = laminar.load_model(out)
    assert other.metrics_names == model.metrics_names
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.evaluate(x, [y, y]) == model.evaluate(x, [y, y])
    with pytest.raises(ValueError, match="got"):
        other.fit(x, [y, np.c_[y, y]], verbose=0)
    with pytest.raises(ValueError, match="its function is not known"):
        other.loss[0].call(y, y)


def test_training_is_resumed(x: Array, y: Array, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    whole, half, rest = (compiled_pair() for _ in range(3))
    whole.fit(x, [y, y], epochs=3, verbose=0)
    half.fit(x, [y, y], epochs=2, verbose=0)
    half.save(path)
    rest.fit(x, [y, y], epochs=3, verbose=0, resume=path)
    for a, b in zip(whole.get_weights(), rest.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

    def other(y: Any, p: Any) -> Any:
        return mse(y, p)

    other.__name__ = "huber"
    another = compiled_pair()
    another.compile("adam", {"a": other, "b": mixture}, metrics={"a": [mse, "mae"], "b": mixture})
    with pytest.raises(ValueError, match=r"compiled with loss .*huber.* operations") as caught:
        another.fit(x, [y, y], epochs=3, verbose=0, resume=path)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("loss", "chosen"), [(cox, [huber]), ("mse", [huber]), (huber, [])])
def test_files_of_one_output(loss: Any, chosen: list[Any], x: Array, tmp_path: Path) -> None:
    y = np.abs(np.stack([x[:, 0], x[:, 1] > 0], axis=1))[:, : 2 if loss is cox else 1]
    model = net()
    model.compile("adam", loss, metrics=chosen)
    model.fit(x, y, verbose=0)
    path, out = (str(tmp_path / name) for name in ("m.safetensors", "o.safetensors"))
    model.save(path)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    done = run_python(f"""
import numpy as np
import laminar

model, data = laminar.load_model({path!r}), np.load({str(tmp_path / "d.npz")!r})
model.fit(data["x"], data["y"], epochs=2, verbose=0)
model.save({out!r})
""")
    assert done.returncode == 0, done.stderr
    model.fit(x, y, epochs=2, verbose=0)
    other = laminar.load_model(out)
    for each in (other, pickle.loads(pickle.dumps(model))):
        assert each.metrics_names == model.metrics_names
        assert each.evaluate(x, y) == model.evaluate(x, y)
        for a, b in zip(model.get_weights(), each.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_pickles_hold_programs_in_place_of_functions(x: Array, y: Array) -> None:
    model = compiled_pair()
    model.compile("adam", {"a": lambda y, p: ops.abs(y - p), "b": mixture})
    model.fit(x, [y, y], verbose=0)
    other = pickle.loads(pickle.dumps(model))
    assert other.evaluate(x, [y, y]) == model.evaluate(x, [y, y])
    untraced = Sequential([layers.Dense(1)])
    untraced.compile("sgd", huber, metrics=[mse])
    copied = pickle.loads(pickle.dumps(untraced))
    assert copied.loss.function is huber
    assert copied.metrics_names == ["loss", "mse"]


def test_programs_are_configurations(x: Array, y: Array) -> None:
    model = compiled_pair()
    model.evaluate(x, [y, y])
    spec = model._compiled.heads[0].spec  # type: ignore[union-attr]
    assert spec is not None
    known = losses.get(spec)
    assert isinstance(known, losses.Function)
    assert known.get_config() == spec
    assert repr(known) == "<loss huber>"
    assert losses.Function.from_config(known.get_config()).get_config() == spec
    assert known(y, y + 2) == pytest.approx(1.5)
    with pytest.raises(ValueError, match=r"made for y_true of shape \(None, 1\), got \(None, 2\)"):
        known(np.c_[y, y], np.c_[y, y])
    other = net()
    other.compile("sgd", known)
    assert other.evaluate(x, y) == pytest.approx(losses.Huber()(y, other.predict(x)), rel=1e-6)
    for kind in (losses.Function, metrics.Function):
        with pytest.raises(TypeError, match="is a function of Python's"):
            kind(huber).get_config()
        with pytest.raises(ValueError, match="either a function or a program"):
            kind()


class Scaled(losses.Loss):
    def __init__(self, scale: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.scale = scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.scale * mse(y_true, y_pred)


class Bare(losses.Loss):
    def __init__(self) -> None:
        pass

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.abs(y_true - y_pred)


class FarOff(metrics.Metric):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.abs(y_true - y_pred) > 1


REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_calls_on_arrays(reduction: str, dtype: str, rng: np.random.Generator) -> None:
    y, p = (rng.normal(size=(7, 3)).astype(dtype) for _ in range(2))
    for weight in (None, rng.random(7)):
        found = Scaled(reduction=reduction)(y, p, sample_weight=weight)
        expected = losses.MeanSquaredError(reduction)(y, p, sample_weight=weight)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        if reduction == "none":
            assert found.dtype == dtype
    assert Bare()([0, 1, 2], [0.5, 1.5, 2.5]) == 0.5
    with pytest.raises(ValueError, match="y_pred has 7 rows, y_true has 6"):
        Bare()(y[:6], p)


def test_classes(x: Array, y: Array) -> None:
    assert (Scaled().name, Bare().name, FarOff().name) == ("scaled", "bare", "far_off")
    assert Scaled(2.0, name="mine", reduction="sum").name == "mine"
    found = []
    for loss in (
        Scaled(2.0),
        losses.Function(functools.partial(lambda y, p, s: s * mse(y, p), s=2)),
    ):
        model = net()
        model.compile("adam", loss, metrics=[FarOff(), "mae"])
        found.append(model.fit(x, y, epochs=2, verbose=0).history)
    assert list(found[0]) == ["loss", "far_off", "mae"]
    assert found[0] == found[1]
    model.compile("adam", Bare, metrics=[FarOff])
    assert model.metrics_names == ["loss", "far_off"]
    again = pickle.loads(pickle.dumps(Scaled(3.0)))
    assert again.scale == 3.0


def test_metrics_of_pieces() -> None:
    metric = metrics.Function(mse)
    assert metric.result() == 0
    assert metric([[0.0]], [[1.0]]) == 1
    metric.update_state([[0.0], [0.0]], [[2.0], [3.0]], sample_weight=[1, 0])
    assert metric.result() == 2.5
    metric.reset_state()
    assert metric.result() == 0


class Stopped:
    """What is called as a function, and is none."""

    def __call__(self, y: Any, p: Any) -> Any:
        return mse(y, p)


def test_what_is_called_may_be_an_object(x: Array, y: Array) -> None:
    model = net()
    model.compile("sgd", Stopped(), metrics=[functools.partial(pinball, q=0.3)])
    assert model.metrics_names == ["loss", "metric"]
    assert model.evaluate(x, y)[0] > 0


# What is seen when compile is called.
WRONG: dict[str, tuple[Callable[..., Any], type[Exception], str]] = {
    "one argument": (lambda y: y, TypeError, r"must be a function of \(y_true, y_pred\)"),
    "three arguments": (lambda y, p, w: y, TypeError, r"one of \(y, p, w\)"),
    "nothing": (lambda y, p: None, TypeError, "must return a value, got None"),
    "a pair": (lambda y, p: (y, p), TypeError, "must return one value, got 2"),
    "NumPy": (lambda y, p: np.abs(y - p), TypeError, "write laminar.ops.abs"),
    "if": (lambda y, p: y if y > p else p, TypeError, "laminar.ops.where"),
    "number": (lambda y, p: float(ops.mean(p)), TypeError, "has none while a call is traced"),
    "columns": (lambda y, p: ops.mean(p - y, axis=0), ValueError, "a number for each row"),
    "pairs": (
        lambda y, p: ops.matmul(p, ops.transpose(p)),
        ValueError,
        "must be reduced to one number",
    ),
    "constant": (lambda y, p: 0.0, ValueError, "has no slope by y_pred"),
    "of targets alone": (lambda y, p: ops.abs(y), ValueError, "has no slope by y_pred"),
    "comparison": (lambda y, p: ops.mean(y > p, axis=-1), ValueError, "has no slope by y_pred"),
    "attribute": (lambda y, p: y.nothing, AttributeError, "nothing"),
}


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_functions(name: str, built: bool, x: Array, y: Array) -> None:
    function, error, message = WRONG[name]
    model = net(2, built)
    with pytest.raises(error, match=message):
        model.compile("sgd", function)
        model.fit(x, np.c_[y, y], verbose=0)
    assert model.built == built
    assert model.optimizer is None or not built
    model.compile("sgd", "mse")
    model.fit(x, np.c_[y, y], verbose=0)


def test_errors_are_at_the_user_s_line(x: Array, y: Array) -> None:
    def wrong(y: Any, p: Any) -> Any:
        return ops.matmul(p, np.ones((7, 2)))  # this line

    model = net()
    model.compile("sgd", wrong)  # the targets may be of any shape
    with pytest.raises(ValueError, match=r"got \(None, 1\) and \(7, 2\)") as caught:
        model.fit(x, y, verbose=0)
    lines = [str(entry.statement) for entry in caught.traceback]
    assert any("# this line" in line for line in lines)


def test_classes_that_cannot_be() -> None:
    with pytest.raises(NotImplementedError, match="update_state of one's own is not supported"):

        class Counting(metrics.Metric):
            def update_state(self, *arguments: Any) -> None:
                pass

    with pytest.raises(NotImplementedError, match="derives from Loss itself, with call"):

        class Derived(losses.Huber):
            def call(self, y_true: Any, y_pred: Any) -> Any:
                return y_pred

    with pytest.raises(NotImplementedError, match="derives from Metric itself, with call"):

        class Empty(metrics.Metric):
            pass

    with pytest.raises(ValueError, match="unknown word 'summ'"):
        Scaled(reduction="summ")
    with pytest.raises(TypeError, match="name must be a string"):
        FarOff(name=3)  # type: ignore[arg-type]
