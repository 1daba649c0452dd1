# SPDX-License-Identifier: Apache-2.0
"""Writes python/README.md, the reference page: `python tests/reference_page.py > python/README.md`.

Every public component as a line that can be typed, with its defaults, and the first sentence of its
docstring. A test compares the page with what the installed package says.
"""

import importlib
import inspect

MODULES = {
    "models": "Models",
    "layers": "Layers",
    "activations": "Activations",
    "losses": "Losses",
    "optimizers": "Optimizers",
    "optimizers.schedules": "Learning-rate schedules",
    "metrics": "Metrics",
    "initializers": "Initializers",
    "regularizers": "Regularizers",
    "constraints": "Constraints",
    "callbacks": "Callbacks",
}

HEAD = """<!-- Written by tests/reference_page.py; do not edit. -->
# Reference

Every component with its defaults; `help(laminar.layers.Dense)` tells the rest. Wherever a component
is asked for, its name does as well: `Dense(64, "relu")`, `compile("adam", "mse", ["mae"])`, and so
does a configuration: `{"name": "huber", "delta": 2.0}`.

Layers are listed in a `Sequential`, or called on symbols for a `Model`:
`layers.Dense(3)(laminar.Input(5))`. Those that read several symbols have functions as well,
`layers.add([a, b])` for `layers.Add()([a, b])`, and `a + b`, `a - b`, `a * b` are layers too.
Called on arrays, layers and models compute at once.

A layer of one's own is a class with a `call` in operations, and a `build` where it has weights:

```python
from laminar import Input, Sequential, layers, ops


class Gated(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], input_shape[-1]), "glorot_uniform")

    def call(self, inputs):
        return inputs * ops.sigmoid(inputs @ self.kernel)


model = Sequential([Input((5,)), Gated(), layers.Dense(1)])
```

`call` runs once, on values without numbers, and the core computes what it has written. Plain
functions do as activations (`Dense(64, my_function)`), as initializers and as `layers.Lambda`.

So they do as losses and metrics, which return a number for each row, or the mean over the rows:

```python
def pinball(y_true, y_pred):
    e = y_true - y_pred
    return ops.mean(ops.maximum(0.9 * e, -0.1 * e), axis=-1)


model.compile("adam", loss=pinball, metrics=["mae", pinball])
```

`y_true` has the shape of the first targets that come, one column where they are of shape (n,). It
need not be that of `y_pred`. Arguments are kept by a class below `losses.Loss` or `metrics.Metric`
with `call(self, y_true, y_pred)`.

What a layer adds to the loss it says in `call`: `self.add_loss(0.1 * ops.mean(inputs**2))`,
a mean or a sum over the batch. A graph does so with `model.add_loss(ops.mean(ops.square(a - b)))`
on its symbols, before `compile`; without a loss there, such models are trained on `fit(x)` alone.

A loop of one's own follows what it computes with a tape, and updates variables by the gradients:

```python
import numpy as np

from laminar import GradientTape, losses, optimizers

optimizer, loss_of = optimizers.Adam(0.01), losses.MeanSquaredError()
for x, y in [(np.ones((8, 5)), np.zeros((8, 1)))]:
    with GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
```

Such a tape follows `laminar.Variable` and, once told to `watch` them, tensors of
`ops.convert_to_tensor`; tapes within tapes give second derivatives. Compute all gradients before
one is applied. In a layer's `call`, or in a loss, gradients become part of it: a layer may return
how its output changes with its input, and `fit` trains it as any other. Programs in TensorFlow's
names run with `import laminar.compat.tensorflow as tf`.

`model.export("net.c")` writes a model as C, and so do `.hpp`, `.onnx` and `.safetensors` for other
programs. `program = model.export("net.c", quantize="int8", x=x_train, y=y_train)` writes C of
integers alone, for microcontrollers; `program.report` tells what that loses, `program.predict(x)`
is what the C computes.

A notebook shows a model as a drawing of its structure, what `fit` and `find_learning_rate` return
as curves, and a data set by what is known of it; `utils.plot_model(model, "model.svg")` writes the
drawing. `model.explain(x)` tells what each input contributes to an output, by integrated gradients
that add up: `explanation.values`, `outputs` and `base_values`.

Several networks are trained at once by `laminar.fit_many(models, x, y)`, each to the bits that it
has alone; `each` has what differs, such as the rows of a fold. `laminar.ensemble(models)` makes one
model of them, whose outputs are the means of theirs."""


def sample(name: str, function: object) -> str:
    """Return a call with the defaults of all arguments, types left out."""
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        text = str(parameter.replace(annotation=inspect.Parameter.empty))
        parameters.append(text)
    return f"{name}({', '.join(parameters)})"


def sentence(thing: object) -> str:
    """Return the first sentence or line of a docstring."""
    lines = (inspect.getdoc(thing) or "").split("\n\n")[0].split("\n")
    return " ".join(line.strip() for line in lines)


def components(module: str) -> list[tuple[str, type]]:
    """Return the public classes of a module that are meant to be made, with their names."""
    found = importlib.import_module(f"laminar.{module}")
    public = ((name, getattr(found, name)) for name in found.__all__)
    bases = {"Activation", "Callback", "Constraint", "Initializer", "Loss", "Metric", "Optimizer"}
    bases |= {"Layer", "Regularizer", "Schedule", "LearningRateSchedule"}
    if module == "layers":
        bases.remove("Activation")
    return [(n, c) for n, c in public if inspect.isclass(c) and n not in bases]


def functions(module: str) -> list[tuple[str, object]]:
    """Return the public functions of a module with their names."""
    found = importlib.import_module(module)
    return [(n, f) for n in found.__all__ if inspect.isfunction(f := getattr(found, n))]


def table(rows: list[tuple[str, object]]) -> list[str]:
    """Return a line for each component."""
    return [f"| `{sample(n, thing)}` | {sentence(thing)} |".replace("\n", " ") for n, thing in rows]


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for module, title in MODULES.items():
        lines = [f"## {title}: `laminar.{module}`", "", "| | |", "|---|---|"]
        parts.append("\n".join([*lines, *table(components(module))]))
    lines = ["## Operations: `laminar.ops`", "", "| | |", "|---|---|"]
    lines += table(functions("laminar.ops"))
    lines += table([(f"random.{n}", f) for n, f in functions("laminar.ops.random")])
    parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
