# SPDX-License-Identifier: Apache-2.0
"""Tables of pandas, polars and Arrow, and sparse matrices, in place of arrays."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, run_python, small_classifier

import laminar
from laminar import _arrays

Array = NDArray[Any]
NAMES = [f"f{i}" for i in range(6)]


def pandas_frame(x: Array) -> Any:
    return needed("pandas").DataFrame(x, columns=NAMES)


def polars_frame(x: Array) -> Any:
    return needed("polars").DataFrame(x, schema=NAMES)


def arrow_table(x: Array) -> Any:
    return needed("pyarrow").table(dict(zip(NAMES, x.T, strict=True)))


def needed(package: str) -> Any:
    return pytest.importorskip(package, reason=f"{package} is not installed")


CONTAINERS: dict[str, Callable[[Array], Any]] = {
    "list": lambda x: x.tolist(),
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "pandas": pandas_frame,
    "polars": polars_frame,
    "pyarrow": arrow_table,
    "csr": lambda x: needed("scipy.sparse").csr_array(x),
}
TABLES = ["pandas", "polars", "pyarrow"]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_trains_and_predicts_the_same(kind: str) -> None:
    x, y = blobs()
    x[:, 2] = np.where(x[:, 2] > 0, x[:, 2], 0)
    expected, model = small_classifier(), small_classifier()
    given = CONTAINERS[kind](x)
    before = expected.fit(x, y, epochs=2, verbose=0)
    after = model.fit(given, y, epochs=2, verbose=0)
    assert after.history == before.history
    assert model.evaluate(given, y) == expected.evaluate(x, y)
    np.testing.assert_array_equal(model.predict(given), expected.predict(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", TABLES)
def test_columns_of_several_types(kind: str, dtype: str) -> None:
    columns: dict[str, Any] = {
        "whole": np.array([1, 2, 3]),
        "small": np.array([1, 2, 3], np.int8),
        "single": np.array([0.5, 1.5, 2.5], np.float32),
        "double": np.array([0.25, 1e-3, 7.0]),
        "flag": np.array([True, False, True]),
    }
    package = needed(kind)
    table = package.table(columns) if kind == "pyarrow" else package.DataFrame(columns)
    found = _arrays.features(table, "x", np.dtype(dtype))
    np.testing.assert_array_equal(found, np.column_stack(list(columns.values())).astype(dtype))
    assert found.flags.c_contiguous


@pytest.mark.parametrize("kind", TABLES)
def test_one_column_as_targets(kind: str) -> None:
    package = needed(kind)
    make = package.array if kind == "pyarrow" else package.Series
    column = make([0, 2, 1])
    np.testing.assert_array_equal(_arrays.labels(column, "y"), [0, 2, 1])
    assert _arrays.targets(column, "y", np.dtype(np.float32)).shape == (3, 1)
    np.testing.assert_array_equal(
        _arrays.row_weights(column, "w", np.dtype(np.float32)), np.array([0, 2, 1], np.float32)
    )


@pytest.mark.parametrize("kind", TABLES)
def test_missing_values_are_refused_by_their_place(kind: str) -> None:
    package = needed(kind)
    values = {name: [1, None, 3] if name == "f4" else [1, 2, 3] for name in NAMES}
    if kind == "pandas":
        table = package.DataFrame(values).astype("Int64")
    else:
        table = package.table(values) if kind == "pyarrow" else package.DataFrame(values)
    with pytest.raises(ValueError, match=r"fit: x must be finite, but row 1, column 4 is nan"):
        small_classifier().fit(table, [0, 1, 2], verbose=0)


OTHER = {
    "strings": ["a", "b"],
    "dates": np.array(["2020-01-01", "2020-01-02"], "datetime64[ms]"),
    "mixed": [1, "b"],
}


@pytest.mark.parametrize("content", OTHER)
@pytest.mark.parametrize("kind", TABLES)
def test_other_columns_are_refused_by_name(kind: str, content: str) -> None:
    if content == "mixed" and kind != "pandas":
        pytest.skip("such tables have columns of one type")
    package = needed(kind)
    values = {"age": [1.0, 2.0], "city": OTHER[content]}
    table = package.table(values) if kind == "pyarrow" else package.DataFrame(values)
    with pytest.raises(TypeError, match=r"predict: x: column 'city' holds .*, not numbers; encode"):
        small_classifier().predict(table)


@pytest.mark.parametrize("kind", TABLES)
def test_categories_are_refused(kind: str) -> None:
    package = needed(kind)
    if kind == "pandas":
        table = package.DataFrame({"c": package.Categorical([1, 2])})
    elif kind == "polars":
        table = package.DataFrame({"c": package.Series(["a", "b"], dtype=package.Categorical)})
    else:
        table = package.table({"c": package.array(["a", "b"]).dictionary_encode()})
    with pytest.raises(TypeError, match=r"x: column 'c' holds .*not numbers"):
        _arrays.features(table, "x", np.dtype(np.float32))


def test_a_value_too_large_is_refused_by_its_column() -> None:
    table = needed("pandas").DataFrame({"a": [1.0], "b": [1e300]})
    with pytest.raises(ValueError, match=r"x: column 'b' holds a value too large for float32"):
        _arrays.features(table, "x", np.dtype(np.float32))


def test_sparse_matrices() -> None:
    sparse = needed("scipy.sparse")
    x = np.array([[0, 1.5, 0], [2, 0, 0]])
    for form in ("csr", "csc", "coo"):
        found = _arrays.features(sparse.coo_array(x).asformat(form), "x", _SINGLE)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, x)
    with pytest.raises(ValueError, match="too large for float32"):
        _arrays.features(sparse.csr_array([[1e300]]), "x", _SINGLE)
    with pytest.raises(TypeError, match="sparse matrix of complex128"):
        _arrays.features(sparse.csr_array([[1j]]), "x", _SINGLE)


_SINGLE = np.dtype(np.float32)


def test_an_object_with_arrow_s_stream_alone() -> None:
    table = needed("pyarrow").table({"a": [1.0, 2.0], "b": [3, 4]})

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return table.__arrow_c_stream__(requested_schema)

    np.testing.assert_array_equal(
        _arrays.features(Stream(), "x", np.dtype(np.float32)), [[1, 3], [2, 4]]
    )


def test_arrays_import_no_tables() -> None:
    code = (
        "import sys, laminar, numpy as np\n"
        "m = laminar.Sequential([laminar.layers.Input(2), laminar.layers.Dense(1)])\n"
        "m.compile('sgd', 'mse')\n"
        "m.fit(np.ones((4, 2)), [1, 2, 3, 4], verbose=0)\n"
        "print({'pandas', 'polars', 'pyarrow', 'scipy'} & set(sys.modules))"
    )
    done = run_python(code)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize("kind", TABLES)
def test_names_of_columns_are_kept_and_checked(kind: str, tmp_path: Path) -> None:
    x, y = blobs()
    table = CONTAINERS[kind](x)
    model = small_classifier()
    assert model.feature_names is None
    model.fit(table, y, verbose=0)
    assert model.feature_names == tuple(NAMES)
    model.fit(x, y, verbose=0)  # arrays have no names to check
    model.save(tmp_path / "m.safetensors")
    for same in (laminar.load_model(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(model))):
        assert same.feature_names == tuple(NAMES)
        np.testing.assert_array_equal(same.predict(table), model.predict(x))
        swapped = table[[*NAMES[::-1]]] if kind != "pyarrow" else table.select(NAMES[::-1])
        refused = pytest.raises(ValueError, match=r"x: .*in another order: column 0 is 'f5', not ")
        with refused:
            same.predict(swapped)
        with refused:
            same.evaluate(swapped, y)
        with refused:
            same.fit(swapped, y, verbose=0)
        with refused:
            same.fit(x, y, validation_data=(swapped, y), verbose=0)
        less = table[NAMES[1:]] if kind != "pyarrow" else table.select(NAMES[1:])
        with pytest.raises(ValueError, match=r"lacks column 'f0', which the model was trained"):
            same.predict(less)
        same.feature_names = None
        same.predict(swapped)
