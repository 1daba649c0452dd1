# SPDX-License-Identifier: Apache-2.0
"""What a file holds, told as text."""

from __future__ import annotations

from pathlib import Path

import golden_files
import numpy as np
import pytest
from support import small_classifier

from laminar import Input, Model, Sequential, _core, layers, models
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


def test_a_graph(tmp_path: Path) -> None:
    path = str(tmp_path / "m.safetensors")
    wide, deep = Input(3, name="wide"), Input((2, 2), name="deep")
    hidden = layers.Dense(4, "relu", name="hidden", trainable=False)(layers.Flatten()(deep))
    joined = layers.concatenate([wide, hidden])
    score = layers.Dense(1, name="last")(joined)
    model = Model([wide, deep], {"score": score, "code": hidden})
    model.save(path)
    lines = described(path).splitlines()
    for line in (
        "format     2, of laminar 0.1.0",
        "inputs     wide (3,), deep (2, 2)",
        "outputs    score (1,) of last, code (4,) of hidden",
        "frozen     hidden",
    ):
        assert line in lines
    rows = {line.split()[0]: line.split() for line in lines if " (None, " in line}
    assert rows["wide"][1:] == ["(Input)", "(None,", "3)", "0", "-", "-"]
    assert rows["hidden"][-2:] == ["N", "flatten"]
    assert rows["concatenate"][-2:] == ["wide,", "hidden"]
    one = Model(wide, layers.Dense(3, name="d")(wide) + wide)
    one.save(path)
    text = described(path)
    assert "outputs    output (3,) of add" in text
    assert "frozen" not in text


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


@pytest.mark.parametrize("ending", [".onnx", ".keras", ".c", ".hpp", ".h"])
def test_every_format_that_is_written(ending: str, tmp_path: Path) -> None:
    package = {".onnx": "onnx", ".keras": "h5py"}.get(ending, "json")
    pytest.importorskip(package, reason=f"{package} is not installed")
    model = Sequential([layers.Input(3), layers.Dense(2, "softmax", name="last")])
    path = tmp_path / f"m{ending}"
    model.export(path)
    text = described(str(path))
    assert text.startswith(f"{path}: a model ")
    assert f"{path.stat().st_size:,} bytes" in text
    assert "(None, 2)" in text and "Total params: 8" in text


def test_every_format_that_is_read_is_inspected(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("h5py", reason="h5py is not installed")
    for ending in models._READERS:
        path = tmp_path / f"m{ending}"
        path.write_bytes(b"\x08\x08 nothing")
        with pytest.raises(ValueError, match=rf"m\{ending}"):
            described(str(path), str(path) if ending == ".json" else None)
    with pytest.raises(
        ValueError, match="configuration without weights; give their file as weights"
    ):
        described(str(tmp_path / "m.json"))


def test_what_is_no_model_is_named_with_the_cure(tmp_path: Path) -> None:
    for name, content, said in (
        ("m.pt", b"\x80\x02}q.", "is a pickle.*export it: to ONNX"),
        ("m.c", b"int main() {}", "is no program that laminar has exported"),
        ("m.txt", b"a,b\n1,2\n", "is a text, perhaps a table; a table trains a model"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"inspect: '.*{name}' {said}"):
            described(str(tmp_path / name))
