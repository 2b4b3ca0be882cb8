"""Asks Chemprop itself: what a checkpoint answers for molecules, which becomes the golden file of the bundle.

Stereo marks are left out before Chemprop sees a molecule, as the server leaves them out.
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np
import rdkit
import torch
from rdkit import Chem

import chemprop
from chemmodel_export import molecules
from chemmodel_export.chemprop import features
from chemmodel_export.chemprop.checkpoint import ANSWERS, MEMBERS
from chemmodel_export.files import write_json
from chemmodel_export.train.spelling import shuffled
from chemprop import data, models

REFUSED = ("*CC*", "[U]")  # by the server: an atom that is none, and an element that it does not know
EVERY, SPELLINGS, SEED = 3, 2, 20261123  # of every third molecule, two more spellings


def main() -> int:
    parser = argparse.ArgumentParser(prog="answer.py", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help=f"folder with {MEMBERS}; {ANSWERS} is written into it")
    parser.add_argument("--molecules", type=Path, metavar="FILE", help="more golden molecules, one SMILES a line")
    parsed = parser.parse_args()
    torch.set_num_threads(1)
    lines = parsed.molecules.read_text("utf-8").splitlines() if parsed.molecules else []
    extra = [words[0] for line in lines if (words := line.split())]
    paths = sorted(parsed.checkpoint.glob(MEMBERS))
    if not paths:
        parser.error(f"{parsed.checkpoint} has no {MEMBERS}: give the folder that `chemprop train` wrote")
    members = [models.load_model(path).eval() for path in paths]
    write_json(parsed.checkpoint / ANSWERS, answers(members, extra))
    return 0


def answers(members: list[models.MPNN], extra: list[str]) -> dict:
    """`extra` and the molecules that every bundle is asked about, some of them in other orders of their atoms."""
    asked = [*extra, *(smiles for smiles in molecules.default() if smiles not in REFUSED)]
    asked = list(dict.fromkeys([*asked, *_other_orders(asked)]))
    answered = predict(members, asked).tolist()
    return {
        "framework": framework(),
        "molecules": [{"smiles": smiles, "members": rows} for smiles, rows in zip(asked, answered, strict=True)],
    }


def framework() -> str:
    versions = f"chemprop {chemprop.__version__}, torch {torch.__version__.split('+')[0]}, rdkit {rdkit.__version__}"
    return f"{versions}, float32, one molecule at a time"


@torch.no_grad()
def predict(members: list[models.MPNN], smiles: list[str]) -> np.ndarray:
    """In the unit of the labels, `[molecules, members, outputs]`."""
    points = [data.MoleculeDatapoint(features.molecule(text)) for text in smiles]
    loader = data.build_dataloader(data.MoleculeDataset(points), batch_size=1, shuffle=False)
    graphs = [batch.bmg for batch in loader]
    return np.stack([np.concatenate([model(graph).numpy() for graph in graphs]) for model in members], axis=1)


def _other_orders(smiles: list[str]) -> list[str]:
    rng = random.Random(SEED)
    return [shuffled(Chem.MolFromSmiles(text), rng) for text in smiles[::EVERY] for _ in range(SPELLINGS)]


if __name__ == "__main__":
    sys.exit(main())
