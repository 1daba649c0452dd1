# SPDX-License-Identifier: Apache-2.0
"""Losses that layers add in their call: beside equal own losses, analytic values, and Keras."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from exchange_models import import_keras

import laminar
from laminar import Input, Model, Sequential, layers, ops

RNG = np.random.default_rng(3)
X = RNG.normal(size=(70, 4))
Y = RNG.normal(size=(70, 2))


class Penalty(layers.Layer):
    """Hands on what it reads, and adds what a function makes of it."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs):
        self.add_loss(self.function(inputs))
        return inputs


def network(*functions, dtype="float64", loss="mse", seed=5):
    model = Sequential(
        [
            Input((4,)),
            layers.Dense(5, "tanh"),
            *map(Penalty, functions),
            layers.Dense(2),
        ],
        seed=seed,
        dtype=dtype,
    )
    model.compile(laminar.optimizers.Adam(0.01), loss)
    return model


def hidden(model):
    kernel, bias = model.get_weights()[:2]
    return np.tanh(X @ kernel + bias)


def weights_after(model, epochs=3, y=Y, **options):
    model.fit(X, y, epochs=epochs, batch_size=16, verbose=0, **options)
    return model.get_weights()


VALUES = [
    (lambda h: ops.mean(ops.square(h)), lambda h: np.mean(h**2)),
    (lambda h: 0.1 * ops.sum(ops.abs(h)), lambda h: 0.1 * np.abs(h).sum()),
    (lambda h: ops.sum(h**2, axis=1), lambda h: (h**2).sum()),
    (lambda h: 0.01 * h**2, lambda h: 0.01 * (h**2).sum()),
    (lambda h: -0.5 * ops.mean(1 + ops.sum(h, axis=-1)), lambda h: -0.5 * (1 + h.sum(1)).mean()),
    (lambda h: ops.sum(ops.mean(h**2, axis=0)) / 3 - 2, lambda h: (h**2).mean(0).sum() / 3 - 2),
    (
        lambda h: ops.mean(h**2) + ops.sum(h) * 0.01 - ops.mean(ops.abs(h), axis=0),
        lambda h: 5 * ((h**2).mean() + h.sum() * 0.01) - np.abs(h).mean(0).sum(),
    ),
    (lambda h: 3.5, lambda h: 3.5),
    (lambda h: [ops.mean(h), {"a": 1}, ops.mean(h)], lambda h: 1 + 2 * h.mean()),
    (lambda h: ops.mean(h, keepdims=True) * [[1.0, 2.0]], lambda h: 3 * h.mean()),
]


@pytest.mark.parametrize("written, expected", VALUES, ids=range(len(VALUES)))
def test_values_count_as_in_keras_by_their_sum(written, expected):
    model, without = network(written), network()
    wanted = without.evaluate(X, Y) + expected(hidden(model))
    assert model.evaluate(X, Y) == pytest.approx(wanted, rel=1e-12)
    assert model.train_on_batch(X, Y) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("written, _", VALUES, ids=range(len(VALUES)))
