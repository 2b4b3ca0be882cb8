"""How good a trained ChemBERTaDNN is, asked in the canonical spelling and in another one."""

import numpy as np
import torch

from chemmodel_export.train.data import Molecule
from chemmodel_export.train.loop import Trained, encode
from chemmodel_export.train.score import other_spelling, score

BATCH = 64


def predict(trained: Trained, smiles: list[str]) -> np.ndarray:
    """Kelvin, in the order asked."""
    order = sorted(range(len(smiles)), key=lambda i: len(smiles[i]))
    predicted = np.empty(len(smiles))
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            raw = trained.network(*encode(trained.tokenizer, [smiles[row] for row in rows])).squeeze(-1)
            predicted[rows] = raw.numpy() * trained.scaling.scale + trained.scaling.center
    return predicted


def metrics(trained: Trained, held_out: list[Molecule]) -> dict:
    canonical = score(predict(trained, [m.smiles for m in held_out]), held_out)
    spelled = score(predict(trained, other_spelling(held_out)), held_out)
    return {**canonical.rounded(), "maeOtherSpelling": spelled.rounded()["mae"], "heldOut": len(held_out)}
