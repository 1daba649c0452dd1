# SPDX-License-Identifier: Apache-2.0
"""Models of several outputs: each form of losses, metrics, targets and weights, and refusals.

What Keras makes of the same is in test_heads_keras.py.
"""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import Input, Model, Sequential, callbacks, layers
from laminar._inspect import described

ROWS = 40
RNG = np.random.default_rng(3)
X = RNG.random((ROWS, 4), np.float32)
PRICE = RNG.random((ROWS, 1))
KIND = RNG.integers(0, 3, ROWS)
Y = [PRICE, KIND]
LOSS = ["mse", "sparse_categorical_crossentropy"]


def branches(named: bool = False, seed: int = 1) -> Model:
    x = Input(4, name="x")
    h = layers.Dense(6, "tanh")(x)
    price, kind = layers.Dense(1, name="price")(h), layers.Dense(3, "softmax", name="kind")(h)
    return Model(x, {"a": price, "b": kind} if named else [price, kind], seed=seed)


def compiled(named: bool = False, **options: Any) -> Model:
    model = branches(named)
    model.compile(**{"optimizer": "sgd", "loss": LOSS, **options})
    return model


def same(first: Model, second: Model) -> None:
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_forms_of_what_a_model_is_compiled_with() -> None:
    options: dict[str, Any] = {"metrics": [["mae"], "accuracy"], "loss_weights": [0.5, 2]}
    model = compiled(**options)
    keys = ["loss", "price_loss", "kind_loss", "kind_accuracy", "price_mae"]
    assert model.metrics_names == keys
    assert model.output_names == ["price", "kind"]
    assert [loss._entry for loss in model.loss] == LOSS
    history = model.fit(X, Y, verbose=0, epochs=2, validation_split=0.25).history
    assert list(history) == [*keys, *(f"val_{key}" for key in keys)]
    other = compiled(
        loss=dict(zip(model.output_names, LOSS, strict=True)),
        metrics={"kind": ["accuracy"], "price": "mae"},
        loss_weights={"kind": 2.0, "price": 0.5},
    )
    other.fit(X, {"kind": KIND, "price": PRICE}, verbose=0, epochs=2, validation_split=0.25)
    same(model, other)
    by_key = compiled(
        named=True,
        loss={"a": laminar.losses.MeanSquaredError(), "b": {"name": LOSS[1]}},
        loss_weights={"a": 0.5, "b": 2},
    )
    assert by_key.metrics_names == ["loss", "a_loss", "b_loss"]
    by_key.fit(X, {"a": PRICE, "b": KIND}, verbose=0, epochs=2, validation_split=0.25)
    same(model, by_key)


