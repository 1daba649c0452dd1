# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import re
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import blobs, run_python, small_classifier

from laminar import _progress
from laminar._progress import Bar, Lines, Silent, style


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_style_follows_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert [style(v) for v in ("auto", 0, 1, 2)] == [Lines, Silent, Lines, Lines]
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert [style(v) for v in ("auto", 0, 1, 2)] == [Bar, Silent, Bar, Lines]
    monkeypatch.setattr(sys, "stdout", None)
    assert [style(v) for v in ("auto", 0, 1, 2)] == [Silent] * 4


def test_a_notebook_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell: ...

    ipython = ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert style("auto") is Bar


@pytest.mark.parametrize("verbose", [3, -1, "yes", None])
def test_other_values_are_refused(verbose: Any) -> None:
    with pytest.raises(ValueError, match="fit: verbose must be 'auto', 0, 1 or 2"):
        style(verbose)
    x, y = blobs()
    with pytest.raises(ValueError, match="evaluate: verbose"):
        small_classifier().evaluate(x, y, verbose=verbose)


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_one_line_an_epoch_where_there_is_no_terminal(
    verbose: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    model.fit(x, y, epochs=4, initial_epoch=1, validation_split=0.2, verbose=verbose)
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == 3
    for number, line in zip((2, 3, 4), lines, strict=True):
        value = r"[0-9.e+-]+"
        assert re.fullmatch(
            rf"Epoch {number}/4 - {value}s - loss: {value} - accuracy: {value} "
            rf"- val_loss: {value} - val_accuracy: {value}",
            line,
        )
    assert captured.err == ""


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, verbose=0)
    model.evaluate(x, y)
    model.predict(x)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_evaluate_prints_one_line_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = blobs()
    small_classifier(metrics=["accuracy"]).evaluate(x, y, verbose=1)
    assert re.fullmatch(r"loss: [0-9.]+ - accuracy: [0-9.]+\n", capsys.readouterr().out)


def test_logs_may_hold_what_is_no_number() -> None:
    logs: Any = {"loss": 0.123456, "rate": np.float32(2), "phase": "warm-up"}
    assert _progress.described(logs) == "loss: 0.1235 - rate: 2 - phase: warm-up"


def test_the_bar_is_drawn_at_most_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    now = 1000.0
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now)
    bar = Bar(epochs=1000, initial_epoch=0)
    assert screen.getvalue() == ""
    for epoch in range(1000):  # ten seconds
        now += 0.01
        bar.batch(epoch, 1, 2, {"loss": 0.5})
        bar.epoch(epoch, {"loss": 0.25})
    drawn = len(re.findall("Epoch", screen.getvalue()))
    assert 50 <= drawn <= 101
    bar.close()
    last = screen.getvalue().split("\r")[-1]
    assert re.match(r"Epoch 1000/1000 100%\|.*\| .*loss: 0\.25\n$", last)


def test_a_real_training_draws_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    x, y = blobs()
    small_classifier().fit(x, y, epochs=3)
    assert screen.getvalue().count("\n") == 1
    assert "Epoch 3/3 100%" in screen.getvalue()


def test_bad_input_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    x, y = blobs()
    with pytest.raises(ValueError):
        small_classifier().fit(x[:, :3], y)
    assert screen.getvalue() == ""


def test_tqdm_is_imported_when_a_bar_is_drawn() -> None:
    code = """
import io, sys
from support import blobs, small_classifier
class Terminal(io.StringIO):
    def isatty(self): return True
model = small_classifier()
model.fit(*blobs(), verbose=2)
assert "tqdm" not in sys.modules
sys.stdout = Terminal()
model.fit(*blobs())
assert "tqdm" in sys.modules
import threading
assert threading.active_count() == 1
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
