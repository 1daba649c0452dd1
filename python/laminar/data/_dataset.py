# SPDX-License-Identifier: Apache-2.0
"""Dataset: rows that are read in blocks, by a thread of the core that is ahead of training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, _seed
from .._component import flag, integer, number_of_bytes
from .._spelling import keywords, late
from . import _inputs, _npy, _pieces
from ._reader import Reader

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .._tables import Table
    from ._pieces import Pieces

    Array = NDArray[Any]
    Path = str | os.PathLike[str]


class Dataset:
    """Rows for `Sequential.fit`, `evaluate` and `predict` that need not fit into memory.

    Made by ``from_arrays``, ``from_npy``, ``from_files`` or ``from_generator``. Training takes rows
    in blocks: while one is trained on, the next is read. A data set whose number of rows is known,
    and that fits into ``buffer_size``, is read once and shuffled like an array, with the same bits.
    Of another one, each epoch reads the parts (segments of arrays, row groups of Parquet files,
    whole CSV files) in an order drawn for it, and shuffles the rows of each block; what a generator
    yields is shuffled in blocks alone. What comes out depends on ``buffer_size``, and like
    everything else not on the number of threads or on time.

    Parameters
    ----------
    pieces : Pieces
        What the class methods below make; they are called, not this.
    buffer_size : int or str
        Bytes, or a text such as "512MiB".

    Attributes
    ----------
    rows : int or None
        How many rows there are; None where only reading tells.
    buffer_size : int
        The bytes that blocks may take.
    feature_names : tuple of str or None
        What the inputs are called, where files have told.
    mean, variance : ndarray or None
        Of each input, where files have been surveyed: for a `Normalization` as first layer.
    classes : tuple of str
        The classes of a classification on files; their places are the class numbers.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> data = laminar.data.Dataset.from_arrays(np.ones((10, 3)), np.ones(10))
    >>> data.rows
    10
    >>> [x.shape for x, y, weight in data.batches(4)]
    [(4, 3), (4, 3), (2, 3)]
    """

    feature_names: tuple[str, ...] | None = None
    mean: Array | None = None
    variance: Array | None = None
    classes: tuple[str, ...] = ()
    _table: Table | None = None

    def __init__(self, pieces: Pieces, buffer_size: int | str = "256MiB") -> None:
        self._pieces = pieces
        self.buffer_size = number_of_bytes(buffer_size, "Dataset: buffer_size")

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where only reading tells."""
        return self._pieces.rows

    def __len__(self) -> int:
        if self._pieces.rows is None:
            raise TypeError("Dataset: the number of rows is unknown; only reading tells")
        return self._pieces.rows

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise TypeError(
            "a Dataset is no array: fit, evaluate and predict take it, and batches() gives arrays"
        )

    def __repr__(self) -> str:
        rows = "unknown" if self.rows is None else f"{self.rows:,}"
        return f"<Dataset of {rows} rows in {self._pieces.parts:,} parts>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what is known without reading."""
        made: str = late("laminar._pictures.data").html(self)
        return made

    @classmethod
    @keywords()
    def from_arrays(
        cls,
        x: ArrayLike | Mapping[str, ArrayLike] | Sequence[ArrayLike],
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        buffer_size: int | str = "256MiB",
    ) -> Dataset:
        """Return the rows of arrays, memory-mapped ones and those of HDF5 files for example.

        The system ends a process that reads a mapped file where another program has made it
        shorter; `from_npy` reads such files instead of mapping them.

        Parameters
        ----------
        x : array_like
            (n, features), or samples of more axes: anything with ``shape``, ``dtype`` and slices.
            For several inputs a dict of them by the names of a `Model`'s inputs, or a list of them.
        y : array_like, optional
            (n,) or (n, outputs); not needed to predict.
        sample_weight : array_like, optional
            (n,).
        buffer_size : int or str
            Bytes, or a text such as "1GB", that blocks may take.

        Raises
        ------
        TypeError, ValueError
            Where one of them is no array, or they differ in length.
        """
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        triple = _triple("from_arrays", given)
        return cls(_pieces.Arrays([triple], ["the arrays"]), buffer_size)

    @classmethod
    @keywords()
    def from_npy(
        cls,
        x: Path | Sequence[Path] | Mapping[str, Path | Sequence[Path]],
        y: Path | Sequence[Path] | None = None,
        sample_weight: Path | Sequence[Path] | None = None,
        *,
        buffer_size: int | str = "256MiB",
    ) -> Dataset:
        """Return the rows of ``.npy`` files, which are read when they are used, not loaded.

        Parameters
        ----------
        x, y, sample_weight : path or sequence of paths
            As in `from_arrays`; of several files the rows follow each other. For several inputs x
            is a dict of them.
        buffer_size : int or str
            As in `from_arrays`.

        Raises
        ------
        TypeError, ValueError, OSError
            Where a file is absent or holds no array of numbers, or they differ in length.
        """
        inputs = dict(x) if isinstance(x, Mapping) else {None: x}
        given = [*inputs.values(), y, sample_weight]
        names = [[os.fspath(p) for p in _paths(files)] for files in given]
        if not all(names[: len(inputs)]) or not inputs:
            raise ValueError("Dataset.from_npy: x must name at least one file")
        if len({len(paths) for paths in names if paths}) != 1:
            raise ValueError(
                "Dataset.from_npy: x, y and sample_weight must be as many files each, got "
                + ", ".join(str(len(paths)) for paths in names if paths)
            )
        triples, shapes = [], set()
        for i, path in enumerate(names[0]):
            *samples, targets, weights = (
                _npy.Stored(paths[i]) if paths else None for paths in names
            )
            stored = {
                "x": dict(zip(inputs, samples, strict=True)) if None not in inputs else samples[0],
                "y": targets,
                "sample_weight": weights,
            }
            triples.append(_triple(f"from_npy: {path!r}", stored))
            shapes.add(tuple(one.shape[1:] for one in (*samples, targets) if one is not None))
        if len(shapes) > 1:
            raise ValueError("Dataset.from_npy: the files hold rows of different shapes")
        return cls(_pieces.Arrays(triples, names[0]), buffer_size)

    @classmethod
    @keywords()
    def from_files(
        cls,
        files: Path | Sequence[Path],
        target: str | None = None,
        *,
        like: Dataset | None = None,
        task: str | None = None,
        header: Sequence[str] | None = None,
        delimiter: str | None = None,
        missing: Sequence[str] = (),
        drop: Sequence[str] = (),
        categorical: Sequence[str] = (),
        max_categories: int | None = None,
        keep: Sequence[str] = (),
        buffer_size: int | str = "256MiB",
    ) -> Dataset:
        """Return the rows of CSV or Parquet files; needs ``pip install laminar[tabular]``.

        All files are read once to see what their columns hold. Later reading is ahead of training.
        Both take as many threads as training does, eight at most. Numbers stay as they are, a
        missing one becomes the mean and sets an input of its own; any other column becomes an input
        for each category. A model that was trained on the data set takes raw rows in `predict`.

        Parameters
        ----------
        files : path or sequence of paths
            Files with the same columns, or a folder: all ``.csv``, ``.tsv``, ``.txt`` and
            ``.parquet`` files in it, compressed ones and spreadsheets, in the order of their names.
        target : str, optional
            The column to predict.
        like : Dataset, optional
            Another one of files, to take rows as it does: for validation and tests. In place of
            ``target`` and of the arguments on columns.
        task : {"classification", "regression"}, optional
            Without it regression for numbers but a few whole ones.
        header, delimiter : sequence of str, str
            Of CSV files whose first line does not name the columns, and what separates cells where
            that is not seen in the first lines.
        missing : sequence of str
            Cells that mean that there is no value, besides empty ones, "?", "NA" and the like.
        drop, categorical : sequence of str
            Columns that are left out, and those whose numbers are names of categories.
        max_categories : int, optional
            Keep the most frequent ones of each column, the others count as one. Without it that is
            done where there are more than a thousand.
        keep : sequence of str
            Columns to be used even if they look like names or keys, which are left out.
        buffer_size : int or str
            As in `from_arrays`; what the files held is kept for the next time as well, as far as
            it takes no more than this. A file that has changed is read again.

        Raises
        ------
        TypeError, ValueError, OSError, ImportError
            Where a file is absent, empty, damaged or has other columns, or a column is of no use.
        """
        from . import _files  # what reads tables, which few programs do

        if (target is None) == (like is None):
            raise ValueError("Dataset.from_files: give either target or like")
        table = None
        if like is not None:
            table = like._table
            if table is None:
                raise ValueError("Dataset.from_files: like must be a data set of files")
        most = number_of_bytes(buffer_size, "Dataset: buffer_size")
        known = () if target is None else (target, *drop, *categorical, *keep)
        sources = _files.Sources(_paths(files), header, delimiter, missing, table, most, known)
        survey = None
        if table is None:
            assert target is not None
            survey = _files.surveyed(sources, target, task, drop, categorical, max_categories, keep)
            table = survey.table
        rows = None if survey is None else survey.rows
        data = cls(_files.Encoded(sources, table, rows), buffer_size)
        data._table = table
        data.feature_names = tuple(table.inputs())
        data.classes = table.target.classes
        if survey is not None:
            data.mean, data.variance = survey.mean, survey.variance
        elif like is not None:
            data.mean, data.variance = like.mean, like.variance
        return data

    @classmethod
    @keywords()
    def from_generator(
        cls,
        function: Callable[[], Iterable[tuple[Any, ...]]],
        rows: int | None = None,
        *,
        buffer_size: int | str = "256MiB",
    ) -> Dataset:
        """Return what a function yields.

        Parameters
        ----------
        function : callable
            Returns a new iterator whenever it is called, over tuples ``(x, y)`` or ``(x, y,
            sample_weight)`` of any number of rows, x a dict or a list of arrays for several inputs.
            They are read ahead and cut into batches; what shall be an update of exactly the rows
            that come together is given to `fit` itself. It is called to look at the first ones, and
            then for every epoch. Iterators are run by other threads than the caller's, one at a
            time; they must not use the model that is trained. Ctrl-C waits for their next rows.
        rows : int, optional
            How many rows there are in all, which must be right. Known and few enough, they are read
            once; otherwise every epoch reads them anew.
        buffer_size : int or str
            As in `from_arrays`.

        Raises
        ------
        TypeError, ValueError
            Where it cannot be called, or yields nothing or other things.
        """
        if not callable(function):
            raise TypeError(
                "Dataset.from_generator: expected a function that returns a new iterator for "
                f"every epoch, got {type(function).__name__}"
            )
        if rows is not None:
            rows = integer(rows, "Dataset.from_generator: rows", minimum=1)
        return cls(_pieces.Generated(function, rows), buffer_size)

    @keywords()
    def batches(
        self,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        epoch: int = 0,
        dtype: DTypeLike = "float32",
    ) -> Iterator[tuple[Array, Array, Array | None]]:
        """Return an iterator over one epoch for loops of one's own, with `train_on_batch`.

        The order is the one that `fit` of a model with this seed takes in this epoch. One thread
        at a time may use the iterator.

        Parameters
        ----------
        batch_size : int
            Rows a batch; the last one may have fewer.
        shuffle : bool
            Draw an order.
        seed : int, optional
            What it is drawn from; see `laminar.utils.set_random_seed`.
        epoch : int
            Each has an order of its own.
        dtype : {"float32", "float64"}
            Of all arrays but class numbers, which are int32.

        Returns
        -------
        iterator
            Over tuples (x, y, sample_weight) of arrays, x and y of two axes, class numbers of one;
            sample_weight may be None. For several inputs x is a dict or a list as it was given, and
            so is y for several outputs, class numbers in columns.
        """
        size = integer(batch_size, "batches: batch_size", minimum=1)
        if np.dtype(dtype).name not in ("float32", "float64"):
            raise ValueError(f"batches: dtype must be float32 or float64, got {dtype!r}")
        merged = _pieces.Merged(self._pieces, np.dtype(dtype))
        reader = Reader(Dataset(merged), "batches", np.dtype(dtype), None, lambda x, where: x)
        kind = _core.BatchesFloat32 if reader.dtype == np.float32 else _core.BatchesFloat64
        drawn = _seed.next_seed() if seed is None else integer(seed, "batches: seed")
        number = integer(epoch, "batches: epoch")
        batches: Iterator[Any] = kind(
            reader, size, flag(shuffle, "batches: shuffle"), drawn, number, self.buffer_size
        )
        return batches if merged.x is merged.y is None else map(merged.parted, batches)


