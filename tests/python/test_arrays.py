# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from laminar import _arrays

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


def misaligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that begins one byte off."""
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    result = memory.view(array.dtype).reshape(array.shape)
    result[...] = array
    assert not result.flags.aligned
    return result


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    result = array.copy()
    result.flags.writeable = False
    return result


def forms(array: NDArray[Any]) -> dict[str, Any]:
    """Return the values of a float32 array of small integers in every form that is taken."""
    return {
        "list": array.tolist(),
        "tuple": tuple(map(tuple, array.tolist())),
        "list of arrays": list(array),
        "Fortran": np.asfortranarray(array),
        "strided": np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)[::2, ::3],
        "negative strides": array[::-1, ::-1].copy()[::-1, ::-1],
        "transposed": array.T.copy().T,
        "misaligned": misaligned(array),
        "read-only": read_only(array),
        "big-endian": array.astype(">f4"),
        "big-endian float64": array.astype(">f8"),
        "unmasked": np.ma.masked_array(array),
        **{
            np.dtype(kind).name: array.astype(kind)
            for kind in "efdbhilqBHILQ"
            if not (kind in "BHILQ" and array.min() < 0)
        },
    }


def check(result: NDArray[Any], dtype: np.dtype[Any]) -> None:
    assert type(result) is np.ndarray
    assert result.dtype == dtype
    assert result.dtype.isnative
    assert result.flags.c_contiguous
    assert result.flags.aligned


SMALL = np.arange(-6, 6, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
@pytest.mark.parametrize("form", forms(SMALL) | {"unsigned": np.abs(SMALL).astype(np.uint8)})
def test_every_form_gives_the_same_values(form: str, dtype: np.dtype[Any]) -> None:
    value = np.abs(SMALL).astype(np.uint8) if form == "unsigned" else forms(SMALL)[form]
    expected = np.abs(SMALL) if form == "unsigned" else SMALL
    for result in (_arrays.features(value, "x", dtype), _arrays.targets(value, "y", dtype)):
        check(result, dtype)
        np.testing.assert_array_equal(result, expected)


@given(
    arrays.arrays(
        st.one_of(
            arrays.boolean_dtypes(),
            arrays.integer_dtypes(),
            arrays.unsigned_integer_dtypes(),
            arrays.floating_dtypes(),
        ),
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements={"allow_nan": False, "allow_infinity": False},
        fill=st.nothing(),
    ),
    st.sampled_from([1, 2, -1]),
    st.booleans(),
)
def test_any_layout(array: NDArray[Any], stride: int, fortran: bool) -> None:
    view = (np.asfortranarray(array) if fortran else array)[::stride, ::stride]
    result = _arrays.features(view, "x", DOUBLE)
    check(result, DOUBLE)
    np.testing.assert_array_equal(result, view.astype(np.float64))


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
def test_what_is_right_is_not_copied(dtype: np.dtype[Any]) -> None:
    array = np.zeros((4, 3), dtype)
    assert _arrays.features(array, "x", dtype) is array
    assert _arrays.features(read_only(array), "x", dtype).flags.writeable is False
    for part in (array[1:3], array[2:3]):
        assert np.shares_memory(_arrays.features(part, "x", dtype), part)
    assert np.shares_memory(_arrays.targets(array[0], "y", dtype), array)
    weight = np.ones(4, dtype)
    assert _arrays.row_weights(weight, "w", dtype) is weight
    labels = np.zeros(4, np.int32)
    assert _arrays.labels(labels, "y") is labels


def bad_values() -> dict[str, Any]:
    return {
        "object": np.array([[1, None]], object),
        "string": [["1", "2"]],
        "bytes": [[b"1"]],
        "complex": [[1j]],
        "datetime": np.array([["2020-01-01"]], "M8[D]"),
        "timedelta": np.array([[3]], "m8[D]"),
        "record": np.zeros((2, 2), [("a", int)]),
        "huge integers": [[2**70]],
        "None": None,
    }


@pytest.mark.parametrize("kind", bad_values())
@pytest.mark.parametrize("take", [_arrays.features, _arrays.tensor])
def test_other_kinds_of_values_are_refused(kind: str, take: Any) -> None:
    value = bad_values()[kind]
    dtype = np.asarray(value).dtype
    with pytest.raises(TypeError) as caught:
        take(value, "fit: x", SINGLE)
    assert str(caught.value).startswith("fit: x must hold booleans, integers or floats, got dtype")
    assert str(dtype) in str(caught.value)


def test_shapes_that_are_refused() -> None:
    def message(value: Any, take: Any = _arrays.features) -> str:
        with pytest.raises(ValueError) as caught:
            take(value, "fit: x", SINGLE)
        return str(caught.value)

    assert "fit: x is not a rectangular array" in message([[1, 2], [3]])
    assert "fit: x has no rows" in message(np.empty((0, 3)))
    assert "fit: x has no rows" in message([])
    advice = message([1, 2, 3])
    assert "reshape(1, -1)" in advice
    assert "reshape(-1, 1)" in advice
    assert "shape ()" in message(3.0)
    assert "fit: x is missing" in message(None, _arrays.targets)
    assert "masked" in message(np.ma.masked_array([[1, 2]], [[False, True]]))


def test_samples_may_have_several_axes() -> None:
    for take in (_arrays.features, _arrays.targets):
        assert take(np.zeros((2, 3, 4)), "x", SINGLE).shape == (2, 3, 4)
    _arrays.check_sample(np.zeros((2, 3, 4)), "x", (3, 4))
    with pytest.raises(ValueError, match=r"x must have shape \(rows, 4, 3\), got \(2, 3, 4\)"):
        _arrays.check_sample(np.zeros((2, 3, 4)), "x", (4, 3))


def test_values_too_large_for_the_type_are_refused() -> None:
    big = np.array([[1e300]])
    with pytest.raises(ValueError, match="x holds a value too large for float32"):
        _arrays.features(big, "x", SINGLE)
    assert _arrays.features(big, "x", DOUBLE)[0, 0] == 1e300
    infinite = _arrays.features([[np.inf, np.nan]], "x", SINGLE)  # the core's business
    np.testing.assert_array_equal(infinite, [[np.inf, np.nan]])


@pytest.mark.parametrize("kind", "efdbhilqBHILQ?")
def test_labels_of_every_type(kind: str) -> None:
    expected = np.array([1, 0, 1, 1])
    for value in (expected.astype(kind), expected.astype(kind)[:, np.newaxis]):
        result = _arrays.labels(value, "y")
        check(result, _arrays.LABEL)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 1.5], r"y must hold whole class numbers, got 1.5 in row 1"),
        ([0, np.nan], r"y must hold whole class numbers, got nan in row 1"),
        ([0, np.inf], "y must hold class numbers, got inf"),
        ([0, 2**40], f"y must hold class numbers, got {2**40}"),
        (np.array([2**63], np.uint64), f"y must hold class numbers, got {2**63}"),
        (np.eye(3), r"got shape \(3, 3\); for one-hot rows use .*categorical_crossentropy"),
        (np.zeros((2, 1, 1)), "must have shape"),
        ([], "y has no rows"),
        (None, "y is missing"),
    ],
)
def test_labels_that_are_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _arrays.labels(value, "y")


def test_one_dimensional_targets_become_a_column() -> None:
    assert _arrays.targets([1, 2, 3], "y", SINGLE).shape == (3, 1)


def test_row_weights() -> None:
    assert _arrays.row_weights(None, "w", SINGLE) is None
    for value in ([1, 2, 3], [[1], [2], [3]]):
        result = _arrays.row_weights(value, "w", SINGLE)
        assert result is not None
        check(result, SINGLE)
        np.testing.assert_array_equal(result, [1, 2, 3])
    with pytest.raises(ValueError, match="w must hold one weight a row"):
        _arrays.row_weights(np.ones((2, 2)), "w", SINGLE)


def test_output_arrays() -> None:
    rows = np.zeros((4, 2), np.float32)
    right = np.zeros((4, 3), np.float32)
    _arrays.check_output(right, "out", (4, 3), rows)
    with pytest.raises(TypeError, match="out must be an array, got list"):
        _arrays.check_output([], "out", (4, 3), rows)
    shared = np.zeros((4, 5), np.float32).reshape(-1)
    wrong = {
        "of shape": right[:3],
        "float32": right.astype(np.float64),
        "C-contiguous": np.asfortranarray(right),
        "writeable": read_only(right),
        "aligned": misaligned(right),
    }
    for message, out in wrong.items():
        with pytest.raises(ValueError, match=f"out must be .*{message}"):
            _arrays.check_output(out, "out", (4, 3), rows)
    with pytest.raises(ValueError, match="must not share memory"):
        _arrays.check_output(shared[:12].reshape(4, 3), "out", (4, 3), shared[8:16].reshape(4, 2))
