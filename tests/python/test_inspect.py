# SPDX-License-Identifier: Apache-2.0
"""What a file holds, told as text."""

from __future__ import annotations

from pathlib import Path

import golden_files
import numpy as np
import pytest
from support import small_classifier

from laminar import _core
from laminar._inspect import described


def test_a_training_that_stopped() -> None:
    text = described(str(golden_files.FOLDER / "v1_training_float64.safetensors"))
    for part in (
        "a model of laminar",
        "format           1, of laminar 0.1.0",
        "dtype            float64",
        "seed             13",
        "loss             mse(",
        "optimizer        adam(",
        "metrics          mae, r2_score",
        "updates          6",
        "training stands  in epoch 2, after 2 batches",
        "last epoch       loss ",
        "dense (Dense)",
        "Total params: 202",
    ):
        assert part in text
    row = next(line for line in text.splitlines() if line.startswith("dense/kernel"))
    assert row.split() == ["dense/kernel", "F64", "6x7", "336"]


def test_a_model_without_training(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    small_classifier().save(path, include_optimizer=False)
    text = described(str(path))
    assert "loss" not in text
    assert "dense_1/bias" in text


def test_any_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    arrays = {"a": np.zeros((3, 2), np.int64), "b": np.zeros((), np.float16)}
    _core.write_safetensors(path, arrays, {"made by": "hand"})
    text = described(str(path))
    assert "2 tensors" in text
    assert "made by: hand" in text
    assert [line.split() for line in text.splitlines()[-2:]] == [
        ["a", "I64", "3x2", "48"],
        ["b", "F16", "1", "2"],
    ]
    with pytest.raises(ValueError, match=r"inspect: the file's name must end in"):
        described("a.txt")
    with pytest.raises(FileNotFoundError):
        described(str(tmp_path / "none.safetensors"))
