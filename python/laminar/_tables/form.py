# SPDX-License-Identifier: Apache-2.0
"""How the texts of a column are numbers that are not written plainly: amounts, dates, times.

Which form a column has is guessed when a model is trained (costumes.py, dates.py) and kept in the
model's file. What a cell of a form says is defined in the core alone
(cpp/laminar/files/cell_form.hpp), so that it is the same by every route.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from .cells import Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


class Form(NamedTuple):
    """The form of one column; the core says what each of these means."""

    kind: str = "plain"  # or "amount", "date", "time", "duration"
    decimal: str = "."
    prefix: str = ""
    suffix: str = ""
    scaled: bool = False
    order: str = ""
    part: str = ""
    origin: float = 0.0
    missing: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Return its kind, and those fields that are not as they usually are."""
        usual = Form._field_defaults
        fields = {name: value for name, value in self._asdict().items() if value != usual[name]}
        return {"kind": self.kind, **fields}

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(self.fields())

    @property
    def moment(self) -> bool:
        """Whether a cell says when something was."""
        return self.kind in ("date", "time")

    def held(self) -> str:
        """Return what its cells are called."""
        return {"date": "dates", "time": "times of day", "duration": "durations"}.get(
            self.kind, "numbers"
        )


PLAIN = Form()
DATE_PARTS = (
    "days",
    "year",
    "month sin",
    "month cos",
    "weekday sin",
    "weekday cos",
    "hour sin",
    "hour cos",
)
TIME_PARTS = ("hours", "hour sin", "hour cos")


def numbers_of(texts: Sequence[str], form: Form) -> tuple[Array, Array]:
    """Return what texts say, NaN where there is nothing, and where something else stands."""
    numbers, broken = _core.numbers_of(form.to_json(), list(texts))
    return numbers, broken


def in_form(cells: Cells, form: Form) -> tuple[Cells, Array | None]:
    """Return cells as the numbers that they are by a form, and where they hold something else."""
    if cells.numbers is not None:
        if not form.moment:
            return cells, None
        wrong = np.ones(cells.rows, bool)
        wrong = wrong if cells.missing is None else wrong & ~cells.missing
        return cells, wrong if wrong.any() else None
    assert cells.places is not None
    numbers, broken = numbers_of([text or "" for text in cells.words.to_pylist()], form)
    # The last one is for cells that are missing, whose place is -1.
    numbers = np.append(numbers, np.nan)[cells.places]
    wrong = np.append(broken, False)[cells.places]
    missing = np.isnan(numbers) & ~wrong
    gaps = missing if missing.any() else None
    found = cells._replace(missing=gaps, numbers=numbers, dates=False)
    return found, wrong if wrong.any() else None
