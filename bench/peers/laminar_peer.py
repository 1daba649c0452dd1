# SPDX-License-Identifier: Apache-2.0
"""laminar: one call of fit for the whole run, threads chosen by laminar."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import cases
import graphs
import laminar
import own
import worker
from laminar import layers, ops, optimizers

OPERATIONS = SimpleNamespace(**vars(ops) | {"dense": lambda x, w, b: ops.matmul(x, w) + b})
LOSSES: dict[str, Any] = {
    "binary": "binary_crossentropy",
    "categorical": "sparse_categorical_crossentropy",
    "mse": "mse",
    "cox": lambda y, risk: own.cox(y, risk, OPERATIONS),
    "mixture": lambda y, out: own.mixture(y, out, OPERATIONS),
}


class Radial(layers.Layer):
    """own.radial."""

    def build(self, input_shape: Any) -> None:
        """Make the centres."""
        self.centres = self.add_weight(shape=(own.CENTRES, input_shape[-1]), name="centres")

    def call(self, x: Any) -> Any:
        """Return how near each centre is."""
        return own.radial(x, self.centres, OPERATIONS)


class Gated(layers.Layer):
    """own.gated."""

    def build(self, input_shape: Any) -> None:
        """Make two kernels and two biases."""
        shape = (input_shape[-1], input_shape[-1])
        self.parts = [
            self.add_weight(shape=each, initializer="zeros", name=f"part_{i}")
            for i, each in enumerate((shape, shape[1:]) * 2)
        ]

    def call(self, x: Any) -> Any:
        """Return x and what the gate lets pass."""
        return own.gated(x, self.parts, OPERATIONS)


class Peer:
    """A model with the case's weights."""

    by_rows = True  # the optimizer leaves rows of tables alone that a batch does not read

    @staticmethod
    def set_threads(threads: int) -> None:
        """Leave it to laminar, which sees the processors that this process may use."""

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version and the instruction set in use."""
        return {"laminar": laminar.__version__, "isa": laminar._core.show_config()["isa"]}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        self.weighted: list[layers.Layer] = []
        if case.graph:
            self.model = self._graph(case)
        else:
            self.model = self._stack(case)
        optimizer = (
            optimizers.Adam(**cases.ADAM)
            if case.optimizer == "adam"
            else optimizers.SGD(**cases.SGD)
        )
        self.model.compile(optimizer=optimizer, loss=LOSSES[case.loss])
        given = iter(weights)
        for layer in self.weighted:
            layer.set_weights([next(given) for _ in layer.weights])
        self.batch, self.x, self.y = case.batch, x, y

    def _with_weights(self, layer: layers.Layer) -> layers.Layer:
        self.weighted.append(layer)
        return layer

    def _dense(self, units: int, activation: str | None) -> layers.Layer:
        return self._with_weights(layers.Dense(units, activation))

    def _stack(self, case: cases.Case) -> laminar.Sequential:
        outputs = [case.activation] * (len(case.widths) - 2) + [cases.LOSSES[case.loss]]
        return laminar.Sequential(
            [layers.Input((case.widths[0],))]
            + [self._dense(w, a) for w, a in zip(case.widths[1:], outputs, strict=True)]
        )

    def _graph(self, case: cases.Case) -> laminar.Model:
        last = cases.LOSSES[case.loss]
        if case.graph == "radial":
            x = layers.Input((own.FEATURES,))
            h = self._with_weights(Radial())(x)
            return laminar.Model(x, self._dense(1, last)(h))
        if case.graph == "gated":
            x = layers.Input((own.INPUTS,))
            h = self._dense(own.WIDTH, "relu")(x)
            for _ in range(own.BLOCKS):
                h = self._with_weights(Gated())(h)
            return laminar.Model(x, self._dense(1, last)(h))
        if case.graph == "residual":
            x = layers.Input((64,))
            h = self._dense(graphs.WIDTH, "relu")(x)
            for _ in range(graphs.BLOCKS):
                h = layers.add([h, self._dense(graphs.WIDTH, "relu")(h)])
            return laminar.Model(x, self._dense(1, last)(h))
        ids = [layers.Input((1,), name=f"ids_{i}") for i in range(graphs.tables(case.graph))]
        width = graphs.TOWER if case.graph == "towers" else graphs.EMBEDDED
        read = [
            layers.Flatten()(self._with_weights(layers.Embedding(case.vocabulary, width))(i))
            for i in ids
        ]
        if case.graph == "towers":
            towers = [self._dense(graphs.TOWER, "relu")(r) for r in read]
            return laminar.Model(ids, layers.dot(towers, axes=1))
        h = layers.concatenate(read)
        for units in graphs.HIDDEN:
            h = self._dense(units, "relu")(h)
        return laminar.Model(ids, self._dense(1, last)(h))

    def fit(self, epochs: int) -> None:
        """Train."""
        self.model.fit(
            self.x, self.y, batch_size=self.batch, epochs=epochs, shuffle=False, verbose=0
        )

    def weights(self) -> cases.Weights:
        """Return the weights."""
        return [w for layer in self.weighted for w in layer.get_weights()]

    def predictors(self, x: np.ndarray) -> list[Callable[[], np.ndarray]]:
        """Return a function that predicts x."""
        return [lambda: self.model.predict(x)]

    def as_numpy(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        return outputs


if __name__ == "__main__":
    worker.main(Peer)
