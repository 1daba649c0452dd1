# SPDX-License-Identifier: Apache-2.0
"""Texts of files on their way to a terminal: nothing of them acts there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from laminar import Sequential, _core, layers, load_model
from laminar.__main__ import main
from laminar._printable import printable

EVIL = "\x1b]0;title\x07\x1b[31m\u202egnp\u2066\x9b2J"


def harmless(text: str) -> bool:
    return all(line.replace("─", "-").replace("…", ".").isprintable() for line in text.split("\n"))


def test_texts_are_shown_as_python_shows_them() -> None:
    assert printable("dense ü → 7") == "dense ü → 7"
    assert printable("a\x1b[31m\n\u202e") == "a\\x1b[31m\\x0a\\u202e"
    assert printable("\udc80") == "\\xed\\xb2\\x80"  # of a path that is not UTF-8
    assert printable(printable(EVIL)) == printable(EVIL)
    assert harmless(printable(EVIL))


def test_a_hostile_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{EVIL.replace('/', '')}.safetensors"
    model = Sequential([layers.Input(2), layers.Dense(1, name=EVIL)], name=EVIL)
    model.compile("sgd", "mse")
    x = np.zeros((4, 2))
    model.fit(x, x[:, :1], verbose=0)
    model.save(path)
    assert main(["inspect", str(path)]) == 0
    load_model(path).summary()
    _core.write_safetensors(path, {EVIL: np.zeros(2)}, {EVIL: EVIL})
    assert main(["inspect", str(path)]) == 0
    assert main(["evaluate", str(path), "t.csv"]) == 1
    assert main(["inspect", str(tmp_path / f"{EVIL}.txt")]) == 1
    captured = capsys.readouterr()
    assert harmless(captured.out)
    assert harmless(captured.err)
    assert "\\x1b[31m" in captured.out
    assert "\\u202e" in captured.err


def test_errors_of_python_and_of_the_core(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    _core.write_safetensors(path, {f"{EVIL}/kernel": np.zeros(2)}, {})
    model = Sequential([layers.Input(2), layers.Dense(1, name="dense")])
    calls = [
        lambda: model.load_weights(path),
        lambda: model.load_torch_weights(path),
        lambda: load_model(path.with_name(f"{EVIL}.bin")),
        lambda: _core.ModelFloat32(
            '{"input_shape": [1], "layers": [{"kind": "\u202e\x7f"}]}', 1, "float32"
        ),
    ]
    for call in calls:
        with pytest.raises(ValueError) as refused:
            call()
        assert harmless(str(refused.value)), str(refused.value)


def test_a_hostile_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table, save = str(tmp_path / f"{EVIL}.csv".replace("/", "")), str(tmp_path / "m.safetensors")
    lines = [f"a{EVIL},b{EVIL},y{EVIL}"]
    lines += [f"{i % 7},{EVIL if i % 2 else 'b'},{EVIL if i % 7 > 3 else 'no'}" for i in range(99)]
    Path(table).write_text("\n".join(lines), encoding="utf-8")
    target = f"y{EVIL}"
    arguments = ["--target", target, "--epochs", "1", "--save", save]
    assert main(["train", table, *arguments]) == 0
    assert main(["evaluate", save, table]) == 0
    assert main(["inspect", save]) == 0
    for wrong in (["--target", "z"], ["--target", target, "--drop", "z"]):
        assert main(["train", table, *wrong]) == 1
    Path(table).write_text(f"a{EVIL}\n1\n", encoding="utf-8")
    assert main(["evaluate", save, table]) == 1
    Path(table).write_text("\n".join([*lines, f"1,{EVIL}"]), encoding="utf-8")
    assert main(["evaluate", save, table]) == 1
    captured = capsys.readouterr()
    assert harmless(captured.out)
    assert harmless(captured.err)
    Path(table).write_text("\n".join(lines), encoding="utf-8")
    assert main(["predict", save, table]) == 0
    assert EVIL in capsys.readouterr().out  # in a pipe, cells are what they are
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["predict", save, table]) == 0
    shown = capsys.readouterr().out
    assert harmless(shown)
    assert "\\x1b[31m" in shown


def test_predictions_do_not_replace_what_they_are_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table, save = tmp_path / "t.csv", tmp_path / "m.safetensors"
    table.write_text("\n".join(["a,y", *(f"{i},{i % 3}.5" for i in range(50))]))
    assert main(["train", str(table), "--target", "y", "--epochs", "1", "--save", str(save)]) == 0
    for output in (table, save):
        before = output.read_bytes()
        assert main(["predict", str(save), str(table), "--output", str(output)]) == 1
        assert output.read_bytes() == before
    assert "choose another file" in capsys.readouterr().err