def test_gradients_are_central_differences(written, _):
    model = network(written)
    _, gradients = model.loss_and_gradients(X, Y)
    weights = model.get_weights()
    for i, gradient in enumerate(gradients):
        at = tuple(np.array(weights[i].shape) // 2)
        values = []
        for step in (1e-6, -1e-6):
            moved = [w.copy() for w in weights]
            moved[i][at] += step
            model.set_weights(moved)
            values.append(model.loss_and_gradients(X, Y)[0])
        assert gradient[at] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_it_trains_as_an_own_loss_on_the_same_values_does():
    added = network(lambda h: 0.3 * ops.mean(ops.square(h)))
    features = Input((4,))
    h = layers.Dense(5, "tanh")(features)
    known = Model(features, [layers.Dense(2)(h), h], seed=5, dtype="float64")
    known.compile(
        laminar.optimizers.Adam(0.01), ["mse", lambda y, f: 0.3 * ops.mean(f**2, axis=-1)]
    )
    known.set_weights(added.get_weights())
    known.fit(X, [Y, np.zeros((70, 5))], epochs=3, batch_size=16, verbose=0, shuffle=False)
    for mine, other in zip(weights_after(added, shuffle=False), known.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-13)


def test_it_is_an_activity_regularizer():
    added = network(lambda h: ops.mean(ops.sum(0.01 * ops.square(h), axis=-1)))
    known = Sequential(
        [
            Input((4,)),
            layers.Dense(5, "tanh", activity_regularizer=laminar.regularizers.L2(0.01)),
            layers.Dense(2),
        ],
        seed=5,
        dtype="float64",
    )
    known.compile(laminar.optimizers.Adam(0.01), "mse")
    known.set_weights(added.get_weights())
    for mine, other in zip(weights_after(added), weights_after(known), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-13)


class Scaled(layers.Layer):
    """Penalizes a weight, and its own output in training alone."""

    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "ones")

    def call(self, inputs, training=False):
        out = inputs * self.factor
        self.add_loss(ops.sum(self.factor**2))
        if training:
            self.add_loss(ops.mean(out**2))
        return out


def test_weights_count_once_and_training_may_differ():
    model = Sequential([Input((4,)), Scaled(), layers.Dense(2)], dtype="float64", seed=1)
    model.compile("sgd", "mse")
    plain = np.mean((model.predict(X) - Y) ** 2)
    assert model.evaluate(X, Y) == pytest.approx(plain + 4, rel=1e-12)
    loss, gradients = model.loss_and_gradients(X, Y)
    assert loss == pytest.approx(plain + 4 + np.mean(X**2), rel=1e-12)
    by_output = (model.predict(X) - Y) / Y.size * 2 @ model.get_weights()[1].T
    wanted = (by_output * X).sum(0) + 2 + 2 * X.mean(0) * 0 + 2 * (X**2).sum(0) / X.size
    np.testing.assert_allclose(gradients[0], wanted, rtol=1e-10)


def test_the_bits_are_the_same_for_any_number_of_threads():
    found = []
    for threads in (1, 3):
        laminar.set_num_threads(threads)
        model = network(lambda h: ops.mean(ops.square(h)), lambda h: 0.01 * ops.sum(h**4))
        found.append([*weights_after(model), np.array(model.evaluate(X, Y))])
    for one, other in zip(*found, strict=True):
        assert one.tobytes() == other.tobytes()


class Sampling(layers.Layer):
    """A variational autoencoder's middle."""

    def call(self, inputs, training=False):
        mean, log_var = inputs
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1)
        self.add_loss(ops.mean(kl))
        if training:
            noise = laminar.ops.random.normal(ops.shape(mean))
            return mean + ops.exp(0.5 * log_var) * noise
        return mean


class Reconstruction(layers.Layer):
    """What makes the rest of its loss."""

    def call(self, inputs):
        x, made = inputs
        self.add_loss(ops.mean(ops.sum(ops.square(x - made), axis=-1)))
        return made


def autoencoder():
    x = Input((4,))
    h = layers.Dense(16, "relu")(x)
    code = Sampling()([layers.Dense(2)(h), layers.Dense(2)(h)])
    made = layers.Dense(4)(layers.Dense(16, "relu")(code))
    model = Model(x, Reconstruction()([x, made]), seed=3)
    model.compile(laminar.optimizers.Adam(0.01))
    return model


def test_a_model_is_trained_on_added_losses_alone():
    model = autoencoder()
    history = model.fit(X, epochs=40, batch_size=10, verbose=0, validation_data=(X, None))
    assert list(history.history) == ["loss", "val_loss"]
    losses = history.history["loss"]
    assert losses[-1] < 0.85 * losses[0]
    assert model.metrics_names == ["loss"]
    before = model.evaluate(X)
    assert model.predict(X).shape == (70, 4)
    assert np.isfinite(model.train_on_batch(X))
    assert model.evaluate(X) != before
    model.fit(X, X, epochs=1, verbose=0)  # targets may be given, and nothing reads them


