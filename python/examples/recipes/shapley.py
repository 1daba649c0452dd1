# SPDX-License-Identifier: Apache-2.0
"""Shapley values by the package shap, beside the integrated gradients of ``model.explain``.

Both share out among the inputs what a prediction differs by from that of a baseline, so that the
parts add up to it. Shapley values ask for predictions alone: which fits any model, and takes one
for each of many coalitions of inputs. Integrated gradients take slopes (Lundberg and Lee, 2017;
Sundararajan, Taly and Yan, 2017). Needs ``pip install laminar[shap]``.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Input, Sequential, layers

FEATURES, ROWS = 6, 20


def target(x):
    """Return what is to be learned: of two inputs a product, of one a bend, of two nothing."""
    return 2 * x[:, 0] + x[:, 1] * x[:, 2] + np.maximum(x[:, 3], 0)


def main() -> None:
    """Train, and ask both ways what a prediction is made of."""
    import shap

    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, FEATURES)).astype(np.float32)
    model = Sequential([Input((FEATURES,)), layers.Dense(32, "gelu"), layers.Dense(1)], seed=1)
    model.compile("adam", "mse")
    model.fit(x, target(x), epochs=30, verbose=0)

    rows, baseline = x[:ROWS], np.zeros((1, FEATURES), np.float32)
    explainer = shap.Explainer(lambda rows: model.predict(rows)[:, 0], baseline, algorithm="exact")
    shapley = explainer(rows, silent=True)
    sums = shapley.values.sum(axis=1) + shapley.base_values
    gap = np.abs(sums - model.predict(rows)[:, 0]).max()
    check("what Shapley values and predictions differ by, at most", gap, below=1e-4)

    integrated = model.explain(rows)
    check("the same of integrated gradients", np.abs(integrated.gaps).max(), below=1e-2)
    both = [shapley.values.ravel(), integrated.values.ravel()]
    check("correlation of the two", np.corrcoef(both)[0, 1], above=0.95)
    size = np.abs(shapley.values).mean(axis=0)
    check("the largest share of an input that has none", size[4:].max() / size.max(), below=0.1)
    check("the share of the first input", size[0] / size.sum(), above=0.4)


if __name__ == "__main__":
    main()
