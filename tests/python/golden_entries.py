# SPDX-License-Identifier: Apache-2.0
"""A golden file for each optimizer, schedule, precision, layer and activation.

`python tests/python/golden_entries.py` records in tests/golden/entries those that are not there,
and never touches others. Each is a model saved in the middle of a training, of a seed and inputs
that are known. expected.json holds what it predicts, and predicts when the training has gone on to
its end: as numbers, which must be found again up to rounding everywhere, and as hashes of their
bits for each kind of kernels. So a change can be judged: other bits are a drift of the kernels,
other numbers a damage.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from exchange_models import RECORDED
from golden_files import BATCH_SIZE, EPOCHS, FOLDER, ROWS, fnv1a, inputs, kernels
from numpy.typing import NDArray

import laminar
from laminar import Model, Sequential, activations, layers
from laminar._quantizing import MODES
from laminar.callbacks import LambdaCallback
from laminar.optimizers import SGD, Adam, Optimizer, schedules

ENTRIES = FOLDER / "entries"
EXPECTED = ENTRIES / "expected.json"
COMMAND = "python tests/python/golden_entries.py"
WIDTH = 6
SAVED_AT = 3  # updates
# The kinds of numbers that a model may compute with: arguments of its constructor.
PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float64": {"dtype": "float64"},
    "bfloat16": {"precision": "bfloat16"},
}
# How far numbers may be apart, of the largest one's size: rounding, which training enlarges.
TOLERANCE = {"float32": (2e-6, 2e-5), "float64": (1e-13, 1e-12), "bfloat16": (1e-2, 1e-2)}

# What entries need that have no default.
LAYERS: dict[str, dict[str, Any]] = {
    "activation": {"activation": "gelu"},
    "alpha_dropout": {"rate": 0.25},
    "category_encoding": {"num_tokens": 3, "output_mode": "count"},
    "dense": {"units": 3, "activation": "elu", "kernel_regularizer": "l2"},
    "discretization": {"bin_boundaries": [-0.5, 0.0, 0.5]},
    "dot": {"axes": 1, "normalize": True},
    "dropout": {"rate": 0.25},
    "embedding": {"input_dim": 3, "output_dim": 2},
    "gaussian_dropout": {"rate": 0.25},
    "gaussian_noise": {"stddev": 0.25},
    "maxout": {"units": 3},
    "normalization": {"mean": [0.1] * WIDTH, "variance": [0.5] * WIDTH},
    "operations": {"recorded": {**RECORDED, "class_name": "Mine", "config": ""}},
    "prelu": {"alpha_initializer": "ones"},
    "rescaling": {"scale": 0.5, "offset": 0.1},
    "reshape": {"target_shape": (2, 3)},
    "PeriodicEmbedding": {"frequencies": 2},
    "PiecewiseLinearEncoding": {"edges": [[-1.0, -0.25, 0.25, 1.0]] * WIDTH},
    "ReLU": {"max_value": 0.5, "negative_slope": 0.1},
    "SmoothClip": {"limit": 0.5},
}
OF_CATEGORIES = {"category_encoding", "embedding"}
SCHEDULES: dict[str, Any] = {
    "anneal_strategy": "linear",
    "boundaries": [2, 4],
    "decay_rate": 0.5,
    "decay_steps": 4,
    "first_decay_steps": 2,
    "initial_learning_rate": 0.2,
    "max_lr": 0.2,
    "peak_learning_rate": 0.2,
    "target_learning_rate": 0.2,
    "total_steps": 8,
    "values": [0.3, 0.2, 0.1],
    "warmup_steps": 2,
}

Make = Callable[[], "Sequential | Model[Any]"]


def compiled(model: Any, optimizer: Optimizer | None = None) -> Any:
    model.compile(optimizer or SGD(0.1), "mse")
    return model


def plain(*inner: layers.Layer, **options: Any) -> Sequential:
    return Sequential([layers.Input(WIDTH), *inner, layers.Dense(2)], seed=21, **options)


def with_layer(name: str) -> Any:
    kind = classes_of_layers()[name]
    layer = kind(**LAYERS.get(name, {}))
    if kind._merges:
        a, b = layers.Input(WIDTH, name="a"), layers.Input(WIDTH, name="b")
        return compiled(Model([a, b], layers.Dense(2)(layer([a, b])), seed=21))
    found = plain(layer, layers.Flatten())
    found.build()
    return compiled(found)


def with_schedule(name: str) -> Sequential:
    kind = getattr(schedules, name)
    names = [n for n in inspect.signature(kind).parameters if n in SCHEDULES]
    rate = kind(**{n: SCHEDULES[n] for n in names})
    return compiled(plain(layers.Dense(3, "tanh")), SGD(rate))


def quantized(mode: str) -> Sequential:
    model = plain(layers.Dense(3, "tanh"))
    model.quantize(mode)
    return model


def with_activation(name: str) -> Sequential:
    model = plain(layers.Dense(3, name))
    return model if name == "step" else compiled(model)  # which has no useful slope


def classes_of_layers() -> dict[str, Any]:
    """Return every kind of layer and every class that makes one of another name."""
    known = layers.Layer
    return {**known._classes, **{variant.__name__: variant for variant in known._variants}}


def entries() -> dict[str, Make]:
    """Return how the model of each file is made: what the lists have, these files must have."""
    made: dict[str, Make] = {}
    for name, kind in Optimizer._classes.items():
        made[f"optimizer_{name}"] = lambda kind=kind: compiled(
            plain(layers.Dense(3, "tanh")), kind(learning_rate=0.05)
        )
    for name in schedules.__all__:
        kind = getattr(schedules, name)
        if inspect.isclass(kind) and kind is not schedules.LearningRateSchedule:
            made[f"schedule_{name}"] = lambda name=name: with_schedule(name)
    for name, options in PRECISIONS.items():
        made[f"precision_{name}"] = lambda options=options: compiled(
            plain(layers.Dense(3, "tanh"), **options), Adam(0.05, use_ema=True)
        )
    for mode in MODES:
        made[f"quantized_{mode}"] = lambda mode=mode: quantized(mode)
    for name in classes_of_layers():
        made[f"layer_{name}"] = lambda name=name: with_layer(name)
    for name in activations.Activation._classes:
        made[f"activation_{name}"] = lambda name=name: with_activation(name)
    return made


def samples(name: str, model: Any) -> Any:
    """Return the inputs of a file's model: numbers, or categories where it takes these."""
    shape = model._input
    if name.partition("_")[2] in OF_CATEGORIES:
        return (np.arange(ROWS * WIDTH) % 7 % 3).reshape(ROWS, WIDTH).astype(model.dtype)
    return inputs(shape, model.dtype)


