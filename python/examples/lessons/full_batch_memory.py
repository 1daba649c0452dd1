# SPDX-License-Identifier: Apache-2.0
"""Batch descent runs out of memory, unless the gradient is added up from blocks.

Back-propagation needs the outputs of all layers again, for every row of the batch: the memory of
one update grows with the rows, and with a billion rows 8 GB are far too little. But the gradient
of the mean loss is the mean over blocks of rows of their gradients, weighted by their sizes. So
the exact gradient of all rows can be added up block by block, in the memory of one block: that is
what fit does under a memory_limit. A mini-batch is the other cure; it updates after each block.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMIT = "20MB"
MACHINE = 8e9  # bytes of memory


def trained(rows: int, dtype: str, limit: str | None) -> list[Any]:
    """Return the weights of a net whose layers put out 1,025 numbers a row, after one update."""
    x = np.random.default_rng(1).normal(size=(rows, 16)).astype(dtype)
    hidden = [layers.Dense(512, "relu") for _ in range(2)]
    model = Sequential([*hidden, layers.Dense(1)], dtype=dtype, seed=1)
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1] * x[:, 1:2], batch_size=None, verbose=0, memory_limit=limit)
    return model.get_weights()


def peaks(rows: list[int]) -> tuple[list[float], list[float]]:
    """Return the bytes that net, data and update take without and with a limit.

    What is read is the peak of this process so far (Linux); so the limited updates come first,
    and the rows grow.
    """

    def peak() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def after(n: int, limit: str | None) -> float:
        trained(n, "float32", limit)
        return peak() - start

    start = peak()
    limited = [after(n, LIMIT) for n in rows]
    return [after(n, None) for n in rows], limited


def phenomenon(quick: bool = False) -> Results:
    """Measure the memory of both ways, in a new process, and compare the weights they lead to."""
    pairs = zip(trained(1500, "float64", LIMIT), trained(1500, "float64", None), strict=True)
    difference = max(float(abs(a - b).max() / abs(b).max()) for a, b in pairs)
    rows = [1000, 4000] if quick else [1000, 2000, 5000, 10000, 20000, 40000]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        whole, limited = pool.apply(peaks, (rows,))
    a_row = (whole[-1] - whole[0]) / (rows[-1] - rows[0])
    return {
        "rows": rows,
        "whole": whole,
        "limited": limited,
        "ratio": whole[-1] / limited[-1],
        "bytes_a_row": a_row,
        "rows_in_machine": MACHINE / a_row,
        "difference": difference,
    }


def verdict(results: Results) -> str:
    """Say the memory of both ways and that the weights agree."""
    return (
        f"One update with {results['rows'][-1]} rows takes {results['whole'][-1] / 1e6:.0f} MB, "
        f"net and data included, with memory_limit={LIMIT!r} "
        f"{results['limited'][-1] / 1e6:.0f} MB for the same weights "
        f"(relative difference {results['difference']:.0e}); at "
        f"{results['bytes_a_row'] / 1e3:.1f} kB a row, 8 GB would end at "
        f"{results['rows_in_machine'] / 1e6:.1f} million rows."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the measured memory, and where it leads."""
    ax = figure.subplots()
    rows = np.array(results["rows"])
    whole, limited = np.array(results["whole"]) / 1e9, np.array(results["limited"]) / 1e9
    ax.loglog(rows, whole, "o-", label="without a limit, measured")
    ax.loglog(rows, limited, "s-", label=f"memory_limit={LIMIT!r}, measured")
    far = np.array([rows[-1], 1e9])
    ax.loglog(far, whole[-1] / rows[-1] * far, "C0--", linewidth=1.2, label="extrapolated")
    ax.loglog(far, np.full(2, limited[-1]), "C1--", linewidth=1.2)
    end = results["rows_in_machine"], MACHINE / 1e9
    ax.axhline(end[1], color="red", linewidth=1.2)
    ax.text(rows[0], 1.2 * end[1], "8 GB", color="red")
    ax.plot(*end, "rX", markersize=9)
    text = f"{end[0] / 1e6:.1f} million rows"
    ax.annotate(text, end, (8, -14), textcoords="offset points")
    ax.set(xlabel="rows in the batch", ylabel="memory of one update and its data (GB)")
    ax.set_title("Batch descent, two hidden layers of 512 units")
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.9))


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
