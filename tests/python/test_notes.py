# SPDX-License-Identifier: Apache-2.0
"""The worked examples of the lecture notes in their correct values, and the notes' own programs.

Where the notes slip, the test says so. Their programs stand in the folder ``notes``; what they show
is the notes' text but for the line that imports laminar.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import identity_model

from laminar import Sequential, layers, optimizers, utils

PROGRAMS = sorted(Path(__file__).with_name("notes").glob("*.py"))

X = [[95.0, 4.0, 4.0]]
Y = [[1.0]]


def two_units() -> Sequential:
    """Return the notes' network: three inputs, one hidden unit, one output unit."""
    model = Sequential(
        [layers.Input(3), layers.Dense(1, "sigmoid"), layers.Dense(1, "sigmoid")],
        dtype="float64",
    )
    model.set_weights([[[0.01], [0.02], [0.03]], [0.01], [[0.02]], [0.03]])
    return model


def activation(name: str, *z: float) -> Any:
    return identity_model(len(z), name).predict([list(z)])[0]


def slope(name: str, z: float) -> float:
    """Return f'(z): the derivative by a bias of a unit whose loss is its output."""
    model = identity_model(1, name)
    model.compile("sgd", "mae")  # abs(y - p) with y far below p: the slope of the loss is 1
    return float(model.loss_and_gradients([[z]], [[-1e3]])[1][1][0])


def test_first_unit() -> None:
    unit = Sequential([layers.Input(3), layers.Dense(1)], dtype="float64")
    unit.set_weights([[[0.01], [0.02], [0.03]], [0.01]])
    z = unit.predict(X)[0, 0]
    assert z == pytest.approx(1.16, rel=1e-14)  # the notes say 1.51
    assert activation("sigmoid", z)[0] == pytest.approx(0.7613327148, abs=5e-11)


def test_second_unit_and_its_error() -> None:
    second = Sequential([layers.Input(1), layers.Dense(1)], dtype="float64")
    second.set_weights([[[0.02]], [0.03]])
    z = second.predict([[0.7613327148]])[0, 0]
    assert z == pytest.approx(0.0452266543, abs=5e-11)
    p = two_units().predict(X)[0, 0]
    assert p == pytest.approx(0.5113047367, abs=5e-11)
    assert 1 - p == pytest.approx(0.4886952633, abs=5e-11)  # an error, not a loss
    for loss, value in (("mse", 0.2388230604), ("binary_crossentropy", 0.6707895129)):
        model = two_units()
        model.compile("sgd", loss)
        assert model.evaluate(X, Y) == pytest.approx(value, abs=5e-11)


def test_back_propagation() -> None:
    model = two_units()
    model.compile("sgd", "binary_crossentropy")
    _, (d_w, d_z1, d_w4, d_z2) = model.loss_and_gradients(X, Y)  # d_b is d_z of one row
    assert d_z2[0] == pytest.approx(-0.4886952633, abs=5e-11)
    assert d_w4[0, 0] == pytest.approx(-0.3720596915, abs=5e-11)
    assert d_z1[0] == pytest.approx(-0.0017759695, abs=5e-11)
    np.testing.assert_allclose(
        d_w[:, 0], [-0.1687171053, -0.0071038781, -0.0071038781], rtol=0, atol=5e-11
    )
    model.compile("sgd", "mse")  # with the factor 2 of the square
    _, (d_w, _, d_w4, _) = model.loss_and_gradients(X, Y)
    assert d_w4[0, 0] == pytest.approx(-0.1859347495, abs=5e-11)
    assert d_w[0, 0] == pytest.approx(-0.0843154296, abs=5e-11)


def test_softmax() -> None:
    np.testing.assert_allclose(
        activation("softmax", -1, 0, 3, 5),
        [0.0021656965, 0.0058869733, 0.1182430203, 0.8737043100],  # the notes reach 86 %
        rtol=0,
        atol=5e-11,
    )
    np.testing.assert_allclose(
        activation("softmax", 0.8, 0.7, 0.6, 0.1),
        [0.31054, 0.28099, 0.25425, 0.15421],
        rtol=0,
        atol=6e-6,
    )


def test_one_hot() -> None:
    good, bad, neutral = utils.to_categorical([0, 1, 2])
    assert (good.tolist(), bad.tolist(), neutral.tolist()) == ([1, 0, 0], [0, 1, 0], [0, 0, 1])


def test_slopes_of_the_sigmoid() -> None:
    assert slope("sigmoid", 5.0) == pytest.approx(0.006648, abs=5e-7)
    assert slope("sigmoid", 3.0) == pytest.approx(0.045177, abs=5e-7)
    assert slope("sigmoid", 0.0) == 0.25
    for depth, bound in ((5, 9.8e-4), (10, 9.5e-7), (20, 9.1e-13)):
        assert slope("sigmoid", 0.0) ** depth == pytest.approx(bound, rel=6e-3)


