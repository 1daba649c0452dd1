# SPDX-License-Identifier: Apache-2.0
"""What a Normalization divides by, as in the core's execution/layers/preparation.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-7  # of a column that is not constant


def deviation(weights: Mapping[str, NDArray[Any]], invert: bool) -> NDArray[Any]:
    """Return the deviation of each column: infinite where it is constant, which makes all of it 0.

    The way back multiplies, and has 0 there.
    """
    mean, variance = weights["mean"], weights["variance"]
    with np.errstate(all="ignore"):  # what is not finite here is so in the core as well
        root = np.sqrt(variance)
        constant = root <= 4 * np.finfo(mean.dtype).eps * np.abs(mean)
        least = mean.dtype.type(LEAST)
        found: NDArray[Any] = np.where(root < least, least, root)
    found[constant] = 0 if invert else np.inf
    return found