def test_losses_metrics_and_weights_as_evaluated() -> None:
    model = compiled(
        metrics=[["mae"], None], weighted_metrics=[["mae"], ["accuracy"]], loss_weights=[3, 0.5]
    )
    weights = [RNG.random(ROWS), None]
    price, kind = model.predict(X)
    found = model.evaluate(X, Y, sample_weight=weights, return_dict=True)
    error = np.abs(price - PRICE)[:, 0]
    assert weights[0] is not None
    assert found["price_loss"] == pytest.approx(np.average(error**2, weights=weights[0]))
    assert found["price_mae"] == pytest.approx(error.mean())
    assert found["price_weighted_mae"] == pytest.approx(np.average(error, weights=weights[0]))
    assert found["kind_loss"] == pytest.approx(-np.log(kind[np.arange(ROWS), KIND]).mean())
    assert found["kind_accuracy"] == pytest.approx((kind.argmax(1) == KIND).mean())
    total = 3 * found["price_loss"] + 0.5 * found["kind_loss"]
    assert found["loss"] == pytest.approx(total)
    assert model.test_on_batch(X, Y, sample_weight=weights) == list(found.values())
    one = model.evaluate(X, Y, sample_weight=weights[0])
    assert one == model.evaluate(X, Y, sample_weight=[weights[0], weights[0]])
    assert one == model.evaluate(X, Y, sample_weight={"price": weights[0], "kind": weights[0]})
    loss, gradients = model.loss_and_gradients(X, Y)
    assert loss == pytest.approx(model.evaluate(X, Y)[0])
    before = model.get_weights()
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] == pytest.approx(loss)
    for old, new, slope in zip(before, model.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(new, old - 0.01 * slope, atol=1e-6)


def test_an_output_without_a_loss_is_predicted_alone() -> None:
    for loss in ({"price": "mse"}, {"price": "mse", "kind": None}, ["mse", None]):
        model = compiled(loss=loss)
        assert model.metrics_names == ["loss"]
        before = model.get_layer("kind").get_weights()
        model.fit(X, [PRICE, None], verbose=0)
        model.fit(X, {"price": PRICE}, verbose=0)
        np.testing.assert_array_equal(model.get_layer("kind").get_weights()[0], before[0])
        alone = Model(model.input, model.outputs[0])
        alone.compile("sgd", "mse")
        assert model.evaluate(X, [PRICE, None]) == pytest.approx(alone.evaluate(X, PRICE))
    model = compiled(loss=["mse", None], metrics=[None, ["sparse_categorical_accuracy"]])
    assert model.metrics_names == ["loss", "kind_sparse_categorical_accuracy"]
    assert model.evaluate(X, Y)[1] == pytest.approx((model.predict(X)[1].argmax(1) == KIND).mean())


def test_a_single_output_takes_lists_and_dicts_too() -> None:
    found = []
    for form, loss, target in (
        (None, "mse", PRICE),
        (list, ["mse"], PRICE),
        (dict, {"p": "mse"}, {"p": PRICE}),
        (dict, "mse", PRICE),
    ):
        x = Input(4)
        y = layers.Dense(1, name="y")(x)
        model = Model(x, y if form is None else [y] if form is list else {"p": y}, seed=3)
        model.compile("sgd", loss, metrics=[["mae"]], loss_weights=[0.5])
        model.fit(X, target, verbose=0, validation_data=(X, target))
        assert model.metrics_names == ["loss", "mae"]
        found.append(model.evaluate(X, target))
    assert found.count(found[0]) == 4
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", ["mse"], metrics=[["mae"]], loss_weights=2.0)
    assert model.evaluate(X, PRICE)[0] == pytest.approx(
        2 * ((model.predict(X) - PRICE) ** 2).mean()
    )
    pickle.loads(pickle.dumps(Sequential([layers.Dense(1)])))


def test_files_pickles_and_resumed_training(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    y = [np.where(np.arange(ROWS)[:, None] % 3 == 0, np.nan, PRICE), KIND]
    options: dict[str, Any] = {
        "metrics": [["mae"], ["accuracy"]],
        "weighted_metrics": [None, ["accuracy"]],
        "loss_weights": [0.5, 1],
        "ignore_nan": True,
    }
    whole = compiled(**options)
    whole.fit(X, y, verbose=0, epochs=4)
    stopped = compiled(**options)
    stopped.fit(X, y, verbose=0, epochs=2)
    stopped.save(path)
    loaded = laminar.load_model(path)
    assert loaded.metrics_names == whole.metrics_names
    assert loaded.evaluate(X, y) == stopped.evaluate(X, y)
    copied = pickle.loads(pickle.dumps(stopped))
    for model in (loaded, copied):
        model.fit(X, y, verbose=0, epochs=4, initial_epoch=2)
        same(model, whole)
    resumed = compiled(**options)
    history = resumed.fit(X, y, verbose=0, epochs=4, resume=path).history
    same(resumed, whole)
    assert list(history) == whole.metrics_names
    for changed in ({"loss_weights": [1, 1]}, {"ignore_nan": False}, {"metrics": None}):
        other = compiled(**{**options, **changed})
        with pytest.raises(ValueError, match=f"compiled with {next(iter(changed))}"):
            other.fit(X, Y, verbose=0, epochs=4, resume=path)
    text = described(str(path))
    assert "price: 0.5 mse(" in text and ", kind: sparse_categorical_crossentropy(" in text
    assert "price_loss, kind_loss, kind_accuracy" in text and "NaN count for nothing" in text


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ("[]", "heads must be one, or one for each of the network's 2 outputs, got 0"),
        ("{}", "heads: expected a list"),
        ("[{}, {}]", "no output has a loss"),
        ('[{"loss": {"name": "mse"}}, {}, {}]', "got 3"),
        ('[{"loss": {"name": "mze"}}, {}]', "unknown loss 'mze'; did you mean"),
        ('[{"loss": {"name": "mse"}, "weight": "1"}, {}]', "head 0: 'weight' must be a number"),
        ('[{"loss": {"name": "mse"}, "metrics": {}}, {}]', "head 0: metrics: expected a list"),
        ('[{"loss": {"name": "mse"}, "way": 1}, {}]', "head 0: unknown argument 'way'"),
        ('[{"loss": {"name": "mse"}, "name": "b"}, {"name": "b"}]', "two outputs are called 'b'"),
    ],
)
def test_damaged_files_are_refused(heads: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    compiled().save(path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert header["__metadata__"]["laminar.format"] == "2"
    del header["__metadata__"]["laminar.checksum"]
    header["__metadata__"]["laminar.heads"] = heads
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
    with pytest.raises(ValueError, match=message):
        laminar.load_model(path)


def test_what_watches_a_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = compiled(metrics=[["mae"], ["accuracy"]])
    log = tmp_path / "log.csv"
    stopping = callbacks.EarlyStopping("val_kind_accuracy", patience=1)
    model.fit(
        X,
        Y,
        validation_data=(X, Y, [np.ones(ROWS), None]),
        verbose=2,
        epochs=2,
        callbacks=[stopping, callbacks.CSVLogger(log), callbacks.EarlyStopping("val_price_loss")],
    )
    assert stopping._upwards()
    printed = capsys.readouterr().out
    assert "price_loss" in printed and "val_kind_accuracy" in printed
    assert "kind_loss" in log.read_text().splitlines()[0]
    model.summary()
    assert "price" in capsys.readouterr().out
    with pytest.raises(ValueError, match="there is no 'val_cost_loss' to monitor"):
        model.fit(X, Y, verbose=0, callbacks=callbacks.EarlyStopping("val_cost_loss"))


def test_range_test_takes_several_outputs() -> None:
    model = compiled(ignore_nan=True)
    y = [np.where(np.arange(ROWS)[:, None] % 3 == 0, np.nan, PRICE), KIND]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.find_learning_rate(X, y, 8, steps=10, sample_weight=[np.ones(ROWS), None])
    assert len(found.rates) >= 2


def test_the_same_bits_for_any_number_of_threads() -> None:
    found = []
    for count in (1, 2, 3, 4, 8):
        laminar.set_num_threads(count)
        try:
            model = compiled(ignore_nan=True, optimizer="adam", metrics=[["mae"], ["accuracy"]])
            y = [np.where(np.arange(ROWS)[:, None] % 3 == 0, np.nan, PRICE), KIND]
            weight = [np.linspace(0, 2, ROWS), None]
            history = model.fit(X, y, 16, 3, verbose=0, sample_weight=weight).history
            found.append((history, [w.tobytes() for w in model.get_weights()]))
        finally:
            laminar.set_num_threads(0)
    assert found.count(found[0]) == 5


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": {"name": "adam", "clipnorm": 0.1}},
        {"optimizer": {"name": "sgd", "gradient_accumulation_steps": 2}},
        {"optimizer": {"name": "adamw", "use_ema": True, "weight_decay": 0.1}},
        {"optimizer": "muon"},
        {"precision": "bfloat16"},
        {"dtype": "float64", "memory_limit": "1MB"},
    ],
)
def test_whatever_else_trains(options: dict[str, Any]) -> None:
    found = []
    for count in (1, 3):
        laminar.set_num_threads(count)
        try:
            x = Input(4)
            h = layers.BatchNormalization()(layers.Dense(6, "tanh", kernel_regularizer="l2")(x))
            h = layers.Dropout(0.2)(h)
            y = [layers.Dense(1, name="p")(h), layers.Dense(3, "softmax", name="k")(h)]
            kind = {key: value for key, value in options.items() if key in ("dtype", "precision")}
            model = Model(x, y, seed=1, **kind)
            model.compile(options.get("optimizer", "adam"), LOSS, loss_weights=[0.5, 1])
            limit = options.get("memory_limit")
            history = model.fit(X, Y, ROWS, 20, verbose=0, memory_limit=limit).history
            assert history["loss"][-1] < history["loss"][0]
            found.append([w.tobytes() for w in model.get_weights()])
        finally:
            laminar.set_num_threads(0)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": ["mse"]}, "loss must have one entry for each output, 'price', 'kind', got 1"),
        ({"loss": {"cost": "mse"}}, "loss must be a dict by the names .*'price'.* has 'cost' bes"),
        ({"loss": None}, "loss must be given for at least one of the outputs, 'price', 'kind'"),
        ({"loss": [None, None]}, "loss must be given for at least one"),
        ({"loss": ["mse", "rmse"]}, "'rmse' is a root"),
        ({"loss": "sparse_categorical_crossentropy", "metrics": [["mse"], None]}, "takes rows of"),
        ({"metrics": ["mae"]}, "metrics must have one entry for each output, .* got 1"),
        ({"metrics": "mae"}, "metrics must be a list with one entry for each output, or a dict"),
        ({"metrics": {"cost": "mae"}}, "metrics must be a dict by the names of the outputs"),
        ({"metrics": [["mae", "mae"], None]}, "metric 'mae' is given twice"),
        ({"weighted_metrics": "mae"}, "weighted_metrics must be a list with one entry"),
        ({"loss_weights": [1]}, "loss_weights must have one entry for each output"),
        ({"loss_weights": {"cost": 1}}, "loss_weights must be a dict by the names"),
        ({"loss_weights": [1, float("nan")]}, r"loss_weights\['kind'\] must be"),
        ({"loss_weights": [1, "2"]}, r"loss_weights\['kind'\] must be"),
        ({"loss_weights": 2.0}, "loss_weights must be a list with one number for each output"),
        ({"ignore_nan": "yes"}, "ignore_nan must be"),
    ],
)
def test_what_does_not_fit_at_compile(change: dict[str, Any], message: str) -> None:
    model = compiled(metrics=[["mae"], None])
    keys, weights = model.metrics_names, model.get_weights()
    with pytest.raises((TypeError, ValueError), match=message):
        model.compile(**{"optimizer": "sgd", "loss": LOSS, **change})
    assert model.metrics_names == keys
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_outputs_that_cannot_be_told_apart_are_refused() -> None:
    model = branches()
    twice = Model(model.input, [model.outputs[0], model.outputs[0]])
    with pytest.raises(ValueError, match="two outputs are called 'price'"):
        twice.compile("sgd", "mse")
    named = Model(model.input, {"p": model.outputs[0], "q": model.outputs[0]}, seed=1)
    named.compile("sgd", "mse", loss_weights=[0.25, 0.75])
    alone = Model(model.input, model.outputs[0], seed=1)
    alone.compile("sgd", "mse")
    assert named.evaluate(X, {"p": PRICE, "q": PRICE})[0] == pytest.approx(alone.evaluate(X, PRICE))


