"""Reading the folder that PolyID writes: one network per fold, its vocabulary and the scaling of its labels.

    parameters.pk   model_0/model_0.h5   model_0/model_0_data.pk   model_1/ …

The folds become one ensemble with one vocabulary, the union of theirs: each fold's rows are laid out by the union's
ids, and a token that a fold has not seen gets that fold's row for unknown ones, which PolyID itself would read.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json
from chemmodel_export.polyid import keras_weights, pickled
from chemmodel_export.polyid.features import UNKNOWN, Vocabulary
from chemmodel_export.polyid.network import Global100

TRAINING = "training.json"
FEATURES = {field: (f"{field}_v1", f"{field}_v2") for field in ("atom_features", "bond_features")}


@dataclass(frozen=True)
class Ensemble:
    columns: list[str]  # what is predicted, in the order of the outputs
    vocabulary: Vocabulary
    members: list[Global100]
    first_tokens: Vocabulary  # the first fold's own ids
    training: dict  # empty unless tools/polyid/train.py wrote the folder

    @property
    def messages(self) -> int:
        """The same for all members, so that they read the same classes."""
        return self.members[0].messages


@dataclass(frozen=True)
class Fold:
    path: Path
    columns: list[str]
    tokens: Vocabulary
    scale: np.ndarray
    center: np.ndarray
    weights: keras_weights.Weights


def load(folder: Path) -> Ensemble:
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder")
    numbers = sorted(int(p.name.removeprefix("model_")) for p in folder.iterdir() if re.fullmatch(r"model_\d+", p.name))
    if not numbers:
        raise ExportError(f"{folder} has no folds: looked for model_0/model_0.h5")
    missing = sorted(set(range(numbers[-1] + 1)) - set(numbers))
    if missing:
        raise ExportError(
            f"{folder} lacks model_{missing[0]}: an ensemble without one of its folds answers differently"
        )
    folds = [_fold(folder / f"model_{number}" / f"model_{number}") for number in numbers]
    for fold in folds:
        if fold.columns != folds[0].columns:
            raise ExportError(f"{fold.path} predicts {fold.columns}, {folds[0].path} predicts {folds[0].columns}")
        steps, first = fold.weights.steps, folds[0].weights.steps
        if steps != first:
            raise ExportError(f"{fold.path.parent} passes {steps} messages, the first fold {first}")
    vocabulary = Vocabulary(_union([f.tokens.atoms for f in folds]), _union([f.tokens.bonds for f in folds]))
    return Ensemble(
        columns=folds[0].columns,
        vocabulary=vocabulary,
        members=[_network(fold, vocabulary) for fold in folds],
        first_tokens=folds[0].tokens,
        training=read_json(folder / TRAINING) if (folder / TRAINING).exists() else {},
    )


def _fold(stem: Path) -> Fold:
    path = stem.with_name(stem.name + "_data.pk")
    data = pickled.read(path)
    try:
        preprocessor, scaler = data["preprocessor"], data["data_scaler"]
        columns = [str(name) for name in data["prediction_columns"]]
        tokens = Vocabulary(_tokens(preprocessor.atom_tokenizer), _tokens(preprocessor.bond_tokenizer))
        features = {field: getattr(preprocessor, field).__name__ for field in FEATURES}
        explicit = preprocessor.explicit_hs
        scale, center = np.asarray(scaler.scale_, np.float64), np.asarray(scaler.center_, np.float64)
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ExportError(f"{path} is not what PolyID writes: {error!r}") from error
    if any(features[field] not in known for field, known in FEATURES.items()) or not explicit:
        raise ExportError(
            f"{path} has the features {features} and explicit_hs {explicit}; "
            f"only {FEATURES} with explicit_hs can be exported"
        )
    if not (scale.shape == center.shape == (len(columns),) and np.isfinite([scale, center]).all() and scale.all()):
        raise ExportError(f"{path} scales labels by {scale} and {center}, expected two numbers for each of {columns}")
    weights = keras_weights.read(stem.with_name(stem.name + ".h5"), len(columns))
    for name, known, rows in (
        ("atoms", tokens.atoms, weights.atom_embedding),
        ("bonds", tokens.bonds, weights.bond_embedding),
    ):
        if sorted(known.values()) != list(range(UNKNOWN + 1, len(rows))):
            raise ExportError(
                f"{path} has {len(known)} tokens of {name}, but the network's embedding has {len(rows)} rows"
            )
    return Fold(path, columns, tokens, scale, center, weights)


def _tokens(tokenizer: object) -> dict[str, int]:
    known = dict(tokenizer._data)
    if known.pop("unk") != UNKNOWN:
        raise ValueError("the id of unknown tokens is not 1")
    return known


def _union(folds: list[dict[str, int]]) -> dict[str, int]:
    return {token: UNKNOWN + 1 + i for i, token in enumerate(sorted(set().union(*folds)))}


def _laid_out(rows: np.ndarray, own: dict[str, int], union: dict[str, int]) -> np.ndarray:
    """A fold's embedding by the union's ids; id 0 is never asked for."""
    order = [0, UNKNOWN, *(own.get(token, UNKNOWN) for token in union)]
    return rows[order]


def _network(fold: Fold, vocabulary: Vocabulary) -> Global100:
    weights = fold.weights
    network = Global100(
        atoms=len(vocabulary.atoms) + UNKNOWN + 1,
        bonds=len(vocabulary.bonds) + UNKNOWN + 1,
        features=weights.atom_embedding.shape[1],
        units=weights.units,
        steps=weights.steps,
        outputs=len(fold.columns),
    )
    state = {
        **weights.layers,
        "atom.weight": _laid_out(weights.atom_embedding, fold.tokens.atoms, vocabulary.atoms),
        "bond.weight": _laid_out(weights.bond_embedding, fold.tokens.bonds, vocabulary.bonds),
        "scale": fold.scale,
        "center": fold.center,
    }
    tensors = {key: torch.tensor(np.ascontiguousarray(value), dtype=torch.float32) for key, value in state.items()}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise ExportError(f"{fold.path.parent} does not have the shapes of global100: {first}") from error
    return network.eval()
