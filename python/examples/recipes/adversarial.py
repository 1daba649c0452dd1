# SPDX-License-Identifier: Apache-2.0
"""Adversarial examples: a change too small to matter that makes a network err.

The fast gradient sign method moves every pixel by the same small amount, in the direction in which
the loss grows (Goodfellow, Shlens and Szegedy, 2015, arXiv:1412.6572). The slope by the image comes
from a tape. The same amount in random directions does next to nothing; and a network that is
trained on attacked images, made anew for each batch, withstands more.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import GradientTape, Input, Sequential, datasets, layers, losses, ops

SIZE, EPOCHS, BATCH = 0.15, 30, 32
LOSS = losses.SparseCategoricalCrossentropy(from_logits=True)


def attacked(model, images, labels):
    """Return the images, each pixel moved by SIZE so that the loss grows."""
    tensor = ops.convert_to_tensor(images)
    with GradientTape() as tape:
        tape.watch(tensor)
        loss = LOSS(labels, model(tensor))
    return np.clip(images + SIZE * np.sign(tape.gradient(loss, tensor).numpy()), 0, 1)


def trained(x, y, against_attacks):
    """Return a network that has learned digits."""
    model = Sequential([Input((64,)), layers.Dense(128, "relu"), layers.Dense(10)], seed=1)
    model.compile("adam", LOSS, metrics=["accuracy"])
    rng = np.random.default_rng(1)
    for _ in range(EPOCHS):
        for rows in np.split(rng.permutation(len(x)), range(BATCH, len(x), BATCH)):
            images = attacked(model, x[rows], y[rows]) if against_attacks else x[rows]
            model.train_on_batch(images, y[rows])
    return model


def main() -> None:
    """Attack a network, and one that was trained to withstand."""
    (x, y), (new_x, new_y) = datasets.load_digits()
    x, new_x = np.float32(x), np.float32(new_x)
    plain, hardened = trained(x, y, False), trained(x, y, True)
    noise = SIZE * np.random.default_rng(2).choice([-1, 1], new_x.shape)

    def accuracy(model, images):
        return model.evaluate(images, new_y, verbose=0)[1]

    check("accuracy on new digits", accuracy(plain, new_x), above=0.93)
    check("with noise", accuracy(plain, np.clip(new_x + noise, 0, 1)), above=0.87)
    check("attacked", accuracy(plain, attacked(plain, new_x, new_y)), below=0.45)
    check(
        "attacked, after training with attacks",
        accuracy(hardened, attacked(hardened, new_x, new_y)),
        above=0.5,
    )


if __name__ == "__main__":
    main()
