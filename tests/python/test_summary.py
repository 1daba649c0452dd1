# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

import laminar
from laminar import Sequential, _core, layers, optimizers
from laminar._summary import SHORTEST, _bytes


def stack() -> list[layers.Layer]:
    return [layers.Dense(64, name="hidden"), layers.Dropout(0.2), layers.Dense(10)]


def text_of(model: Sequential, **arguments: object) -> str:
    texts: list[str] = []
    model.summary(print_fn=texts.append, **arguments)  # type: ignore[arg-type]
    (text,) = texts
    return text


def test_tables_that_change_by_rows_are_named() -> None:
    ids = layers.Input(2)
    tables = [layers.Embedding(9, 3, name="free"), layers.Embedding(9, 3, "zeros", "l2")]
    read = layers.Flatten()(layers.add([table(ids) for table in tables]))
    model = laminar.Model(ids, layers.Dense(1)(read))
    texts = []
    for optimizer in (None, "adam", "lamb"):
        if optimizer is not None:
            model.compile(optimizer, "mse")
        model.summary(print_fn=texts.append)
    line = "Updated by the rows that a batch reads: free"
    assert [line in text.splitlines() for text in texts] == [False, True, False]


def test_a_built_model(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([layers.Input(784), *stack()], name="digits")
    model.summary()
    printed = capsys.readouterr().out
    assert printed == (
        'Model: "digits" (float32)\n'
        "────────────────────────────────────────\n"
        "Layer (type)       Output Shape  Param #\n"
        "────────────────────────────────────────\n"
        "hidden (Dense)     (None, 64)     50,240\n"
        "dropout (Dropout)  (None, 64)          0\n"
        "dense (Dense)      (None, 10)        650\n"
        "────────────────────────────────────────\n"
        "Total params: 50,890 (198.79 KB)\n"
        "Trainable params: 50,890 (198.79 KB)\n"
        "Non-trainable params: 0 (0.00 B)\n"
    )
    model.compile("adam", "mse")
    compiled = text_of(model).splitlines()
    assert compiled[:-1] == printed.splitlines()
    assert compiled[-1] == "Optimizer params: 101,780 (397.58 KB)"


def test_what_training_changes() -> None:
    made = [layers.Normalization(), layers.Dense(4), layers.ReLU(), layers.BatchNormalization()]
    model = Sequential([layers.Input(3), *made], dtype="float64", name="a")
    assert text_of(model, show_trainable=True) == (
        'Model: "a" (float64)\n'
        "──────────────────────────────────────────────────────────────────────────\n"
        "Layer (type)                              Output Shape  Param #  Trainable\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "normalization (Normalization)             (None, 3)           6  N\n"
        "dense (Dense)                             (None, 4)          16  Y\n"
        "activation (ReLU)                         (None, 4)           0  -\n"
        "batch_normalization (BatchNormalization)  (None, 4)          16  partly\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "Total params: 38 (304.00 B)\n"
        "Trainable params: 24 (192.00 B)\n"
        "Non-trainable params: 14 (112.00 B)"
    )
    assert model.count_params() == 38


def test_lines_of_a_given_length() -> None:
    model = Sequential([layers.Input((28, 28)), layers.Flatten(), layers.BatchNormalization()])
    for length in (SHORTEST, 50, 72, 120):
        for shown in (False, True):
            lines = text_of(model, line_length=length, show_trainable=shown).splitlines()
            table = lines[1 : [i for i, line in enumerate(lines) if line[0] == "─"][-1] + 1]
            assert {len(line) for line in table if line[0] == "─"} == {length}
            assert all(len(line) <= length for line in table)
            assert "3,136" in "".join(table)
    narrow = text_of(model, line_length=46)
    assert "batch_normalization       (None, 784)    3,136\n(BatchNormalization)\n" in narrow
    for wrong, error in ((SHORTEST - 1, ValueError), (40.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="summary: line_length must be"):
            model.summary(line_length=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="summary: show_trainable must be True or False"):
        model.summary(show_trainable=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="did you mean 'line_length'"):
        model.summary(line_lenght=80)  # type: ignore[call-arg]


def test_a_model_that_is_not_built() -> None:
    model = Sequential(stack())
    model.compile("adam", "mse")
    text = text_of(model)
    assert "hidden (Dense)     ?             0 (unbuilt)" in text
    assert text.endswith("Not built: the first data, Input or build give the input width.")
    assert text_of(Sequential()).endswith("give the input width.")


@pytest.mark.parametrize("entry", _core.entries("optimizer"), ids=lambda entry: entry["name"])
def test_what_each_optimizer_keeps(entry: dict[str, object]) -> None:
    """It is a whole number of arrays of the trainable weights; the options add theirs."""
    model = Sequential([layers.Input(3), layers.Dense(4), layers.BatchNormalization()])
    counts = []
    for more in ({}, {"use_ema": True, "gradient_accumulation_steps": 2}):
        model.compile(optimizers.get({"name": entry["name"], **more}), "mse")
        last = text_of(model).splitlines()[-1]
        counts.append(int(last.split()[2].replace(",", "")))
        assert last == f"Optimizer params: {counts[-1]:,} ({_bytes(4 * counts[-1])})"
    assert counts[0] in (0, 24, 48, 72)
    assert counts[1] == counts[0] + 48


def test_bytes() -> None:
    assert [_bytes(n) for n in (0, 1023, 1024, 3 << 20, 5 << 40)] == [
        "0.00 B",
        "1023.00 B",
        "1.00 KB",
        "3.00 MB",
        "5.00 TB",
    ]
