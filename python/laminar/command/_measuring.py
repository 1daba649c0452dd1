# SPDX-License-Identifier: Apache-2.0
"""How good a trained model is on rows that were held out, and the page on it if one is wanted."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, Any

from .._printable import printable, say
from ._reading import Rows
from ._report import Report
from .evaluate import measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._tables import Survey
    from ._manners import Training

    Array = NDArray[Any]


def measures_and_page(
    arguments: argparse.Namespace,
    survey: Survey,
    model: BaseModel,
    training: Training,
    parts: Mapping[str, tuple[Array, Array]],
    test_file: str | None,
) -> dict[str, Report]:
    """Say the measures of rows held out, write the page that is asked for, and return the measures.

    Parameters
    ----------
    arguments, survey, model, training
        Of the command, with ``report``, the page's file or None.
    parts : dict
        The inputs and targets of "training", "validation" and "test", the last two perhaps empty.
    test_file : str or None
        A file of other rows to test on.
    """
    table = survey.table
    held_out = [name for name in ("validation", "test") if len(parts[name][1])]
    names = ["training", *held_out] + ["test"] * (test_file is not None)
    seen = None
    if arguments.report is not None:
        from . import _page  # which few trainings need

        seen = _page.Seen(table.target, table.width, names[-1])
    measures: dict[str, Report] = {}
    for name in held_out:
        x, y = parts[name]
        report = measures[name] = Report(table.target)
        predicted = model.predict(x)
        report.add(y, predicted)
        say(f"{name}, {report.rows:,} rows: {report}")
        if seen is not None and seen.name == name:
            seen.add(x, y, predicted)
    if test_file is not None:
        add = None if seen is None else seen.add
        report = measures["test"] = measured(model, Rows(table, [test_file], arguments), add)
        say(f"test, {printable(test_file)}, {report.rows:,} rows: {report}")
    if measures and _is_useless(survey, measures[names[-1]]):
        print(
            "laminar: note: on rows held out this is no better than a constant answer; another "
            "--learning-rate or more --epochs may help, unless the columns do not tell the target",
            file=sys.stderr,
        )
    if seen is not None:
        x, y = parts["training"]
        if seen.name == "training":
            seen.add(x, y, model.predict(x))
        facts = _page.Facts(arguments, survey, model, training, measures, len(y), seen)
        _page.write(arguments.report, facts)
        say(f"report: {printable(arguments.report)}")
    return measures


def _is_useless(survey: Survey, report: Report) -> bool:
    """Whether an answer that looks at no column would be as good: the mean, or the shares."""
    values = report.values()
    if "R2" in values:
        return values["R2"] <= 0
    total = sum(survey.classes.values())
    shares = [count / total for count in survey.classes.values() if count]
    return values["log loss"] >= -sum(share * math.log(share) for share in shares)
