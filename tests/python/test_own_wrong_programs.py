# SPDX-License-Identifier: Apache-2.0
"""Wrong programs with parts of one's own: what each is told, where, and that nothing has changed.

A program is a text in which the wrong line ends with ``# here``: that is the last line of the
user's in the traceback. Each has a trained model with own parts, whose weights keep their bits and
which predicts and trains on afterwards.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from laminar import Input, Model, Sequential, _slopes, layers, ops

PROLOGUE = """
import numpy as np
import math
import laminar
from laminar import GradientTape, Input, Model, Sequential, Variable
from laminar import callbacks, layers, losses, metrics, models, ops, optimizers


class Scaled(layers.Layer):
    def build(self, input_shape):
        self.factors = self.add_weight((input_shape[-1],), "ones")

    def call(self, inputs):
        return ops.tanh(inputs * self.factors)


def huber(y, p):
    return ops.where(ops.abs(y - p) < 1, 0.5 * (y - p) ** 2, ops.abs(y - p) - 0.5)


x = np.linspace(-1, 1, 36, dtype=np.float32).reshape(12, 3)
y = x.sum(axis=1, keepdims=True)
model = Sequential([Input(3), layers.Dense(4, "tanh"), Scaled(), layers.Dense(1)], seed=0)
model.compile("adam", huber, metrics=[huber])
model.fit(x, y, epochs=1, verbose=0)
"""


class Wrong(NamedTuple):
    """A program, the error it ends with, and what the message must hold."""

    text: str
    error: type[Exception]
    message: str


def layer(body: str, weights: str = "pass") -> str:
    """Return a program with an own layer: the body of its call, and that of its build."""
    calls = "\n        ".join(body.splitlines())
    return f"""
class Mine(layers.Layer):
    def build(self, input_shape):
        {weights}

    def call(self, inputs, training=False):
        {calls}

wrong = Sequential([Input(3), Mine(), layers.Dense(1)])
"""


def compiled(body: str, kind: str = "loss") -> str:
    """Return a program that gives the model another loss or metric, the body of its function."""
    calls = "\n    ".join(body.splitlines())
    given = '"mse", metrics=[mine]' if kind == "metric" else "mine"
    return f"""
def mine(y_true, y_pred):
    {calls}

model.compile("adam", {given})
model.fit(x, y, verbose=0)
"""


PROGRAMS: dict[str, Wrong] = {
    # Python that looks at numbers which are not there yet.
    "if on a value": Wrong(
        layer("if ops.sum(inputs) > 0:  # here\n    return inputs\nreturn -inputs"),
        TypeError,
        r"laminar\.ops\.where",
    ),
    "while on a value": Wrong(
        layer("while inputs < 1:  # here\n    inputs = inputs * 2\nreturn inputs"),
        TypeError,
        r"laminar\.ops\.where",
    ),
    "and": Wrong(
        layer("return ops.where(inputs > 0 and inputs < 1, inputs, 0.0)  # here"),
        TypeError,
        "logical_and",
    ),
    "a loop over rows": Wrong(
        layer("return ops.stack([row * 2 for row in inputs])  # here"),
        TypeError,
        "rows cannot be gone through",
    ),
    "len of the rows": Wrong(
        layer("return inputs / len(inputs)  # here"), TypeError, "number of rows is not known"
    ),
    "max of Python": Wrong(layer("return max(inputs, 0.0)  # here"), TypeError, r"ops\.where"),
    "float of a value": Wrong(
        layer("return inputs * float(inputs[:, 0])  # here"), TypeError, r"float\(\)"
    ),
    "a function of math": Wrong(
        layer("return inputs * math.exp(inputs)  # here"), TypeError, "a function of math"
    ),
    "NumPy on a value": Wrong(
        layer("return np.tanh(inputs)  # here"), TypeError, r"write laminar\.ops\.tanh|ops\.tanh"
    ),
    "NumPy's method": Wrong(
        layer("return inputs - inputs.mean(axis=-1)  # here"),
        AttributeError,
        r"write laminar\.ops\.mean",
    ),
    "numpy() in call": Wrong(layer("return inputs.numpy()  # here"), AttributeError, "no numbers"),
    "parts are set": Wrong(
        layer("inputs[:, 0] = 1.0  # here\nreturn inputs"), TypeError, "parts of a value cannot"
    ),
    "a mask as an index": Wrong(
        layer("return inputs[inputs > 0]  # here"), TypeError, r"where\(\) by a condition"
    ),
    "a row is picked": Wrong(layer("return inputs[0]  # here"), IndexError, "one row cannot be"),
    "a list as an index": Wrong(
        layer("return inputs[:, [0, 1]]  # here"), TypeError, r"laminar\.ops\.take"
    ),
    "a value is kept": Wrong(
        """
