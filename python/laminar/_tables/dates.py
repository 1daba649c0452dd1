# SPDX-License-Identifier: Apache-2.0
"""Dates, times of day and durations: which form the words of a column have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import is_plain
from .form import DATE_PARTS, TIME_PARTS, Form, numbers_of
from .guess import ENOUGH, Guess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def date(rest: Sequence[str]) -> Guess | None:
    orders = {
        order: int(np.count_nonzero(numbers_of(rest, _days(order))[1]))
        for order in ("ymd", "mdy", "dmy")
    }
    least = min(orders.values())
    if least > (1 - ENOUGH) * len(rest):
        return None
    best = [order for order, others in orders.items() if others == least]
    why = f"such as {rest[0]!r}"
    if _share(rest, lambda word: word[:4].isdigit()) > 0.5:
        order = "ymd" if "ymd" in best else best[0]
    else:
        best = [order for order in best if order != "ymd"] or best
        order = best[0]
        if len(best) > 1 and not any(letter.isalpha() for letter in rest[0]):
            order = "mdy" if "/" in rest[0] else "dmy"
            first = "month" if order == "mdy" else "day"
            why += f"; that the {first} comes first is a guess, since no day is above 12"
    days = numbers_of(rest, _days(order))[0]
    known = days[~np.isnan(days)]
    origin = float(np.floor(known.min())) if known.size else 0.0
    forms = tuple(Form("date", order=order, part=part, origin=origin) for part in DATE_PARTS)
    since = str(np.datetime64(int(origin), "D"))
    done = f"read as dates: days since {since}, year, month, weekday and hour as far as they vary"
    return Guess(forms, done, why)


def _days(order: str) -> Form:
    return Form("date", order=order, part="days")


def time(rest: Sequence[str]) -> Guess | None:
    if _share(rest, lambda word: ":" in word or word[-1:] in "mM") < ENOUGH:
        return None
    forms = tuple(Form("time", part=part) for part in TIME_PARTS)
    if np.count_nonzero(numbers_of(rest, forms[0])[1]) > (1 - ENOUGH) * len(rest):
        return None
    return Guess(forms, "read as times of day: hours, and their cycle", f"such as {rest[0]!r}")


def duration(rest: Sequence[str]) -> Guess | None:
    if _share(rest, is_plain) > 0.5:
        return None
    fields = {word.count(":") for word in rest}
    form = Form("duration", order="ms" if {1, 2} <= fields else "hm")
    if np.count_nonzero(numbers_of(rest, form)[1]) > (1 - ENOUGH) * len(rest):
        return None
    return Guess((form,), "read as durations, in seconds, and standardized", f"such as {rest[0]!r}")


def _share(rest: Sequence[str], fits: Callable[[str], Any]) -> float:
    return sum(1 for word in rest if fits(word)) / len(rest)
