# SPDX-License-Identifier: Apache-2.0
"""Files of every format that there has been load, predict and train to the same bits."""

from __future__ import annotations

import platform
from pathlib import Path

import golden_files
import numpy as np
import pytest

import laminar
from laminar import Model, Sequential, _core, layers

FILES = sorted(golden_files.FOLDER.glob("*.safetensors"))


def test_there_are_files_and_hashes_for_each() -> None:
    assert len(FILES) >= 8
    kinds = ("baseline", "fused")
    assert set(golden_files.expected()) == {(path.stem, kind) for path in FILES for kind in kinds}


@pytest.mark.kernels
@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the hashes are those of x86-64"
)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_gives_its_bits(path: golden_files.Path) -> None:
    wanted = golden_files.expected()[path.stem, golden_files.kernels()]
    assert golden_files.outcome(path) == wanted


def format_of(path: golden_files.Path) -> str:
    return _core.OpenFile(str(path)).safetensors()[0]["laminar.format"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_have_the_format_that_they_need(path: golden_files.Path, tmp_path: Path) -> None:
    again = tmp_path / "m.safetensors"
    laminar.load_model(path).save(again)
    assert f"v{format_of(path)}_" in path.stem
    assert format_of(again) == format_of(path)
    # But for what the file says of Python, it is what laminar has written since.
    texts, tensors = _core.OpenFile(str(path)).safetensors()
    new_texts, new_tensors = _core.OpenFile(str(again)).safetensors()
    assert tensors == new_tensors
    for texts_of in (texts, new_texts):
        for key in ("python", "laminar.checksum", "laminar.version"):
            texts_of.pop(key, None)
    assert texts == new_texts


def test_formats_of_graphs_and_of_frozen_layers(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    x = layers.Input(4)
    dense = layers.Dense(4, name="d")
    for model, expected in (
        (Sequential([layers.Input(4), dense]), "1"),
        (Model(x, layers.Dense(3)(x)), "1"),  # a chain, which is a stack
        (Model(x, layers.Dense(4)(x) + x), "2"),
        (Sequential([layers.Input(4), layers.Dense(2, trainable=False)]), "2"),
    ):
        model.save(path)
        assert format_of(path) == expected
        np.testing.assert_array_equal(
            laminar.load_model(path).predict(np.ones((2, 4))), model.predict(np.ones((2, 4)))
        )


def test_graphs_that_say_format_1_load(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    wanted = laminar.load_model(golden_files.FOLDER / "v2_graph.safetensors")
    x = golden_files.inputs((8,), "float32")
    arrays, texts = _core.read_safetensors(str(golden_files.FOLDER / "v2_graph.safetensors"))
    del texts["laminar.checksum"]
    _core.write_safetensors(str(path), arrays, {**texts, "laminar.format": "1"})
    found = laminar.load_model(path)
    np.testing.assert_array_equal(found.predict(x), wanted.predict(x))
    _core.write_safetensors(str(path), arrays, {**texts, "laminar.format": "4"})
    with pytest.raises(ValueError, match=r"its format is 4, .*reads formats up to 3; update it"):
        laminar.load_model(path)
