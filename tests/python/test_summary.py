# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from laminar import Sequential, layers
from laminar._summary import _bytes


def stack() -> list[layers.Layer]:
    return [layers.Dense(64, name="hidden"), layers.Dropout(0.2), layers.Dense(10)]


def test_a_built_model(capsys: pytest.CaptureFixture[str]) -> None:
    Sequential([layers.Input(784), *stack()], name="digits").summary()
    printed = capsys.readouterr().out
    assert printed == (
        'Model "digits" (float32)\n'
        "────────────────────────────────────────\n"
        "Layer (type)       Output shape  Weights\n"
        "────────────────────────────────────────\n"
        "hidden (Dense)     (None, 64)     50,240\n"
        "dropout (Dropout)  (None, 64)          0\n"
        "dense (Dense)      (None, 10)        650\n"
        "────────────────────────────────────────\n"
        "Total: 50,890 weights (198.79 KiB)\n"
    )


def test_a_model_that_is_not_built() -> None:
    lines: list[str] = []
    Sequential(stack()).summary(print_fn=lines.append)
    (text,) = lines
    assert "hidden (Dense)     ?" in text
    assert text.endswith("Not built: the first data, Input or build give the input width.")


def test_bytes() -> None:
    assert [_bytes(n) for n in (0, 1023, 1024, 3 << 20, 5 << 40)] == [
        "0 bytes",
        "1023 bytes",
        "1.00 KiB",
        "3.00 MiB",
        "5120.00 GiB",
    ]