def test_averaging() -> None:
    # RMSprop's memory, s = rho s + (1 - rho) g^2, seen in the steps it makes: with s = 0 before
    # a1, three gradients weigh .95^2 * .05, .95 * .05 and .05. The notes begin with s = a1.
    beta, a = 0.95, (2.0, 3.0, 5.0)
    weights = (beta**2, beta * (1 - beta), 1 - beta)
    assert weights == pytest.approx((0.9025, 0.0475, 0.05), rel=1e-12)
    assert sum(weights) == pytest.approx(1)
    model = Sequential([layers.Input(1), layers.Dense(1, use_bias=False)], dtype="float64")
    model.set_weights([[[0.0]]])
    model.compile(optimizers.RMSprop(0.0, rho=beta, epsilon=1e-300), "mae")
    for g in a:  # the gradient of abs(y - x w) with y far above is -x
        assert model.optimizer is not None
        model.optimizer.learning_rate = 1.0 if g == a[-1] else 0.0
        model.train_on_batch([[g]], [[1e6]])
    s = (1 - beta) * sum(beta ** (2 - i) * g**2 for i, g in enumerate(a))
    assert model.get_weights()[0][0, 0] == pytest.approx(a[-1] / math.sqrt(s), rel=1e-9)


def test_adam_needs_its_correction() -> None:
    # With g = 1 every corrected step is the rate. Uncorrected, m / sqrt(v) of the first step is
    # (1 - b1) / sqrt(1 - b2): 3.16 times too large.
    model = Sequential([layers.Input(1), layers.Dense(1, use_bias=False)], dtype="float64")
    model.set_weights([[[0.0]]])
    model.compile("adam", "mae")
    for step in range(1, 6):
        model.train_on_batch([[1.0]], [[1e6]])
        assert model.get_weights()[0][0, 0] == pytest.approx(0.001 * step, rel=1e-5)
    optimizer = optimizers.Adam()
    uncorrected = (1 - optimizer.beta_1) / math.sqrt(1 - optimizer.beta_2)
    assert uncorrected == pytest.approx(3.16, abs=5e-3)


# Section "training": how many updates there are.


def updates(rows: int, batch_size: int | None, epochs: int) -> int:
    model = Sequential([layers.Input(1), layers.Dense(1)], seed=1)
    model.compile({"name": "sgd", "learning_rate": 0.0}, "mse")
    model.fit(
        np.zeros((rows, 1), np.float32),
        np.zeros(rows, np.float32),
        batch_size=batch_size,
        epochs=epochs,
        verbose=0,
    )
    assert model.optimizer is not None
    return model.optimizer.iterations


@pytest.mark.parametrize(
    ("rows", "batch_size", "epochs", "expected"),
    [
        (1000, 90, 1, 12),  # the last batch has 10 rows
        (1000, 100, 1, 10),
        (100_000, 1000, 1, 100),
        (1000, None, 100, 100),
        (1000, 1000, 100, 100),
        (1000, 5000, 100, 100),
        (1000, 1, 100, 100_000),
    ],
)
def test_updates(rows: int, batch_size: int | None, epochs: int, expected: int) -> None:
    assert updates(rows, batch_size, epochs) == expected


def test_a_partial_batch_is_weighted_by_its_own_size() -> None:
    # Rows of one kind have one gradient, however many are in a batch.
    x, y = np.ones((5, 1)), np.full((5, 1), 3.0)
    steps = []
    for rows in (4, 5):  # batches of 4, and of 4 and 1
        model = Sequential([layers.Input(1), layers.Dense(1, use_bias=False)], dtype="float64")
        model.set_weights([[[0.0]]])
        model.compile(optimizers.SGD(0.25), "mse")
        model.fit(x[:rows], y[:rows], batch_size=4, verbose=0)
        steps.append(3 - model.get_weights()[0][0, 0])
    assert steps == pytest.approx([1.5, 0.75])


# The notes' programs.

# What the notes write, each of which stands in a program.
SNIPPETS = (
    "optimizers.SGD(lr=0.1, decay=0.001)",
    "model.compile(optimizer=sgd, loss='mse')",
    "model.add(layers.Dropout(0.4))",
    "layers.Dense(200",
    "optimizers.SGD(lr=0.03, momentum=0.9)",
    "optimizers.SGD(lr=0.03, momentum=0.9, nesterov=True)",
    "model.compile(optimizer='adagrad', loss='categorical_crossentropy', metrics=['accuracy'])",
    "model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])",
    "class MyDenseLayer(layers.Layer):",
    'self.kernel = self.add_weight("kernel", shape=[int(input_shape[-1]), self.num_outputs])',
    "def call(self, inputs):",
    "with GradientTape() as tape:",
    "tape.gradient(loss, model.trainable_variables)",
    "optimizer.apply_gradients(zip(grads, variables))",
    "layers.Dropout(p=0.5)",
    "from laminar import keras",
    "import laminar.keras.layers",
    "import laminar.compat.tensorflow as tf",
)


def fitted(made: dict[str, Any]) -> Any:
    """Return the history of a program that has fitted; its losses are numbers, and it moved."""
    losses = made["history"].history["loss"]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]
    return made["history"]


def of_decay(made: dict[str, Any]) -> None:
    fitted(made)
    assert made["sgd"].iterations == 2
    assert float(made["sgd"].learning_rate) == pytest.approx(0.1 / (1 + 0.001 * 2))