def outcome(name: str) -> list[NDArray[Any]]:
    """Return what a file's model predicts, and after the rest of its training."""
    path = ENTRIES / f"{name}.safetensors"
    model = laminar.load_model(path)
    x = samples(name, model)
    found = [model.predict(x)]
    if model.optimizer is not None:
        y = inputs((2,), model.dtype)
        model.fit(x, y, BATCH_SIZE, EPOCHS, verbose=0, resume=path)
        found.append(model.predict(x))
    return found


def expected() -> dict[str, Any]:
    """Return {name: {"numbers": of each outcome, "bits": {kernels: of each outcome}}}."""
    return json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}


def file_of(name: str) -> Path:
    return ENTRIES / f"{name}.safetensors"


def record() -> None:
    """Write what is not there yet."""
    ENTRIES.mkdir(exist_ok=True)
    for name, make in entries().items():
        path = file_of(name)
        if path.exists():
            continue
        model: Any = make()
        if model.optimizer is None:
            model.save(path)
            continue

        def save(batch: int, logs: Any, model: Any = model, path: Path = path) -> None:
            if model.optimizer.iterations == SAVED_AT:
                model.save(path)

        stop = LambdaCallback(on_train_batch_end=save)
        x, y = samples(name, model), inputs((2,), model.dtype)
        model.fit(x, y, BATCH_SIZE, EPOCHS, verbose=0, callbacks=stop)
    for isa in ("baseline", ""):  # the last one's numbers are kept
        environment = {**os.environ, "LAMINAR_ISA": isa} if isa else dict(os.environ)
        code = "import golden_entries; golden_entries.add_missing()"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def add_missing() -> None:
    """Add numbers, and the hashes of these kernels, where there are none."""
    known = expected()
    for name in sorted(entries()):
        entry = known.setdefault(name, {"numbers": [], "bits": {}})
        if kernels() in entry["bits"]:
            continue
        found = outcome(name)
        entry["bits"][kernels()] = [fnv1a(each) for each in found]
        digits = 17 if found[0].dtype == np.float64 else 9
        entry["numbers"] = [[f"{v:.{digits}g}" for v in each.ravel().tolist()] for each in found]
    lines = [f"{json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known)]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    record()
