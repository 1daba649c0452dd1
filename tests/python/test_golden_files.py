# SPDX-License-Identifier: Apache-2.0
"""Files of every format that there has been load, predict and train to the same bits."""

from __future__ import annotations

import platform

import golden_files
import pytest

FILES = sorted(golden_files.FOLDER.glob("*.safetensors"))


def test_there_are_files_and_hashes_for_each() -> None:
    assert len(FILES) >= 6
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
