# SPDX-License-Identifier: Apache-2.0
"""``laminar train DATA --target COLUMN``: a network for a table, without a line of code.

The file is read once to see what its columns hold, once more for the means and categories of the
rows that are trained on, and once to encode them; as far as there is room for what it held, that is
kept from the first time. Rows are shuffled, some are held out, of each class the same share, and
training stops where these get no better; the best weights stay. The target of a regression is
scaled for training, and its scale then goes into the weights of the last layer.
"""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _memory, layers, losses, metrics, optimizers
from .._component import integer
from .._printable import printable, say
from .._tables import Choices, Encoder, Survey, split
from .._tables import notes as column_notes
from .._tables.labelled import Labelled
from .._tables.moments import settled, settled_moments
from .._tables.table import TEXT
from ..data._files import Sources
from ..sequential import Sequential
from . import _ensemble
from ._answer import answer_of
from ._choices import WEIGHT_DECAY, edges_of, planned
from ._ensemble import add_ensemble_argument, members, seed_of
from ._manners import (
    Training,
    add_output_arguments,
    answering,
    check_outputs,
    interrupted,
)
from ._measuring import measures_and_page
from ._reading import (
    Rows,
    add_data_arguments,
    add_file_arguments,
    add_missing_argument,
    files_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._tables.table import Target

    Array = NDArray[Any]


_KEPT_BYTES = 1 << 28  # of what the file holds
# In standard deviations: inputs stay within, and of a regression's errors the part that is beyond
# counts by its amount and not its square, so that a wrong cell cannot outweigh all others.
_LIMIT = 8.0
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
        help="cut each number into so many pieces, a layer of the model; 0, but 16 for a "
        "regression on 10,000 rows or more",
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
    parts = _read(labelled, survey, [arguments.validation, test], arguments.seed)
    for line in source.notes:
        say(printable(line))
    for note in survey.notes:
        if note.odd:
            say(printable(str(note)))
    source.forget()
    train, validation, _ = parts
    model, training = _trained(train, validation, survey, arguments)
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


class _Part(NamedTuple):
    """Some rows, encoded."""

    x: Array
    y: Array


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


def _read(source: Labelled, survey: Survey, shares: list[float], seed: int) -> list[_Part]:
    """Return the rows encoded, in random order: those to train on, and the shares held out.

    Of each class the same share. What the rows held out hold has no part in how rows are encoded.
    """
    held = [round(share * survey.rows) for share in shares]
    first = survey.rows - sum(held)
    if first < 1 or any(share and not rows for share, rows in zip(shares, held, strict=True)):
        raise ValueError(
            f"{source.path}: of {survey.rows} rows {first} are left to train on, {held[0]} to "
            f"validate and {held[1]} to test; --validation 0 trains on all of them"
        )
    given = survey.targets()
    classes = given if survey.table.target.kind == "class" else None
    places = split.places(survey.rows, held, np.random.default_rng(seed), classes)
    if first < survey.rows:
        survey.take(places < first)
    table = survey.table
    y = np.empty_like(given)
    y[places] = given
    x = _rows_array(survey.rows, table.width)
    encoder = Encoder(table, source.path)
    rows = 0
    for block in source.blocks([*table.needed(), table.target.name], table.numbers()):
        there = places[rows : rows + block.rows]
        rows += block.rows
        if len(there) < block.rows:
            break
        x[there] = encoder.inputs(block, np.empty((block.rows, table.width), np.float32))
    survey.refuse_others(rows)
    ends = [0, first, first + held[0], survey.rows]
    return [_Part(x[a:b], y[a:b]) for a, b in itertools.pairwise(ends)]


def _rows_array(rows: int, width: int) -> Array:
    """Return memory for encoded rows: a temporary file where they take half of what there is."""
    most = _memory.most()
    if most is None or 4 * rows * width <= most // 2:
        return np.empty((rows, width), np.float32)
    return _memory.in_temporary_file((rows, width), np.float32, "train")


def _trained(
    train: _Part, validation: _Part, survey: Survey, arguments: argparse.Namespace
) -> tuple[BaseModel, Training]:
    """Return a trained model whose outputs are in the target's own unit, and how it went."""
    target = survey.table.target
    loss, watched = _loss(target, [part.y for part in (train, validation) if len(part.y)])
    plan = planned(arguments, len(train.x), len(validation.x), len(target.classes))

    mean_of, variance_of = settled_moments(survey, train.x)

    def prepared() -> list[layers.Layer]:
        """Return the layers that inputs go through before anything is learned."""
        normalization = layers.Normalization(mean=mean_of, variance=variance_of)
        return [normalization, layers.SmoothClip(_LIMIT)]

    edges = edges_of(survey.table, plan.bins, prepared(), train.x)

    def network(seed: int) -> Sequential:
        model = Sequential(
            [
                layers.Input(survey.table.width),
                *prepared(),
                *([layers.PiecewiseLinearEncoding(edges)] if edges else []),
                *(layers.Dense(width, "relu") for width in arguments.layers),
                _last_layer(target),
            ],
            seed=seed,
        )
        optimizer = optimizers.AdamW(arguments.learning_rate, weight_decay=WEIGHT_DECAY)
        model.compile(optimizer, loss, watched)
        return model

    y, held_y = train.y, validation.y
    if target.kind == "number":
        mean, deviation = float(settled(y).mean()), float(settled(y).std())
        if deviation <= 1e-13 * abs(mean):  # but for what sums leave of a constant
            raise ValueError(
                f"{printable(arguments.data)}: the target {printable(target.name)!r} is always "
                f"{mean:g} in the {len(y)} rows to train on: nothing to learn; train on more rows, "
                "or draw others with --seed"
            )
        y, held_y = (y - mean) / deviation, (held_y - mean) / deviation
        if np.abs(y).max() > _LIMIT:
            loss = losses.Huber(_LIMIT)

    def finish(model: Sequential) -> None:
        """Bring outputs into the target's own unit."""
        if target.kind == "number":
            weights, bias = model.layers[-1].get_weights()
            model.layers[-1].set_weights([weights * deviation, bias * deviation + mean])

    inputs = sum(len(each) - 1 for each in edges) if edges else survey.table.width
    count = members(arguments, plan, len(y), inputs, max(1, len(target.classes)))
    say(plan.described(count, edges is not None))
    networks = [network(seed_of(i, arguments.seed)) for i in range(count)]
    held_out = (validation.x, held_y) if len(held_y) else None
    return _ensemble.train(networks, (train.x, y), held_out, arguments, plan, finish)


def _last_layer(target: Target) -> layers.Dense:
    if target.kind == "number":
        return layers.Dense(1)
    if len(target.classes) == 2:
        return layers.Dense(1, "sigmoid")
    return layers.Dense(len(target.classes), "softmax")


def _loss(target: Target, targets: list[Array]) -> tuple[str | losses.Loss, list[Any]]:
    """Return the loss, and those measures to show while it falls that the targets define."""
    if target.kind == "number":
        return "mse", [metrics.R2Score(name="r2")] * all(y.min() < y.max() for y in targets)
    if len(target.classes) == 2:
        both = all(y.min() < y.max() for y in targets)
        return "binary_crossentropy", ["accuracy", *([metrics.AUC()] if both else [])]
    return "sparse_categorical_crossentropy", ["accuracy"]


def _widths(text: str) -> list[int]:
    try:
        widths = [int(width) for width in text.split(",") if text]
    except ValueError:
        widths = [0]
    if any(width < 1 for width in widths):
        raise argparse.ArgumentTypeError(f"expected numbers such as 128,64, got {text!r}")
    return widths