NAN = np.where(np.arange(ROWS)[:, None] == 5, np.nan, PRICE)


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        (PRICE, None, "y must be a list or a dict with one array for each output, .* got ndarray"),
        (None, None, "y must be a list or a dict .* got None"),
        ([PRICE], None, "y must be a list or a dict .* got list of 1"),
        ([PRICE, KIND, KIND], None, "got list of 3"),
        ({"price": PRICE}, None, "y must be a dict by the names .* it lacks 'kind'"),
        ({"price": PRICE, "kind": KIND, "x": KIND}, None, "it has 'x' besides"),
        ([PRICE[:9], KIND], None, r"x has 40 rows, y\['price'\] has 9"),
        ([X, KIND], None, r"y\['price'\] must have shape \(rows, 1\), got \(40, 4\)"),
        ([PRICE, KIND + 0.5], None, r"y\['kind'\] must hold whole class numbers, got .* in row 0"),
        ([PRICE, KIND + 1], None, "y of output 'kind' must hold class numbers from 0 to 2"),
        ([PRICE, np.eye(3)[KIND]], None, r"y\['kind'\] must hold one class number a row"),
        ([PRICE, np.array(["a", "b"] * 20)], None, r"y\['kind'\] holds names of classes; of sev"),
        ([NAN, KIND], None, "y of output 'price' must be finite, but row ., column 0 is nan"),
        ([PRICE, None], None, r"y\['kind'\] is missing"),
        (Y, [np.ones(ROWS)], "sample_weight must be a list or a dict .* got list of 1"),
        (Y, {"cost": np.ones(ROWS)}, "sample_weight must be a dict by the names"),
        (Y, [np.ones(9), None], r"x has 40 rows, sample_weight\['price'\] has 9"),
        (Y, [-np.ones(ROWS), None], "sample_weight must be finite and not negative, but row 0"),
        (Y, [np.zeros(ROWS), np.zeros(ROWS)], "sample_weight must be positive"),
        (Y, np.ones(9), "x has 40 rows, sample_weight has 9"),
    ],
)
def test_data_that_do_not_fit(y: Any, weight: Any, message: str) -> None:
    model = compiled()
    before = model.get_weights()
    for call in (model.fit, model.evaluate, model.train_on_batch, model.loss_and_gradients):
        with pytest.raises((TypeError, ValueError), match=message):
            call(X, y, sample_weight=weight)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(X, Y, validation_data=(X, y, weight), verbose=0)
    with pytest.raises((TypeError, ValueError), match=message):
        model.find_learning_rate(X, y, sample_weight=weight)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.optimizer is not None and model.optimizer.iterations == 0


