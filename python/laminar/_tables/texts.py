# SPDX-License-Identifier: Apache-2.0
"""Files as people have them, as what the reader takes: plain CSV in UTF-8.

What is compressed, of another encoding, a spreadsheet, standard input, or has its cells between
spaces is written once as such a file in a temporary folder, which goes with the object that reads
it. All other files are read where they are.
"""

from __future__ import annotations

import codecs
import csv
import os
import shutil
import sys
import tempfile
import weakref
from typing import IO, TYPE_CHECKING, Any

from .._printable import printable
from ..exchange._extras import required

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STDIN = "-"
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xls", ".ods")
_SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_PACKED_ENDINGS = (".gz", ".zst", ".bz2")
_PIECE = 1 << 20
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Plain:
    """A file to read in place of another.

    Parameters
    ----------
    path : str
        What the user named, or ``-``.

    Attributes
    ----------
    file : str
        What to read.
    name : str
        What its ending tells: the name without that of a compression.
    notes : list of str
        What was done, where people may not expect it.
    """

    def __init__(self, path: str) -> None:
        self.file, self.notes = path, list[str]()
        self._folder: str | None = None
        if path == STDIN:
            self._written(lambda file: shutil.copyfileobj(sys.stdin.buffer, file, _PIECE))
        self._unpack(path)
        self.name = without_packing(path)
        if self.name.endswith(_SHEETS):
            self._read_sheet(printable(path))
        if os.path.getsize(self.file) and not self.name.endswith(".parquet"):
            self._decode()

    def rewrite(self, rows: Iterable[list[str]]) -> None:
        """Read these rows in its place, as CSV with commas."""
        self._written_text(lambda file: csv.writer(file, lineterminator="\n").writerows(rows))

    def lines(self) -> Iterator[str]:
        """Yield its lines."""
        with open(self.file, encoding="utf-8-sig", newline="") as file:
            yield from file

    def _unpack(self, path: str) -> None:
        with open(self.file, "rb") as file:
            begin = file.read(4)
        for magic, name in _PACKED.items():
            if not begin.startswith(magic):
                continue
            arrow = required("pyarrow", "tabular", "tables")
            try:
                with arrow.CompressedInputStream(arrow.OSFile(self.file), name) as stream:
                    self._written(lambda file: shutil.copyfileobj(stream, file, _PIECE))
            except (OSError, arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
                message = f"{printable(path)} is no whole file of {name}: {printable(error)}"
                raise ValueError(message) from None

    def _read_sheet(self, path: str) -> None:
        calamine = required("python_calamine", "excel", "tables")
        try:
            book = calamine.CalamineWorkbook.from_path(self.file)
            rows = book.get_sheet_by_index(0).to_python()
        except Exception as error:  # the package has several errors of its own
            raise ValueError(f"{path} is no spreadsheet: {printable(error)}") from None
        if len(book.sheet_names) > 1:
            self.notes.append(f"{path}: the first of {len(book.sheet_names)} sheets is read")
        self.rewrite([_cell(value) for value in row] for row in rows)

    def _decode(self) -> None:
        """Write the file in UTF-8, if it is of another encoding."""
        encoding = _encoding(self.file)
        if encoding is None:
            return
        self.notes.append(f"{printable(self.name)} is no UTF-8 and is read as {encoding}")
        source = self.file

        def copy(file: IO[str]) -> None:
            with open(source, encoding=encoding, errors="replace", newline="") as text:
                shutil.copyfileobj(text, file, _PIECE)

        self._written_text(copy)

    def _written(self, write: Callable[[IO[bytes]], object]) -> None:
        self.file, before = self._new(), self.file
        with open(self.file, "wb") as file:
            write(file)
        self._forget(before)

    def _written_text(self, write: Callable[[IO[str]], object]) -> None:
        before, there = self.file, self._new()
        with open(there, "w", encoding="utf-8", newline="") as file:
            write(file)
        self.file = there
        self._forget(before)

    def _new(self) -> str:
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="laminar-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return os.path.join(self._folder, str(len(os.listdir(self._folder))))

    def _forget(self, file: str) -> None:
        """Free the room of a step that is done."""
        if self._folder is not None and os.path.dirname(file) == self._folder:
            os.truncate(file, 0)


def without_packing(name: str) -> str:
    """Return a file's name without the ending of a compression."""
    for ending in _PACKED_ENDINGS:
        name = name.removesuffix(ending)
    return name


def _encoding(file: str) -> str | None:
    """Return what a file is encoded in; None for UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(file, "rb") as opened:
        first = opened.read(_PIECE)
        for mark, name in _UTF_16.items():
            if first.startswith(mark):
                return name
        some = first[:4096]
        if len(some) > 3 and some.count(0) > len(some) // 4:
            return "utf-16-le" if some[1] == 0 else "utf-16-be"
        piece, ascii_so_far = first, True
        try:
            while piece:
                if not (ascii_so_far and piece.isascii()):
                    ascii_so_far = False
                    decoder.decode(piece)
                piece = opened.read(_PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return None


def _cell(value: Any) -> str:
    """Return a cell of a spreadsheet as a file of texts has it."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value)
