# SPDX-License-Identifier: Apache-2.0
"""Batch descent runs out of memory, unless the gradient is added up from blocks.

Back-propagation needs the outputs of all layers again, for every row of the batch: the memory of
one update grows with the rows, and with a billion rows 8 GB are far too little. But the gradient
of the mean loss is the mean over blocks of rows of their gradients, weighted by their sizes. So
the exact gradient of all rows can be added up block by block, in the memory of one block: the cure
costs no accuracy. A mini-batch is the other cure; it updates after each block.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = 1000
LIMIT = 8e9  # bytes


def network(dtype: str) -> Sequential:
    """Return a net whose layers put out 1,025 numbers a row."""
    hidden = [layers.Dense(512, "relu") for _ in range(2)]
    model = Sequential([Input(shape=(16,)), *hidden, layers.Dense(1)], dtype=dtype, seed=1)
    model.compile("sgd", "mse")
    return model


def gradient(model: Sequential, x: Any, y: Any, block: int) -> list[Any]:
    """Return the gradient of the loss over all rows, added up from blocks of rows."""
    total: list[Any] = [0.0] * len(model.weights)
    for start in range(0, len(x), block):
        rows = slice(start, start + block)
        _, part = model.loss_and_gradients(x[rows], y[rows])
        share = len(x[rows]) / len(x)
        total = [t + share * p for t, p in zip(total, part, strict=True)]
    return total


def data(rows: int, dtype: str) -> tuple[Any, Any]:
    """Return rows to learn from."""
    x = np.random.default_rng(1).normal(size=(rows, 16)).astype(dtype)
    return x, x[:, :1] * x[:, 1:2]


def peaks(rows: list[int]) -> tuple[list[float], list[float]]:
    """Return the bytes that a gradient takes at once and in blocks, for each number of rows.

    What is read is the peak of this process so far (Linux); so the blocks come first, and the
    rows grow.
    """

    def peak() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def after(n: int, block: int) -> float:
        gradient(network("float32"), *data(n, "float32"), block)
        return peak() - start

    start = peak()
    blocks = [after(n, BLOCK) for n in rows]
    return [after(n, n) for n in rows], blocks


def phenomenon(quick: bool = False) -> Results:
    """Measure the memory of both ways, in a new process, and compare the gradients."""
    x, y = data(1500, "float64")
    model = network("float64")
    pairs = zip(gradient(model, x, y, BLOCK), gradient(model, x, y, len(x)), strict=True)
    difference = max(float(abs(a - b).max() / abs(b).max()) for a, b in pairs)
    rows = [1000, 4000] if quick else [1000, 2000, 5000, 10000, 20000, 40000]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        whole, blocks = pool.apply(peaks, (rows,))
    a_row = (whole[-1] - whole[0]) / (rows[-1] - rows[0])
    return {
        "rows": rows,
        "whole": whole,
        "blocks": blocks,
        "ratio": whole[-1] / blocks[-1],
        "bytes_a_row": a_row,
        "rows_in_limit": LIMIT / a_row,
        "difference": difference,
    }


def verdict(results: Results) -> str:
    """Say the memory of both ways and that the gradients agree."""
    return (
        f"One gradient of {results['rows'][-1]} rows takes {results['whole'][-1] / 1e6:.0f} MB at "
        f"once and {results['blocks'][-1] / 1e6:.0f} MB in blocks of {BLOCK}, with a relative "
        f"difference of {results['difference']:.0e}; at {results['bytes_a_row'] / 1e3:.1f} kB a "
        f"row, 8 GB would end at {results['rows_in_limit'] / 1e6:.1f} million rows."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the measured memory, and where it leads."""
    ax = figure.subplots()
    rows = np.array(results["rows"])
    ax.loglog(rows, np.array(results["whole"]) / 1e9, "o-", label="all rows at once, measured")
    ax.loglog(
        rows, np.array(results["blocks"]) / 1e9, "s-", label=f"blocks of {BLOCK} rows, measured"
    )
    far = np.array([rows[-1], 1e9])
    ax.loglog(
        far,
        results["bytes_a_row"] * far / 1e9,
        "C0--",
        linewidth=1.2,
        label="the same, extrapolated",
    )
    ax.loglog(far, np.full(2, results["blocks"][-1] / 1e9), "C1--", linewidth=1.2)
    ax.axhline(LIMIT / 1e9, color="red", linewidth=1.2)
    ax.text(rows[0], 1.2 * LIMIT / 1e9, "8 GB", color="red")
    ax.plot(results["rows_in_limit"], LIMIT / 1e9, "rX", markersize=9)
    text = f"{results['rows_in_limit'] / 1e6:.1f} million rows"
    ax.annotate(text, (results["rows_in_limit"], LIMIT / 1e9), (8, -14), textcoords="offset points")
    ax.set(xlabel="rows in the batch", ylabel="memory of one gradient (GB)")
    ax.set_title(
        f"Two hidden layers of 512 units; the gradient is the same to {results['difference']:.0e}"
    )
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.9))


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
