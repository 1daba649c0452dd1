# SPDX-License-Identifier: Apache-2.0
"""Raw rows of a frame, as the model takes them that was trained on such a table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .._printable import listed
from ..exchange._extras import required
from .cells import Block, cells_of
from .table import Encoder, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def encoded(frame: Any, name: str, text: str, dtype: np.dtype[Any]) -> Array:
    """Return the rows of a pandas, polars or pyarrow table as inputs.

    Parameters
    ----------
    frame : table
        It has the columns that the model reads, in any order, and perhaps others.
    name : str
        What to call it in an error message.
    text : str
        The description of the table that the model was trained on.
    dtype : dtype
        The model's.

    Raises
    ------
    ValueError, ImportError
        Where a column is missing or holds other things than in training, or pyarrow is missing.

    Warns
    -----
    UserWarning
        Where there are values that training has not seen.
    """
    table = Table.from_json(text)
    arrow = required("pyarrow", "tabular", name)
    rows = frame if isinstance(frame, arrow.Table) else arrow.table(frame)
    for column in table.needed():
        if column not in rows.column_names:
            raise ValueError(
                f"{name}: lacks column {column!r}, which the model reads; "
                f"it has {listed(rows.column_names)}"
            )
    cells = {
        column: cells_of(
            rows.column(column).combine_chunks(), f"{name}: column {column!r}", table.missing
        )
        for column in table.needed()
    }
    encoder = Encoder(table, name)
    out = np.empty((rows.num_rows, table.width), dtype)
    encoder.inputs(Block(1, rows.num_rows, cells), out)
    encoder.refuse_unseen()
    for note in encoder.notes():
        warnings.warn(note, UserWarning, stacklevel=4)
    return out
