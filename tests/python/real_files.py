# SPDX-License-Identifier: Apache-2.0
"""Model files as other libraries write them, with what these predict: PyTorch's and scikit-learn's.

``python real_files.py`` writes them all, reads each with laminar, and prints how many agree, and
what is said of those that are refused.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

X = np.random.default_rng(3).normal(size=(30, 6)).astype(np.float32)
ROWS = X[:, :4]
_OF_ONE_MODULE = ("CELU", "SELU", "SiLU", "Hardswish", "LeakyReLU", "LogSigmoid", "PReLU")
_OF_ONE_MODULE += ("Softsign",)
# A file's writer: takes a folder, returns the file, its input and what is predicted for it.
Real = Callable[[Path], tuple[Path, Any, Any]]


def networks() -> dict[str, Any]:
    """Return modules of PyTorch over 6 features."""
    import torch
    from torch import nn

    class Normalized(nn.Module):
        """Batch normalization over an axis of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.a, self.norm, self.b = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            return self.b(self.norm(self.a(x).unsqueeze(-1)).squeeze(-1))

    class Columns(nn.Module):
        """A matrix times a vector."""

        def __init__(self, turned: bool) -> None:
            super().__init__()
            self.w, self.turned = nn.Parameter(torch.randn(5, 6)), turned

        def forward(self, x: Any) -> Any:
            if self.turned:
                return torch.relu(self.w @ x.T).T
            return torch.relu(torch.matmul(self.w, x.unsqueeze(-1))).squeeze(-1)

    class Restored(nn.Module):
        """Outputs brought back to their units, one number a row."""

        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(6, 1)
            self.register_buffer("mean", torch.tensor([3.0]))
            self.register_buffer("deviation", torch.tensor([0.5]))

        def forward(self, x: Any) -> Any:
            return (torch.tanh(self.a(x)) * self.deviation + self.mean).squeeze(-1)

    linear = nn.Linear
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nn.utils.weight_norm(linear(6, 5))
    new = nn.utils.parametrizations.weight_norm(linear(6, 5))
    made = {
        "plain": nn.Sequential(linear(6, 5), nn.ReLU(), linear(5, 3), nn.Softmax(-1)),
        "nested": nn.Sequential(
            nn.Sequential(linear(6, 5), nn.ELU(0.5)), nn.Sequential(nn.Mish(), linear(5, 1))
        ),
        "batch normalization": nn.Sequential(linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.3)),
        "normalized": Normalized(),
        "columns": Columns(False),
        "turned": Columns(True),
        "restored": Restored(),
        "hardtanh": nn.Sequential(linear(6, 5), nn.Hardtanh(-0.25, 0.5)),
        "softplus": nn.Sequential(linear(6, 5), nn.Softplus(beta=2.0)),
        "gated": nn.Sequential(linear(6, 4), nn.GLU()),
        "weight norm": nn.Sequential(old, nn.ReLU(), linear(5, 2)),
        "weight norm of today": nn.Sequential(new, nn.ReLU(), linear(5, 2)),
        "layer norm": nn.Sequential(linear(6, 5), nn.LayerNorm(5), nn.GELU(), linear(5, 2)),
    }
    for name in (
        "CELU",
        "SELU",
        "SiLU",
        "Hardswish",
        "LeakyReLU",
        "LogSigmoid",
        "PReLU",
        "Softsign",
    ):
        made[name] = nn.Sequential(linear(6, 4), getattr(nn, name)(), linear(4, 2))
    return made


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what other libraries say to themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def of_torch(name: str, dynamo: bool) -> Real:
    """Return the writer of a network of PyTorch by one of its two exporters."""

    def write(folder: Path) -> tuple[Path, Any, Any]:
        import torch

        torch.manual_seed(1)
        module = networks()[name].eval()
        path, rows = folder / "m.onnx", torch.from_numpy(X)
        with quiet(), torch.no_grad():
            expected = module(rows).numpy()
            if dynamo:
                shapes = ({0: torch.export.Dim("n")},)
                given: dict[str, Any] = {"dynamic_shapes": shapes, "dynamo": True, "report": False}
            else:
                given = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}, "dynamo": False}
            torch.onnx.export(module, (rows,), str(path), verbose=False, **given)
        return path, X, expected

    return write


def estimators() -> dict[str, tuple[Any, Any, dict[str, Any]]]:
    """Return networks of scikit-learn, their targets, and the converter's options."""
    from sklearn import preprocessing as pre
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline

    few: dict[str, Any] = {"hidden_layer_sizes": (5,), "max_iter": 20, "random_state": 0}
    classes = np.arange(30) % 3
    texts = np.array(["a", "b", "c"])[classes]
    one, plain = MLPClassifier(**few), {"zipmap": False}

    def behind(*steps: Any, kind: Any = MLPRegressor) -> Any:
        return make_pipeline(*steps, kind(**few))

    return {
        "classes": (one, classes, {}),
        "classes of an array": (one, classes, plain),
        "texts": (one, texts, {}),
        "columns": (one, texts, {"zipmap": "columns"}),
        "numbers": (one, classes + 5, plain),
        "two classes": (one, classes > 0, plain),
        "labels": (one, np.eye(3, dtype=int)[classes], plain),
        "regression": (MLPRegressor(**few), ROWS[:, 0], {}),
        "two outputs": (MLPRegressor(**few), ROWS[:, :2], {}),
        "standardized": (behind(pre.StandardScaler(), kind=MLPClassifier), texts, {}),
        "min and max": (behind(pre.MinMaxScaler()), ROWS[:, 0], {}),
        "clipped": (behind(pre.MinMaxScaler(clip=True)), ROWS[:, 0], {}),
        "robust": (behind(pre.RobustScaler(), pre.MaxAbsScaler()), ROWS[:, 0], {}),
        "unit rows": (behind(pre.Normalizer()), ROWS[:, 0], {}),
        "unit rows by l1": (behind(pre.Normalizer("l1")), ROWS[:, 0], {}),
    }