kept = []
class Mine(layers.Layer):
    def call(self, inputs):
        kept.append(inputs)
        return inputs

wrong = Sequential([Input(3), Mine()])
ops.exp(kept[0])  # here
""",
        ValueError,
        "belongs to a call that is over",
    ),
    # Shapes and operations.
    "shapes that do not go together": Wrong(
        layer("return inputs + np.ones(4)  # here"), ValueError, r"add: shapes \(None, 3\), \(4,\)"
    ),
    "a product that does not fit": Wrong(
        layer("return inputs @ self.kernel  # here", "self.kernel = self.add_weight((4, 2))"),
        ValueError,
        r"matmul: .*\(None, 3\) and \(4, 2\)",
    ),
    "an axis that is none": Wrong(
        layer("return ops.sum(inputs, axis=2)  # here"), ValueError, "sum: axis 2 is none of"
    ),
    "an index too large": Wrong(
        layer("return inputs[:, 3:4] + inputs[:, 5]  # here"), IndexError, "index 5 is out of range"
    ),
    "a shape that does not divide": Wrong(
        layer("return ops.reshape(inputs, (-1, 2))  # here"), ValueError, "reshape: shape"
    ),
    "an operation misspelt": Wrong(
        layer("return ops.tahn(inputs)  # here"), AttributeError, "did you mean 'tanh'"
    ),
    "an argument misspelt": Wrong(
        layer("return ops.sum(inputs, axes=1)  # here"), TypeError, "did you mean 'axis'"
    ),
    "TensorFlow's name": Wrong(
        layer("return ops.reduce_sum(inputs, axis=1)  # here"), AttributeError, "reduce_sum"
    ),
    "integers": Wrong(
        layer('return ops.cast(inputs, "int32")  # here'), ValueError, "must be float32 or float64"
    ),
    "text": Wrong(layer('return inputs + "a"  # here'), TypeError, "add: x2 must hold"),
    # Layers.
    "a layer without call": Wrong(
        "class Mine(layers.Layer):\n    pass\n\nwrong = Sequential([Input(3), Mine()])  # here",
        NotImplementedError,
        r"defines call\(self, inputs\)",
    ),
    "a layer of a built-in one": Wrong(
        "class Mine(layers.Dense):  # here\n    def call(self, inputs):\n        return inputs",
        NotImplementedError,
        "derives from Layer itself",
    ),
    "a weight in call": Wrong(
        layer("return inputs * self.add_weight((3,))  # here"), RuntimeError, "in __init__ or build"
    ),
    "a weight before build": Wrong(
        layer("return inputs * self.factors  # here"), AttributeError, "factors"
    ),
    "a weight's shape with the rows": Wrong(
        layer("return inputs", "self.w = self.add_weight(input_shape)  # here"),
        ValueError,
        "that of the rows is no part of a weight",
    ),
    "a weight's initializer": Wrong(
        layer("return inputs", 'self.w = self.add_weight((3,), "one")  # here'),
        ValueError,
        "did you mean 'ones'",
    ),
    "a weight's argument": Wrong(
        layer("return inputs", "self.w = self.add_weight((3,), regulariser='l2')  # here"),
        TypeError,
        "did you mean 'regularizer'",
    ),
    "a weight of another layer": Wrong(
        layer("return inputs * model.layers[1].factors[:3]  # here"),
        ValueError,
        "which is none of its weights",
    ),
    "a layer made in call": Wrong(
        layer("return layers.Dense(2)(inputs)  # here"), ValueError, "none of its weights"
    ),
    "BatchNormalization inside": Wrong(
        layer("return self.inner(inputs)  # here", "self.inner = layers.BatchNormalization()"),
        ValueError,
        "cannot be inside a layer of one's own",
    ),
    "rows brought together": Wrong(
        layer("return inputs - ops.mean(inputs, axis=0)").replace("(1)])", "(1)])  # here"),
        ValueError,
        "call brings together rows of a batch",
    ),
    "no row in the result": Wrong(
        layer("return ops.sum(inputs, axis=0)").replace("(1)])", "(1)])  # here"),
        ValueError,
        "must return a value for each row",
    ),
    "nothing returned": Wrong(
        layer("ops.tanh(inputs)").replace("(1)])", "(1)])  # here"),
        TypeError,
        "must return a value, got None",
    ),
    "shapes by the mode": Wrong(
        layer("return inputs[:, :2] if training else inputs").replace("(1)])", "(1)])  # here"),
        ValueError,
        "the same shape in training and prediction",
    ),
    "training=2": Wrong("Scaled()(x, training=2)  # here", TypeError, "training must be True or"),
    "training of a built-in layer": Wrong(
        "layers.Dropout(0.5)(x, training='yes')  # here", TypeError, "training must be True or"
    ),
    "Lambda of a number": Wrong("layers.Lambda(3)  # here", TypeError, "must be callable, got 3"),
    "Lambda with NumPy": Wrong(
        "wrong = Sequential([Input(3), layers.Lambda(lambda v: np.abs(v))])  # here",
        TypeError,
        r"write laminar\.ops\.abs",
    ),
    "an activation that sums": Wrong(
        "wrong = Sequential([Input(3), layers.Dense(2, lambda v: ops.sum(v, axis=-1))])  # here",
        ValueError,
        "its activation must return the shape",
    ),
    "an initializer of another shape": Wrong(
        "ones = lambda shape, dtype=None: np.ones(7)\n"
        "Sequential([Input(3), layers.Dense(2, kernel_initializer=ones)])  # here",
        ValueError,
        r"must return shape \(3, 2\), got \(7,\)",
    ),
    "arrays of another width": Wrong(
        layer("return inputs * self.w  # here", "self.w = self.add_weight((input_shape[-1],))")
        + "wrong.layers[0](x[:, :2])",
        ValueError,
        r"\(None, 2\), \(3,\)",
    ),
    # Losses and metrics.
    "a loss of three arguments": Wrong(
        "def mine(y, p, w):\n    return y - p\n\nmodel.compile('sgd', mine)  # here",
        TypeError,
        r"must be a function of \(y_true, y_pred\)",
    ),
    "a loss of columns": Wrong(
        compiled("return ops.mean((y_true - y_pred) * np.ones(3), axis=0)").replace(
            "mine)\nmodel.fit", "mine)  # here\nmodel.fit"
        ),
        ValueError,
        "must return a number for each row",
    ),
    "a loss without a slope": Wrong(
        compiled("return ops.mean(y_true != ops.sign(y_pred))").replace(
            "mine)\nmodel.fit", "mine)  # here\nmodel.fit"
        ),
        ValueError,
        "has no slope by y_pred",
    ),
    "a loss of targets alone": Wrong(
        compiled("return ops.square(y_true)").replace(
            "mine)\nmodel.fit", "mine)  # here\nmodel.fit"
        ),
        ValueError,
        "has no slope by y_pred",
    ),
    "a loss of nothing": Wrong(
        compiled("ops.square(y_true - y_pred)").replace(
            "mine)\nmodel.fit", "mine)  # here\nmodel.fit"
        ),
        TypeError,
        "must return a value, got None",
    ),
    "a loss with NumPy": Wrong(
        compiled("return np.square(y_true - y_pred)  # here"), TypeError, r"laminar\.ops\.square"
    ),
    "a loss with an if": Wrong(
        compiled("return y_pred if y_true > y_pred else y_true  # here"), TypeError, r"ops\.where"
    ),
    "a loss of another width": Wrong(
        compiled("return y_pred @ np.ones((7, 2))  # here"), ValueError, r"\(None, 1\) and \(7, 2\)"
    ),
    "a metric of pairs": Wrong(
        compiled("return ops.matmul(y_pred, ops.transpose(y_true))", "metric").replace(
            "[mine])\nmodel.fit", "[mine])  # here\nmodel.fit"
        ),
        ValueError,
        "pairs of rows must be reduced",
    ),
    "a metric with NumPy": Wrong(
        compiled("return np.abs(y_true - y_pred)  # here", "metric"),
        TypeError,
        r"laminar\.ops\.abs",
    ),
    "a metric with update_state": Wrong(
        "class Mine(metrics.Metric):  # here\n    def update_state(self, y, p):\n        pass",
        NotImplementedError,
        r"write call\(self, y_true, y_pred\)",
    ),
    "a metric without call": Wrong(
        "class Mine(metrics.Metric):  # here\n    pass",
        NotImplementedError,
        "derives from Metric itself, with call",
    ),
    "a metric twice": Wrong(
        "model.compile('sgd', 'mse', metrics=[huber, huber])  # here", ValueError, "given twice"
    ),
    "targets of another shape": Wrong(
        "model.fit(x, np.ones((12, 2)), verbose=0)  # here",
        ValueError,
        r"must have shape \(rows, 1\)",
    ),
    "targets of another number": Wrong(
        "model.fit(x, y[:5], verbose=0)  # here", ValueError, "12 rows"
    ),
    # Tapes, variables and updates.
    "a tape used twice": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    loss = ops.mean(ops.square(model(x) - y))
tape.gradient(loss, w)
tape.gradient(loss, w)  # here
""",
        RuntimeError,
        "persistent=True",
    ),
    "gradient by arrays": Wrong(
        """
with GradientTape() as tape:
    loss = ops.mean(ops.square(model(x) - y))
tape.gradient(loss, model.get_weights())  # here
""",
        TypeError,
        "sources must be variables and tensors",
    ),
    "gradient of text": Wrong(
        "with GradientTape() as tape:\n    model(x)\n"
        "tape.gradient('loss', model.trainable_variables)  # here",
        TypeError,
        "target must be a tensor",
    ),
    "watch of an array": Wrong(
        "with GradientTape() as tape:\n    tape.watch(x)  # here", TypeError, "convert_to_tensor"
    ),
    "a loss outside of the tape": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    pass
