# SPDX-License-Identifier: Apache-2.0
"""Files as other libraries write them today are read, and agree, or say what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import real_files

from laminar import load_model


def needed(name: str) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    packages = ["torch"] if "torch" in name or "softplus" in name else []
    packages += ["onnxscript"] if "dynamo" in name or "softplus" in name else []
    packages += ["skl2onnx"] if not packages else []
    packages += ["onnxruntime"] if "onnxruntime" in name else []
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.mark.parametrize("name", real_files.REAL)
def test_files_of_other_libraries_agree(name: str, tmp_path: Path) -> None:
    needed(name)
    path, x, expected = real_files.REAL[name](tmp_path)
    model = load_model(path)
    got = model.predict(x)
    np.testing.assert_allclose(got, np.reshape(expected, got.shape), rtol=1e-5, atol=1e-5)
    if name.startswith("torch by dynamo"):
        assert (tmp_path / "m.onnx.data").exists()
    names = {"texts": "abc", "columns": "abc", "standardized": "abc", "numbers": "567"}
    if "skl2onnx" in name:
        wanted = names.get(name.partition(", ")[2])
        assert model.class_names == (None if wanted is None else tuple(wanted))


@pytest.mark.parametrize("name", real_files.REFUSED)
def test_what_is_refused_says_what_is_missing_and_the_cure(name: str, tmp_path: Path) -> None:
    needed("torch" if "convolution" in name else name)
    make, message = real_files.REFUSED[name]
    with pytest.raises(ValueError, match=f"load_model: .*{message}"):
        load_model(make(tmp_path))


def test_there_are_forty() -> None:
    assert len(real_files.REAL) >= 40