def test_weights_of_classes_are_for_one_output() -> None:
    with pytest.raises(ValueError, match="class_weight is for models of one output"):
        compiled().fit(X, Y, class_weight={0: 1, 1: 2, 2: 3})


def test_advice_names_the_output() -> None:
    with pytest.warns(UserWarning, match="compile: kind: softmax with binary_crossentropy"):
        branches().compile("sgd", {"kind": "binary_crossentropy"})


def test_data_sets_and_generators_bring_targets_of_several_outputs() -> None:
    def trained(*data: Any, **options: Any) -> list[bytes]:
        model = compiled(ignore_nan=True)
        model.fit(*data, verbose=0, shuffle=False, batch_size=None, **options)
        return [w.tobytes() for w in model.get_weights()]

    y = [np.where(np.arange(ROWS)[:, None] % 3 == 0, np.nan, PRICE).astype(np.float32), KIND]
    weight = [np.linspace(0, 2, ROWS, dtype=np.float32), np.ones(ROWS, np.float32)]
    named = dict(zip(("price", "kind"), y, strict=True))
    expected = trained(X, y)
    for targets in (y, named):
        data = laminar.data.Dataset.from_arrays(X, targets)
        model = compiled(ignore_nan=True)
        model.fit(data, verbose=0, shuffle=False, batch_size=ROWS, validation_data=data)
        assert [w.tobytes() for w in model.get_weights()] == expected
        assert model.evaluate(data) == model.evaluate(X, y)
        model = compiled(ignore_nan=True)
        model.fit(iter([(X, targets)]), verbose=0)
        assert [w.tobytes() for w in model.get_weights()] == expected
    weighed = compiled(ignore_nan=True)
    weighed.train_on_batch(X, y, weight)
    brought = compiled(ignore_nan=True)
    brought.fit(iter([(X, y, weight)]), verbose=0)
    same(weighed, brought)
    assert brought.evaluate(iter([(X, y, weight)])) == weighed.evaluate(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="y must be a dict by the names of the outputs"):
        brought.fit(iter([(X, {"price": PRICE})]), verbose=0)


def test_tables_of_targets() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"price": PRICE[:, 0], "kind": KIND})
    one, other = compiled(), compiled()
    one.fit(X, [frame[["price"]], frame["kind"]], verbose=0)
    other.fit(X, {"price": PRICE, "kind": KIND[:, None]}, verbose=0)
    same(one, other)
