"""The answers of PolyID itself, as `tools/polyid/answer.py` writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json
from chemmodel_export.polyid.folder import Ensemble

FIELDS = {"framework", "columns", "training", "rows", "molecules"}


@dataclass(frozen=True)
class Answer:
    smiles: str
    members: np.ndarray  # in the unit of the labels, float64 [folds, outputs]
    tensors: dict[str, list]  # what the first fold saw; empty for rows


@dataclass(frozen=True)
class Answers:
    framework: str
    training: list[str]
    rows: list[Answer]  # of the training table: checked, never published
    molecules: list[Answer]  # the golden ones


def load(path: Path, ensemble: Ensemble) -> Answers:
    """Refuses what another ensemble has answered."""
    content = read_json(path)
    if content.keys() != FIELDS:
        raise ExportError(f"{path} must have the fields {sorted(FIELDS)}, found {sorted(content)}")
    if content["columns"] != ensemble.columns:
        raise ExportError(f"{path} has answers for {content['columns']}, the ensemble predicts {ensemble.columns}")
    shape = (len(ensemble.members), len(ensemble.columns))
    answers = {kind: [_answer(path, row, shape) for row in content[kind]] for kind in ("rows", "molecules")}
    return Answers(content["framework"], content["training"], answers["rows"], answers["molecules"])


def _answer(path: Path, row: dict, shape: tuple[int, int]) -> Answer:
    try:
        members = np.array(row["members"], dtype=np.float64)
        answer = Answer(row["smiles"], members, {k: row[k] for k in ("atom", "bond", "connectivity") if k in row})
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} has a row that cannot be read: {error!r}") from error
    if members.shape != shape:
        raise ExportError(
            f"{path} has {members.shape} answers for {answer.smiles}, expected {shape}: one row for each fold of the "
            "ensemble, one column for each property; ask it again with tools/polyid/answer.py"
        )
    if not np.isfinite(members).all():
        raise ExportError(f"{path} has {members.tolist()} for {answer.smiles}: not a number")
    return answer
