# SPDX-License-Identifier: Apache-2.0
"""The page that ``laminar train --report`` writes: whole, safe, and true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from html_pages import Page

from laminar.__main__ import main
from laminar._pictures import html, svg
from laminar._tables import Target
from laminar.command import _page
from laminar.command._page import calibration, ranking
from laminar.command._page.facts import Seen, Thinned

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

EVIL = """<b onclick='x'>&"</b>"""
SECTIONS = ["card", "scores", "columns", "curves", "outcomes", "calibration", "ranking",
            "importance", "dependence", "predict"]  # fmt: skip


def trained(data: Path, *more: object) -> str:
    """Return the page on a training."""
    page = data.parent / "page.html"
    words: list[object] = ["train", data, "--layers", 8, "--epochs", 6, "--batch-size", 16]
    words += ["--quiet", "--report", page, *more]
    assert main([str(word) for word in words]) == 0
    return page.read_text("utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table with names that look like markup."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "a&b <i>.csv"
    a, noise = rng.normal(size=(2, 500))
    kind = rng.choice([EVIL, "plain", "it's"], 500)
    value = 3 * a + np.where(kind == EVIL, 4, 0) + rng.normal(size=500) * 0.1
    two = np.where(value > 1, EVIL, "<no>")
    three = np.where(value > 3, EVIL, two)
    three[value < -2] = "low"
    quoted = EVIL.replace('"', '""')
    lines = [f'"{quoted}",kind,noise,value,two,three']
    for row in zip(a, kind, noise, value, two, three, strict=True):
        cells = [f"{v:.4f}" if isinstance(v, float) else str(v).replace('"', '""') for v in row]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def pages(data: Path) -> dict[str, str]:
    """Return the pages on a number and on two and three classes."""
    wanted = {"value": ("two", "three"), "two": ("value", "three"), "three": ("value", "two")}
    return {
        target: trained(data, "--target", target, "--test", 0.2, *(f"--drop={o}" for o in others))
        for target, others in wanted.items()
    }


@pytest.mark.parametrize("target", ["value", "two", "three"])
def test_a_page_is_whole_and_needs_nothing_else(pages: dict[str, str], target: str) -> None:
    page = Page(pages[target])
    wanted = [key for key in SECTIONS if not (target == "value" and key == "ranking")]
    assert [key for key in page.identities if key != "notes"] == wanted
    assert page.open == []
    assert page.links == [f"#{key}" for key in wanted]
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "b onclick", "i"})
    assert not {key for key in page.attributes if key.startswith("on")}
    assert re.findall(r"https?:|url\(|@import|javascript:", pages[target]) == []
    assert "default-src 'none'" in pages[target]
    assert "laminar predict model.safetensors" in page.text


@pytest.mark.parametrize("target", ["value", "two", "three"])
def test_names_are_shown_as_they_are(pages: dict[str, str], target: str) -> None:
    assert EVIL not in pages[target]
    text = Page(pages[target]).text
    assert EVIL in text
    assert "a&b <i>.csv" in text


def test_the_same_training_is_the_same_bytes(pages: dict[str, str], data: Path) -> None:
    more = ("--target", "two", "--test", 0.2, "--drop", "value", "--drop", "three")
    assert trained(data, *more) == pages["two"]


def test_what_matters_comes_first(pages: dict[str, str]) -> None:
    for page in pages.values():
        part = page[page.index("<h2>Permutation importance") : page.index("<h2>Partial")]
        assert part.index(str(html.safe(html.short(EVIL, 19)))) < part.index(">noise<")


def test_it_says_what_to_look_at_first(data: Path) -> None:
    page = trained(data, "--target", "value", "--drop", "two", "--drop", "three", "--test", 0,
                   "--validation", 0)  # fmt: skip
    text = Page(page).text
    assert "No rows were held out" in text
    page = trained(data, "--target", "value", "--learning-rate", 1e-6, "--test", 0.02)
    text = Page(page).text
    assert "Only 10 test rows" in text
    assert "The last epoch was the best" in text
    assert "no better than a constant answer" in text


def test_a_test_file_and_no_epochs(data: Path) -> None:
    text = Page(trained(data, "--target", "three", "--test", data, "--epochs", 0)).text
    assert "500 that training never saw" in text
    assert "No epoch has been trained" in text


def test_it_is_imported_where_it_is_asked_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(_page.__name__)]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["train", str(data), "--target", "two", "--epochs", "1", "--quiet"]) == 0
    assert _page.__name__ not in sys.modules


def test_areas_are_those_of_pairs() -> None:
    rng = np.random.default_rng(0)
    said = np.round(rng.uniform(size=200), 1)  # many are equal
    is_it = rng.uniform(size=200) < said
    found = ranking.ranked(is_it, said)
    assert found is not None
    pairs = said[is_it][:, None] - said[~is_it]
    assert found.area == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    steps = np.unique(said)[::-1]
    recall = [0.0, *((said >= s)[is_it].mean() for s in steps)]
    precision = [is_it[said >= s].mean() for s in steps]
    assert found.average_precision == pytest.approx(np.sum(np.diff(recall) * precision))
    assert ranking.ranked(np.ones(5, bool), said[:5]) is None


def test_bins_hold_all_rows() -> None:
    said = np.random.default_rng(0).uniform(size=57)
    bins = calibration.binned(said, said)
    assert bins.rows.sum() == 57
    np.testing.assert_allclose(bins.said, bins.real)
    assert len(calibration.binned(said[:1], said[:1]).rows) == 1


@pytest.mark.parametrize("parts", [[1000], [1] * 1000, [7] * 142 + [6], [999, 1]])
def test_thinned_rows_are_evenly_spaced(parts: list[int]) -> None:
    rows, thinned = np.arange(1000), Thinned(100)
    for part in np.split(rows, np.cumsum(parts)[:-1]):
        thinned.add(part)
    np.testing.assert_array_equal(thinned.rows(), rows[::16])


def test_inputs_and_targets_stay_together() -> None:
    seen = Seen(Target("y", "number"), 3, "test")
    for first in range(0, 9000, 900):
        y = np.arange(first, first + 900)
        seen.add(np.repeat(y[:, None], 3, axis=1), y, y[:, None])
    x, y = seen.inputs()
    np.testing.assert_array_equal(x[:, 0], y)
    np.testing.assert_array_equal(seen.predicted, seen.y)
    assert seen.count == 9000


@pytest.mark.parametrize(
    "values", [[0.0], [], [1e300, -1e300], [5, 5], [1e-300, 2e-300], [float("nan"), 1], [0, 1e9]]
)
def test_charts_hold_any_numbers(values: list[float]) -> None:
    for log in (False, True):
        axis = svg.span(values, log=log)
        assert axis.low < axis.high
        assert len(axis.ticks()) < 12
        chart = svg.Chart("values", axis, axis)
        chart.line(values, values)
        assert "nan" not in chart.svg()
        assert "inf" not in chart.svg()
