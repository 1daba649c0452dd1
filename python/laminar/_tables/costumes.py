# SPDX-License-Identifier: Apache-2.0
"""Numbers in costume: which form the words of a column have, currencies, units, decimal commas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .cells import is_plain
from .dates import date, duration, time
from .form import PLAIN, Form, numbers_of
from .guess import ENOUGH, Guess

if TYPE_CHECKING:
    from collections.abc import Sequence

# What people write where a number is not known, in lower case, besides what always means that.
_UNKNOWN = (
    "-,--,---,\u2013,\u2014,.,..,...,*,n.a.,n.a,n\\a,#n/a,#na,#n/a n/a,<na>,nat,nil,(null),(none),"
    "(missing),missing,unknown,unk,unavailable,not available,not applicable,not known,not given,"
    "undefined,unspecified,tbd,tba,nd,n.d.,no data,#value!,#div/0!,#ref!,#num!,#name?,\\n"
)
LIKELY_MISSING = frozenset(_UNKNOWN.split(","))

_SCALES = frozenset({"k", "m", "b", "bn", "t"})
_CURRENCY = re.compile(
    r"[\u0024\u00a2-\u00a5\u20a0-\u20c0]"
    r"|(us|r|a|c|hk|nz|s|au|ca)\$|rs\.?|inr|usd|eur|gbp|chf|jpy|cny|cad|aud|sek|nok|dkk|kr\.?|pln|zł|czk|huf|brl|rub|"
    r"try|zar|krw|sgd|hkd|nzd|mxn",
    re.IGNORECASE,
)
_AMOUNT = re.compile(  # U+2212 is a minus, U+2019 an apostrophe
    r"[-+\u2212]?\s*(?P<prefix>[^\d.,()+\u2212\s-]*)\s*[-+\u2212]?\s*"
    r"(?P<digits>\d(?:[\d.,'\u2019_\s]*\d)?[.,]?|[.,]\d+)(?:[eE][+-]?\d+)?\s*(?P<suffix>[^\d()]*)"
)
_LONGEST_UNIT = 12
_MANY = 500  # words, of which so many tell whether the others are worth a look


class Odd(NamedTuple):
    """A column most words of which are of a form."""

    held: str
    example: str  # of the others
    others: int


def form_of(words: Sequence[str], moments: bool = False) -> Guess | Odd | None:
    """Return what `guessed` does, and quickly where it is nothing.

    Parameters
    ----------
    words : sequence of str
        The different words of a column.
    moments : bool
        Whether they are of a type that is a date, a time or a duration; the latter in seconds.
    """
    if moments and all(map(is_plain, words)):
        return Guess((Form("duration", order="hm"),), "seconds of a duration, standardized", "")
    if len(words) > _MANY and guessed(words[:_MANY]) is None:
        return None
    return guessed(words)


def guessed(words: Sequence[str]) -> Guess | Odd | None:
    """Return what form words have, if all of them have one; or that most have.

    Parameters
    ----------
    words : sequence of str
        The different words of a column, spaces around them left out.
    """
    missing = tuple(sorted(word for word in words if word.lower() in LIKELY_MISSING))
    rest = [word for word in words if word.lower() not in LIKELY_MISSING]
    if not rest:
        return None
    also = f"; {', '.join(map(repr, missing[:5]))} as missing" if missing else ""
    if missing and all(map(is_plain, rest)):
        return Guess(
            (PLAIN._replace(missing=missing),), f"standardized{also}", "all others are numbers"
        )
    odd: Odd | None = None
    for guess in (_amount, date, time, duration):
        found = guess(rest)
        if found is None:
            continue
        broken = numbers_of(rest, found.forms[0])[1]
        others = int(np.count_nonzero(broken))
        if not others:
            forms = tuple(form._replace(missing=missing) for form in found.forms)
            return Guess(forms, found.done + also, found.why)
        if odd is None and others <= (1 - ENOUGH) * len(rest):
            odd = Odd(found.forms[0].held(), rest[int(np.argmax(broken))], others)
    return odd


def _amount(rest: Sequence[str]) -> Guess | None:
    """Return amounts: groups of digits, currencies, units, decimal commas."""
    bare = [word[1:-1].strip() if word[:1] == "(" and word[-1:] == ")" else word for word in rest]
    found = [match for match in map(_AMOUNT.fullmatch, bare) if match is not None]
    if len(found) < ENOUGH * len(rest):
        return None
    prefixes = {match["prefix"] for match in found} - {""}
    suffixes = {match["suffix"].strip() for match in found} - {""}
    if len(prefixes) > 1 or not all(map(_CURRENCY.fullmatch, prefixes)):
        return None
    scaled = bool(suffixes) and {suffix.lower() for suffix in suffixes} <= _SCALES
    scaled = scaled and (len(suffixes) > 1 or bool(prefixes))
    if not scaled and (len(suffixes) > 1 or any(len(unit) > _LONGEST_UNIT for unit in suffixes)):
        return None
    if any("-" in unit or ":" in unit for unit in suffixes):
        return None
    decimal = _decimal([match["digits"] for match in found])
    if decimal is None:
        return None
    prefix, suffix = next(iter(prefixes), ""), "" if scaled else next(iter(suffixes), "")
    form = Form("amount", decimal=decimal, prefix=prefix, suffix=suffix, scaled=scaled)
    parts = [f"{prefix!r} before" * bool(prefix), f"{suffix!r} behind" * bool(suffix)]
    parts += ["K, M and B as thousands, millions and billions" * scaled]
    parts += ["a comma before the fraction" * (decimal == ",")]
    with_what = ", ".join(part for part in parts if part) or "groups of digits"
    return Guess((form,), f"read as numbers ({with_what}) and standardized", f"such as {rest[0]!r}")


def _decimal(numbers: Sequence[str]) -> str | None:
    """Return what stands before fractions, '.' or ','; None where numbers contradict each other."""
    votes = set()
    for text in numbers:
        point, comma = text.count("."), text.count(",")
        if point and comma:
            votes.add("." if text.rfind(".") > text.rfind(",") else ",")
        elif point > 1 or comma > 1:
            votes.add("," if point else ".")
        elif point or comma:
            mark = "." if point else ","
            before, behind = text.split(mark)
            if len(behind) != 3 or not 1 <= len(before) <= 3 or before.startswith("0"):
                votes.add(mark)
    if len(votes) > 1:
        return None
    return votes.pop() if votes else "."
