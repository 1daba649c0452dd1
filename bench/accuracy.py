# SPDX-License-Identifier: Apache-2.0
"""Test accuracy beside PyTorch's, same network, data and epochs: `python bench/accuracy.py DATA`.

DATA is an .npz file with `images` (n, 28, 28) of bytes and `labels` (n,), such as MNIST; its last
fifth is held out. Both start from Glorot's uniform weights, each library's own draw.
"""

import argparse
import time

import numpy as np
import torch

import laminar
from laminar import layers


def split(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x, y for training and x, y for the test, pixels scaled to 0 … 1."""
    with np.load(path) as data:
        x = data["images"].reshape(-1, 784).astype(np.float32) / 255
        y = data["labels"].astype(np.int32)
    train = len(x) * 4 // 5
    return x[:train], y[:train], x[train:], y[train:]


def laminar_accuracy(data: tuple[np.ndarray, ...], seed: int, epochs: int) -> float:
    """Train with laminar."""
    x, y, x_test, y_test = data
    laminar.utils.set_random_seed(seed)
    model = laminar.Sequential([layers.Dense(128, "relu"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    return float(model.evaluate(x_test, y_test, verbose=0)[1])


def torch_accuracy(data: tuple[np.ndarray, ...], seed: int, epochs: int) -> float:
    """Train with PyTorch."""
    x, y, x_test, y_test = (torch.from_numpy(a) for a in data)
    y, y_test = y.long(), y_test.long()
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    for layer in (model[0], model[2]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    loss = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        return float((model(x_test).argmax(1) == y_test).float().mean())


def main() -> None:
    """Print the accuracies of each seed and their means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    data = split(arguments.data)
    print(f"{len(data[0])} rows to train on, {len(data[2])} to test, {arguments.epochs} epochs")
    print("| seed | laminar | torch | seconds, laminar | seconds, torch |\n|---|---|---|---|---|")
    results = []
    for seed in range(arguments.seeds):
        figures = []
        for train in (laminar_accuracy, torch_accuracy):
            start = time.perf_counter()
            figures.append((train(data, seed, arguments.epochs), time.perf_counter() - start))
        results.append([accuracy for accuracy, _ in figures])
        (ours, our_time), (theirs, their_time) = figures
        print(f"| {seed} | {ours:.4f} | {theirs:.4f} | {our_time:.2f} | {their_time:.2f} |")
    ours, theirs = np.mean(results, axis=0)
    print(f"| mean | {ours:.4f} | {theirs:.4f} | | |")
    print(f"difference: {100 * (ours - theirs):+.2f} points")


if __name__ == "__main__":
    main()
