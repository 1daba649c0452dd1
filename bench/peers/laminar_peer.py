# SPDX-License-Identifier: Apache-2.0
"""laminar: one call of fit for the whole run, threads chosen by laminar."""

from collections.abc import Callable

import numpy as np

import cases
import laminar
import worker
from laminar import layers, optimizers

LOSSES = {
    "binary": "binary_crossentropy",
    "categorical": "sparse_categorical_crossentropy",
    "mse": "mse",
}


class Peer:
    """A Sequential model with the case's weights."""

    @staticmethod
    def set_threads(threads: int) -> None:
        """Leave it to laminar, which sees the processors that this process may use."""

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version and the instruction set in use."""
        return {"laminar": laminar.__version__, "isa": laminar._core.show_config()["isa"]}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        outputs = [case.activation] * (len(case.widths) - 2) + [cases.LOSSES[case.loss]]
        self.model = laminar.Sequential(
            [layers.Input((case.widths[0],))]
            + [layers.Dense(w, activation=a) for w, a in zip(case.widths[1:], outputs, strict=True)]
        )
        optimizer = (
            optimizers.Adam(**cases.ADAM)
            if case.optimizer == "adam"
            else optimizers.SGD(**cases.SGD)
        )
        self.model.compile(optimizer=optimizer, loss=LOSSES[case.loss])
        self.model.set_weights(weights)
        self.batch, self.x, self.y = case.batch, x, y

    def fit(self, epochs: int) -> None:
        """Train."""
        self.model.fit(
            self.x, self.y, batch_size=self.batch, epochs=epochs, shuffle=False, verbose=0
        )

    def weights(self) -> cases.Weights:
        """Return the weights."""
        return self.model.get_weights()

    def predictor(self, x: np.ndarray) -> Callable[[], np.ndarray]:
        """Return a function that predicts x."""
        return lambda: self.model.predict(x)

    def as_numpy(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        return outputs


if __name__ == "__main__":
    worker.main(Peer)
