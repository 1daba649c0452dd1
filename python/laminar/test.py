# SPDX-License-Identifier: Apache-2.0
"""A check of the installed package, for who builds or installs it: ``python -m laminar.test``.

For each instruction set that this processor has, a process of its own compares the kernels with
NumPy, trains, saves and loads. It needs nothing but what laminar needs, takes a few seconds, and
ends with status 0 where all is well. The tests of the repository are many more.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import platform
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import laminar
from laminar import Sequential, activations, layers, losses, optimizers

__all__ = ["CHECKS", "main"]

_SIZES = ((1, 1, 1), (3, 5, 2), (7, 17, 9), (33, 64, 31), (130, 70, 65))  # rows, inputs, units
_TYPES = {"float32": 2e-5, "float64": 1e-12}  # and how far results may be from NumPy's
_DAMAGED = 100  # bytes of a file that are left


def _random(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng([*shape, seed]).standard_normal(shape)


def _near(found: Any, wanted: Any, tolerance: float, what: str) -> None:
    """Raise AssertionError where results are apart."""
    wanted = np.asarray(wanted, np.float64)
    size = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    error = float(np.abs(np.asarray(found, np.float64) - wanted).max(initial=0.0))
    if not error <= tolerance * size:
        raise AssertionError(f"{what}: {error:.3g} from NumPy's result, {tolerance:.1g} allowed")


def products() -> None:
    """Compare outputs and gradients of a layer, of sizes that fill vectors and that do not."""
    for dtype, tolerance in _TYPES.items():
        for rows, inputs, units in _SIZES:
            x, y = _random(rows, inputs).astype(dtype), _random(rows, units, seed=1).astype(dtype)
            model = Sequential([layers.Input(inputs), layers.Dense(units)], dtype=dtype, seed=1)
            model.compile("sgd", "mse")
            kernel, bias = _random(inputs, units, seed=2), _random(units, seed=3)
            kernel, bias = kernel.astype(dtype), bias.astype(dtype)
            model.set_weights([kernel, bias])
            wide = x.astype(np.float64)
            wanted = wide @ kernel + bias
            what = f"{rows} x {inputs} x {units} of {dtype}"
            _near(model.predict(x), wanted, tolerance, f"outputs of {what}")
            slope = 2 * (wanted - y) / wanted.size
            loss, gradients = model.loss_and_gradients(x, y)
            _near(loss, np.mean((wanted - y) ** 2), tolerance, f"loss of {what}")
            _near(gradients[0], wide.T @ slope, tolerance, f"gradient of {what}")
            _near(gradients[1], slope.sum(axis=0), tolerance, f"gradient of {what}")


def functions() -> None:
    """Compare activations, and slopes of the smooth ones with differences."""
    x = np.concatenate([np.linspace(-12, 12, 397), [0.0, -0.0, 1e-30]])
    erf = np.vectorize(math.erf)
    exp = np.exp(x - x.max())
    formulas = {
        "elu": np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        "gelu": x * (1 + erf(x / np.sqrt(2))) / 2,
        "log_softmax": x - x.max() - np.log(exp.sum()),
        "relu": np.maximum(x, 0),
        "sigmoid": 1 / (1 + np.exp(-x)),
        "silu": x / (1 + np.exp(-x)),
        "softmax": exp / exp.sum(),
        "softplus": np.logaddexp(x, 0),
        "tanh": np.tanh(x),
    }
    for dtype, tolerance in _TYPES.items():
        for name, wanted in formulas.items():
            _near(activations.get(name)(x.astype(dtype)), wanted, tolerance, f"{name} of {dtype}")
    step, at = 1e-6, np.linspace(-3, 3, 60)
    for name in ("gelu", "sigmoid", "silu", "softplus", "tanh"):
        function = activations.get(name)
        by_difference = (function(at + step) - function(at - step)) / (2 * step)
        _near(function.gradient(at), by_difference, 1e-8, f"slope of {name}")
    if not np.isnan(activations.relu(np.array([np.nan]))).all():
        raise AssertionError("relu loses NaN")


def updates() -> None:
    """Compare steps of Adam, and a loss."""
    w, m, v = _random(37), np.zeros(37), np.zeros(37)
    optimizer, own = optimizers.Adam(0.01), w.copy()
    for step in range(1, 6):
        gradient = _random(37, seed=step)
        optimizer.apply([gradient], [own])
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        rate = 0.01 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        w -= rate * m / (np.sqrt(v) + 1e-7)
    _near(own, w, 1e-9, "Adam")
    y, p = np.eye(3)[[0, 2, 1]], np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
    wanted = -np.mean(np.log(p[y > 0]))
    _near(losses.CategoricalCrossentropy()(y, p), wanted, 1e-6, "cross-entropy")


def _trained(threads: int) -> Sequential:
    laminar.set_num_threads(threads)
    (x, y), _ = laminar.datasets.load_digits()
    stack = [layers.Dense(48, "relu"), layers.Dropout(0.1), layers.Dense(10, "softmax")]
    model = Sequential(stack, seed=7)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=8, verbose=0)
    return model


def training() -> None:
    """Learn digits, to the same bits with any number of threads."""
    _, (x, y) = laminar.datasets.load_digits()
    first = _trained(1)
    accuracy = first.evaluate(x, y, return_dict=True)["accuracy"]
    if accuracy < 0.9:
        raise AssertionError(f"of the digits {accuracy:.1%} are told, 90 % expected")
    for threads in sorted({2, 3, os.cpu_count() or 1}):
        for one, other in zip(first.get_weights(), _trained(threads).get_weights(), strict=True):
            if one.tobytes() != other.tobytes():
                raise AssertionError(f"{threads} threads lead to other bits than one")
    laminar.set_num_threads(0)


def files() -> None:
    """Save and load a model, to the same bits, and damage the file, which is refused then."""
    model, x = _trained(0), _random(50, 64).astype(np.float32)
    y = np.arange(50) % 10
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        model.save(path)
        loaded = laminar.load_model(path)
        if loaded.predict(x).tobytes() != model.predict(x).tobytes():
            raise AssertionError("a loaded model predicts other bits")
        for each in (model, loaded):
            each.train_on_batch(x, y)
        if loaded.predict(x).tobytes() != model.predict(x).tobytes():
            raise AssertionError("a loaded model trains to other bits")
        with open(path, "rb+") as file:
            file.truncate(_DAMAGED)
        try:
            laminar.load_model(path)
        except ValueError:
            return
    raise AssertionError("a damaged file is loaded")


def package() -> None:
    """Look for the files that come with the package."""
    version = laminar.show_config()["version"]
    if version != laminar.__version__:
        raise AssertionError(f"the core is of version {version}, not {laminar.__version__}")
    places = [(os.path.dirname(laminar.__file__), "py.typed")]
    # Distributions may have the C++ package apart; then there is nothing to be found of it.
    with contextlib.suppress(FileNotFoundError):
        places.append((laminar.get_include(), "laminar/laminar.hpp"))
        places.append((laminar.get_cmake_dir(), "laminarConfig.cmake"))
    for folder, file in places:
        if not os.path.isfile(os.path.join(folder, *file.split("/"))):
            raise AssertionError(f"{file} is not in {folder}")


# Each raises an error where something is wrong.
CHECKS: tuple[Callable[[], None], ...] = (package, products, functions, updates, training, files)


def _checked() -> bool:
    """Run all checks in this process, and say what fails."""
    whole = True
    for check in CHECKS:
        try:
            check()
        except Exception as error:  # whatever it is, the others are worth knowing
            whole = False
            wrong = isinstance(error, AssertionError)
            print(f"  {check.__name__}: FAILED: {error if wrong else traceback.format_exc()}")
        else:
            print(f"  {check.__name__}: ok")
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Check each instruction set; return 0 where all is well, 1 where not.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line; by default those of the process.
    """
    parser = argparse.ArgumentParser(
        "python -m laminar.test", description="Check the installed package.", allow_abbrev=False
    )
    parser.add_argument("--this-isa", action="store_true", help="only what runs by default")
    arguments = parser.parse_args(argv)
    if arguments.this_isa:
        return 0 if _checked() else 1
    config = laminar.show_config()
    print(f"laminar {laminar.__version__}, {config['compiler']}, NumPy {np.__version__}, ", end="")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    failed = []
    for isa in config["isas"]:
        print(f"{isa}:", flush=True)
        command = [sys.executable, "-m", "laminar.test", "--this-isa"]
        if subprocess.run(command, env={**os.environ, "LAMINAR_ISA": isa}, check=False).returncode:
            failed.append(isa)
    print(f"FAILED: {', '.join(failed)}" if failed else "all is well")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
