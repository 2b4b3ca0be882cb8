"""The finished output: the input's columns and those of the answers, which appear in one rename."""

import csv
import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from chemmodel_predict.answers import is_reserved
from chemmodel_predict.errors import PredictError
from chemmodel_predict.journal import Journal
from chemmodel_predict.molecules import GZIP, Molecules, kind


def check(out: Path, names: list[str]) -> None:
    """Refuses, before anything is asked, what could not be written at the end."""
    if kind(out) not in KINDS:
        raise PredictError(f"--out {out}: the name must end in {' or '.join(KINDS)} (.csv also in .gz)")
    if out.exists():
        raise PredictError(f"--out {out} exists already and is finished; remove it or name another one")
    if taken := [name for name in names if is_reserved(name)]:
        raise PredictError(f"the input has columns as the output will have, rename them: {', '.join(taken)}")


def write(out: Path, molecules: Molecules, journal: Journal) -> None:
    """Joins rows and answers."""
    schema = molecules.schema
    for field in journal.answered.schema():
        schema = schema.append(field)
    scratch = out.with_name(f".new-{out.name}")
    try:
        with KINDS[kind(out)](scratch, schema) as file:
            for batch in _joined(molecules, journal, schema):
                file.write_batch(batch)
        _sync(scratch)
        scratch.replace(out)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PredictError(f"--out {out} cannot be written: {error}; the same command tries that again") from error


def _joined(molecules: Molecules, journal: Journal, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    rows = journal.rows()
    for batch in molecules.read(molecules.schema.names):
        answers = journal.answered.columns(list(islice(rows, batch.num_rows)))
        yield pa.RecordBatch.from_arrays([*batch.columns, *answers], schema=schema)


def _sync(path: Path) -> None:
    """A name must not outlive a crash that its content does not."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def csv_file(path: Path, schema: pa.Schema) -> Iterator["CsvFile"]:
    """Closes all that is open for it."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        if path.suffix.lower() == GZIP:
            # Without the time and the name that gzip notes, so that equal rows are equal files.
            file = stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
        yield CsvFile(stack.enter_context(io.TextIOWrapper(file, "utf-8", newline="")), schema)


class CsvFile:
    """Quotes only where it must, as spreadsheets and pandas do; nothing is an empty field."""

    def __init__(self, file: TextIO, schema: pa.Schema):
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(schema.names)

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Appends rows."""
        self._writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


KINDS = {".csv": csv_file, ".parquet": pq.ParquetWriter}
