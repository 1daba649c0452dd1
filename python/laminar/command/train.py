# SPDX-License-Identifier: Apache-2.0
"""``laminar train DATA --target COLUMN``: a network for a table, without a line of code.

The file is read once to see what its columns hold, once more for the means and categories of the
rows that are trained on, and once to encode them; as far as there is room for what it held, that is
kept from the first time. Rows are shuffled, some are held out, of each class the same share, and
training stops where these get no better; the best weights stay.
"""

from __future__ import annotations

import argparse
from typing import Any

from .._component import integer
from .._printable import printable, say
from .._tables import Choices, Survey
from .._tables import notes as column_notes
from .._tables.labelled import Labelled
from .._tables.table import TEXT
from ..data._files import Sources
from . import _ensemble, _folds
from ._answer import answer_of, survey_answer
from ._ensemble import add_ensemble_argument
from ._folds import add_folds_arguments, cross_validated
from ._manners import (
    add_output_arguments,
    answering,
    check_outputs,
    interrupted,
)
from ._measuring import measures_and_page
from ._networks import trained
from ._parts import encoded, shared_out
from ._reading import (
    Rows,
    add_data_arguments,
    add_file_arguments,
    add_missing_argument,
    files_of,
)

_KEPT_BYTES = 1 << 28  # of what the file holds
_COLUMNS = (
    "A column of which every value is a number is standardized, in whatever form it is written "
    "(amounts, shares, units, decimal commas, dates, times); a missing one counts as the mean, and "
    "sets an input of its own. Any other column becomes one input for each category, and one for "
    "missing values if there are any; later a category that training has not seen counts as "
    "missing, or sets no input where training had none missing. Names, keys and columns without "
    "values are left out, and rows without a target. What people may not expect is said. Refused "
    "by name, with a way out: numbers with a few texts among them, a target that is constant, rows "
    "of a wrong length. Spaces around a cell do not count."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _COLUMNS
    add_data_arguments(
        parser,
        "a CSV or Parquet file, a spreadsheet, a folder of them, or - for stdin",
        "others with the same columns",
    )
    parser.add_argument("--target", required=True, help="the column to predict")
    parser.add_argument(
        "--task",
        choices=["classification", "regression"],
        help="regression for numbers but a few whole ones, where it is not given",
    )
    add_file_arguments(parser)
    columns = parser.add_argument_group("columns")
    columns.add_argument(
        "--drop", action="append", default=[], metavar="COLUMN", help="leave it out; repeatable"
    )
    columns.add_argument(
        "--categorical",
        action="append",
        default=[],
        metavar="COLUMN",
        help="take its numbers as names of categories; repeatable",
    )
    columns.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="use it even if it looks like names or keys; repeatable",
    )
    columns.add_argument(
        "--max-categories",
        type=int,
        metavar="N",
        help="keep the N most frequent categories of a column, the others count as one",
    )
    add_missing_argument(parser)
    network = parser.add_argument_group("network and training")
    add_ensemble_argument(network)
    network.add_argument(
        "--layers",
        type=_widths,
        default="128,64",
        metavar="N,N,...",
        help="units of hidden layers, %(default)s",
    )
    network.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="at most so many; 100, or on small tables as many as make 5,000 updates",
    )
    network.add_argument("--batch-size", type=int, default=128, help="rows an update, %(default)s")
    network.add_argument("--learning-rate", type=float, default=0.001, help="of AdamW, %(default)s")
    network.add_argument(
        "--bins",
        type=int,
        metavar="N",
        help="cut each number into so many pieces, a layer of the model; 32 on 10,000 rows or "
        "more, on 500 or more 16 in every other network, else 0",
    )
    network.add_argument(
        "--validation",
        type=float,
        default=0.1,
        help="the share of rows held out for validation, %(default)s",
    )
    network.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after so many epochs without a new least validation loss; 10, on small tables "
        "as many as make 300 updates",
    )
    network.add_argument(
        "--seed", type=int, default=0, help="of weights, shuffling and rows held out, %(default)s"
    )
    results = parser.add_argument_group("results")
    results.add_argument(
        "--test",
        metavar="FILE|SHARE",
        help="a file to evaluate the trained model on, or a share of the rows held out for that",
    )
    add_folds_arguments(results)
    results.add_argument("--save", metavar="FILE", help="write the model, a .safetensors file")
    results.add_argument("--plot", metavar="FILE", help="draw the learning curve, a .png file")
    results.add_argument(
        "--report", metavar="FILE", help="write a page on the data and the model, an .html file"
    )
    add_output_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train, report, and write what was asked for."""
    with answering(arguments) as answer:
        _run(arguments, answer)


def _run(arguments: argparse.Namespace, answer: dict[str, Any]) -> None:
    test, test_file = _test(arguments.test)
    if not 0 <= arguments.validation < 1 - test:
        raise ValueError(
            f"--validation must be at least 0 and less than {1 - test:g}, "
            f"got {arguments.validation}"
        )
    _ensemble.checked(arguments)
    folds = _folds.checked(arguments)
    files = files_of(arguments)
    check_outputs(arguments, [*files, test_file])
    choices = _choices(arguments)
    known = (choices.target, *choices.drop, *choices.categorical, *choices.keep)
    source = Sources(
        files, arguments.header, arguments.delimiter, arguments.missing, None, _KEPT_BYTES, known
    )
    labelled = Labelled(source, arguments.target)
    survey = Survey(labelled, choices)
    say(_described(arguments.data, survey))
    if labelled.without:
        say(f"{labelled.without:,} rows have no target and are left out")
    if test_file is not None:
        Rows(survey.table, [test_file], arguments)  # which tells what it lacks before training
    if folds:
        answer["folds"] = cross_validated(labelled, survey, arguments)
        if all(getattr(arguments, name) is None for name in ("save", "plot", "report")):
            _say_notes(source, survey)
            answer.update(survey_answer(survey, arguments))
            return
    given = survey.targets()
    shares = [arguments.validation, test]
    places, counts = shared_out(labelled, survey, given, shares, arguments.seed)
    parts = encoded(labelled, survey, given, places, counts)
    _say_notes(source, survey)
    source.forget()
    train, validation, _ = parts
    model, training = trained(train, validation, survey, arguments)
    model._texts = {
        TEXT: survey.table.to_json(),
        column_notes.TEXT: column_notes.to_json(survey.notes),
    }
    model.class_names = survey.table.target.classes or None
    if arguments.save is not None:
        model.save(arguments.save, include_optimizer=False)
    if arguments.plot is not None:
        training.history.plot().savefig(arguments.plot)
    named = dict(zip(("training", "validation", "test"), parts, strict=True))
    measures = measures_and_page(arguments, survey, model, training, named, test_file)
    answer.update(answer_of(survey, arguments, model, training, measures, len(train.x)))
    if training.interrupted:
        raise KeyboardInterrupt(interrupted(training, arguments))


def _say_notes(source: Sources, survey: Survey) -> None:
    for line in [*source.notes, *(str(note) for note in survey.notes if note.odd)]:
        say(printable(line))


def _test(text: str | None) -> tuple[float, str | None]:
    """Return the share of rows to test on, or 0 and the file of other rows that a text names."""
    try:
        share = float(text or 0)
    except ValueError:
        return 0.0, text
    if not 0 <= share < 1:
        raise ValueError(f"--test must be a file or in [0, 1), got {text}")
    return share, None


def _choices(arguments: argparse.Namespace) -> Choices:
    most = arguments.max_categories
    return Choices(
        arguments.target,
        arguments.task,
        tuple(arguments.drop),
        tuple(arguments.categorical),
        None if most is None else integer(most, "--max-categories", minimum=1),
        from_command=True,
        keep=tuple(arguments.keep),
    )


def _described(path: str, survey: Survey) -> str:
    table = survey.table
    name = printable(table.target.name)
    kinds = [column.kind for column in table.columns]
    lines = [
        f"{printable(path)}: {survey.rows:,} rows, {kinds.count('number')} columns of numbers, "
        f"{kinds.count('category')} of categories: {table.width} inputs"
    ]
    if table.target.kind == "number":
        mean, deviation = survey.target_moments
        lines.append(
            f"target {name}: regression, mean {mean:.6g}, standard deviation {deviation:.6g}"
        )
    else:
        shares = [
            f"{printable(label)} {n / survey.rows:.1%}" for label, n in survey.classes.items()
        ]
        shown = ", ".join(shares[:10]) + (", …" if len(shares) > 10 else "")
        lines.append(f"target {name}: classification, {shown}")
    return "\n".join(lines)


def _widths(text: str) -> list[int]:
    try:
        widths = [int(width) for width in text.split(",") if text]
    except ValueError:
        widths = [0]
    if any(width < 1 for width in widths):
        raise argparse.ArgumentTypeError(f"expected numbers such as 128,64, got {text!r}")
    return widths
