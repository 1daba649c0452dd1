# SPDX-License-Identifier: Apache-2.0
"""The model card in words, the measures, what to look at, and how to predict.

Mitchell et al. (2019), Model Cards for Model Reporting, doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np

from ... import __version__
from ..._pictures.html import (
    Html,
    joined,
    name,
    number,
    paragraph,
    safe,
    score,
    section,
    short,
    table,
    tag,
)
from .facts import Facts
from .importance import Importance

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW = 100  # rows held out
_RARE = 0.05
_ALMOST_ALL = 0.8  # of all importance


def card(facts: Facts) -> Html:
    """Return the section."""
    entries = [
        ("Data", _data(facts)),
        ("Task", _task(facts)),
        ("Split", _split(facts)),
        ("Network", _network(facts)),
        ("Result", _result(facts)),
        ("Limits", _limits(facts)),
    ]
    parts = (part for title, text in entries for part in (tag("dt", title), tag("dd", text)))
    return section("card", "Model card", tag("dl", *parts))


def _data(facts: Facts) -> Html:
    rows = facts.survey.rows
    used = facts.survey.table.columns
    return joined([name(facts.arguments.data), f": {rows:,} rows; {len(used):,} columns are read."])


def _task(facts: Facts) -> Html:
    target = facts.target
    if facts.regression:
        mean, deviation = facts.survey.target_moments
        words = (
            f": a number (regression), on average {number(mean)} with a standard deviation of "
            f"{number(deviation)}. --task classification would take its values as classes."
        )
    else:
        shares = sorted(facts.survey.classes.items(), key=lambda item: -item[1])
        total = sum(facts.survey.classes.values())
        listed = ", ".join(f"{short(label, 30)} {n / total:.1%}" for label, n in shares[:5])
        more = ", …" if len(shares) > 5 else "."
        words = f": one of {len(target.classes):,} classes (classification): {listed}{more}"
    return joined([name(target.name), words])


def _split(facts: Facts) -> str:
    parts = [f"{facts.trained_rows:,} rows to learn from"]
    whys = {"validation": "to choose the epoch by", "test": "that training never saw"}
    for key, why in whys.items():
        if key in facts.measures:
            parts.append(f"{facts.measures[key].rows:,} {why}")
    return f"{', '.join(parts)}; drawn at random with seed {facts.arguments.seed}."


def _network(facts: Facts) -> str:
    hidden = "-".join(map(str, facts.arguments.layers)) or "none"
    epochs = len(facts.training.history.epoch)
    best = facts.training.best
    kept = "" if best is None else f", of which epoch {best} was kept"
    ended = "; training was interrupted" if facts.training.interrupted else ""
    members = facts.training.members
    several = f"The mean of {members} networks. " if members > 1 else ""
    which = " by the first" if members > 1 else ""
    encoded = facts.training.apart
    where = f"in {encoded} of them " if members > encoded else ""
    numbers = f"Numbers are cut into pieces {where}(piecewise linear encoding). " * (encoded > 0)
    return (
        f"{several}{numbers}Dense layers, hidden units {hidden}; "
        f"{facts.model.count_params():,} parameters; trained by laminar {__version__} for {epochs} "
        f"epochs{kept}{which}{ended}."
    )


def _result(facts: Facts) -> str:
    if not facts.measures:
        return "No rows were held out: how good it is on new rows is not known."
    key = "test" if "test" in facts.measures else "validation"
    report = facts.measures[key]
    chance = constant_measures(facts)
    by_chance = {what: f" (constant answer: {score(value)})" for what, value in chance.items()}
    said = ", ".join(
        f"{what} {score(value)}{by_chance.get(what, '')}" for what, value in report.values().items()
    )
    return f"On {report.rows:,} {key} rows: {said}."


def _limits(facts: Facts) -> str:
    chose = (
        "The validation rows chose the epoch, so that their measures are slightly too good; "
        "--test 0.2 holds out rows that do not. "
        if "test" not in facts.measures
        else ""
    )
    return (
        f"{chose}What is said here holds for rows like those of the file: other years, places or "
        "ways of measuring may be otherwise. The network learns what goes together, not what "
        "causes what, and whatever is unfair in the data it learns as well."
    )


def constant_measures(facts: Facts) -> dict[str, float]:
    """Return the measures, on the rows seen, of the best answer that looks at no column."""
    y = facts.seen.y
    if facts.regression:
        errors = y - facts.survey.target_moments[0]
        square, variance = float((errors**2).mean()), float(y.var())
        return {
            "R2": 1 - square / variance if variance > 0 else float("nan"),
            "MAE": float(np.abs(errors).mean()),
            "RMSE": square**0.5,
        }
    counts = np.array([facts.survey.classes[label] for label in facts.target.classes], float)
    shares = counts / counts.sum()
    classes = y.astype(np.int64)
    losses = -np.log(shares[classes])
    return {
        "accuracy": float((classes == shares.argmax()).mean()),
        "ROC AUC": 0.5,
        "log loss": float(losses.mean()),
    }


def scores(facts: Facts) -> Html:
    """Return the section on measures."""
    chance = constant_measures(facts)
    reports = {key: (report.rows, report.values()) for key, report in facts.measures.items()}
    if not reports:
        words = "No rows were held out; the figures below are of rows that it was trained on."
        return section("scores", "Measures", paragraph(words))
    measures = list(next(iter(reports.values()))[1])
    rows = [
        [
            what,
            *(score(values.get(what, float("nan"))) for _, values in reports.values()),
            score(chance[what]) if what in chance else "",
        ]
        for what in measures
    ]
    header = [f"{key}, {count:,} rows" for key, (count, _) in reports.items()]
    answer = "the mean" if facts.regression else "the most frequent class"
    words = f"Beside them those of an answer that looks at no column, {answer}."
    return section(
        "scores",
        "Measures",
        paragraph(words),
        tag("div", table(["measure", *header, "constant answer"], rows, "numbers"), class_="wide"),
    )


def warnings(facts: Facts, found: list[Importance]) -> Html:
    """Return what a careful reader would look at first."""
    lines = list(_warnings(facts, found))
    if not lines:
        return Html("")
    items = tag("ul", *(tag("li", line) for line in lines))
    return tag("section", tag("h2", "Look at this first"), items, id="notes", class_="notes")


def _warnings(facts: Facts, found: list[Importance]) -> Iterable[object]:
    for note in facts.survey.notes:
        if note.odd:
            yield joined([name(note.name), f": {note.done}", f" ({note.why})" * bool(note.why)])
    if facts.training.interrupted:
        yield "Training was interrupted; more epochs may do better."
    best, epochs = facts.training.best, len(facts.training.history.epoch)
    if best is not None and best == epochs == facts.arguments.epochs:
        yield "The last epoch was the best: more --epochs may do better."
    if facts.measures and facts.seen.count < _FEW:
        yield f"Only {facts.seen.count} {facts.seen.name} rows: the measures are rough."
    chance = constant_measures(facts)
    key = facts.seen.name
    if key in facts.measures:
        values = facts.measures[key].values()
        worse = [m for m in ("RMSE", "log loss") if m in values and values[m] >= chance[m]]
        if worse:
            yield (
                f"By {worse[0]} it is no better than a constant answer: the columns may not tell "
                "the target, or another --learning-rate helps."
            )
    if not facts.regression:
        total = sum(facts.survey.classes.values())
        rare = [label for label, n in facts.survey.classes.items() if n < _RARE * total]
        if rare and len(facts.survey.classes) <= 20:
            listed = ", ".join(short(label, 30) for label in rare)
            yield f"Rare classes ({listed}): accuracy says little about them; see recall."
    rises = sum(max(0.0, one.mean) for one in found)
    if len(found) > 1 and found[0].mean > _ALMOST_ALL * rises > 0:
        yield joined(
            [
                "Nearly all rests on ",
                name(found[0].read.name),
                ": is it known when predictions are made, or does it give the target away?",
            ]
        )


def predicting(facts: Facts) -> Html:
    """Return the section on how to predict."""
    saved = facts.arguments.save
    model = "model.safetensors" if saved is None else saved
    command = shlex.join(["laminar", "predict", model, "new.csv", "--output", "predictions.csv"])
    needed = ", ".join(short(column.name) for column in facts.survey.table.columns[:30])
    more = ", …" if len(facts.survey.table.columns) > 30 else "."
    python = (
        "import laminar\nimport pandas\n\n"
        f"model = laminar.load_model({model!r})\n"
        'print(model.predict(pandas.read_csv("new.csv")))'
    )
    unsaved = [paragraph("The model was not saved; train once more with --save FILE.")]
    return section(
        "predict",
        "Predict",
        *(unsaved if saved is None else []),
        paragraph("Rows of a file, CSV or Parquet, with the same columns (the target aside):"),
        tag("pre", tag("code", command)),
        paragraph("or in Python:"),
        tag("pre", tag("code", _lines(python))),
        paragraph(f"Columns that it needs: {needed}{more}"),
    )


def _lines(text: str) -> Html:
    """Return several lines, each escaped."""
    return Html("\n".join(safe(line) for line in text.split("\n")))