def test_data_come_without_targets_in_every_form():
    batches = [X[i : i + 14] for i in range(0, 70, 14)]
    found = []
    for data in (
        X,
        laminar.data.Dataset.from_arrays(X),
        iter(batches),
        ((batch,) for batch in batches),
        ((batch, None) for batch in batches),
    ):
        model = autoencoder()
        cut = isinstance(data, (np.ndarray, laminar.data.Dataset))
        size = {"batch_size": 14} if cut else {}
        model.fit(data, verbose=0, shuffle=False, validation_data=(X,), **size)
        found.append([*model.get_weights(), np.array(model.history.history["val_loss"])])
    for other in found[1:]:
        assert all(map(np.array_equal, found[0], other))
    assert len(model.find_learning_rate(X, batch_size=None, start=1e-4, steps=50).rates) > 1


def test_targets_are_asked_for_where_something_reads_them():
    model = network(ops.mean)
    with pytest.raises((TypeError, ValueError), match="y"):
        model.fit(X, verbose=0)
    model = autoencoder()
    model.compile("adam", metrics=["mae"])
    with pytest.raises((TypeError, ValueError), match="y"):
        model.fit(X, verbose=0)
    model.fit(X, X, verbose=0)


def test_predictions_and_exports_do_without(tmp_path):
    model = network(lambda h: ops.mean(h**2), dtype="float32")
    plain = Sequential(
        [Input((4,)), layers.Dense(5, "tanh"), layers.Dense(2)], seed=5, dtype="float32"
    )
    plain.set_weights(model.get_weights())
    x = X.astype(np.float32)
    np.testing.assert_array_equal(model.predict(x), plain.predict(x))
    model.export(tmp_path / "m.c")
    assert "added" not in (tmp_path / "m.c").read_text()
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx")
    assert len(session.get_outputs()) == 1
    made = session.run(None, {session.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(made, model.predict(x), rtol=1e-5, atol=1e-6)


def test_nested_layers_and_models_keep_theirs():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Penalty(lambda h: ops.mean(h**2))

        def call(self, inputs):
            return self.inner(inputs) * 2

    x = Input((4,))
    inner = Model(x, Outer()(x))
    again = Input((4,))
    model = Model(again, layers.Dense(2)(inner(again)), dtype="float64", seed=1)
    model.compile("sgd", "mse")
    plain = np.mean((model.predict(X) - Y) ** 2)
    assert model.evaluate(X, Y) == pytest.approx(plain + np.mean(X**2), rel=1e-12)


def test_a_shared_layer_adds_for_each_call():
    a, b = Input((4,)), Input((4,))
    shared = Penalty(lambda h: ops.sum(h) * 0.01)
    model = Model([a, b], layers.Dense(2)(layers.Add()([shared(a), shared(b)])), dtype="float64")
    model.compile("sgd", "mse")
    plain = np.mean((model.predict([X, 2 * X]) - Y) ** 2)
    assert model.evaluate([X, 2 * X], Y) == pytest.approx(plain + 0.03 * X.sum(), rel=1e-11)


def test_a_file_trains_on_in_a_process_without_the_class(tmp_path):
    model = autoencoder()
    model.fit(X, epochs=2, batch_size=16, verbose=0)
    model.save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", X)
    program = """
        import sys
        import numpy as np
        import laminar
        model = laminar.load_model(sys.argv[1] + "/m.safetensors")
        x = np.load(sys.argv[1] + "/x.npy")
        model.fit(x, epochs=2, batch_size=16, verbose=0)
        np.savez(sys.argv[1] + "/w.npz", *model.get_weights(), model.evaluate(x))
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=True, timeout=120
    )
    model.fit(X, epochs=2, batch_size=16, verbose=0)
    with np.load(tmp_path / "w.npz") as other:
        for mine, name in zip([*model.get_weights(), model.evaluate(X)], other.files, strict=True):
            assert np.asarray(mine).tobytes() == other[name].tobytes()


def test_what_cannot_be_added_is_refused_where_it_is():
    def refused(function, kind, match):
        with pytest.raises(kind, match=match) as error:
            network(function)
        assert error.traceback[-1].path.name != "test_add_loss.py"
        assert any(entry.name == "<lambda>" or entry.name == "call" for entry in error.traceback)

    refused(lambda h: None, TypeError, "add_loss: loss must be a value, got None")
    refused(lambda h: "much", (TypeError, ValueError), "add_loss")
    refused(lambda h: ops.sqrt(ops.mean(h**2)), ValueError, "neither a mean nor a sum")
    refused(lambda h: ops.mean((h - ops.mean(h, axis=0)) ** 2), ValueError, "neither a mean")
    refused(lambda h: ops.matmul(h, ops.transpose(h)), ValueError, "pairs of rows")
    refused(lambda h: ops.mean(ops.cast(h > 0, "float32")), ValueError, "has no slope")
    refused(lambda h: ops.stop_gradient(h), ValueError, "has no slope")
    outside = Penalty(lambda h: h)
    with pytest.raises(RuntimeError, match="add_loss belongs into call"):
        outside.add_loss(1.0)
    with pytest.raises(TypeError, match="add_loss is for layers of one's own"):
        layers.Dense(2).add_loss(1.0)

    class Built(layers.Layer):
        def build(self, input_shape):
            self.add_loss(1.0)

        def call(self, inputs):
            return inputs

    with pytest.raises(RuntimeError, match="add_loss belongs into call"):
        Sequential([Input((4,)), Built()])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras beside NumPy 2
def test_keras_computes_the_same():
    keras = import_keras()

    class Theirs(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(inputs)))
            self.add_loss(0.01 * keras.ops.sum(keras.ops.abs(inputs), axis=-1))
            return inputs

    class Mine(layers.Layer):
        def call(self, inputs):
            self.add_loss(0.1 * ops.mean(ops.square(inputs)))
            self.add_loss(0.01 * ops.sum(ops.abs(inputs), axis=-1))
            return inputs

    theirs = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, "tanh"),
            Theirs(),
            keras.layers.Dense(2),
        ]
    )
    mine = Sequential([Input((4,)), layers.Dense(5, "tanh"), Mine(), layers.Dense(2)])
    mine.set_weights([np.asarray(w) for w in theirs.get_weights()])
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    mine.compile(laminar.optimizers.SGD(0.05), "mse")
    x, y = X[:64].astype(np.float32), Y[:64].astype(np.float32)
    found = [
        model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
        for model in (theirs, mine)
    ]
    np.testing.assert_allclose(found[1].history["loss"], found[0].history["loss"], rtol=1e-5)
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=1e-4, atol=1e-6)


def test_a_model_adds_a_loss_of_several_outputs_at_once():
    x = Input((4,))
    h = layers.Dense(6, "tanh")(x)
    a, b = layers.Dense(2, name="a")(h), layers.Dense(2, name="b")(h)
    model = Model(x, [a, b], dtype="float64", seed=2)
    before = model.get_weights()
    model.add_loss(0.5 * ops.mean(ops.square(a - b)) + 1)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert model.output_names == ["a", "b"]
    model.compile(laminar.optimizers.Adam(0.01), {"a": "mse", "b": "mae"})
    made = model.predict(X)
    assert [each.shape for each in made] == [(70, 2), (70, 2)]
    plain = np.mean((made[0] - Y) ** 2) + np.mean(np.abs(made[1] - Y))
    logs = model.evaluate(X, [Y, Y], return_dict=True)
    assert list(logs) == ["loss", "a_loss", "b_loss"]
    assert logs["loss"] == pytest.approx(plain + 0.5 * np.mean((made[0] - made[1]) ** 2) + 1)
    first = model.fit(X, {"a": Y, "b": Y}, epochs=5, verbose=0).history["loss"]
    assert first[-1] < first[0]
    with pytest.raises(RuntimeError, match="before compile"):
        model.add_loss(ops.mean(a))


def test_exports_leave_out_what_only_an_added_loss_reads(tmp_path):
    x = Input((4,))
    a, b = layers.Dense(2, name="a")(x), layers.Dense(2, name="b")(x)
    model, plain = Model(x, [a, b], seed=2), Model(x, [a, b])
    model.add_loss(ops.mean(ops.square(a - b)))
    code, other = (each.to_c().partition("*/")[2] for each in (model, plain))
    assert code == other  # behind the summary at its head
    pytest.importorskip("onnx")
    for each, name in ((model, "m.onnx"), (plain, "p.onnx")):
        each.export(tmp_path / name)
    assert abs((tmp_path / "m.onnx").stat().st_size - (tmp_path / "p.onnx").stat().st_size) < 9
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.safetensors")
    loaded = laminar.load_model(tmp_path / "m.safetensors")
    assert loaded.output_names == ["a", "b"]
    assert loaded.evaluate(X, [Y, Y]) == model.evaluate(X, [Y, Y])
    assert loaded.to_c().partition("*/")[2] == code


def test_a_model_adds_a_loss_of_rows_and_a_hidden_layer():
    x = Input((4,))
    h = layers.Dense(6, "tanh")(x)
    model = Model(x, layers.Dense(1, "sigmoid")(h), dtype="float64", seed=2)
    model.add_loss(ops.sum(h**2, axis=-1) * 0.01)
    model.add_loss(2.0)
    model.compile("sgd")
    assert model.loss.name == "added_losses"
    code = np.tanh(X @ model.get_weights()[0])
    assert model.evaluate(X) == pytest.approx(0.01 * np.sum(code**2) + 2, rel=1e-12)


def test_a_model_refuses_what_is_no_loss():
    x = Input((4,))
    h = layers.Dense(6, "tanh")(x)
    model = Model(x, h)
    with pytest.raises(TypeError, match="add_loss: loss must be what operations make"):
        model.add_loss("mse")
    with pytest.raises(ValueError, match="neither a mean nor a sum"):
        model.add_loss(ops.sqrt(ops.mean(h)))
    with pytest.raises(ValueError, match="rows of the batch come together"):
        layers.Dense(2)(ops.mean(h))
    with pytest.raises(ValueError, match=r"expand_dims\(x, -1\) makes it rows"):
        layers.Dense(2)(ops.sum(h, axis=-1))
    assert layers.Dense(2)(ops.expand_dims(ops.sum(h, axis=-1), -1)).shape == (2,)
    with pytest.raises(ValueError, match="depends on an Input"):
        model.add_loss(ops.mean(Input((2,))))
    assert [layer.name for layer in model.layers] == ["dense"]
    assert model.predict(X).shape == (70, 6)


def test_an_own_loop_gets_the_losses_of_a_call():
    model = network(lambda h: 0.1 * ops.sum(h**2), lambda h: ops.mean(h))
    wanted, gradients = model.loss_and_gradients(X, Y)
    with laminar.GradientTape() as tape:
        made = model(X, training=True)
        added = model.losses
        loss = ops.mean(ops.square(made - Y)) + sum(added)
    assert len(added) == 2
    assert float(loss) == pytest.approx(wanted, rel=1e-12)
    found = tape.gradient(loss, model.trainable_variables)
    for mine, other in zip(found, gradients, strict=True):
        np.testing.assert_allclose(np.asarray(mine), other, rtol=1e-10, atol=1e-13)
    assert network().losses == []
