# SPDX-License-Identifier: Apache-2.0
"""Saliency and integrated gradients: by which pixels a network tells a digit.

Saliency is the slope of the class's logit by each pixel: what a small change would do (Simonyan,
Vedaldi and Zisserman, 2014). Integrated gradients multiply the mean slope on the way from an empty
image by the pixel, so that the parts add up to what the image adds to the logit (Sundararajan,
Taly and Yan, 2017). Whether a map is right is seen by erasing the pixels that it names first.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import GradientTape, Input, Sequential, datasets, layers, losses, ops

STEPS, ERASED = 64, 8


def slopes(model, images, classes):
    """Return the slopes of the logits of given classes by all pixels of their images."""
    tensor = ops.convert_to_tensor(images)
    with GradientTape() as tape:
        tape.watch(tensor)
        chosen = ops.sum(model(tensor) * ops.one_hot(classes, 10))
    return tape.gradient(chosen, tensor).numpy()


def integrated(model, images, classes):
    """Return what each pixel contributes to the logit, on the straight way from an empty image."""
    total = np.zeros_like(images)
    for step in range(STEPS):
        total += slopes(model, images * np.float32((step + 0.5) / STEPS), classes)
    return images * total / STEPS


def share(model, images, classes, pixels):
    """Return how often the class is still found once an image's first pixels are erased."""
    erased = images.copy()
    np.put_along_axis(erased, pixels[:, :ERASED], 0, axis=1)
    return np.mean(np.argmax(model.predict(erased), axis=1) == classes)


def main() -> None:
    """Train on digits, and ask for the reasons of what it says of new ones."""
    (x, y), (new_x, _) = datasets.load_digits()
    x, new_x = np.float32(x), np.float32(new_x)
    model = Sequential([Input((64,)), layers.Dense(64, "gelu"), layers.Dense(10)], seed=1)
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=30, verbose=0)
    logits = model.predict(new_x)
    classes = np.argmax(logits, axis=1)

    parts = integrated(model, new_x, classes)
    rows = np.arange(len(new_x))
    added = logits[rows, classes] - model.predict(np.zeros_like(new_x))[rows, classes]
    missing = np.abs(parts.sum(axis=1) - added).max()
    check("what parts and logits differ by, at most", missing, below=0.01 * np.abs(added).max())

    chance = np.random.default_rng(2).permuted(np.tile(np.arange(64), (len(new_x), 1)), axis=1)
    salient = np.argsort(-np.abs(slopes(model, new_x, classes)), axis=1)
    named = np.argsort(-parts, axis=1)
    check("found without 8 pixels by chance", share(model, new_x, classes, chance), above=0.85)
    check("without the 8 of largest slope", share(model, new_x, classes, salient), below=0.85)
    check("without the 8 of largest part", share(model, new_x, classes, named), below=0.2)


if __name__ == "__main__":
    main()
