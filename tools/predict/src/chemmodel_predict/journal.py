"""Progress, kept in OUTPUT.partial: a line that says what for, then the server's answers as they came, one a line.

Lines are only appended, so whoever dies leaves at most half a line, which the next run takes away.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from chemmodel_predict.answers import Answered
from chemmodel_predict.errors import PredictError

SCHEMA = "chemmodel.io/predict-progress/v1"


@contextmanager
def open_journal(path: Path, digest: str, column: str) -> Iterator["Journal"]:
    """What is there, if it is for this column of this input, else a new one. At most one process has it open."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("a+b"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PredictError(f"{path} is in use: another chemmodel-predict writes the same output") from error
        except OSError as error:
            raise PredictError(f"{path} cannot be written: {error}") from error
        yield Journal(path, file, {"schema": SCHEMA, "input": digest, "column": column})


class Journal:
    """What has been answered so far."""

    def __init__(self, path: Path, file: BinaryIO, header: dict):
        self.path = path
        self.answered = Answered()
        self._file = file
        self._header = header
        self._resume()

    def append(self, answer: dict) -> None:
        """Keeps the answer for the rows that follow."""
        self.answered.take(answer)
        self._write(answer)

    def rows(self) -> Iterator[dict]:
        """All rows in order, each with the version and the digest that answered."""
        with self.path.open("rb") as file:
            next(file)
            for answer in map(json.loads, file):
                maker = {"version": answer.get("version"), "digest": answer.get("digest")}
                for row in answer["predictions"]:
                    yield row | maker

    def remove(self) -> None:
        """It is of no use any more."""
        self.path.unlink()

    def _resume(self) -> None:
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n") and _line(self._header).startswith(first):
            self._file.truncate(0)
            self._write(self._header)
            return
        self._check(_read(first))
        end = len(first)
        for line in self._file:
            if (answer := _read(line)) is None:
                break
            self.answered.take(answer)
            end += len(line)
        self._file.truncate(end)

    def _check(self, header: dict | None) -> None:
        if header is None or header.get("schema") != SCHEMA:
            raise PredictError(f"{self.path} was not written by this program; move it away or name another --out")
        for field, changed in (("input", "the input has changed"), ("column", "--column is another one")):
            if header.get(field) != self._header[field]:
                raise PredictError(
                    f"{self.path} has the answers of a run that was interrupted, and since then {changed}: "
                    "undo that to go on, or remove the file to start over"
                )

    def _write(self, value: dict) -> None:
        try:
            self._file.write(_line(value))
            self._file.flush()
        except OSError as error:
            raise PredictError(f"{self.path} cannot be written: {error}") from error


def _line(value: dict) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> dict | None:
    """Nothing when it is not a whole line."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if line.endswith(b"\n") and isinstance(value, dict) else None
