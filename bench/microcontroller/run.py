# SPDX-License-Identifier: Apache-2.0
"""What integer programs lose and take on a Cortex-M4: `python bench/microcontroller/run.py`.

Each network is trained, exported with `quantize="int8"` and scales from training rows, compiled for
the processor and run on QEMU: outputs must be the bytes that the program is said to compute.
Accuracies are those of rows held out. MNIST and Adult need the files that bench/estimators/data.py
names.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import board
import numpy as np

from laminar import Sequential, datasets, layers

sys.path.insert(0, str(Path(__file__).parents[1] / "estimators"))
from data import DATA, FOLDER  # which lies beside the other benchmark

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
ON_BOARD = 100  # rows


def digits() -> Split:
    """Return the 8 x 8 digits that come with laminar."""
    (x, y), (x_test, y_test) = datasets.load_digits()
    return x, x_test, y, y_test


def mnist() -> Split:
    """Return 8,000 + 2,000 images of 28 x 28 bytes."""
    with np.load(FOLDER / "mnist10k.npz") as file:
        arrays = [file[name] for name in sorted(file.files, key=lambda name: file[name].ndim)]
    y, x = arrays[0].astype(np.int32).ravel(), arrays[-1].reshape(len(arrays[-1]), -1)
    x = x.astype(np.float32)
    return x[:8000], x[8000:], y[:8000], y[8000:]


def adult() -> Split:
    """Return 8,000 + 4,000 people, words as zeros and ones."""
    x, x_test, y, y_test = DATA["adult"]()
    return x, x_test, y.astype(np.int32), y_test.astype(np.int32)


def networks(name: str, classes: int) -> list[layers.Layer]:
    """Return the layers for a data set."""
    widths = (64, 64) if name == "adult" else (128, 64)
    scaled = [layers.Rescaling(1 / 255)] if name == "mnist" else []
    hidden = [
        layer for width in widths for layer in (layers.Dense(width, "relu"), layers.Dropout(0.2))
    ]
    return [*scaled, *hidden, layers.Dense(classes, "softmax")]


SETS: dict[str, tuple[Callable[[], Split], int]] = {
    "digits": (digits, 60),
    "mnist": (mnist, 10),
    "adult": (adult, 8),
}


def row(name: str, split: Split, epochs: int, seeds: int) -> str:
    """Return a line of the table: means over seeds, sizes of the last one."""
    x, x_test, y, y_test = split
    found = []
    for seed in range(seeds):
        model = Sequential(networks(name, int(y.max()) + 1), seed=seed)
        model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
        model.fit(x, y, epochs=epochs, verbose=0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.c"
            program = model.export(path, quantize="int8", x=x)
            floats = np.mean(model.predict(x_test).argmax(axis=1) == y_test)
            integers = np.mean(program.predict(x_test).argmax(axis=1) == y_test)
            found.append(100 * np.array([floats, integers]))
            if seed + 1 < seeds:
                continue
            cells = [f"{program.flash_bytes:,}", f"{program.ram_bytes:,}"]
            if tool := board.missing():
                cells += [f"no {tool}"] * 2 + ["-"]
            else:
                built = board.compiled(program.source, name, Path(folder))
                sizes = board.sizes(built)
                q = program.quantize(x_test[:ON_BOARD])
                same = np.array_equal(board.run(built, name, q, int(y.max()) + 1), program.run(q))
                if not same:
                    raise SystemExit(f"{name}: the board computes other bytes")
                ram = sizes.variables + sizes.stack
                cells += [f"{sizes.flash:,}", f"{ram:,}", f"{len(q)} rows"]
    accuracies = np.array(found)
    loss = accuracies[:, 0] - accuracies[:, 1]
    means = accuracies.mean(axis=0)
    numbers = [f"{means[0]:.2f}", f"{means[1]:.2f}", f"{loss.mean():+.2f}", f"{loss.max():+.2f}"]
    return f"| {' | '.join([name, *numbers, *cells])} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    head = (
        "data", "accuracy, floats", "integers", "lost, points", "most of a seed",
        "constants, bytes", "values, bytes", "flash", "RAM with stack", "same bytes on the board",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |")
    print("|" + "---|" * len(head))
    for name, (load, epochs) in SETS.items():
        try:
            split = load()
        except FileNotFoundError as error:
            print(f"{name} is left out: {error.filename} is missing")
            continue
        print(row(name, split, epochs, options.seeds), flush=True)


if __name__ == "__main__":
    main()
