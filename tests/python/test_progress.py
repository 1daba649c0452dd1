# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os
import re
import struct
import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import blobs, run_python, small_classifier

from laminar import _progress, callbacks
from laminar._progress import Bar, Display, FewLines, Lines, Silent, style
from laminar._progress_line import State, columns, complete, fitted
from laminar.callbacks import LambdaCallback


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_style_follows_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert [style(v) for v in ("auto", 0, 1, 2)] == [FewLines, Silent, FewLines, Lines]
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
    assert [style(v) for v in ("auto", 0, 1, 2)] == [Display, Silent, Display, Lines]


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


VALUES = {
    "loss": 0.123456,
    "accuracy": 0.98765,
    "auc": 0.5,
    "val_loss": 1.23456e-05,
    "val_accuracy": 0.4321,
    "val_auc": 12345.678,
}


def state(epoch: int = 7, epochs: int = 1000, share: float = 0.4242, **more: object) -> State:
    logs: dict[str, object] = {**VALUES, **more}
    values = {key: _progress._texts(value) for key, value in logs.items()}
    return State(epoch, epochs, share, 83.4, values)


@pytest.mark.parametrize("epoch", [7, 1000])
def test_the_line_fits_and_keeps_both_losses(epoch: int) -> None:
    for width in (*range(36, 200), None):
        before, behind = fitted(state(epoch), width)
        text = before + (behind or "")
        assert re.search(r"(^|[ -])loss:? 0\.12", text)
        assert re.search(r"val_loss:? 1\.2", text)
        assert str(epoch) in text
        room = (width or 80) - 1
        assert columns(text) <= room
        if behind is not None:  # there is room for a bar that can be read
            assert columns(text) + 8 <= room
            assert all(key in text for key in VALUES)


def test_what_the_line_leaves_out_first() -> None:
    wide = "".join(map(str, fitted(state(), 300)))
    assert "42%|" in wide and "1:23<1:53 - loss: 0.1235 - accuracy: 0.9877 - auc: 0.5" in wide
    assert fitted(state(), 80).before == (
        "Epoch 7/1000 42% 1:23<1:53 - loss: 0.1235 - auc: 0.5 - val_loss: 1.235e-05"
    )
    assert fitted(state(), 40).before == "7/1000 loss 0.1235 val_loss 1.235e-05"
    assert fitted(state(1000), 40).before == "1000/1000 loss 0.12 val_loss 1.2e-05"


def test_names_of_two_columns_a_letter_and_braces() -> None:
    for width in (40, 60, 80, 120, 300):
        text = "".join(part or "" for part in fitted(state(**{"精度{0}": 1}), width))
        assert columns(text) <= width - 1
    assert columns("精度") == 4


def terminal_output(width: int, train: Any) -> str:
    """Return what is written on a terminal of so many columns."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    before = sys.stdout
    written = []

    def read() -> None:
        while chunk := os.read(main, 1 << 16):
            written.append(chunk)
            if chunk.endswith(b"\x04"):
                return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        sys.stdout = os.fdopen(other, "w", encoding="utf-8")
        train()
        sys.stdout.write("\x04")
        sys.stdout.close()
    finally:
        sys.stdout = before
        reader.join()
        os.close(main)
    return b"".join(written).decode().rstrip("\x04")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_shows_both_losses_and_keeps_a_whole_last_line(width: int) -> None:
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    text = terminal_output(
        width, lambda: model.fit(x, y, epochs=30, validation_split=0.25, verbose=1)
    )
    *drawn, last, end = re.split("\r\n|\r|\n", text)
    assert end == ""
    frames = [line.rstrip() for line in drawn if line.strip()]
    assert frames
    for frame in frames:
        assert columns(frame) <= width
        assert "loss" in frame
    assert any("val_loss" in frame for frame in frames)
    assert re.search(r"30/30 +100%", last)
    for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert f" {key}: " in last


def test_messages_of_callbacks_stand_on_lines_of_their_own() -> None:
    x, y = blobs()
    model = small_classifier()
    said = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    text = terminal_output(
        80, lambda: model.fit(x, y, epochs=5, callbacks=said, validation_split=0.25, verbose=1)
    )
    lines = [line.split("\r")[-1].rstrip() for line in re.split("\r?\n", text)]
    told = [line for line in lines if "the learning rate is" in line]
    assert len(told) == 5
    for number, line in enumerate(told, 1):
        assert re.fullmatch(rf"Epoch {number}: the learning rate is [0-9.e-]+", line)
    assert re.search("5/5 .*val_loss", lines[-2])


def test_a_long_training_thins_out(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = blobs()
    small_classifier().fit(x, y, epochs=230, verbose="auto")
    printed = [int(n) for n in re.findall(r"^Epoch (\d+)/230 ", capsys.readouterr().out, re.M)]
    assert printed == [*range(1, 11), *range(20, 101, 10), 200, 230]
    small_classifier().fit(x, y, epochs=31, initial_epoch=1, verbose="auto")
    assert capsys.readouterr().out.count("\n") == 30
    small_classifier().fit(x, y, epochs=45, verbose=2)
    assert capsys.readouterr().out.count("\n") == 45


def test_a_training_that_ends_early_prints_its_last_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(epoch: int, logs: Any) -> None:
        model.stop_training = epoch == 16

    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, epochs=500, callbacks=LambdaCallback(on_epoch_end=stop))
    assert capsys.readouterr().out.splitlines()[-1].startswith("Epoch 17/500 ")


def test_slow_epochs_are_all_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now)
    lines = FewLines(1000, 0)
    for epoch in range(40):
        now += 61.0
        lines.epoch(epoch, {"loss": 0.5})
    lines.close()
    assert capsys.readouterr().out.count("\n") == 40


def test_a_notebook_is_given_one_output_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            assert raw
            sent.append(data)

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert (raw, display_id, sent) == (True, True, [])
        sent.append(data)
        return Handle()

    module = ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    shown = Display(2, 0)
    shown.close()
    assert sent == []
    shown.batch(0, 1, 2, {"loss": 0.5})
    shown.epoch(0, {"loss": 0.5, "<b>": 1.0})
    shown.epoch(1, {"loss": 0.25, "val_loss": 0.75, "<b>": 1.0})
    shown.close()
    last = sent[-1]
    assert 'value="1.0000"' in last["text/html"]
    for words in ("epoch 2 of 2", "loss 0.25", "val_loss 0.75", "&lt;b&gt; 1"):
        assert words in last["text/html"]
    assert re.fullmatch(
        r"Epoch 2/2 100% 0:0\d - loss: 0.25 - val_loss: 0.75 - <b>: 1", last["text/plain"]
    )
    assert complete(state(**{"a": "b"})).endswith(" - a: b")


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
