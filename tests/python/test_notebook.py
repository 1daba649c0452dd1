# SPDX-License-Identifier: Apache-2.0
"""A notebook that is run by nbconvert: bar, model, training, plot and the rest are pictures in it.

With LAMINAR_NOTEBOOK in the environment the pages are kept in that folder, to be looked at.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from html_pages import Page

pytest.importorskip("nbconvert", reason="nbconvert is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

CELLS = {
    "model": """
import laminar
from laminar import Input, Model, layers
laminar.set_num_threads(1)
(x, y), test = laminar.datasets.load_digits()
image = Input((64,), name="image")
hidden = layers.Dense(32, "relu", name="hidden")(image)
deep = layers.add([hidden, layers.Dense(32, "relu")(hidden)])
model = Model(image, layers.Dense(10, "softmax", name="digit")(deep), seed=1)
model.compile("adam", metrics=["accuracy"])
model""",
    "bar": "history = model.fit(x, y, epochs=8, validation_data=test)",
    "summary": "model.summary()",
    "history": "history",
    "plot": "history.plot()",
    "range": "fresh = Model.from_config(model.get_config())\nfresh.compile('sgd')\n"
    "fresh.find_learning_rate(x, y, steps=40)",
    "data": "laminar.data.Dataset.from_arrays(x, y)",
    "file": "laminar.utils.plot_model(model, None)",
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the cells, and return the notebook with what they show."""
    import nbformat
    from nbconvert.preprocessors import ExecutePreprocessor

    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in CELLS.values()],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    folder = tmp_path_factory.mktemp("notebook")
    ExecutePreprocessor(timeout=120, kernel_name="python3").preprocess(
        made, {"metadata": {"path": str(folder)}}
    )
    return made


def outputs(notebook: Any, name: str) -> list[Any]:
    return list(notebook.cells[list(CELLS).index(name)].outputs)


def test_nothing_is_said_beside(notebook: Any) -> None:
    """No warnings, such as those of bars that need widgets."""
    for name in CELLS:
        for output in outputs(notebook, name):
            assert output.get("name") != "stderr", output
            assert output.output_type != "error"
    (stream,) = outputs(notebook, "summary")
    assert "Total params" in stream.text


def test_the_bar_is_one_output_with_all_values(notebook: Any) -> None:
    (shown,) = outputs(notebook, "bar")
    page = Page(shown.data["text/html"])
    assert "progress" in page.tags
    for words in ("epoch 8 of 8", "loss ", "accuracy ", "val_loss ", "val_accuracy "):
        assert words in page.text
    assert shown.data["text/plain"].startswith("Epoch 8/8 100%")


@pytest.mark.parametrize("name", ["model", "history", "range", "data"])
def test_things_are_shown_as_pictures(notebook: Any, name: str) -> None:
    (shown,) = outputs(notebook, name)
    assert ("svg" in Page(shown.data["text/html"]).tags) == (name != "data")
    assert "text/plain" in shown.data


def test_a_plot_is_one_picture(notebook: Any) -> None:
    (shown,) = outputs(notebook, "plot")
    assert base64.b64decode(shown.data["image/png"]).startswith(b"\x89PNG")


def test_a_drawing_is_a_picture(notebook: Any) -> None:
    (shown,) = outputs(notebook, "file")
    assert "<svg" in shown.data["image/svg+xml"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_them(notebook: Any, theme: str, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(theme=theme).from_notebook_node(notebook)
    for words in ("laminar-view", "laminar-progress", "image/png;base64", "<svg"):
        assert words in page
    folder = os.environ.get("LAMINAR_NOTEBOOK")
    if folder:
        (Path(folder) / f"notebook-{theme}.html").write_text(page, encoding="utf-8")
