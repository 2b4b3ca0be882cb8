"""How good predictions are on the held-out molecules, next to two baselines that need no network."""

import random
from dataclasses import asdict, dataclass

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from chemmodel_export.train.data import Molecule, Split
from chemmodel_export.train.spelling import shuffled

RIDGE = 30.0  # weight of the penalty
SPELLING_SEED = 7


@dataclass(frozen=True)
class Score:
    mae: float
    rmse: float
    r2: float

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 4 if name == "r2" else 2) for name, value in asdict(self).items()}


def score(predicted: np.ndarray, molecules: list[Molecule]) -> Score:
    measured = np.array([m.kelvin for m in molecules])
    error = predicted - measured
    return Score(
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        r2=float(1 - (error**2).sum() / ((measured - measured.mean()) ** 2).sum()),
    )


def other_spelling(molecules: list[Molecule]) -> list[str]:
    """One random, repeatable spelling of each molecule: what a user may type instead of the canonical one."""
    rng = random.Random(SPELLING_SEED)
    return [shuffled(Chem.MolFromSmiles(m.smiles), rng) for m in molecules]


def baselines(split: Split) -> dict[str, dict[str, float]]:
    """The mean of the training values, and ridge regression on counts of Morgan fragments (radius 2)."""
    kelvin = np.array([m.kelvin for m in split.training])
    mean = np.full(len(split.held_out), kelvin.mean())
    features, asked = _fragments(split.training), _fragments(split.held_out)
    gram = features.T @ features + RIDGE * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (kelvin - kelvin.mean()))
    ridge = asked @ weights + kelvin.mean()
    return {"mean": score(mean, split.held_out).rounded(), "ridgeMorgan": score(ridge, split.held_out).rounded()}


def _fragments(molecules: list[Molecule]) -> np.ndarray:
    """Counts of hashed circular fragments, and of heavy atoms, float64 `[molecules, 2049]`."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    mols = [Chem.MolFromSmiles(m.smiles) for m in molecules]
    counts = np.array([generator.GetCountFingerprintAsNumPy(mol) for mol in mols], dtype=np.float64)
    heavy = np.array([[mol.GetNumHeavyAtoms()] for mol in mols], dtype=np.float64)
    return np.hstack([counts, heavy])