def _triple(where: str, given: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return arrays of the same length."""
    if given["x"] is None:
        raise ValueError(f"Dataset.{where}: x is missing")
    known = _inputs.rows_told(given.values())
    arrays: dict[str, Any] = dict.fromkeys(given)
    rows: int | None = None
    for name, value in given.items():
        if value is None:
            continue
        parts = {name: value}
        if _inputs.are_several(value, known):
            keys = value if isinstance(value, Mapping) else range(len(value))
            parts = {f"{name}[{key!r}]": value[key] for key in keys}
            if not parts:
                raise ValueError(f"Dataset.{where}: {name} is an empty dict")
        made = []
        for told, part in parts.items():
            made.append(_pieces.array_like(part, f"Dataset.{where}: {told}"))
            rows = len(made[0]) if rows is None else rows
            if len(made[-1]) != rows:
                raise ValueError(f"Dataset.{where}: x has {rows} rows, {told} has {len(made[-1])}")
        if isinstance(value, Mapping):
            arrays[name] = dict(zip(value, made, strict=True))
        else:
            arrays[name] = made[0] if name in parts else _inputs.Several(made)
    return arrays["x"], arrays["y"], arrays["sample_weight"]


def _paths(files: Any) -> list[Any]:
    if files is None:
        return []
    return [files] if isinstance(files, (str, os.PathLike)) else list(files)
