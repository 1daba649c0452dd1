# SPDX-License-Identifier: Apache-2.0
"""What a verbose perceptron prints of each epoch: scikit-learn's lines."""

from __future__ import annotations

import time
from typing import Any


class Lines:
    """Prints the epochs of one unit after the other, as the core reports them."""

    def __init__(self) -> None:
        self.start = self.end = time.perf_counter()

    def __call__(self, epoch: dict[str, Any]) -> None:
        """Print one epoch."""
        if epoch["epoch"] == 1 and epoch["unit"] > 0:
            self.start = self.end
        self.end = time.perf_counter()
        seconds = self.end - self.start
        score = "" if epoch["score"] is None else f", Validation score: {epoch['score']:f}"
        print(f"-- Epoch {epoch['epoch']}")
        print(
            f"Norm: {epoch['norm']:.2f}, NNZs: {epoch['nonzeros']}, Bias: {epoch['bias']:.6f}, "
            f"T: {epoch['rows']}, Avg. loss: {epoch['loss']:f}, "
            f"Objective: {epoch['objective']:f}{score}"
        )
        print(f"Total training time: {seconds:.2f} seconds.")
        if epoch["last"]:
            print(f"Convergence after {epoch['epoch']} epochs took {seconds:.2f} seconds")
