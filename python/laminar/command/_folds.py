# SPDX-License-Identifier: Apache-2.0
"""``laminar train --folds K``: how good the model is, from as many trainings as there are folds.

The rows are shared out into folds, of each class the same share, and each fold is predicted by what
is trained on the others, exactly as the command would without it. Where that is repeated, rows are
shared out anew, and the predictions of a row are averaged. Each training looks at its own rows
alone, means and categories included, so that its inputs are its own.
"""

from __future__ import annotations

import argparse
import copy
import csv
import itertools
import math
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from .._component import integer
from .._printable import printable, say
from .._tables import split
from . import _networks
from ._parts import encoded, shared_out
from ._report import Report
from .predict import lines_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._tables import Survey
    from .._tables.labelled import Labelled

    Array = NDArray[Any]


def add_folds_arguments(parser: argparse._ArgumentGroup) -> None:
    """Add what says how often is cross-validated."""
    parser.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="cross-validate: train K times, each time on all but one of K parts of the rows, and "
        "predict that one; a model is then trained on all rows where one is to be written",
    )
    parser.add_argument(
        "--repeats", type=int, metavar="N", help="cross-validate N times, by other parts each time"
    )
    parser.add_argument(
        "--out-of-fold",
        metavar="CSV",
        help="write what is predicted for each row by the trainings of --folds without it",
    )


def checked(arguments: argparse.Namespace) -> int:
    """Return the number of folds, 0 for none; ValueError where the arguments are no such."""
    if arguments.folds is None:
        for name in ("repeats", "out_of_fold"):
            if getattr(arguments, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} is of use with --folds alone")
        return 0
    if arguments.test is not None:
        raise ValueError("--folds tests on all rows in turn; leave --test out")
    if arguments.repeats is not None:
        integer(arguments.repeats, "--repeats", minimum=1)
    return integer(arguments.folds, "--folds", minimum=2)


def cross_validated(
    source: Labelled, survey: Survey, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Return what a program is told of the folds; lines say it to people.

    Raises
    ------
    ValueError
        Where there are fewer rows than folds, or too few to train on.
    KeyboardInterrupt
        At Ctrl-C.
    """
    folds, repeats = checked(arguments), arguments.repeats or 1
    rows, target = survey.rows, survey.table.target
    if rows < folds:
        raise ValueError(f"{source.path}: {rows} rows cannot be shared out into {folds} folds")
    given = survey.targets()
    classes = given if target.kind == "class" else None
    total = np.zeros((rows, len(target.classes) if len(target.classes) > 2 else 1))
    each: list[Report] = []
    for repeat in range(repeats):
        ends = [rows * fold // folds for fold in range(folds + 1)]
        sizes = [b - a for a, b in itertools.pairwise(ends)]
        seed = arguments.seed + repeat
        fold_of = split.places(rows, sizes[1:], np.random.default_rng(seed), classes)
        fold_of = np.searchsorted(ends, fold_of, side="right") - 1
        for fold in range(folds):
            held = fold_of == fold
            say(f"fold {repeat * folds + fold + 1} of {repeats * folds}")
            predicted = _predicted(source, copy.copy(survey), arguments, given, held)
            report = Report(target)
            report.add(given[held], predicted)
            say(f"its {report.rows:,} rows: {report}")
            each.append(report)
            total[held] += predicted
    predictions = total / repeats
    whole = Report(target)
    whole.add(given, predictions)
    spread = {name: _spread([one.values()[name] for one in each]) for name in whole.values()}
    shown = ", ".join(f"{name} {mean:.4f} ± {sd:.4f}" for name, (mean, sd) in spread.items())
    say(f"{len(each)} folds: {shown} (mean and standard deviation)")
    say(f"all {rows:,} rows, each predicted without it: {whole}")
    if arguments.out_of_fold is not None:
        _write(arguments.out_of_fold, source, survey, predictions)
        say(f"out-of-fold predictions: {printable(arguments.out_of_fold)}")
    return {
        "each": [one.answer() for one in each],
        "mean": {name: mean for name, (mean, _) in spread.items()},
        "standard deviation": {name: sd for name, (_, sd) in spread.items()},
        "out of fold": whole.answer(),
    }


def _predicted(
    source: Labelled, survey: Survey, arguments: argparse.Namespace, given: Array, held: Array
) -> Array:
    """Return what is predicted for rows by what is trained on the others."""
    others = np.flatnonzero(~held)
    places = np.empty(len(given), np.int64)
    among, counts = shared_out(
        source, survey, given[others], [arguments.validation], arguments.seed
    )
    places[others] = among
    places[held] = np.arange(len(others), len(given))
    train, validation, test = encoded(
        source, survey, given, places, [*counts, int(np.count_nonzero(held))]
    )
    model, training = _networks.trained(train, validation, survey, arguments)
    if training.interrupted:
        raise KeyboardInterrupt("interrupted while cross-validating; nothing is saved")
    predicted: Array = model.predict(test.x)
    return predicted


def _spread(values: list[float]) -> tuple[float, float]:
    """Return mean and standard deviation of the values that are defined."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return math.nan, math.nan
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def _write(path: str, source: Labelled, survey: Survey, predictions: Array) -> None:
    """Write the predictions of all rows, with the row of the file that each is for."""
    target = survey.table.target
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        probabilities = [f"p({label})" for label in target.classes]
        rows = 0
        for block in source.blocks([], survey.table.numbers()):
            lines = lines_of(target, predictions[rows : rows + block.rows])
            if not rows:
                several = ["file"] if block.file else []
                writer.writerow([*several, "row", target.name, *probabilities])
            named = [block.file] if block.file else []
            writer.writerows(
                [*named, number, *line] for number, line in zip(block.at_rows(), lines, strict=True)
            )
            rows += block.rows
