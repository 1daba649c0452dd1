# SPDX-License-Identifier: Apache-2.0
"""Batches that users bring: what is wrong with them is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from batches import (
    ROWS,
    SIZE,
    Batches,
    X,
    Y,
    cut,
    endless,
    model,
    refused,
    same,
)


def test_what_is_wrong_is_said_before_anything_changes() -> None:
    found = model()
    fit, pair = found.fit, (X, Y)

    class Empty(Batches):
        def __len__(self) -> int:
            return 0

    drawn = endless()

    def case(kind: type[Exception], match: str, call: Any, *arguments: Any, **options: Any) -> None:
        refused(kind, match, lambda: call(*arguments, **options))
        assert not found.built, match

    case(ValueError, "steps_per_epoch must be at least 1, got 0", fit, drawn, steps_per_epoch=0)
    case(TypeError, "steps_per_epoch must be an integer, got 2.5", fit, drawn, steps_per_epoch=2.5)
    case(ValueError, "validation_steps=3 needs validation_data", fit, X, Y, validation_steps=3)
    case(
        ValueError,
        "validation_steps must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_steps=0,
    )
    case(
        ValueError,
        "validation_batch_size must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_batch_size=0,
    )
    case(
        ValueError,
        "validation_freq must be at least 1, got 0",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=0,
    )
    case(
        ValueError,
        "validation_freq: an epoch must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=[0],
    )
    case(
        ValueError,
        "validation_freq must hold an epoch",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=[],
    )
    case(
        TypeError,
        "validation_freq must be an integer",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq="2",
    )
    case(ValueError, "batch_size must not be given, got 8: x is a generator", fit, drawn, None, 8)
    case(ValueError, "batch_size must not be given, got 32", fit, Batches(), batch_size=32)
    case(ValueError, "evaluate: batch_size must not be given", found.evaluate, Batches(), None, 8)
    case(ValueError, "predict: batch_size must not be given", found.predict, Batches(), 8)
    case(
        ValueError,
        "validation_batch_size must not be given",
        fit,
        X,
        Y,
        validation_data=Batches(),
        validation_batch_size=8,
    )
    case(ValueError, "generator, which brings its own y", fit, iter(cut()), Y)
    case(
        ValueError,
        "sequence of batches, which brings its own sample_weight",
        fit,
        Batches(),
        sample_weight=Y,
    )
    case(ValueError, "use validation_data", fit, Batches(), validation_split=0.2)
    case(
        ValueError,
        "steps_per_epoch must be given for 3 epochs of a generator",
        fit,
        drawn,
        epochs=3,
    )
    case(
        ValueError,
        "validation_steps must be given where validation_data is a generator",
        fit,
        X,
        Y,
        epochs=2,
        validation_data=drawn,
    )
    case(ValueError, "x is a sequence of batches and has none", fit, Empty())
    case(ValueError, "x is a generator and has none", fit, iter([]))
    case(ValueError, "predict: x is a generator and has none", found.predict, iter([]))
    case(ValueError, r"batch 1 must be a tuple \(x, y\).*got ndarray", fit, iter([X]))
    case(ValueError, "batch 1 must be a tuple .*got tuple of 4", fit, iter([(X, Y, Y, Y)]))
    case(ValueError, "batch 1 must be a tuple .*got dict", fit, iter([{"x": X}]))
    case(ValueError, "batch 1: x has no rows", fit, iter([(X[:0], Y[:0])]))
    case(ValueError, "batch 1: x has 100 rows, y has 3", fit, iter([(X, Y[:3])]))
    case(
        TypeError,
        "batch 1: x must hold booleans.*got dtype object",
        fit,
        iter([(X.astype(object), Y)]),
    )
    case(TypeError, "one input; got a dict with the keys 'a'", fit, iter([({"a": X}, Y)]))
    case(TypeError, "fit: x is Batches itself, not what it returns; call it", fit, Batches)
    case(TypeError, "fit: validation_data is endless itself", fit, X, Y, validation_data=endless)
    case(TypeError, "predict: x is endless itself", found.predict, endless)
    case(ValueError, "evaluate: steps must be at least 1", found.evaluate, X, Y, steps=0)
    case(ValueError, "predict: steps must be at least 1", found.predict, X, steps=0)
    assert next(drawn)[0] is not None and len(next(drawn)[0]) == SIZE  # nothing was taken of it


def test_what_is_wrong_later_ends_training_there() -> None:
    good, broken = (X[:50], Y[:50]), X[50:].copy()
    broken[3, 2] = np.inf
    later: list[tuple[type[Exception], str, Any]] = [
        (ValueError, r"batch 2: x has rows of shape \(3,\), others have \(5,\)", (X[:, :3], Y)),
        (ValueError, "batch 2: x has no rows", (X[:0], Y[:0])),
        (ValueError, "batch 2: some rows have weights and others have none", (X, Y, Y[:, 0])),
        (ValueError, "batch 2 must be a tuple", X),
        (ValueError, "x must be finite, but row 3, column 2 is inf, in batch 2", (broken, Y[50:])),
        (TypeError, "batch 2: y must hold", (X, ["a"] * ROWS)),
    ]
    expected = model()
    expected.train_on_batch(*good)
    for kind, match, batch in later:
        found = model()
        refused(kind, match, lambda: found.fit(iter([good, batch]), verbose=0))  # noqa: B023
        assert same(found, expected), match
