# SPDX-License-Identifier: Apache-2.0
"""Train a network on handwritten digits: the main job of laminar in one page.

With ``--hash`` it trains the configuration that ``cpp/examples/digits.cpp`` trains too, and
prints a SHA-256 of the weights: the same for both, and for any number of threads.
"""

from __future__ import annotations

import argparse
import hashlib
import time

import laminar
from laminar import Sequential, datasets, layers


def network(seed: int) -> Sequential:
    """Return a compiled network for digits of 64 pixels."""
    model = Sequential(
        [
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        seed=seed,
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fingerprint(model: Sequential) -> str:
    """Return the SHA-256 of the weights' little-endian bytes, tensor by tensor."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(weights.astype(weights.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="0 chooses automatically")
    parser.add_argument("--hash", action="store_true", help="print a hash of agreed weights")
    options = parser.parse_args()
    laminar.set_num_threads(options.threads)
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()

    if options.hash:
        model = network(seed=7)
        model.fit(x_train, y_train, batch_size=32, epochs=5, verbose=0)
        print(fingerprint(model))
        return

    model = network(options.seed)
    began = time.perf_counter()
    model.fit(x_train, y_train, epochs=options.epochs)
    seconds = time.perf_counter() - began
    _, accuracy = model.evaluate(x_test, y_test)
    model.summary()
    print(f"trained {options.epochs} epochs in {seconds:.2f} s; test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
