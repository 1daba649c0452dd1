# SPDX-License-Identifier: Apache-2.0
"""What notebooks show of models, trainings and data: whole, safe, and true."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_pages import Page
from support import blobs, run_python, small_classifier
from test_layers_catalogue import CLASSES, made

import laminar
from laminar import Input, Model, Sequential, layers, utils
from laminar._pictures import history as histories
from laminar._pictures import layout, parts
from laminar.callbacks import History
from laminar.data import Dataset

EVIL = """<b onclick='x'>&"</b>\x1b]"""


def shown(thing: Any) -> Page:
    """Return what a notebook shows, which must be one whole element without anything that runs."""
    page = Page(thing._repr_html_())
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "foreignobject", "b onclick"})
    assert not [name for name in page.attributes if name.startswith("on")]
    assert page.links == []
    assert "\x1b" not in page.text
    return page


def two_headed() -> Model:
    """A graph with everything: two inputs, shared and frozen layers, a skip, two outputs."""
    a, b = Input((5,), name="a"), Input((5,), name="b")
    encoder = layers.Dense(4, "relu", name="encoder")
    frozen = layers.Dense(4, name="frozen", trainable=False)
    left, right = encoder(a), encoder(b)
    joined = layers.add([left, frozen(left)])
    top = layers.concatenate([joined, right])
    return Model(
        [a, b], {"price": layers.Dense(1)(top), "kind": layers.Dense(3, "softmax")(right)}, seed=1
    )


class Residual(layers.Layer):
    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.first = layers.Dense(units, "relu")
        self.net = Sequential([layers.Dense(units)])

    def call(self, inputs: Any) -> Any:
        return inputs + self.net(self.first(inputs))


def boxes(svg: str) -> list[list[str]]:
    """Return the texts of each box of a drawing."""
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    groups = [group for group in root.iter(f"{name}g") if group.find(f"{name}rect") is not None]
    return [[text.text or "" for text in group.findall(f"{name}text")] for group in groups]


def test_a_graph_is_drawn_whole() -> None:
    model = two_headed()
    found = boxes(str(utils.plot_model(model, None)))
    assert sorted(box[0] for box in found) == sorted(
        ["a", "b", "encoder", "encoder", "frozen", "add", "concatenate", "dense", "dense_1"]
    )
    by_name = {box[0]: box for box in found}
    assert by_name["a"] == ["a", "Input", "(None, 5)"]
    assert by_name["frozen"] == ["frozen", "Dense", "(None, 4) · 20 weights", "frozen"]
    calls = [box[1:] for box in found if box[0] == "encoder"]
    assert calls == [
        ["Dense, relu", "(None, 4) · 24 weights", f"shared: call {i} of 2"] for i in (1, 2)
    ]
    assert by_name["dense"][-1] == "output price"
    assert by_name["dense_1"][-1] == "output kind"
    lines = parts.of(model).lines
    names = [box.name for box in parts.of(model).boxes]
    assert len(lines) == 9
    assert ("encoder", "frozen") in [(names[i], names[j]) for i, j in lines]
    assert str(utils.plot_model(model, None)).count('class="way"') == len(lines)


def test_layers_of_ones_own_show_what_is_inside() -> None:
    model = Sequential([Input((4,)), Residual(4), layers.Dense(1)])
    (box,) = [box for box in parts.of(model).boxes if box.kind == "Residual"]
    assert (box.weights, box.arguments) == (40, {"units": "4"})
    assert box.inner == ["first: Dense", "net_0: Dense"]
    assert "net_0: Dense" in shown(model).text


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_layer_is_shown(cls: type[layers.Layer]) -> None:
    model = Sequential([layers.Input(6), made(cls)])
    page = shown(model)
    assert cls.__name__ in page.text
    (_, box) = parts.of(model).boxes
    assert box.shape == model.output_shape
    assert box.weights == model.count_params()
    assert "None" not in box.arguments.values()
    ElementTree.fromstring(str(utils.plot_model(model, None)))


def test_arguments_are_those_that_are_not_the_defaults() -> None:
    plain = parts.arguments(layers.Dense(3))
    assert plain == {"units": "3"}
    told = parts.arguments(layers.Dense(3, "relu", use_bias=False))
    assert told == {"units": "3", "activation": "relu", "use_bias": "False"}
    embedding = layers.Embedding(5, 2)  # whose initializer has another name than the default
    assert parts.arguments(embedding) == {"input_dim": "5", "output_dim": "2"}
    chosen = layers.Dense(3, laminar.activations.ELU(0.5), kernel_regularizer="l2")
    assert parts.arguments(chosen)["activation"] == "elu(alpha=0.5)"
    assert parts.arguments(chosen)["kernel_regularizer"] == "l2"
    assert parts.arguments(laminar.optimizers.SGD(0.5, momentum=0.9)) == {
        "learning_rate": "0.5",
        "momentum": "0.9",
    }