loss = ops.mean(ops.square(model(ops.convert_to_tensor(x)) - y))
grads = tape.gradient(loss, w)
optimizers.SGD(0.1).apply_gradients(zip(grads, w))  # here
""",
        ValueError,
        "no variable has a gradient",
    ),
    "a loss of NumPy's": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    loss = np.mean(np.square(model(x).numpy() - y))
optimizers.SGD(0.1).apply_gradients(zip(tape.gradient(loss, w), w))  # here
""",
        ValueError,
        "no variable has a gradient",
    ),
    "no slope on the way to a weight": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    loss = ops.mean(ops.floor(model(x)))
optimizers.SGD(0.1).apply_gradients(zip(tape.gradient(loss, w), w))  # here
""",
        ValueError,
        "no variable has a gradient",
    ),
    "gradients of another number": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    loss = ops.mean(model(x))
grads = tape.gradient(loss, w)
optimizers.SGD(0.1).apply(grads[:2], w)  # here
""",
        ValueError,
        "5 variables but 2 gradients",
    ),
    "gradients of another order": Wrong(
        """
w = model.trainable_variables
with GradientTape() as tape:
    loss = ops.mean(model(x))
grads = tape.gradient(loss, w)
optimizers.SGD(0.1).apply_gradients(zip(grads[::-1], w))  # here
""",
        ValueError,
        "must be of shape",
    ),
    "pairs that are none": Wrong(
        "optimizers.SGD(0.1).apply_gradients(model.trainable_variables)  # here",
        TypeError,
        "takes pairs of a gradient and a variable",
    ),
    "an update of arrays": Wrong(
        "optimizers.SGD(0.1).apply_gradients([([1.0], Variable([1.0])), ([1.0], [1.0])])  # here",
        TypeError,
        "variable 1 must be a variable like the others, got list",
    ),
    "an optimizer for two lists": Wrong(
        """
a, b = Variable(1.0), Variable(2.0)
optimizer = optimizers.Adam()
optimizer.apply_gradients([(1.0, a)])
optimizer.apply_gradients([(1.0, b)])  # here
""",
        ValueError,
        "make an optimizer for each list",
    ),
    "gradients after an update": Wrong(
        """
w = model.trainable_variables
other = models.clone_model(model)
w = other.trainable_variables
with GradientTape(persistent=True) as tape:
    loss = ops.mean(other(x))
optimizers.SGD(0.1).apply_gradients(zip(tape.gradient(loss, w), w))
tape.gradient(loss, w)  # here
""",
        RuntimeError,
        "its weights have changed since the call",
    ),
    "types that meet": Wrong(
        "Variable(1.0) + Variable(1.0, dtype='float64')  # here", TypeError, r"ops\.cast"
    ),
    "a variable of integers": Wrong(
        "Variable([1, 2], dtype='int32')  # here", ValueError, "must be float32 or float64"
    ),
    "a variable of text": Wrong("Variable('a')  # here", TypeError, "must hold booleans, integers"),
    "a variable of another shape": Wrong(
        "Variable([1.0, 2.0]).assign([1.0])  # here", ValueError, r"must be of shape \(2,\), got"
    ),
    "a weight of another shape": Wrong(
        "model.trainable_variables[0].assign(np.ones((2, 2)))  # here",
        ValueError,
        r"must be of shape \(3, 4\), got \(2, 2\)",
    ),
    "an own weight of another shape": Wrong(
        "model.layers[1].factors.assign(np.ones(2))  # here",
        ValueError,
        r"shape \(4,\), got \(2,\)",
    ),
    "a tensor is assigned to": Wrong(
        "ops.convert_to_tensor(x).assign(x)  # here", TypeError, "laminar.Variable can"
    ),
    "parts of a variable are set": Wrong(
        "v = Variable([1.0])\nv[0] = 2.0  # here", TypeError, "parts of a value cannot be set"
    ),
    "a model called on another width": Wrong(
        "with GradientTape() as tape:\n    model(x[:, :2])  # here",
        ValueError,
        "2 columns|features",
    ),
    "a second derivative of a built-in loss": Wrong(
        """
p = Variable(y)
with GradientTape() as outer:
    with GradientTape() as inner:
        loss = losses.MeanSquaredError()(y * 2, p)
    slope = inner.gradient(loss, p)
outer.gradient(slope, p)  # here
""",
        ValueError,
        "write the loss in",
    ),
    "no slope in a layer of its own": Wrong(
        layer("return ops.floor(inputs @ self.w)", "self.w = self.add_weight((3, 2))")
        + """
wrong.compile("sgd", "mse")
wrong.fit(x, y, verbose=0)  # here
""",
        ValueError,
        "layer 'mine': no slope leads from its output back to w",
    ),
    "no slope behind a layer": Wrong(
        """
wrong = Sequential([Input(3), layers.Dense(4), layers.Lambda(ops.sign), layers.Dense(1)])
wrong.compile("sgd", "mse")
wrong.train_on_batch(x, y)  # here
""",
        ValueError,
        "layer 'dense': no slope leads from the outputs back to its weights: 'lambda' behind it",
    ),
    "no slope of an activation": Wrong(
        """
wrong = Sequential([layers.Dense(4, lambda v: v > 0), layers.Dense(1)])
wrong.compile("sgd", "mse")
wrong.fit(x, y, verbose=0)  # here
""",
        ValueError,
        "layer 'dense': no slope leads from its output back to kernel, bias",
    ),
    "no slope on any way": Wrong(
        """
start = Input(3)
code = layers.Dense(2)(start)
wrong = Model(start, layers.Dense(1)(ops.where(code > 0, 1.0, 0.5) + ops.floor(code)))
wrong.compile("sgd", "mse")
wrong.fit(x, y, verbose=0)  # here
""",
        ValueError,
        "layer 'dense': no slope leads from the outputs back",
    ),
    # Regularizers and constraints.
    "a penalty for each weight": Wrong(
        "Sequential([Input(3), layers.Dense(2, kernel_regularizer=lambda w: w**2)])  # here",
        ValueError,
        r"must return one number, of shape \(\), got \(3, 2\); laminar\.ops\.sum",
    ),
    "a penalty with NumPy": Wrong(
        """
def mine(w):
    return 0.01 * np.sum(w)  # here

Sequential([Input(3), layers.Dense(2, kernel_regularizer=mine)])
""",
        TypeError,
        r"write laminar\.ops\.sum",
    ),
    "a penalty of two arguments": Wrong(
        "layers.Dense(2, kernel_regularizer=huber)  # here",
        TypeError,
        "must be a function of the weights alone",
    ),
    "a penalty on outputs": Wrong(
        "layers.Dense(2, activity_regularizer=lambda v: ops.sum(v**2))  # here",
        TypeError,
        "a layer of one's own or a loss may add a penalty on outputs",
    ),
    "a constraint of another shape": Wrong(
        "Sequential([Input(3), layers.Dense(2, kernel_constraint=lambda w: w[0])])  # here",
        ValueError,
        r"must return weights of the shape that it is given, \(3, 2\), got \(2,\)",
    ),
    "a constraint with an if": Wrong(
        """
def mine(w):
    if ops.min(w) < 0:  # here
        return -w
    return w

Sequential([Input(3), layers.Dense(2, bias_constraint=mine)])
""",
        TypeError,
        r"laminar\.ops\.where",
    ),
    # Files and exports.
    "custom_objects of another kind": Wrong(
        "model.save(path)\nmodels.load_model(path, custom_objects=[Scaled])  # here",
        TypeError,
        "custom_objects",
    ),
    "custom_objects of a function": Wrong(
        "model.save(path)\nmodels.load_model(path, custom_objects={'Scaled': len})  # here",
        ValueError,
        "'Scaled' must be a class that derives from layers.Layer, got <built-in function len>",
    ),
    "custom_objects of another class": Wrong(
        """
model.save(path)
class Scaled(layers.Layer):
    def build(self, input_shape):
        self.factors = self.add_weight((input_shape[-1], 2))

    def call(self, inputs):
        return inputs @ self.factors

models.load_model(path, custom_objects={'Scaled': Scaled})  # here
""",
        ValueError,
        "the class Scaled that is known here computes something else than the layer of the file",
    ),
    "custom_objects of a class that fails": Wrong(
        """
model.save(path)
class Scaled(layers.Layer):
    def call(self, inputs):
        return np.tanh(inputs)  # here

models.load_model(path, custom_objects={'Scaled': Scaled})
""",
        TypeError,
        r"write laminar\.ops\.tanh",
    ),
    "a constructor of other arguments": Wrong(
        """
model.save(path)
class Scaled(layers.Layer):
    def __init__(self, size):
        super().__init__()

    def call(self, inputs):
        return inputs

models.load_model(path, custom_objects={'Scaled': Scaled})  # here
""",
        ValueError,
        "Scaled: its constructor does not take what its configuration has, .*'size'",
    ),
    "random values in an export": Wrong(
        """
wrong = Sequential([Input(3), layers.Lambda(lambda v: v + ops.random.normal((3,)))])
wrong.to_c()  # here
""",
        ValueError,
        "random",
    ),
    "a monitored value that is not there": Wrong(
        "model.fit(x, y, verbose=0, callbacks=[callbacks.EarlyStopping('hubber')])  # here",
        ValueError,
        "did you mean 'huber'",
    ),
}


