# SPDX-License-Identifier: Apache-2.0
"""Data sets that are read in blocks: what comes out is what the same arrays in memory give."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import laminar
from laminar import Sequential, callbacks, layers
from laminar.data import Dataset

Array = NDArray[Any]
ROWS, FEATURES = 500, 5
SMALL = 100 * 4 * (FEATURES + 1)  # bytes: blocks of about fifty rows
LOSSES = ("mse", "binary_crossentropy", "sparse_categorical_crossentropy")


def arrays(rows: int = ROWS) -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(np.int64)


def model(loss: str = "binary_crossentropy", dtype: str = "float32") -> Sequential:
    last = {
        "mse": layers.Dense(1),
        "binary_crossentropy": layers.Dense(1, "sigmoid"),
        "sparse_categorical_crossentropy": layers.Dense(2, "softmax"),
    }
    made = Sequential([layers.Dense(6, "tanh"), last[loss]], dtype=dtype, seed=3)
    made.compile("adam", loss, metrics=["mae" if loss == "mse" else "accuracy"])
    return made


def same_weights(one: Sequential, other: Sequential) -> bool:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def in_pieces(*parts: Array, size: int = 33) -> Any:
    def rows() -> Iterator[tuple[Array, ...]]:
        for first in range(0, len(parts[0]), size):
            yield tuple(part[first : first + size] for part in parts)

    return rows


def every_kind(tmp_path: Path, x: Array, y: Array, **options: Any) -> dict[str, Dataset]:
    half = len(x) // 2
    for name, array in {"x": x, "y": y}.items():
        np.save(tmp_path / f"{name}.npy", array)
        np.save(tmp_path / f"{name}0.npy", array[:half])
        np.save(tmp_path / f"{name}1.npy", array[half:])
    halves = ([tmp_path / f"{name}{i}.npy" for i in (0, 1)] for name in "xy")
    return {
        "arrays": Dataset.from_arrays(x, y, **options),
        "mapped": Dataset.from_npy(tmp_path / "x.npy", tmp_path / "y.npy", **options),
        "files": Dataset.from_npy(*halves, **options),
        "generator": Dataset.from_generator(in_pieces(x, y), rows=len(x), **options),
    }


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_fits_gives_the_bits_of_arrays(loss: str, dtype: str, tmp_path: Path) -> None:
    x, y = arrays()
    expected = model(loss, dtype)
    history = expected.fit(x, y, epochs=3, verbose=0, validation_data=(x, y))
    for name, data in every_kind(tmp_path, x, y).items():
        found = model(loss, dtype)
        got = found.fit(data, epochs=3, verbose=0, validation_data=data)
        assert same_weights(found, expected), name
        assert got.history == history.history, name
        assert found.evaluate(data) == expected.evaluate(x, y)
        np.testing.assert_array_equal(found.predict(data), expected.predict(x))


def test_blocks_in_order_give_the_bits_of_arrays(tmp_path: Path) -> None:
    x, y = arrays()
    expected = model()
    expected.fit(x, y, epochs=2, shuffle=False, verbose=0)
    kinds = every_kind(tmp_path, x, y, buffer_size=SMALL)
    kinds["unknown"] = Dataset.from_generator(in_pieces(x, y), buffer_size=SMALL)
    for name, data in kinds.items():
        found = model()
        found.fit(data, epochs=2, shuffle=False, verbose=0)
        assert same_weights(found, expected), name
        assert found.evaluate(data) == pytest.approx(expected.evaluate(x, y), rel=1e-12)


def test_shuffled_blocks_learn_and_repeat(tmp_path: Path) -> None:
    x, y = arrays(4000)
    in_memory = model().fit(x, y, epochs=6, verbose=0).history["accuracy"][-1]
    for data in every_kind(tmp_path, x, y, buffer_size=4 * SMALL).values():
        one, other = model(), model()
        history = one.fit(data, epochs=6, verbose=0).history
        assert other.fit(data, epochs=6, verbose=0).history == history
        assert same_weights(one, other)
        assert history["accuracy"][-1] == pytest.approx(in_memory, abs=0.03)


def test_weights_of_rows_and_classes() -> None:
    x, y = arrays()
    weight = np.linspace(0, 2, ROWS)
    expected = model()
    expected.fit(x, y, sample_weight=weight, class_weight={0: 1, 1: 3}, shuffle=False, verbose=0)
    # What a generator's rows weigh is known when they are read: their mean counts as 1.
    mean = (weight * np.where(y == 1, 3, 1)).mean()
    for data, exact in (
        (Dataset.from_arrays(x, y, weight, buffer_size=SMALL), True),
        (Dataset.from_generator(in_pieces(x, y, weight / mean), buffer_size=SMALL), False),
    ):
        found = model()
        found.fit(data, class_weight={0: 1, 1: 3}, shuffle=False, verbose=0)
        assert not exact or same_weights(found, expected)
        for got, wanted in zip(found.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
        given = expected.evaluate(x, y, sample_weight=weight)
        assert found.evaluate(data) == pytest.approx(given, rel=1e-12 if exact else 1e-4)


def test_samples_of_several_axes() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2, 3)).astype(np.float32)
    network = Sequential([layers.Flatten(), layers.Dense(1)], seed=1)
    network.compile("sgd", "mse")
    network.fit(Dataset.from_arrays(x, x.sum(axis=(1, 2)), buffer_size=2000), verbose=0)
    assert network.input_shape == (None, 2, 3)


@pytest.mark.parametrize("rows", [None, ROWS])
def test_callbacks_see_batches_and_epochs(rows: int | None) -> None:
    class Seen(callbacks.Callback):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.calls.append("(")

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.calls.append("<")

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.calls.append(">")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.calls.append(")")

    x, y = arrays()
    seen = Seen()
    data = Dataset.from_generator(in_pieces(x, y), rows=rows, buffer_size=SMALL)
    model().fit(data, batch_size=50, epochs=2, callbacks=seen, verbose=0)
    assert "".join(seen.calls) == ("(" + "<>" * 10 + ")") * 2
    assert seen.params["steps"] == (None if rows is None else 10)


def test_training_goes_on_inside_an_epoch(tmp_path: Path) -> None:
    x, y = arrays()
    data = Dataset.from_generator(in_pieces(x, y), buffer_size=SMALL)
    expected = model()
    expected.fit(data, epochs=2, verbose=0)

    class End(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 8:
                self.model.save(tmp_path / "m.safetensors")
                raise InterruptedError

    stopped = model()
    with pytest.raises(InterruptedError):
        stopped.fit(data, epochs=2, callbacks=End(), verbose=0)
    found = model()
    found.build(FEATURES)
    found.fit(data, epochs=2, resume=tmp_path / "m.safetensors", verbose=0)
    assert same_weights(found, expected)


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_for_loops_are_those_of_fit(shuffle: bool) -> None:
    x, y = arrays()
    expected, found = model(), model()
    data = Dataset.from_arrays(x, y, buffer_size=SMALL)
    expected.fit(data, epochs=2, shuffle=shuffle, verbose=0)
    for epoch in range(2):
        sizes = []
        for rows, wanted, weight in data.batches(32, shuffle, seed=3, epoch=epoch):
            assert weight is None and rows.dtype == np.float32 and wanted.dtype == np.int32
            found.train_on_batch(rows, wanted)
            sizes.append(len(rows))
        assert sizes == [32] * 15 + [20]
    assert same_weights(found, expected)


def test_an_iterator_that_is_left_ends_its_thread() -> None:
    x, y = arrays()
    before = threading.active_count()
    for _ in range(20):
        batches = iter(Dataset.from_generator(in_pieces(x, y), buffer_size=SMALL).batches(10))
        next(batches)
        del batches
    assert threading.active_count() <= before + 1


def test_files_become_inputs(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="tables need pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="tables need pyarrow")
    pandas = pytest.importorskip("pandas", reason="the test writes its files with pandas")
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame(
        {"size": rng.normal(50, 9, ROWS), "town": rng.choice(["Bonn", "Ulm", "Kiel"], ROWS)}
    )
    frame.loc[7, "size"] = None
    frame["dear"] = np.where((frame["size"] > 50) == (frame["town"] == "Ulm"), "yes", "no")
    (tmp_path / "csv").mkdir()
    (tmp_path / "parquet").mkdir()
    for i in range(2):
        part = frame[i * 250 : (i + 1) * 250]
        part.to_csv(tmp_path / "csv" / f"{i}.csv", index=False)
        table = arrow.Table.from_pandas(part, preserve_index=False)
        parquet.write_table(table, tmp_path / "parquet" / f"{i}.parquet", row_group_size=60)
    predicted = []
    for kind in ("csv", "parquet"):
        data = Dataset.from_files(tmp_path / kind, "dear", buffer_size=2000)
        assert data.feature_names == (
            "size",
            "size missing",
            "town=Bonn",
            "town=Kiel",
            "town=Ulm",
        )
        assert data.classes == ("no", "yes") and data.mean is not None
        network = Sequential(
            [
                layers.Normalization(mean=data.mean, variance=data.variance),
                layers.Dense(8, "relu"),
                layers.Dense(1, "sigmoid"),
            ],
            seed=0,
        )
        network.compile(laminar.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
        history = network.fit(data, batch_size=16, epochs=8, verbose=0)
        assert history.history["accuracy"][-1] > 0.9
        predicted.append(network.predict(frame[["size", "town"]]))
        again = Dataset.from_files(tmp_path / kind / f"0.{kind}", like=data)
        np.testing.assert_array_equal(network.predict(again), predicted[-1][:250])
        assert network.evaluate(again)[1] > 0.9
        network.save(tmp_path / "m.safetensors")
        loaded = laminar.load_model(tmp_path / "m.safetensors")
        np.testing.assert_array_equal(loaded.predict(frame), predicted[-1])
    assert "row group" in repr(Dataset.from_files(tmp_path / "parquet", like=data)._pieces.name(3))


def test_larger_than_the_memory_allowed(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="no limit can be set to a process's memory")
    rows, features = 1_500_000, 100  # 600 MB of zeros that take no room on the disk
    for name, shape in (("x", (rows, features)), ("y", (rows,))):
        np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", np.float32, shape)
    program = f"""