def test_texts_are_escaped_everywhere(tmp_path: Path) -> None:
    x = Input((2,), name=EVIL)
    model = Model(x, layers.Dense(1, name=f"{EVIL} dense")(x), name=f"{EVIL} model")
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    history.history[f"{EVIL} key"] = [1.0]
    history._of[f"{EVIL} key"] = [0]
    data = Dataset.from_arrays({EVIL: np.ones((3, 2))})
    data.feature_names, data.classes = (EVIL, "b"), (EVIL, "c")
    for thing in (model, history, data):
        page = shown(thing)
        assert "<b onclick='x'>&\"</b>\\x1b" in page.text
    written = utils.plot_model(model, tmp_path / "evil.svg").svg
    assert (tmp_path / "evil.svg").read_text(encoding="utf-8") == written
    assert boxes(written)[0][0].startswith("<b onclick='x'>&\"</b>\\x1b")


@pytest.mark.parametrize("compiled", [False, True])
def test_models_that_are_not_built_or_empty(compiled: bool) -> None:
    model = Sequential([layers.Dense(3), layers.Dense(1)])
    if compiled:
        model.compile("sgd", "mse")
    page = shown(model)
    assert "not built" in page.text
    assert boxes(str(utils.plot_model(model, None)))[1][2] == "?"
    assert not model.built
    assert "not built" in shown(Sequential()).text
    with pytest.raises(ValueError, match="plot_model: the model has no layers"):
        utils.plot_model(Sequential(), None)


def test_a_long_model_is_left_to_plot_model() -> None:
    model = Sequential([Input((2,)), *(layers.Dense(2) for _ in range(300))])
    assert "plot_model draws them all" in shown(model).text
    assert len(boxes(str(utils.plot_model(model, None)))) == 301


def test_what_training_is_for_is_shown() -> None:
    model = two_headed()
    model.compile(
        laminar.optimizers.Adam(0.01),
        {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        {"kind": ["accuracy"]},
    )
    text = shown(model).text
    assert "Adam(learning_rate=0.01)" in text
    assert "MeanSquaredError()" in text and "SparseCategoricalCrossentropy()" in text
    assert "Accuracy" in text
    assert "68 weights, 48 trained" in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "model must be a Sequential or a Model, got int"),
        (("model.png",), ValueError, r"to_file must end in .svg, got 'model.png'"),
        ((None, 1), TypeError, "show_shapes must be True or False"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    if arguments[0] != 3:
        arguments = (small_classifier(), *arguments)
    with pytest.raises(error, match=f"plot_model: {message}"):
        utils.plot_model(*arguments)


def test_a_file_has_its_own_colours_and_may_leave_shapes_out(tmp_path: Path) -> None:
    model = two_headed()
    picture = utils.plot_model(model, tmp_path / "m.SVG")
    assert picture._repr_svg_() == (tmp_path / "m.SVG").read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in picture.svg
    style = re.sub(r"@media[^{]*\{|\}\}", "}", picture.svg.split("<style>")[1].split("</style>")[0])
    for rule in filter(None, style.split("}")):
        assert rule.startswith(".laminar-drawing "), rule  # for the notebook's page around it
    assert "currentColor" not in picture.svg and "var(" not in picture.svg
    assert picture.svg == utils.plot_model(two_headed(), None).svg
    assert "None" not in str(boxes(utils.plot_model(model, None, False).svg))


@pytest.mark.parametrize("seed", range(5))
def test_boxes_do_not_overlap_and_lines_go_down(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 40))
    sizes = [(float(w), float(h)) for w, h in rng.integers(20, 200, (count, 2))]
    lines = sorted(
        {tuple(sorted(rng.choice(count, 2, replace=False).tolist())) for _ in range(2 * count)}
    )
    made = layout.arranged(sizes, lines)  # type: ignore[arg-type]
    frames = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(made.places, sizes, strict=True)]
    for i, a in enumerate(frames):
        assert a[0] > -1e-6 and a[1] > -1e-6
        assert a[2] < made.width + 1e-6 and a[3] < made.height + 1e-6
        for b in frames[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for (start, end), way in zip(lines, made.ways, strict=True):
        assert frames[start][3] < frames[end][1]
        assert [y for _, y in way] == sorted(y for _, y in way)
    assert made == layout.arranged(sizes, lines)  # type: ignore[arg-type]


def test_a_training() -> None:
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    history = model.fit(x, y, epochs=30, validation_split=0.25, validation_freq=2, verbose=0)
    page = shown(history)
    best = 2 * int(np.argmin(history.history["val_loss"])) + 2
    assert f"after epoch {best}" in page.text
    assert f"best epoch {best}" in page.text
    assert f"{best} (best)" in page.text
    assert "loss (sparse_categorical_crossentropy)" in page.text
    assert page.text.count("validation") >= 2
    html = history._repr_html_()
    assert html.count('class="line k0"') == html.count('class="line k1"') == 2
    assert html.count('class="line k0 best"') == 2
    assert repr(history).startswith("<History: 30 epochs, the least validation loss ")


def test_long_trainings_show_some_epochs() -> None:
    every = list(range(1000))
    for best in (None, 0, 123, 999):
        found = histories.shown(every, best)
        assert {0, 999} <= set(found)
        assert best is None or best in found
        assert len(found) <= 13
    assert histories.shown(every[:5], 2) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "values",
    [{}, {"loss": [float("nan")] * 3}, {"loss": [0.0] * 3}, {"loss": [float("inf"), 1.0, 2.0]}],
)
def test_trainings_without_numbers_worth_drawing(values: dict[str, list[float]]) -> None:
    history = History()
    history.epoch, history.history = ([0, 1, 2] if values else []), values
    text = shown(history).text
    assert ("without an epoch" in text) == (not values)
    assert ("best epoch 2" in text) == (values.get("loss", [0])[-1] == 2.0)


