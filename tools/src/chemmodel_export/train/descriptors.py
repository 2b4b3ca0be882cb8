"""Targets of the helper task: RDKit descriptors of size, shape and polarity, as in ChemBERTa's multi-task pre-training.

They cost no measurement and teach the encoder what a molecule looks like. Their head is dropped after training.
"""

import numpy as np
from rdkit import Chem
from rdkit.Chem import Descriptors

NAMES = (
    "MolLogP MolMR TPSA HeavyAtomMolWt LabuteASA NumHDonors NumHAcceptors NumHeteroatoms NumRotatableBonds RingCount "
    "NumAromaticRings FractionCSP3 HallKierAlpha Kappa1 Kappa2 Kappa3 Chi0v Chi1v Chi2v Chi3v Chi4v BertzCT BalabanJ"
).split()
LIMIT = 5.0  # standard deviations; keeps a few odd molecules from ruling the loss


def standardised(smiles: list[str]) -> np.ndarray:
    """Float32 `[molecules, descriptors]` with mean 0 and deviation 1, clipped."""
    functions = [getattr(Descriptors, name) for name in NAMES]
    mols = [Chem.MolFromSmiles(s) for s in smiles]
    values = np.array([[f(mol) for f in functions] for mol in mols], dtype=np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return np.clip(np.nan_to_num(values), -LIMIT, LIMIT).astype(np.float32)
