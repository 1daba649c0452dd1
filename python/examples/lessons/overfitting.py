# SPDX-License-Identifier: Apache-2.0
"""Over-fitting: all but perfect on the training rows, poor on new ones.

A net with thousands of weights can learn a few dozen rows by heart, accidents included. The
training accuracy then says nothing about new rows; only rows held out from training do. The sign
is the gap between the two curves. The cures: more data, a smaller net, dropout, regularization,
or an early stop. Here the same net learns from 20 digits and from all 1,437.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from _lesson import Results, lesson

from laminar import Sequential, datasets, layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 20


def phenomenon(quick: bool = False) -> Results:
    """Train the same net on few rows and on all."""
    (x, y), test = datasets.load_digits()
    results: Results = {"all_rows": len(x)}
    for name, rows, epochs in (("few", FEW, 60), ("all", len(x), 8 if quick else 60)):
        model = Sequential([layers.Dense(128, "relu"), layers.Dense(10, "softmax")], seed=1)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x[:rows], y[:rows], epochs=epochs, validation_data=test, verbose=0)
        for kind, key in (("train", "accuracy"), ("test", "val_accuracy")):
            results[f"{name}_{kind}_curve"] = [100 * value for value in history.history[key]]
            results[f"{name}_{kind}"] = history.history[key][-1]
    return results


def verdict(results: Results) -> str:
    """Say both accuracies."""
    return (
        f"Trained on {FEW} digits the net gets {results['few_train']:.0%} of them right but "
        f"{results['few_test']:.0%} of new ones; trained on {results['all_rows']} it gets "
        f"{results['all_train']:.0%} and {results['all_test']:.0%}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show training and test accuracy with few rows and with all."""
    axes = figure.subplots(1, 2, sharey=True)
    for ax, name, rows in zip(axes, ("few", "all"), (FEW, results["all_rows"]), strict=True):
        for kind in ("train", "test"):
            label = f"{kind}: {results[f'{name}_{kind}']:.0%} in the end"
            curve = results[f"{name}_{kind}_curve"]
            ax.plot(range(1, len(curve) + 1), curve, label=label)
        ax.set(xlabel="epoch", title=f"trained on {rows} digits", ylim=(0, 103))
        ax.legend(loc="lower right")
    axes[0].set_ylabel("accuracy (%)")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
