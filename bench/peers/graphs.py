# SPDX-License-Identifier: Apache-2.0
"""The cases that are no stacks: residual blocks, two towers, categories.

Each is written once, in operations that every rival brings along; its gradient, which only the
right answer needs, is written out in NumPy.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

BLOCKS, WIDTH = 4, 128  # of the residual network
TOWER = 32  # values of an embedding, and units of a tower
COLUMNS, EMBEDDED = 10, 8  # of categories, and values of each embedding
HIDDEN = (128, 64)

Weights = list[np.ndarray]


class Operations(NamedTuple):
    """What a rival computes with: dense(x, w, b), relu(x), take(table, rows), concatenate(all)."""

    dense: Callable[..., Any]
    relu: Callable[..., Any]
    take: Callable[..., Any]
    concatenate: Callable[..., Any]


NUMPY = Operations(
    lambda x, w, b: x @ w + b,
    lambda x: np.maximum(x, 0),
    lambda table, rows: table[rows],
    lambda parts: np.concatenate(parts, axis=1),
)


def tables(kind: str) -> int:
    """Return how many of the weights, the first ones, are tables of which a batch reads rows."""
    return {"residual": 0, "towers": 2, "categories": COLUMNS}[kind]


def shapes(kind: str, vocabulary: int) -> list[tuple[int, ...]]:
    """Return the shapes of the weights."""
    if kind == "residual":
        widths = [(64, WIDTH), *[(WIDTH, WIDTH)] * BLOCKS, (WIDTH, 1)]
        found: list[tuple[int, ...]] = []
    elif kind == "towers":
        widths = [(TOWER, TOWER)] * 2
        found = [(vocabulary, TOWER)] * 2
    else:
        all_widths = (COLUMNS * EMBEDDED, *HIDDEN, 1)
        widths = list(itertools.pairwise(all_widths))
        found = [(vocabulary, EMBEDDED)] * COLUMNS
    for width in widths:
        found += [width, width[1:]]
    return found


def inputs(kind: str, vocabulary: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return samples: numbers, or rows of the tables."""
    if kind == "residual":
        return rng.standard_normal((rows, 64), dtype=np.float32)
    return rng.integers(0, vocabulary, (rows, tables(kind)), dtype=np.int32)


def logits(kind: str, w: list[Any], x: Any, ops: Operations) -> Any:
    """Return the output before the last activation, (rows, 1)."""
    if kind == "residual":
        h = ops.relu(ops.dense(x, w[0], w[1]))
        for i in range(2, 2 + 2 * BLOCKS, 2):
            h = h + ops.relu(ops.dense(h, w[i], w[i + 1]))
        return ops.dense(h, w[-2], w[-1])
    if kind == "towers":
        left = ops.relu(ops.dense(ops.take(w[0], x[:, 0]), w[2], w[3]))
        right = ops.relu(ops.dense(ops.take(w[1], x[:, 1]), w[4], w[5]))
        return (left * right).sum(1)[:, None]
    h = ops.concatenate([ops.take(w[j], x[:, j]) for j in range(COLUMNS)])
    for i in range(COLUMNS, COLUMNS + 2 * len(HIDDEN), 2):
        h = ops.relu(ops.dense(h, w[i], w[i + 1]))
    return ops.dense(h, w[-2], w[-1])


def gradients(kind: str, w: Weights, x: np.ndarray, delta: np.ndarray) -> Weights:
    """Return the gradient by the weights, given that by the logits."""
    result = [np.zeros_like(each) for each in w]

    def back(i: int, h: np.ndarray, d: np.ndarray) -> np.ndarray:
        result[i], result[i + 1] = h.T @ d, d.sum(axis=0)
        return d @ w[i].T

    if kind == "residual":
        a = [NUMPY.relu(NUMPY.dense(x, w[0], w[1]))]
        h = [a[0]]
        for i in range(2, 2 + 2 * BLOCKS, 2):
            a.append(NUMPY.relu(NUMPY.dense(h[-1], w[i], w[i + 1])))
            h.append(h[-1] + a[-1])
        d = back(len(w) - 2, h[-1], delta)
        for block in range(BLOCKS, 0, -1):
            d = d + back(2 * block, h[block - 1], d * (a[block] > 0))
        back(0, x, d * (a[0] > 0))
        return result
    if kind == "towers":
        read = [w[side][x[:, side]] for side in (0, 1)]
        a = [NUMPY.relu(NUMPY.dense(read[s], w[2 + 2 * s], w[3 + 2 * s])) for s in (0, 1)]
        for side in (0, 1):
            d = back(2 + 2 * side, read[side], delta * a[1 - side] * (a[side] > 0))
            np.add.at(result[side], x[:, side], d)
        return result
    h = [NUMPY.concatenate([w[j][x[:, j]] for j in range(COLUMNS)])]
    for i in range(COLUMNS, COLUMNS + 2 * len(HIDDEN), 2):
        h.append(NUMPY.relu(NUMPY.dense(h[-1], w[i], w[i + 1])))
    d = delta
    for layer in range(len(HIDDEN), -1, -1):
        d = back(COLUMNS + 2 * layer, h[layer], d)
        d = d * (h[layer] > 0) if layer else d
    for j in range(COLUMNS):
        np.add.at(result[j], x[:, j], d[:, j * EMBEDDED : (j + 1) * EMBEDDED])
    return result
