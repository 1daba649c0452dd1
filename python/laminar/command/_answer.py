# SPDX-License-Identifier: Apache-2.0
"""What ``laminar train --json`` answers. Nothing in it depends on the time or the machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .. import __version__

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from .._tables import Survey
    from ._manners import Training
    from ._report import Report

FORMAT = 1


def answer_of(
    survey: Survey,
    arguments: argparse.Namespace,
    model: BaseModel,
    training: Training,
    measures: dict[str, Report],
    trained_rows: int,
) -> dict[str, Any]:
    """Return {what: value}, of what JSON has."""
    found = survey_answer(survey, arguments)
    found["rows"]["train"] = trained_rows
    return {
        **found,
        "parameters": model.count_params(),
        "training": {
            "epochs": len(training.history.epoch),
            "best_epoch": training.best,
            "interrupted": training.interrupted,
            "networks": training.members,
            "history": training.history.history,
        },
        **{name: report.answer() for name, report in measures.items()},
        "files": {
            name: getattr(arguments, name)
            for name in ("save", "plot", "report")
            if getattr(arguments, name) is not None
        },
    }


def survey_answer(survey: Survey, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what is known before anything is trained."""
    table, target = survey.table, survey.table.target
    return {
        "format": FORMAT,
        "laminar": __version__,
        "data": arguments.data,
        "target": {
            "name": target.name,
            "task": "regression" if target.kind == "number" else "classification",
            "classes": {label: survey.classes[label] for label in target.classes},
        },
        "rows": {"read": survey.rows},
        "columns": [
            {"name": note.name, "kind": note.kind, "done": note.done, "why": note.why}
            for note in survey.notes
        ],
        "inputs": table.width,
    }