def of_momentum(made: dict[str, Any]) -> None:
    fitted(made)
    assert (made["sgd"].momentum, made["sgd"].nesterov) == (0.9, False)


def of_nesterov(made: dict[str, Any]) -> None:
    fitted(made)
    assert (made["sgd"].momentum, made["sgd"].nesterov) == (0.9, True)


def of_classifier(made: dict[str, Any]) -> None:
    assert 0 <= fitted(made).history["accuracy"][-1] <= 1
    shares = made["model"].predict(made["x"], verbose=0)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def of_dropout(made: dict[str, Any]) -> None:
    fitted(made)
    rates = [layer.rate for layer in made["model"].layers if isinstance(layer, layers.Dropout)]
    assert rates == [0.4, 0.5]


def of_custom_layer(made: dict[str, Any]) -> None:
    layer, tf = made["layer"], made["tf"]
    kernel, bias = layer.get_weights()
    x = np.linspace(-1, 1, 15, dtype=np.float32).reshape(3, 5)
    np.testing.assert_allclose(layer(x), np.maximum(x @ kernel + bias, 0), rtol=1e-5, atol=1e-6)
    assert made["model"].predict(tf.ones([2, 4]).numpy(), verbose=0).shape == (2, 1)


def of_loop(made: dict[str, Any]) -> None:
    assert made["losses"][-1] < made["losses"][0]


def of_descent(made: dict[str, Any]) -> None:
    assert (float(made["w"]), float(made["b"])) == pytest.approx((3, 2), abs=1e-3)
    np.testing.assert_allclose(made["gradient"], [-2.0, 8.0])
    np.testing.assert_allclose(made["weights"], [0.2, 4.2], rtol=1e-6)


def of_names(made: dict[str, Any]) -> None:
    assert made["laminar"].keras.layers.Dense is layers.Dense
    assert made["model"].count_params() == 21


RESULTS = {
    "adagrad": of_classifier,
    "adam": of_classifier,
    "custom_layer": of_custom_layer,
    "decay": of_decay,
    "descent": of_descent,
    "dropout": of_dropout,
    "keras_names": of_names,
    "momentum": of_momentum,
    "nesterov": of_nesterov,
    "own_network": of_loop,
    "tape": of_loop,
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_programs_of_the_notes(program: Path) -> None:
    np.random.seed(0)
    utils.set_random_seed(0)
    made = {"__name__": f"notes_{program.stem}"}
    exec(compile(program.read_text(), str(program), "exec"), made)
    RESULTS[program.stem](made)


def test_every_snippet_is_in_a_program() -> None:
    assert {program.stem for program in PROGRAMS} == set(RESULTS)
    everything = "\n".join(program.read_text() for program in PROGRAMS)
    assert [snippet for snippet in SNIPPETS if snippet not in everything] == []


# Slips of the keyboard: what was meant is named.
TYPOS = {
    "optimizers.SDG(lr=0.1, decay=0.001)": "did you mean 'SGD'",
    "optimizers.SGD(lr=0.03, momentun=0.9)": "did you mean 'momentum'",
    "optimizers.SGD(lr=0.03, momentum=0.9, nestrov=True)": "did you mean 'nesterov'",
    "layers.Dens(200)": "did you mean 'Dense'",
    "layers.Dense(200, activaton='relu')": "did you mean 'activation'",
    "layers.Dense(200, activation='rleu')": "did you mean 'relu'",
    "layers.DropOut(0.4)": "did you mean 'Dropout'",
    "model.compile(optimizer='adagard', loss='mse')": "did you mean 'adagrad'",
    "model.compile(optimizer='adam', loss='categorical_crossentrpy')": "did you mean 'Categorical",
    "model.compile(optimizer='adam', loss='mse', metrics=['acuracy'])": "did you mean 'accuracy'",
    "model.compile(optimzer='adam', loss='mse')": "did you mean 'optimizer'",
    "tf.GradientTap()": "did you mean 'GradientTape'",
    "tf.GradientTape(persistant=True)": "did you mean 'persistent'",
    "tf.reduce_men([1.0])": "did you mean 'reduce_mean'",
    "tf.nn.rellu([1.0])": "did you mean 'relu'",
    "tf.keras.optimizer.SGD()": "did you mean 'optimizers'",
    "keras.layrs.Dense(3)": "did you mean 'layers'",
    "keras.Sequental()": "did you mean 'Sequential'",
    "own.add_weight('kernel', shap=[3, 2])": "did you mean 'shape'",
}


@pytest.mark.parametrize("line", TYPOS)
def test_typos_get_a_hint(line: str) -> None:
    class Own(layers.Layer):
        pass

    known: dict[str, Any] = {"model": two_units(), "own": Own()}
    exec(
        "import laminar.compat.tensorflow as tf\n"
        "from laminar import keras\n"
        "from laminar.keras import layers, optimizers\n",
        known,
    )
    with pytest.raises((AttributeError, TypeError, ValueError), match=TYPOS[line]):
        exec(line, known)
