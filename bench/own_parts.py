# SPDX-License-Identifier: Apache-2.0
"""Parts of one's own beside built-in ones: `python bench/own_parts.py`.

A Dense of one's own beside `Dense`, a Huber loss beside `Huber`, a layer of five elementwise
operations between others beside the network without it, and a step of a loop with `GradientTape`
beside `train_on_batch`. Both take turns on one thread, every other round the other one first; the
table has medians of the processor's time for a step, and of the ratios of the rounds the median,
the lowest and the highest.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from turns import in_turns

import laminar
from laminar import layers, losses, ops, optimizers

Train = Callable[[int], None]  # trains for so many steps at least


class OwnDense(layers.Layer):
    """Dense, with add_weight and operations."""

    def __init__(self, units: int, activation: str | None = None) -> None:
        super().__init__()
        self.units, self.activation = units, activation

    def build(self, input_shape: Any) -> None:
        """Make a kernel and a bias."""
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """Return f(x W + b)."""
        y = ops.matmul(x, self.kernel) + self.bias
        return getattr(ops, self.activation)(y) if self.activation else y


class Five(layers.Layer):
    """Five elementwise operations."""

    def call(self, x: Any) -> Any:
        """Return tanh(x sigmoid(x) - x^2)."""
        return ops.tanh(ops.sigmoid(x) * x - ops.square(x))


def own_huber(y: Any, p: Any) -> Any:
    """Return Huber's loss."""
    e = ops.abs(y - p)
    return ops.mean(ops.where(e <= 1, 0.5 * ops.square(e), e - 0.5), axis=-1)


def data(rows: int, width: int, outputs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return samples and targets."""
    x = np.random.default_rng(0).standard_normal((rows, width), dtype=np.float32)
    return x, np.sin(2 * x[:, :outputs])


def by_fit(parts: list[layers.Layer], loss: Any, batch: int, width: int, outputs: int = 1) -> Train:
    """Return training by fit."""
    laminar.utils.set_random_seed(3)
    model = laminar.Sequential([layers.Input((width,)), *parts])
    model.compile("adam", loss)
    steps = 16
    x, y = data(batch * steps, width, outputs)

    def train(number: int) -> None:
        model.fit(x, y, batch_size=batch, epochs=-(-number // steps), verbose=0)

    return train


def dense(
    kind: Callable[..., layers.Layer], width: int, activation: str, middle: Any = ()
) -> Train:
    """Return training of width-width-width-1, with something between the first two."""
    parts = [kind(width, activation), *(part() for part in middle), kind(width, activation)]
    return by_fit([*parts, kind(1)], "mse", 64, width)


def huber(loss: Any, width: int, outputs: int) -> Train:
    """Return training by one of both losses."""
    return by_fit([layers.Dense(width, "relu"), layers.Dense(outputs)], loss, 128, width, outputs)


def network(widths: tuple[int, ...]) -> laminar.Sequential:
    """Return a compiled network."""
    laminar.utils.set_random_seed(3)
    hidden = [layers.Dense(width, "relu") for width in widths[1:-1]]
    model = laminar.Sequential([layers.Input((widths[0],)), *hidden, layers.Dense(widths[-1])])
    model.compile(optimizers.Adam(), "mse")
    return model


def by_batches(widths: tuple[int, ...], batch: int) -> Train:
    """Return training by train_on_batch."""
    model = network(widths)
    x, y = data(batch, widths[0], widths[-1])

    def train(number: int) -> None:
        for _ in range(number):
            model.train_on_batch(x, y)

    return train


def by_tape(widths: tuple[int, ...], batch: int) -> Train:
    """Return training by a loop of one's own."""
    model, optimizer, loss = network(widths), optimizers.Adam(), losses.MeanSquaredError()
    x, y = data(batch, widths[0], widths[-1])

    def train(number: int) -> None:
        for _ in range(number):
            with laminar.GradientTape() as tape:
                value = loss(y, model(x, training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    return train


class Row(NamedTuple):
    """A line of the table: what is compared with what, and the highest ratio that is wanted."""

    name: str
    own: Callable[[], Train]
    other: Callable[[], Train]
    bound: float


LOOPS = (((4, 8, 1), 1), ((4, 8, 1), 32), ((17, 64, 64, 6), 64), ((128, 256, 256, 10), 128))
ROWS = [
    *(
        Row(
            f"Dense {width}, {activation}",
            lambda w=width, a=activation: dense(OwnDense, w, a),
            lambda w=width, a=activation: dense(layers.Dense, w, a),
            1 / 0.9,
        )
        for width in (128, 512)
        for activation in ("tanh", "relu")
    ),
    *(
        Row(
            f"Huber, {width}-{width}-{outputs}",
            lambda w=width, o=outputs: huber(own_huber, w, o),
            lambda w=width, o=outputs: huber(losses.Huber(), w, o),
            1 / 0.95,
        )
        for width, outputs in ((64, 1), (128, 16))
    ),
    *(
        Row(
            f"five operations, 128, {activation}",
            lambda a=activation: dense(layers.Dense, 128, a, [Five]),
            lambda a=activation: dense(layers.Dense, 128, a),
            1.3,
        )
        for activation in ("tanh", "relu")
    ),
    *(
        Row(
            f"tape, {'-'.join(map(str, widths))}, batch {batch}",
            lambda w=widths, b=batch: by_tape(w, b),
            lambda w=widths, b=batch: by_batches(w, b),
            3,
        )
        for widths, batch in LOOPS
    ),
]


def seconds(train: Train, steps: int) -> float:
    """Return the processor's time for one step."""
    start = time.process_time()
    train(steps)
    return (time.process_time() - start) / steps


def measure(row: Row, rounds: int, length: float) -> str:
    """Return a line of the table."""
    both = row.own(), row.other()
    for train in both:
        train(16)
    steps = 16 * max(1, round(length / 16 / max(seconds(train, 16) for train in both)))
    own, other, ratio = in_turns(
        lambda: seconds(both[0], steps), lambda: seconds(both[1], steps), rounds
    )
    return f"| {row.name} | {own:.4g} | {other:.4g} | {ratio} | {row.bound:.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one timing")
    parser.add_argument("--only", default="", help="rows whose name has this text")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    laminar.set_num_threads(1)
    print("| | own, µs | built-in, µs | own / built-in | at most |\n|---|---|---|---|---|")
    for row in ROWS:
        if arguments.only in row.name:
            print(measure(row, arguments.rounds, arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
