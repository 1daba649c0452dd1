# SPDX-License-Identifier: Apache-2.0
"""History.plot, by what stands in the figure."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from support import blobs, run_python, small_classifier

from laminar.callbacks import History, LambdaCallback

matplotlib = pytest.importorskip("matplotlib")


def trained(**options: Any) -> History:
    x, y = blobs()
    settings = {"epochs": 4, "validation_split": 0.25, "verbose": 0, **options}
    return small_classifier(metrics=["accuracy"]).fit(x, y, **settings)


def test_one_panel_for_each_value(capsys: pytest.CaptureFixture[str]) -> None:
    history = trained()
    figure = history.plot()
    assert [panel.get_ylabel() for panel in figure.axes] == ["loss", "accuracy"]
    for panel in figure.axes:
        assert panel.get_xlabel() == "epoch"
        key = panel.get_ylabel()
        for line, name in zip(panel.lines, (key, f"val_{key}"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
            np.testing.assert_array_equal(line.get_ydata(), history.history[name])
        labels = [text.get_text() for text in panel.get_legend().get_texts()]
        assert labels == ["training", "validation"]
    image = io.BytesIO()
    figure.savefig(image)
    assert image.getvalue().startswith(b"\x89PNG")
    assert capsys.readouterr().out == ""
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_without_validation_and_with_later_epochs() -> None:
    figure = trained(validation_split=0, initial_epoch=2).plot()
    for panel in figure.axes:
        (line,) = panel.lines
        np.testing.assert_array_equal(line.get_xdata(), [3, 4])


def test_what_callbacks_add_is_drawn() -> None:
    def add(epoch: int, logs: Any) -> None:
        if epoch > 0:
            logs["rate"] = 0.5

    figure = trained(epochs=3, callbacks=LambdaCallback(on_epoch_end=add)).plot()
    np.testing.assert_array_equal(figure.axes[-1].lines[0].get_xdata(), [2, 3])


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no epoch has been trained"):
        History().plot()


def test_without_matplotlib() -> None:
    code = """
import sys
sys.modules["matplotlib"] = sys.modules["matplotlib.figure"] = None
from laminar.callbacks import History
history = History()
history.epoch, history.history = [0], {"loss": [1.0]}
try:
    history.plot()
except ImportError as error:
    print(error)
"""
    done = run_python(code)
    assert "pip install laminar[plot]" in done.stdout, done.stderr
