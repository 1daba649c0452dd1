# SPDX-License-Identifier: Apache-2.0
"""Several networks at once: each has the bits that it has alone, whoever trains beside it."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support import fingerprint

import laminar
from laminar import Input, Model, Sequential, callbacks, datasets, layers

SIZES = [(4,), (128, 64), (32,), (8, 8), (70,)]
ROWS = 600


@pytest.fixture(autouse=True)
def _automatic_threads() -> Any:
    yield
    laminar.set_num_threads(0)


def member(i: int, dtype: str = "float32") -> Sequential:
    """Return networks of all sizes, each with a seed, a rate and a width of its own."""
    stack = [layers.Dense(width, "relu") for width in SIZES[i]]
    model = Sequential(
        [Input(64), *stack, layers.Dropout(0.1), layers.Dense(10, "softmax")], seed=i, dtype=dtype
    )
    model.compile(
        laminar.optimizers.Adam(0.001 * (i + 1)), "sparse_categorical_crossentropy", ["accuracy"]
    )
    return model


def digits() -> tuple[Any, Any]:
    """Return some rows of digits."""
    (x, y), _ = datasets.load_digits()
    return x[:ROWS], y[:ROWS]


def alone(i: int, *data: Any, **options: Any) -> tuple[str, dict[str, list[float]]]:
    """Return the weights and the history of a member that is trained by itself."""
    model = member(i)
    history = model.fit(*data, verbose=0, **options)
    return fingerprint(model.get_weights()), history.history


@pytest.mark.kernels
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_each_has_the_bits_that_it_has_alone(threads: int) -> None:
    x, y = digits()
    options = {"batch_size": 64, "epochs": 3, "validation_split": 0.2}
    expected = [alone(i, x, y, **options) for i in range(5)]
    laminar.set_num_threads(threads)
    models = [member(i) for i in range(5)]
    histories = laminar.fit_many(models, x, y, verbose=0, **options)
    assert [h is m.history for h, m in zip(histories, models, strict=True)] == [True] * 5
    found = [
        (fingerprint(m.get_weights()), h.history) for m, h in zip(models, histories, strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("threads", [1, 2])
def test_folds_and_arguments_of_each(threads: int) -> None:
    laminar.set_num_threads(threads)
    x, y = digits()
    folds = np.arange(ROWS) % 5
    stops = [callbacks.EarlyStopping("val_loss", patience=1) for _ in range(5)]
    each = [
        {
            "rows": np.flatnonzero(folds != i),
            "validation_rows": folds == i,
            "epochs": 3 + i,
            "callbacks": [stops[i]],
        }
        for i in range(5)
    ]
    models = [member(i) for i in range(5)]
    laminar.fit_many(models, x, y, 50, each=each, sample_weight=np.linspace(0, 2, ROWS), verbose=0)
    weight = np.linspace(0, 2, ROWS)
    for i, model in enumerate(models):
        train, held = folds != i, folds == i
        expected, history = alone(
            i,
            x[train],
            y[train],
            sample_weight=weight[train],
            validation_data=(x[held], y[held], weight[held]),
            batch_size=50,
            epochs=3 + i,
            callbacks=[callbacks.EarlyStopping("val_loss", patience=1)],
        )
        assert fingerprint(model.get_weights()) == expected
        assert model.history is not None
        assert model.history.history == history
        assert stops[i].model is model


def test_each_has_callbacks_of_its_own() -> None:
    laminar.set_num_threads(2)
    x, y = digits()
    stop = callbacks.EarlyStopping("loss", patience=1, min_delta=10.0)
    models = [member(i) for i in range(3)]
    histories = laminar.fit_many(models, x, y, epochs=20, callbacks=stop, verbose=0)
    assert [len(h.epoch) for h in histories] == [2, 2, 2]
    assert getattr(stop, "model", None) is None  # theirs are copies


def test_tables_and_texts_are_read_once_for_all() -> None:
    x, y = digits()
    table = pd.DataFrame(x, columns=[f"p{i}" for i in range(64)])
    names = np.array([f"class {c}" for c in range(10)])[y]
    rows = np.flatnonzero(y != 3)
    models = [member(i) for i in range(2)]
    laminar.fit_many(
        models,
        table,
        list(names),
        each=[{}, {"rows": rows}],
        validation_data=(x, names),
        class_weight={f"class {c}": 1.0 + c for c in range(10)},
        verbose=0,
    )
    for i, (model, taken) in enumerate(zip(models, [slice(None), rows], strict=True)):
        assert model.feature_names == tuple(table.columns)
        assert model.class_names == tuple(f"class {c}" for c in range(10))
        expected, _ = alone(i, x[taken], y[taken], class_weight={c: 1.0 + c for c in range(10)})
        assert fingerprint(model.get_weights()) == expected
    with pytest.raises(ValueError, match="in another order"):
        laminar.fit_many(models, table[table.columns[::-1]], names, verbose=0)


def test_types_of_numbers_may_differ() -> None:
    (x, y), _ = datasets.load_digits()
    x = x.astype(np.float64)[:200] / 3  # which float32 does not hold
    wide, expected = member(1, "float64"), member(1, "float64")
    laminar.fit_many([member(0), wide], x, y[:200], verbose=0)
    expected.fit(x, y[:200], verbose=0)
    assert fingerprint(wide.get_weights()) == fingerprint(expected.get_weights())


def several(seed: int) -> Model:
    """Return a model of two inputs and two outputs."""
    left, right = Input((3,), name="left"), Input((2,), name="right")
    both = layers.concatenate([left, right])
    hidden = layers.Dense(6 + seed, "tanh")(both)
    price, sold = layers.Dense(1, name="price")(hidden), layers.Dense(1, "sigmoid")(hidden)
    model = Model([left, right], {"price": price, "sold": sold}, seed=seed)
    model.compile("adam", {"price": "mse", "sold": "binary_crossentropy"})
    return model


def test_several_inputs_and_outputs() -> None:
    r = np.random.default_rng(1)
    x = {"left": r.standard_normal((50, 3)), "right": r.standard_normal((50, 2))}
    y = {"price": r.standard_normal(50), "sold": r.integers(0, 2, 50)}
    rows = np.arange(0, 50, 2)
    models = [several(1), several(2)]
    laminar.fit_many(models, x, y, each=[{"rows": rows}, {"validation_rows": rows}], verbose=0)
    some = [{name: values[rows] for name, values in given.items()} for given in (x, y)]
    first, second = several(1), several(2)
    first.fit(*some, verbose=0)
    second.fit(x, y, validation_data=tuple(some), verbose=0)
    for model, expected in zip(models, (first, second), strict=True):
        assert fingerprint(model.get_weights()) == fingerprint(expected.get_weights())
        assert model.history is not None
        assert expected.history is not None
        assert model.history.history == expected.history.history


def test_what_is_wrong_is_refused() -> None:
    x, y = digits()
    one = member(0)
    shared = Sequential([one])
    shared.compile("adam", "sparse_categorical_crossentropy")
    before = fingerprint(one.get_weights())
    for models, options, error, text in [
        (one, {}, TypeError, "models must be a list of models, got Sequential"),
        ([], {}, ValueError, "at least one"),
        ([one, "two"], {}, TypeError, r"models\[1\] must be a model, got str"),
        ([one, member(1)], {"each": [{}]}, ValueError, "one dict for each of 2 models, got 1"),
        ([one, shared], {}, ValueError, r"models\[0\] and models\[1\] have the layer 'dense'"),
        ([one], {"each": {}}, TypeError, "each must be a list of dicts, got dict"),
        ([one], {"each": [3]}, TypeError, r"each\[0\] must be a dict, got int"),
        ([one], {"each": [{"row": 1}]}, TypeError, "unknown argument 'row'; did you mean 'rows'"),
        ([one], {"each": [{"rows": [0, ROWS]}]}, ValueError, r"rows must be in \[0, 600\)"),
        ([one], {"each": [{"rows": [0.5]}]}, ValueError, "must be places of rows"),
        ([one], {"epoch": 3}, TypeError, "unknown argument 'epoch'; did you mean 'epochs'"),
        ([one], {"verbose": 7}, ValueError, "fit_many: verbose must be"),
        ([one], {"batch_size": 0}, ValueError, r"fit_many: models\[0\]: fit: batch_size"),
    ]:
        with pytest.raises(error, match=text):
            laminar.fit_many(models, x, y, **{"verbose": 0, **options})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got a generator"):
        laminar.fit_many([one], (b for b in [(x, y)]), verbose=0)  # type: ignore[arg-type]
    assert fingerprint(one.get_weights()) == before


def test_an_error_ends_the_others() -> None:
    laminar.set_num_threads(2)
    x, y = digits()
    models = [member(i) for i in range(3)]

    class Fails(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyError("mine")

    each: list[dict[str, Any]] = [{}, {"callbacks": [Fails()], "epochs": 5}, {}]
    with pytest.raises(KeyError, match="mine"):
        laminar.fit_many(models, x, y, epochs=10**6, each=each, verbose=0)
    assert models[2].history is None


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_what_is_done(threads: int) -> None:
    laminar.set_num_threads(threads)
    x, y = digits()
    models = [member(i) for i in range(4)]
    begun = threading.Event()
    waits = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: begun.set())

    def interrupt() -> None:
        begun.wait()
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    each: list[dict[str, Any]] = [{"epochs": 2}, {"callbacks": [waits]}, {}, {}]
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        laminar.fit_many(models, x, y, epochs=10**6, each=each, verbose=0)
    thread.join()
    assert fingerprint(models[0].get_weights()) == alone(0, x, y, epochs=2)[0]
    assert models[0].history is not None
    assert len(models[0].history.epoch) == 2
    assert models[1].history is not None
    assert models[1].history.epoch
    assert models[3].history is None
    models[1].fit(x, y, verbose=0)  # nobody trains it any more


def test_a_line_is_printed_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = digits()
    laminar.fit_many([member(0), member(2)], x, y, epochs=2)
    lines = sorted(capsys.readouterr().out.splitlines())
    assert [line.split(" - ")[:2] for line in lines] == [
        ["Model 1/2", "2 epochs"],
        ["Model 2/2", "2 epochs"],
    ]
    assert "loss: " in lines[0]