def run(text: str, known: dict[str, Any]) -> Exception | None:
    """Run a program; return what it raised."""
    try:
        exec(compile(text, "program.py", "exec"), known)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_programs(name: str, tmp_path: Path) -> None:
    wrong = PROGRAMS[name]
    known: dict[str, Any] = {"__name__": "program", "path": tmp_path / "model.safetensors"}
    assert run(PROLOGUE, known) is None
    model, x, y = known["model"], known["x"], known["y"]
    before = [weight.tobytes() for weight in model.get_weights()]
    predicted = model.predict(x).tobytes()
    error = run(wrong.text, known)
    with pytest.raises(wrong.error, match=wrong.message):
        raise error or AssertionError("nothing was refused")
    assert error is not None
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "program.py"]
    lines = wrong.text.splitlines()
    marked = [i for i, line in enumerate(lines, 1) if line.endswith("# here")]
    assert [frames[-1].lineno] == marked
    assert [weight.tobytes() for weight in model.get_weights()] == before
    assert model.predict(x).tobytes() == predicted
    if "compile" in wrong.text:
        model.compile("adam", known["huber"])
    assert np.isfinite(model.train_on_batch(x, y)).all()


def test_there_are_fifty() -> None:
    assert len(PROGRAMS) >= 50


def test_what_has_a_slope_on_one_way_is_trained() -> None:
    x = np.linspace(-1, 1, 36, dtype=np.float32).reshape(12, 3)
    start = Input(3)
    code = layers.Dense(4)(start)
    gated = ops.where(code > 0, code, 0.0)
    straight = code + ops.stop_gradient(ops.floor(code) - code)
    model = Model(start, layers.Dense(1)(gated + straight + ops.sign(code)))
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(x, x[:, :1], verbose=0)
    assert (model.get_weights()[0] != before).any()


