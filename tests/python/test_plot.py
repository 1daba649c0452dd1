# SPDX-License-Identifier: Apache-2.0
"""History.plot, by what stands in the figure."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, run_python, small_classifier

from laminar import Input, Model, layers, load_model
from laminar.callbacks import History, LambdaCallback

matplotlib = pytest.importorskip("matplotlib")


def trained(**options: Any) -> History:
    x, y = blobs()
    settings = {"epochs": 4, "validation_split": 0.25, "verbose": 0, **options}
    return small_classifier(metrics=["accuracy"]).fit(x, y, **settings)


def test_one_panel_for_each_value(capsys: pytest.CaptureFixture[str]) -> None:
    history = trained()
    figure = history.plot()
    titles = ["loss (sparse_categorical_crossentropy)", "accuracy"]
    assert [panel.get_ylabel() for panel in figure.axes] == titles
    best = int(np.argmin(history.history["val_loss"])) + 1
    for panel, key in zip(figure.axes, ("loss", "accuracy"), strict=True):
        assert panel.get_xlabel() == "epoch"
        *lines, mark = panel.lines
        for line, name in zip(lines, (key, f"val_{key}"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
            np.testing.assert_array_equal(line.get_ydata(), history.history[name])
        assert [line.get_linestyle() for line in lines] == ["-", "--"]
        assert lines[0].get_color() != lines[1].get_color()
        assert list(mark.get_xdata()) == [best, best]
        labels = [text.get_text() for text in panel.get_legend().get_texts()]
        assert labels == ["training", "validation", f"best epoch {best}"]
    image = io.BytesIO()
    figure.savefig(image)
    assert image.getvalue().startswith(b"\x89PNG")
    assert capsys.readouterr().out == ""
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_without_validation_and_with_later_epochs() -> None:
    figure = trained(validation_split=0, initial_epoch=2).plot()
    for panel in figure.axes:
        line, mark = panel.lines  # of the least loss, as there is no validation
        np.testing.assert_array_equal(line.get_xdata(), [3, 4])
        assert mark.get_xdata()[0] in (3, 4)


@pytest.mark.parametrize(("count", "across", "down"), [(1, 1, 1), (3, 3, 1), (4, 3, 2), (7, 3, 3)])
def test_panels_wrap(count: int, across: int, down: int) -> None:
    history = History()
    history.epoch = [0, 1]
    history.history = {f"measure {i}": [1.0, 0.5] for i in range(count)}
    figure = history.plot()
    boxes = [panel.get_subplotspec() for panel in figure.axes]
    assert len(boxes) == count
    assert {box.get_gridspec().get_geometry() for box in boxes} == {(down, across)}
    assert figure.get_size_inches()[0] <= 12


def test_a_figure_shows_itself() -> None:
    picture, size = trained().plot()._repr_png_()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == (2 * size["width"], 2 * size["height"])  # sharp on dense screens


def test_losses_of_several_outputs_are_named() -> None:
    x = Input((3,))
    model = Model(x, {"a": layers.Dense(1)(x), "b": layers.Dense(1)(x)})
    model.compile("sgd", {"a": "mse", "b": "mae"})
    history = model.fit(np.ones((8, 3)), {"a": np.ones(8), "b": np.ones(8)}, verbose=0)
    titles = [panel.get_ylabel() for panel in history.plot().axes]
    assert titles == ["loss", "a_loss (mse)", "b_loss (mae)"]


def test_a_loaded_history_names_its_loss(tmp_path: Path) -> None:
    model = small_classifier(metrics=["accuracy"])
    model.fit(*blobs(), verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors").history
    assert loaded is not None
    titles = [panel.get_ylabel() for panel in loaded.plot().axes]
    assert titles == ["loss (sparse_categorical_crossentropy)", "accuracy"]


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