def test_a_range_test() -> None:
    x, y = blobs()
    found = small_classifier().find_learning_rate(x, y)
    text = shown(found).text
    assert f"the suggestion is {found.suggestion:.3g}" in text
    assert "smoothed" in text and "loss of a batch" in text


def test_a_range_test_without_a_suggestion() -> None:
    found = laminar._range_test.RangeTest([1e-3, 1e-2], [1.0, 2.0], [1.0, 1.5], float("nan"))
    assert "there is none to suggest" in shown(found).text


def data_sets(folder: Path) -> dict[str, tuple[Dataset, list[str]]]:
    """Return data sets of each kind, and what must be said of them."""
    x, y = np.ones((7, 3), np.float32), np.arange(7)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    return {
        "arrays": (Dataset.from_arrays(x, y), ["7", "(rows, 3) float32", "(rows) int64"]),
        "inputs": (
            Dataset.from_arrays({"a": x, "b": x[:, :1]}),
            ["a: (rows, 3) float32; b: (rows, 1) float32", "none"],
        ),
        "npy": (
            Dataset.from_npy(folder / "x.npy", folder / "y.npy", buffer_size="3MiB"),
            ["(rows, 3) float32", "3 MiB"],
        ),
        "generator": (
            Dataset.from_generator(lambda: iter([(x.tolist(), y.tolist(), y)])),
            ["known after reading", "(rows, 3) float64", "sample_weight"],
        ),
    }


@pytest.mark.parametrize("kind", ["arrays", "inputs", "npy", "generator"])
def test_a_data_set(kind: str, tmp_path: Path) -> None:
    data, expected = data_sets(tmp_path)[kind]
    text = shown(data).text
    for words in expected:
        assert words in text


def test_a_data_set_of_files(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    (tmp_path / "t.csv").write_text("size,town,sold\n1,A,yes\n2,B,no\n3,A,no\n4,B,yes\n")
    data = Dataset.from_files(tmp_path / "t.csv", "sold")
    text = shown(data).text
    for words in ("sold", "2 classes", "no, yes", "size", "standard deviation"):
        assert words in text


def test_contrast_on_light_and_dark_pages() -> None:
    from laminar._pictures.view import COLORS

    def luminance(color: str) -> float:
        parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for color in COLORS:
        for paper in ("#ffffff", "#111111"):
            light, dark = sorted((luminance(color), luminance(paper)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 3, (color, paper)


def test_series_differ_in_dash_as_well() -> None:
    from laminar._pictures import style

    rules = style.charts("", "black", "black", "black")
    dashes = re.findall(r"\.line\.k\d\{stroke:[^;}]*;?([^}]*)\}", rules)
    assert len(set(dashes)) == len(dashes) == style.SERIES


def test_pictures_are_imported_when_one_is_wanted() -> None:
    code = """
import sys
from support import blobs, small_classifier
history = small_classifier().fit(*blobs(), verbose=0)
found = [name for name in sys.modules if "_pictures" in name or name == "html"]
assert found == [], found
history._repr_html_()
assert "matplotlib" not in sys.modules and "IPython" not in sys.modules
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
