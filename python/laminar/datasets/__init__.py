# SPDX-License-Identifier: Apache-2.0
"""Data that come with the package; the files and their sources are described in README.md."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from .._spelling import module_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Split = tuple[NDArray[np.float32], NDArray[np.int32]]

__all__ = ["load_digits"]

_DIGITS_RECORD = 41  # 64 pixels of 5 bits, and a label
_DIGITS_TRAIN = 1437


def load_digits() -> tuple[Split, Split]:
    """Return 1,797 handwritten digits of 8 by 8 pixels.

    "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning
    Repository, CC BY 4.0, doi 10.24432/C50P49: its test part, in an order shuffled once for all.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x float32 (n, 64), grey values from 0 to 1 in steps of 1/16; y int32 (n,), the digit.
        n is 1,437 for training and 360 for testing.

    Examples
    --------
    >>> from laminar.datasets import load_digits
    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    """
    with open(os.path.join(os.path.dirname(__file__), "digits.bin"), "rb") as file:
        stored = file.read()
    records = np.frombuffer(stored, np.uint8).reshape(-1, _DIGITS_RECORD)
    bits = np.unpackbits(records[:, :40], axis=1).reshape(-1, 64, 5)
    x = (bits @ np.array([16, 8, 4, 2, 1], np.uint8)).astype(np.float32) / np.float32(16)
    y = records[:, 40].astype(np.int32)
    return (x[:_DIGITS_TRAIN], y[:_DIGITS_TRAIN]), (x[_DIGITS_TRAIN:], y[_DIGITS_TRAIN:])


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
