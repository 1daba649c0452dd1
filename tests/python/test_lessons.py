# SPDX-License-Identifier: Apache-2.0
"""Every lesson shows what it claims, and draws its picture."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import laminar

FOLDER = Path(__file__).resolve().parents[2] / "python" / "examples" / "lessons"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))

# What must be true of the numbers that each lesson's phenomenon(quick=True) returns. The bounds
# leave room for other instruction sets, whose last bits differ.
CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, bool]]] = {
    "adagrad": lambda r: {
        "Adagrad's rate falls like 1/√t": r["Adagrad_step"] < 0.1 * r["Adagrad_steps"][0],
        "so it does not arrive": r["Adagrad_distance"] > 15,
        "RMSprop does": r["RMSprop_distance"] < 0.5,
    },
    "all_positive_inputs": lambda r: {
        "all weights move in the same direction": r["positive_together"] == 1,
        "centred ones do not": 0.3 < r["centred_together"] < 0.7,
        "a detour": r["positive_detour"] > 2 * r["centred_detour"],
    },
    "batch_sizes": lambda r: {
        "batch descent never goes uphill": r["batch_uphill"] == 0,
        "single rows and mini-batches do": min(r["stochastic_uphill"], r["mini-batch_uphill"])
        > 0.1,
        "less noise in larger batches": r["stochastic_spread"] > 2 * r["mini-batch_spread"],
    },
    "decay": lambda r: {
        "decay ends the noise": max(r["time"], r["steps"], r["cosine"]) < 0.1 * r["constant"],
        "too fast does not arrive": r["too_fast"] > 2 * r["constant"],
        "η₀ / (1 + k t)": np.isclose(r["time_rates"][-1], 0.02 / (1 + 0.01 * r["updates"][-1])),
    },
    "dropout_masks": lambda r: {
        "a new mask each update": r["different"] == len(r["masks"]),
        "rate is the fraction dropped": abs(r["dropped"] - 0.4) < 0.06,
        "prediction drops nothing": r["predictions"] == 1,
    },
    "dying_relu": lambda r: {
        "a healthy net": r["healthy_after"] < 0.2 and r["healthy_accuracy"] > 0.7,
        "a high rate kills": r["high_rate_before"] < 0.2 and r["high_rate_after"] > 0.7,
        "a negative bias kills": r["negative_bias_after"] > 0.9,
        "bad weights kill": r["bad_weights_after"] > 0.9,
    },
    "early_stopping": lambda r: {
        "it stops at the turn": r["stopped_epoch"] == r["best_epoch"] + 10 < 40,
        "best weights are kept": np.isclose(r["kept"], r["best"], rtol=1e-6),
        "the validation loss rises": r["last"] > 1.1 * r["best"],
        "while the training loss falls": r["last_train"] < 0.8 * r["first_train"],
    },
    "exploding_gradient": lambda r: {
        "large weights explode": r["large"] > 1e6 * r["he"],
        "and training with them": r["large_finite"] < len(r["large_losses"]),
        "He's do not": r["he"] < 100 and r["he_losses"][-1] < r["he_losses"][0],
    },
    "full_batch_memory": lambda r: {
        "the same weights": r["difference"] < 1e-12,
        "less memory": r["ratio"] > 2,
    },
    "learning_rates": lambda r: {
        "too low hardly moves": r["too_low"] > 0.8 * r["start"],
        "good": r["good"] < 0.2 * r["start"],
        "too high does not settle": r["too_high"] > 3 * r["good"],
    },
    "linear_model": lambda r: {
        "a line fails": max(r["XOR_linear"], r["ring_linear"]) < 0.75,
        "a hidden layer does not": min(r["XOR_hidden"], r["ring_hidden"]) > 0.95,
    },
    "outlier": lambda r: {
        "squared error is bent": r["mse"] > r["without"] + 3,
        "absolute error is not": abs(r["mae"] - r["without"]) < 0.3,
        "nor is Huber's loss": abs(r["huber"] - r["without"]) < 0.5,
    },
    "overfitting": lambda r: {
        "by heart": r["few_train"] >= 0.9,
        "but not beyond": 0.4 < r["few_test"] < 0.7,
        "unlike with more rows": r["all_test"] > 0.9,
    },
    "overshoot": lambda r: {
        "a low rate creeps": r["creeps_crossings"] == 0 and 0.1 < r["creeps"] < 1,
        "a high one jumps": r["overshoots_crossings"] == 8 and r["overshoots"] < 1,
        "a higher one diverges": r["diverges"] > 2,
    },
    "saddle_points": lambda r: {
        "momentum passes the saddle sooner": 2 * r["momentum_saddle"] < r["plain_saddle"] < 200,
        "and the minimum": r["plain_minimum"] > 0.35 and r["momentum_minimum"] < 0.32,
    },
    "stagnant_loss": lambda r: {
        "a tiny gradient": r["mse_gradient"] < 0.01 * r["binary_crossentropy_gradient"],
        "squared error stands still": r["mse"] > 0.9,
        "cross-entropy learns": r["binary_crossentropy"] < 0.05,
    },
    "vanishing_gradient": lambda r: {
        "sigmoid": r["sigmoid"] < 1e-3,
        "tanh with small weights": r["tanh_small"] < 1e-3,
        "ReLU and He": r["relu"] > 0.1,
    },
}


@pytest.fixture
def lesson(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # in processes that a lesson starts
    laminar.set_num_threads(1)  # the nets are small, and threads do not change results
    return importlib.import_module(request.param)


def test_every_lesson_has_claims_and_is_listed() -> None:
    assert sorted(CLAIMS) == NAMES
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"({name}.py)" not in listed] == []


@pytest.mark.parametrize("lesson", NAMES, indirect=True)
def test_a_lesson_shows_what_it_claims(lesson: ModuleType) -> None:
    results = lesson.phenomenon(quick=True)
    claims = CLAIMS[lesson.__name__](results)
    assert [claim for claim, holds in claims.items() if not holds] == [], lesson.verdict(results)


@pytest.mark.parametrize("lesson", NAMES, indirect=True)
def test_a_lesson_says_its_verdict_and_draws(
    lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    lesson.main(["--quick", "--output", str(picture)])
    said, where = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r".*\d.*\.", said)
    assert where == f"picture: {picture}"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert int.from_bytes(picture.read_bytes()[16:20], "big") == 800
