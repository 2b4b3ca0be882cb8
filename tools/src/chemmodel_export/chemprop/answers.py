"""The answers of Chemprop itself, as `tools/chemprop/answer.py` writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemmodel_export.chemprop.network import Dmpnn
from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json

FIELDS = {"framework", "molecules"}
AGAIN = "ask Chemprop again with tools/chemprop/answer.py"


@dataclass(frozen=True)
class Answer:
    smiles: str
    members: np.ndarray  # in the unit of the labels, float64 [members, outputs]


@dataclass(frozen=True)
class Answers:
    framework: str
    molecules: list[Answer]


def load(path: Path, members: list[Dmpnn]) -> Answers:
    """Refuses what another ensemble has answered."""
    content = read_json(path)
    if content.keys() != FIELDS:
        raise ExportError(f"{path} must have the fields {sorted(FIELDS)}, found {sorted(content)}: {AGAIN}")
    shape = (len(members), members[0].outputs)
    return Answers(content["framework"], [_answer(path, row, shape) for row in content["molecules"]])


def _answer(path: Path, row: dict, shape: tuple[int, int]) -> Answer:
    try:
        answer = Answer(row["smiles"], np.array(row["members"], dtype=np.float64))
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} has a molecule that cannot be read, {error!r}: {AGAIN}") from error
    if answer.members.shape != shape:
        raise ExportError(
            f"{path} has {answer.members.shape} answers for {answer.smiles}, expected {shape}, "
            f"members and outputs: {AGAIN}"
        )
    if not np.isfinite(answer.members).all():
        raise ExportError(f"{path} has {answer.members.tolist()} for {answer.smiles}: not a number")
    return answer
