# SPDX-License-Identifier: Apache-2.0
"""One outlier under squared error, absolute error and Huber's loss.

The gradient of the squared error grows with the error, so a single wrong measurement can outvote
all others and bend the fit towards itself. The gradient of the absolute error is ±1 however far
away a row is: the fit stays with the majority, but near the minimum the steps do not become
smaller. Huber's loss is the square up to an error of delta and straight beyond, and has the good
of both. The cure is thus the loss, where the outlier cannot be found and removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, layers, losses, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLOPE = 2.0
LOSSES = {
    "mse": (losses.MeanSquaredError(), "squared error (MSE)"),
    "mae": (losses.MeanAbsoluteError(), "absolute error (MAE)"),
    "huber": (losses.Huber(1.0), "Huber, delta = 1"),
    "without": (losses.MeanSquaredError(), "MSE without the outlier"),
}


def phenomenon(quick: bool = False) -> Results:
    """Fit a line to points of which one is far off, under each loss."""
    rng = np.random.default_rng(8)
    x = np.linspace(0, 1, 20).reshape(-1, 1)
    y = SLOPE * x[:, 0] + rng.normal(0, 0.1, 20)
    y[-2] = 20.0
    results: Results = {"x": x[:, 0], "y": y}
    for name, (loss, _) in LOSSES.items():
        model = Sequential([layers.Dense(1)], dtype="float64", seed=1)
        model.compile(optimizers.Adam(0.02), loss)
        # A weight of 0 leaves the outlier out.
        weight = np.arange(20) != 18 if name == "without" else None
        epochs = 1000 if quick else 2000
        model.fit(x, y, batch_size=None, epochs=epochs, verbose=0, sample_weight=weight)
        results[name] = float(model.get_weights()[0][0, 0])
        results[f"{name}_line"] = model.predict(x)[:, 0]
    return results


def verdict(results: Results) -> str:
    """Say the slopes."""
    return (
        f"One outlier among 20 points bends a slope of {results['without']:.2f} to "
        f"{results['mse']:.2f} under squared error, but only to {results['mae']:.2f} under "
        f"absolute error and to {results['huber']:.2f} under Huber's loss."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the lines, with all points and without the outlier."""
    whole, near = figure.subplots(1, 2, width_ratios=(1, 1.4))
    for ax in (whole, near):
        ax.plot(results["x"], results["y"], "k.", markersize=8, label="measured")
        for (name, (_, label)), line in zip(LOSSES.items(), ("-", "--", ":", "-."), strict=True):
            text = f"{label}: slope {results[name]:.2f}"
            ax.plot(results["x"], results[f"{name}_line"], line, linewidth=2.2, label=text)
        ax.set(xlabel="x")
    whole.set(ylabel="y", title="All points")
    whole.annotate("outlier", (results["x"][-2], 20.0), (0.55, 18), arrowprops={"arrowstyle": "->"})
    near.set(ylim=(-1.5, 5.5), ylabel="y", title=f"Enlarged; the true slope is {SLOPE:.0f}")
    near.legend(loc="upper left")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
