"""Files of molecules, read a few thousand rows at a time: CSV, SMI (both also gzipped) and Parquet."""

import csv
import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from chemmodel_predict.errors import PredictError

ROWS = 4096
"""Rows that are in memory at once."""
GZIP = ".gz"


class Molecules(Protocol):
    """Rows with named columns, one of which has SMILES. They can be read any number of times."""

    path: Path
    schema: pa.Schema

    def read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """These columns of all rows."""


def open_molecules(path: Path, column: str) -> Molecules:
    """Reads no more than what the columns are; `column` must be one of them, and text."""
    suffix = kind(path)
    if suffix not in KINDS:
        raise PredictError(f"{path}: the name must end in {', '.join(KINDS)} (.csv and .smi also in {GZIP})")
    with readable(path):
        molecules = KINDS[suffix](path)
    names = molecules.schema.names
    if len(set(names)) < len(names):
        raise PredictError(f"{path} has two columns of one name: {', '.join(names)}; rename one")
    if column not in names:
        raise PredictError(f"{path} has no column {column}, it has {', '.join(names)}; say which one by --column")
    if not is_text(found := molecules.schema.field(column).type):
        raise PredictError(f"{path}: the column {column} has {found}, not text; say another by --column")
    return molecules


def smiles(molecules: Molecules, column: str) -> Iterator[str]:
    """The molecules alone. A missing one is an empty one: the server says that it is none."""
    with readable(molecules.path):
        for batch in molecules.read([column]):
            for molecule in batch.column(0).to_pylist():
                yield molecule or ""


def kind(path: Path) -> str:
    """The suffix that tells how a file is written, without that of its compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    text = suffixes[-2:] in ([".csv", GZIP], [".smi", GZIP])
    return suffixes[-2] if text else "".join(suffixes[-1:])


def open_text(path: Path, newline: str | None = None) -> TextIO:
    """Text, unpacked where the name says that it is packed."""
    # A spreadsheet marks its UTF-8 by a first character that is no part of the first name.
    how = {"encoding": "utf-8-sig", "newline": newline}
    return gzip.open(path, "rt", **how) if path.suffix.lower() == GZIP else path.open(**how)


def digest(path: Path) -> str:
    """Of the bytes of a file."""
    with readable(path), path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def is_text(found: pa.DataType) -> bool:
    """A column of categories, as pandas writes it, is text too."""
    found = found.value_type if pa.types.is_dictionary(found) else found
    return pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Makes sentences of what can go wrong with a file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise PredictError(f"{path} is not text in UTF-8: {error}") from error
    # What was packed by gzip and cut short is EOFError.
    except (OSError, ValueError, EOFError, csv.Error, pa.ArrowException) as error:
        raise PredictError(f"{path} cannot be read: {error}") from error


class Text:
    """Lines of text. Values stay the text that they are: nobody makes a number of the identifier 007."""

    def __init__(self, path: Path):
        self.path = path
        self.schema = pa.schema([(name, pa.string()) for name in self.names()])

    def names(self) -> list[str]:
        """Of the columns."""
        raise NotImplementedError

    def rows(self) -> Iterator[list[str]]:
        """Values in the order of the columns."""
        raise NotImplementedError

    def read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        wanted = [self.schema.names.index(name) for name in names]
        with readable(self.path):
            rows = self.rows()
            while chunk := list(islice(rows, ROWS)):
                columns = [pa.array([row[index] for row in chunk], pa.string()) for index in wanted]
                yield pa.RecordBatch.from_arrays(columns, names)


class Csv(Text):
    """Comma-separated values; the first line names the columns."""

    def names(self) -> list[str]:
        header = next(self._lines(), None)
        if header is None:
            raise PredictError(f"{self.path} is empty; its first line must name the columns")
        return header

    def rows(self) -> Iterator[list[str]]:
        expected = len(self.schema)
        for number, row in enumerate(islice(self._lines(), 1, None), start=1):
            if len(row) != expected:
                raise PredictError(f"{self.path}: row {number} has {len(row)} values, but there are {expected} columns")
            yield row

    def _lines(self) -> Iterator[list[str]]:
        with open_text(self.path, newline="") as file:
            yield from filter(None, csv.reader(file, strict=True))


class Smi(Text):
    """A SMILES and, after white space, its name; there is no header."""

    def names(self) -> list[str]:
        return ["smiles", "name"]

    def rows(self) -> Iterator[list[str]]:
        with open_text(self.path) as file:
            for line in file:
                if words := line.split(maxsplit=1):
                    yield [words[0], words[1].rstrip() if len(words) > 1 else ""]


class Parquet:
    """Columns with types, which are kept."""

    def __init__(self, path: Path):
        self.path = path
        self.schema = pq.read_schema(path)

    def read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        with readable(self.path), pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=names):
                yield batch.select(names)


KINDS = {".csv": Csv, ".smi": Smi, ".parquet": Parquet}