def test_what_is_frozen_needs_no_slope() -> None:
    x = np.linspace(-1, 1, 36, dtype=np.float32).reshape(12, 3)
    model = Sequential([Input(3), layers.Dense(4), layers.Lambda(ops.sign), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="no slope leads"):
        model.fit(x, x[:, :1], verbose=0)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], verbose=0)
    after = model.get_weights()
    assert [(a == b).all() for a, b in zip(before, after, strict=True)] == [True, True] + [
        False
    ] * 2


@pytest.mark.parametrize(
    ("outputs", "leads"),
    [([2], True), ([3], False), ([3, 5, 7], True), ([2, 7, 7], True), ([3, 7, 7], False)],
)
def test_slopes_of_added_losses_count(outputs: list[int], leads: bool) -> None:
    steps = [
        {"op": "multiply", "reads": [0, 1]},
        {"op": "floor", "reads": [2]},
        {"op": "sum", "reads": [2], "integers": [1]},
        {"op": "reshape", "reads": [4], "integers": [-1]},
        {"op": "constant", "integers": [], "numbers": [0.0]},
        {"op": "broadcast_to", "reads": [6], "integers": [-1]},
    ]
    program = {"inputs": [[-1, 3]], "weights": [[3]], "steps": steps, "outputs": outputs}
    own = {"kind": "operations", "name": "own", "program": program, "weights": [{"name": "w"}]}
    dense = {"kind": "dense", "name": "dense", "kernel_initializer": {"name": "zeros"}}
    network = {
        "inputs": [{"name": "input", "shape": [3]}],
        "layers": [dense, own],
        "nodes": [{"inputs": [0], "layer": 0}, {"inputs": [1], "layer": 1}],
        "outputs": [2],
    }
    if leads:
        _slopes.check("fit", json.dumps(network))
    else:
        with pytest.raises(ValueError, match="fit: layer 'dense': no slope leads from the outputs"):
            _slopes.check("fit", json.dumps(network))
