"""The scheme chemprop-v2: what Chemprop 2's default featurizer makes of a molecule, stereo marks left out.

Of an atom what `MultiHotAtomFeaturizer.v2` tells, of a bond what `MultiHotBondFeaturizer` tells. The positions of
stereo (chiral tag, E and Z) say "none"; they stay, because the weights expect them.
"""

import numpy as np
from rdkit import Chem
from rdkit.Chem import BondType
from rdkit.Chem import HybridizationType as Hybrid

from chemmodel_export.errors import ExportError
from chemmodel_export.manifest import FEATURES_SCHEMA
from chemmodel_export.packed import Graph

SCHEME = "chemprop-v2"
FILE = {"schema": FEATURES_SCHEMA, "scheme": SCHEME, "stereo": "ignored"}  # features.json
ATOM_WIDTH, BOND_WIDTH = 72, 14

# In Chemprop's order; each but the last two has a further position for all other values.
ELEMENTS = (*range(1, 37), 53)
DEGREES = tuple(range(6))
CHARGES = (-1, -2, 1, 2, 0)
CHIRAL_TAGS = tuple(range(4))
HYDROGENS = tuple(range(5))
HYBRIDS = (Hybrid.S, Hybrid.SP, Hybrid.SP2, Hybrid.SP2D, Hybrid.SP3, Hybrid.SP3D, Hybrid.SP3D2)
MASS_UNIT = 100.0  # Da

BONDS = (BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE, BondType.AROMATIC)
BOND_STEREO = tuple(range(6))


def molecule(smiles: str) -> Chem.Mol:
    """The molecule as if stereo marks had not been written."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise ExportError(f"{smiles} is not a whole molecule to RDKit")
    Chem.RemoveStereochemistry(mol)
    return Chem.RemoveHs(mol)  # those that were kept as atoms only to tell E from Z


def graph(smiles: str) -> Graph:
    """Each bond there and back, one after the other, in RDKit's order of bonds."""
    mol = molecule(smiles)
    atoms = [_atom(atom) for atom in mol.GetAtoms()]
    bonds, ends = [], []
    for bond in mol.GetBonds():
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds += [_bond(bond)] * 2
        ends += [(begin, end), (end, begin)]
    return Graph(
        atom=np.array(atoms, dtype=np.float32).reshape(-1, ATOM_WIDTH),
        bond=np.array(bonds, dtype=np.float32).reshape(-1, BOND_WIDTH),
        connectivity=np.array(ends, dtype=np.int64).reshape(-1, 2),
    )


def _atom(atom: Chem.Atom) -> list[float]:
    return [
        *_one_hot(atom.GetAtomicNum(), ELEMENTS),
        *_one_hot(atom.GetTotalDegree(), DEGREES),
        *_one_hot(atom.GetFormalCharge(), CHARGES),
        *_one_hot(int(atom.GetChiralTag()), CHIRAL_TAGS),
        *_one_hot(atom.GetTotalNumHs(), HYDROGENS),
        *_one_hot(atom.GetHybridization(), HYBRIDS),
        float(atom.GetIsAromatic()),
        atom.GetMass() / MASS_UNIT,
    ]


def _bond(bond: Chem.Bond) -> list[float]:
    """The first position is for the bond that is none; kinds of bond beyond the four have no position of their own."""
    return [
        0.0,
        *(float(bond.GetBondType() == kind) for kind in BONDS),
        float(bond.GetIsConjugated()),
        float(bond.IsInRing()),
        *_one_hot(int(bond.GetStereo()), BOND_STEREO),
    ]


def _one_hot(value: object, choices: tuple) -> list[float]:
    return [*(float(value == choice) for choice in choices), float(value not in choices)]
