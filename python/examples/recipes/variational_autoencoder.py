# SPDX-License-Identifier: Apache-2.0
"""A variational autoencoder: digits described by a few normal numbers, and drawn from them.

The encoder gives a normal distribution for each image, the decoder an image for a draw from it.
The loss is how surprising the image is then, plus how far the distribution is from the standard
normal one (the divergence of Kullback and Leibler): a bound on -log of the image's probability
(Kingma and Welling, 2013, arXiv:1312.6114). A draw is mean + deviation * noise, so that its slopes
by both are known.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Input, Model, Sequential, datasets, layers, ops, optimizers

PIXELS, CODE = 64, 6


class Draw(layers.Layer):
    """A draw from normal distributions in training, their means elsewhere."""

    def call(self, inputs, training=False):
        """Take means and logarithms of variances side by side."""
        mean, log_variance = ops.split(inputs, 2, axis=-1)
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * ops.random.normal(ops.shape(mean))


def surprise(y_true, y_pred):
    """Return -log of the probability of each image, a grey pixel being white by that chance."""
    logits = y_pred[:, :PIXELS]
    return ops.sum(ops.softplus(logits) - y_true * logits, axis=-1)


def divergence(y_true, y_pred):
    """Return the divergence of each image's distribution from the standard normal one."""
    mean, log_variance = ops.split(y_pred[:, PIXELS:], 2, axis=-1)
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1 - log_variance, axis=-1)


def bound(y_true, y_pred):
    """Return the bound on -log of the probability of each image."""
    return surprise(y_true, y_pred) + divergence(y_true, y_pred)


def from_nearest(images, known):
    """Return the mean distance of images from the nearest of those that are known."""
    return np.sqrt(((images[:, None] - known) ** 2).sum(axis=2)).min(axis=1).mean()


def main() -> None:
    """Train, compare with pixels that know nothing of each other, and draw new images."""
    (x, _), (new_x, _) = datasets.load_digits()
    encoder = Sequential([Input((PIXELS,)), layers.Dense(128, "gelu"), layers.Dense(2 * CODE)])
    decoder = Sequential([Input((CODE,)), layers.Dense(128, "gelu"), layers.Dense(PIXELS)])
    image = Input((PIXELS,))
    code = encoder(image)
    model = Model(image, layers.concatenate([decoder(Draw()(code)), code]), seed=1)
    model.compile(optimizers.Adam(0.003), loss=bound, metrics=[surprise, divergence])
    model.fit(x, x, batch_size=128, epochs=100, verbose=0)

    grey = np.clip(x.mean(axis=0), 1e-3, 1 - 1e-3)
    alone = np.tile(np.log(grey / (1 - grey)), (len(new_x), 1))
    pixels = np.mean(surprise(new_x, alone))
    outputs = model(new_x, training=True)  # of a draw for each image
    check("nats a digit, pixel by pixel", pixels, above=26, below=29)
    check("nats a digit of the model", np.mean(bound(new_x, outputs)), below=pixels - 1.5)

    rng = np.random.default_rng(6)
    drawn = ops.sigmoid(decoder.predict(rng.normal(size=(300, CODE))))
    mixed = from_nearest(rng.permuted(x, axis=0)[:300], x)
    check("distance of shuffled pixels from the nearest digit", mixed, above=1.5)
    check("distance of drawn images", from_nearest(drawn, x), below=0.7 * mixed)


if __name__ == "__main__":
    main()
