# SPDX-License-Identifier: Apache-2.0
"""scikit-learn: MLPClassifier.partial_fit, one call per pass over the data."""

from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

import cases
import own
import worker

ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


class Peer:
    """An MLPClassifier with the case's weights."""

    @staticmethod
    def set_threads(threads: int) -> None:
        """Do nothing: run.py sets the variables that its BLAS reads."""

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version."""
        return {"scikit-learn": sklearn.__version__}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        if case.graph:
            raise NotImplementedError("it has stacks only")
        if case.loss in own.LOSSES:
            raise NotImplementedError("it has its own losses only")
        if case.loss == "mse":
            raise NotImplementedError("its gradient of a multi-output squared error is another one")
        rate = (cases.ADAM if case.optimizer == "adam" else cases.SGD)["learning_rate"]
        self.model = MLPClassifier(
            case.widths[1:-1],
            activation=ACTIVATIONS[case.activation],
            solver=case.optimizer,
            alpha=0,
            batch_size=case.batch,
            learning_rate_init=rate,
            shuffle=False,
            momentum=0,
            nesterovs_momentum=False,
            beta_1=cases.ADAM["beta_1"],
            beta_2=cases.ADAM["beta_2"],
            epsilon=cases.ADAM["epsilon"],
        )
        self.x, self.y = x, y.ravel()
        classes = np.arange(max(2, case.widths[-1])).astype(y.dtype)
        # A first call makes the weights; they are replaced, and the optimizer's state is dropped.
        self.model.partial_fit(x[: case.batch], self.y[: case.batch], classes=classes)
        for mine, given in zip(self.model.coefs_, weights[::2], strict=True):
            mine[...] = given
        for mine, given in zip(self.model.intercepts_, weights[1::2], strict=True):
            mine[...] = given
        del self.model._optimizer

    def fit(self, epochs: int) -> None:
        """Train."""
        for _ in range(epochs):
            self.model.partial_fit(self.x, self.y)

    def weights(self) -> cases.Weights:
        """Return the weights."""
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [w for pair in pairs for w in pair]

    def predictors(self, x: np.ndarray) -> list[Callable[[], np.ndarray]]:
        """Return a function that predicts x."""
        return [lambda: self.model.predict_proba(x)]

    def as_numpy(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs; of two classes, the second's probability."""
        return outputs[:, 1:] if outputs.shape[1] == 2 else outputs


if __name__ == "__main__":
    worker.main(Peer)