import resource
from laminar import Sequential, layers
from laminar.data import Dataset
model = Sequential([layers.Dense(2), layers.Dense(1)])
model.compile("sgd", "mse")
limit = 400_000_000
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
data = Dataset.from_npy("x.npy", "y.npy", buffer_size="64MB")
history = model.fit(data, batch_size=4096, verbose=0)
assert len(data) == {rows} and model.optimizer.iterations == -(-{rows} // 4096)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    x, y = arrays()
    data = Dataset.from_arrays(x, y, buffer_size=SMALL)

    def refused(kind: type[Exception], match: str, call: Any) -> None:
        with pytest.raises(kind, match=match):
            call()

    fit = model().fit
    refused(ValueError, "Dataset, which brings its own y", lambda: fit(data, y))
    refused(ValueError, "its own sample_weight", lambda: fit(data, sample_weight=y))
    refused(ValueError, "use validation_data", lambda: fit(data, validation_split=0.1))
    unknown = Dataset.from_generator(in_pieces(x, y), buffer_size=SMALL)
    refused(ValueError, "batch_size must be given", lambda: fit(unknown, batch_size=None))
    refused(TypeError, "the number of rows is unknown", lambda: len(unknown))
    refused(ValueError, "data set has no y", lambda: fit(Dataset.from_arrays(x)))
    refused(ValueError, "x has 500 rows, y has 3", lambda: Dataset.from_arrays(x, y[:3]))
    refused(ValueError, "must have rows", lambda: Dataset.from_arrays(x[:0], y[:0]))
    refused(ValueError, "buffer_size", lambda: Dataset.from_arrays(x, y, buffer_size="much"))
    refused(TypeError, "function that returns", lambda: Dataset.from_generator(iter([(x, y)])))
    refused(ValueError, "yields no rows", lambda: Dataset.from_generator(lambda: []))
    once = iter([(x, y)] * 3)
    refused(ValueError, "returned the same one twice", lambda: Dataset.from_generator(lambda: once))
    refused(ValueError, "must yield tuples", lambda: Dataset.from_generator(lambda: [x]))
    refused(ValueError, "rows", lambda: Dataset.from_generator(in_pieces(x, y), rows=0))
    lying = Dataset.from_generator(in_pieces(x, y), rows=499)
    refused(ValueError, "says that it has 499 rows", lambda: model().fit(lying, verbose=0))
    odd = Dataset.from_generator(lambda: [(x, y), (x[:, :3], y)], buffer_size=SMALL)
    refused(ValueError, r"rows of shape \(3,\)", lambda: model().fit(odd, verbose=0))
    some = Dataset.from_generator(lambda: [(x, y, y), (x, y)], buffer_size=SMALL)
    refused(ValueError, "some rows have weights", lambda: model().fit(some, verbose=0))
    broken = x.copy()
    broken[400, 2] = np.inf
    message = r"row 400, column 2 is inf.*the segment of the arrays at row 0"
    bad = Dataset.from_arrays(broken, y, buffer_size=SMALL)
    refused(ValueError, message, lambda: model().fit(bad, verbose=0))
    (tmp_path / "text.npy").write_text("no array")
    refused(ValueError, "no array of numbers", lambda: Dataset.from_npy(tmp_path / "text.npy"))
    refused(FileNotFoundError, "absent", lambda: Dataset.from_npy(tmp_path / "absent.npy"))
    np.save(tmp_path / "x.npy", x)
    paths = [tmp_path / "x.npy"] * 2
    refused(ValueError, "as many files", lambda: Dataset.from_npy(paths, tmp_path / "x.npy"))
    refused(ValueError, "either target or like", lambda: Dataset.from_files(tmp_path))
    for batch in (60, 10**9, 2**62):
        refused(ValueError, f"batch_size is {batch}", lambda: fit(unknown, batch_size=batch))  # noqa: B023
        refused(ValueError, f"batch_size is {batch}", lambda: unknown.batches(batch))  # noqa: B023
    short = Dataset.from_generator(lambda: [(x, y[:3])])
    refused(ValueError, "x has 500 rows, y has 3", lambda: [*short.batches(10)])
    none = Dataset.from_arrays(x, np.empty((ROWS, 0)))
    refused(ValueError, "y has no columns", lambda: none.batches(10))
    refused(ValueError, "x must name at least one file", lambda: Dataset.from_npy([], []))
    refused(TypeError, "a Dataset is no array", lambda: model().train_on_batch(data, y))
    few = Dataset.from_generator(in_pieces(x, y), rows=600)
    refused(ValueError, "has 500 rows, expected 600", lambda: model().predict(few))
    refused(ValueError, "batch_size", lambda: model().predict(data, batch_size=-3))
    refused(ValueError, "must be float32", lambda: data.batches(8, dtype="float16"))
    pandas = pytest.importorskip("pandas", reason="one of the cases is a table")
    frame = pandas.DataFrame(x)
    refused(TypeError, "pass it to fit itself", lambda: Dataset.from_arrays(frame, y))


def test_files_know_their_rows_and_classes(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    rows = [f"{i},{'yes' if i % 3 else 'no'}\n" for i in range(60)]
    (tmp_path / "a.csv").write_text("size,dear\n" + "".join(rows))
    (tmp_path / "b.csv").write_text("size,dear\n1,maybe\n2,no\n3,maybe\n")
    data = Dataset.from_files(tmp_path / "a.csv", "dear")
    assert len(data) == 60
    network = model()
    weights = {"no": 1, "yes": 3}
    network.fit(data, batch_size=None, class_weight=weights, validation_data=data, verbose=0)
    assert network.class_names == ("no", "yes")
    other = Dataset.from_files(tmp_path / "b.csv", "dear")
    for call in (
        network.evaluate,
        network.fit,
        lambda d: network.fit(data, validation_data=d, verbose=0),
    ):
        with pytest.raises(ValueError, match="has the classes maybe, no, the model"):
            call(other)
    like = Dataset.from_files(tmp_path / "a.csv", like=data)
    assert like.rows is None and network.evaluate(like) == network.evaluate(data)


def test_a_refused_fit_leaves_no_names() -> None:
    x, _ = arrays()
    x[3, 1] = np.nan
    network = model()
    with pytest.raises(ValueError, match="finite"):
        network.fit(x, ["a ", "b "] * (ROWS // 2), verbose=0)
    assert network.class_names is None and network.feature_names is None


def test_predictions_call_back_and_pieces_may_be_empty() -> None:
    x, y = arrays()
    seen = []
    watch = callbacks.LambdaCallback()
    watch.on_predict_begin = lambda logs=None: seen.append("begin")  # type: ignore[method-assign]
    watch.on_predict_end = lambda logs=None: seen.append("end")  # type: ignore[method-assign]
    network = model()
    pieces = [(x[:0], y[:0]), (x[:7], y[:7]), (x[:0], y[:0]), (x[7:], y[7:])]
    data = Dataset.from_generator(lambda: pieces, buffer_size=SMALL)
    network.fit(data, shuffle=False, verbose=0)
    expected = model()
    expected.fit(x, y, shuffle=False, verbose=0)
    assert same_weights(network, expected)
    np.testing.assert_array_equal(network.predict(data, callbacks=watch), expected.predict(x))
    assert seen == ["begin", "end"]


def test_exceptions_of_a_generator_arrive() -> None:
    x, y = arrays()

    def rows() -> Iterator[tuple[Array, Array]]:
        yield x[:100], y[:100]
        raise LookupError("the source is dry")

    data = Dataset.from_generator(rows, buffer_size=SMALL)
    batches = data.batches(50, shuffle=False)
    assert [len(next(batches)[0]) for _ in range(2)] == [50, 50]
    for kind in (LookupError, StopIteration):  # and no batch comes twice
        with pytest.raises(kind):
            next(batches)
    for call in (model().fit, lambda d, verbose: [*d.batches(10)]):
        with pytest.raises(LookupError, match="the source is dry"):
            call(data, verbose=0)


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        (["x"] * 30, {"drop": ["nope"]}, "no column 'nope'"),
        ([f"k{i}" for i in range(1100)], {}, r"names or keys \(keep=\['a'\] takes it all the same"),
        (["2024-01-02"] * 30, {}, "left out: it is always the same"),
        ([""] * 30, {}, "left out: it has no values"),
        (
            [*map(str, range(29)), "about"],
            {},
            r"take all as categories with categorical=\['a'\], or leave",
        ),
    ],
)
def test_errors_name_arguments_and_no_flags(
    column: list[str], options: Any, message: str, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    rows = "\n".join(f"{cell},{i % 3}" for i, cell in enumerate(column))
    (tmp_path / "t.csv").write_text(f"a,dear\n{rows}\n")
    with pytest.raises(ValueError, match=message) as error:
        Dataset.from_files(tmp_path / "t.csv", "dear", **options)
    assert "--" not in str(error.value)
    targets = "\n".join([*(f"{i},{i}.5" for i in range(29)), "30,about"])
    (tmp_path / "t.csv").write_text(f"a,dear\n{targets}\n")
    with pytest.raises(ValueError, match="take them as classes with task='classification'"):
        Dataset.from_files(tmp_path / "t.csv", "dear")
    many = "\n".join(f"{i},k{i}" for i in range(1100))
    (tmp_path / "t.csv").write_text(f"a,dear\n{many}\n")
    with pytest.raises(ValueError, match="for numbers use task='regression'"):
        Dataset.from_files(tmp_path / "t.csv", "dear")


def test_no_error_of_python_names_a_flag() -> None:
    folder = Path(laminar.__file__).parent
    for path in folder.rglob("*.py"):
        if "command" in path.parts or path.name in ("__main__.py", "test.py"):
            continue
        flags = re.findall(r"[\"' ]--[a-z][a-z-]+", path.read_text(encoding="utf-8"))
        assert not flags, path