def of_sklearn(name: str) -> Real:
    """Return the writer of a network of scikit-learn by skl2onnx."""

    def write(folder: Path) -> tuple[Path, Any, Any]:
        from skl2onnx import to_onnx

        estimator, y, options = estimators()[name]
        with quiet():
            estimator.fit(ROWS, y)
            message = to_onnx(estimator, ROWS[:1], options=options or None)
        classifies = hasattr(estimator, "predict_proba")
        expected = estimator.predict_proba(ROWS) if classifies else estimator.predict(ROWS)
        (folder / "m.onnx").write_bytes(message.SerializeToString())
        return folder / "m.onnx", ROWS, expected

    return write


# PyTorch's default exporter is slow: some of the networks are enough.
_DYNAMO = ("plain", "normalized", "softplus", "gated")
_OLD = ("plain", "nested", "batch normalization", "normalized", "columns", "turned", "restored")
_OLD += ("hardtanh", "softplus", "gated", "weight norm", "weight norm of today", "layer norm")
_OLD += _OF_ONE_MODULE
_SKLEARN = ("classes", "classes of an array", "texts", "columns", "numbers", "two classes")
_SKLEARN += ("labels", "regression", "two outputs", "standardized", "min and max", "clipped")
_SKLEARN += ("robust", "unit rows", "unit rows by l1")
REAL: dict[str, Real] = {
    **{f"torch, {name}": of_torch(name, False) for name in _OLD},
    **{f"torch by dynamo, {name}": of_torch(name, True) for name in _DYNAMO},
    **{f"skl2onnx, {name}": of_sklearn(name) for name in _SKLEARN},
}


def _quantized(folder: Path) -> Path:
    from onnxruntime.quantization import quantize_dynamic

    path, _, _ = of_sklearn("regression")(folder)
    with quiet():
        quantize_dynamic(str(path), str(folder / "q.onnx"))
    return folder / "q.onnx"


def _converted(estimator: Any, y: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        from skl2onnx import to_onnx

        message = to_onnx(estimator.fit(ROWS, y), ROWS[:1])
        (folder / "m.onnx").write_bytes(message.SerializeToString())
        return folder / "m.onnx"

    return write


def _forest(folder: Path) -> Path:
    from sklearn.ensemble import RandomForestClassifier

    return _converted(RandomForestClassifier(2), np.arange(30) % 3)(folder)


def _machine(folder: Path) -> Path:
    from sklearn.svm import SVR

    return _converted(SVR(), ROWS[:, 0])(folder)


def _saved(folder: Path) -> Path:
    import torch

    torch.save({"a": torch.zeros(2)}, folder / "m.pt")
    return folder / "m.pt"


def _convolution(folder: Path) -> Path:
    import torch
    from torch import nn

    module = nn.Sequential(nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 3), nn.Flatten())
    with quiet():
        rows = (torch.from_numpy(X),)
        torch.onnx.export(module, rows, str(folder / "m.onnx"), dynamo=False, verbose=False)
    return folder / "m.onnx"


def _softplus(folder: Path) -> Path:
    import torch
    from torch import nn

    module = nn.Sequential(nn.Linear(6, 2), nn.Softplus(2.0, threshold=5))
    with quiet():
        given: dict[str, Any] = {"dynamo": True, "verbose": False, "report": False}
        torch.onnx.export(module, (torch.from_numpy(X),), str(folder / "m.onnx"), **given)
    return folder / "m.onnx"


# {name: (writer, what is said: what is missing, and the cure)}
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "quantized by onnxruntime": (_quantized, "computes in integers; load the network that was"),
    "a forest": (_forest, "TreeEnsembleClassifier has no layer: .*convert these alone"),
    "a support vector machine": (_machine, "SVMRegressor has no layer: .*convert these alone"),
    "saved by torch.save": (_saved, "is a PyTorch file; .*safetensors.torch.save_file"),
    "a convolution": (_convolution, "no layer for operator Conv; .*save one without the rest"),
    "a softplus that jumps": (_softplus, "laminar's does not: export it with the threshold 20"),
}


def main() -> None:
    """Write all files, read them, and print what comes of it."""
    from laminar import load_model

    agreed = 0
    for name, write in REAL.items():
        with tempfile.TemporaryDirectory() as folder:
            path, x, expected = write(Path(folder))
            got = load_model(path).predict(x)
        worst = float(np.max(np.abs(got - np.asarray(expected).reshape(got.shape))))
        agreed += worst < 1e-5
        print(f"{worst:8.1e}  {name}")
    refused = 0
    for name, (make, _) in REFUSED.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                load_model(make(Path(folder)))
            except ValueError as error:
                refused += 1
                print(f" refused  {name}: {str(error).partition(': ')[2]}")
    print(f"{agreed} of {len(REAL)} agree, {refused} of {len(REFUSED)} are refused")


if __name__ == "__main__":
    main()
