"""Features of nfp's first version: a token for each atom and for each directed bond, hydrogens as atoms.

A token is the Python text that nfp writes, because that text is the key of the trained vocabulary. With hydrogens as
atoms an atom has no implicit ones, so two of its five fields are always 0.
"""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from chemmodel_export.errors import ExportError
from chemmodel_export.packed import Graph

UNKNOWN = 1  # the id of what a vocabulary does not know; 0 was padding


@dataclass(frozen=True)
class Vocabulary:
    """Token to id, from 2 on."""

    atoms: dict[str, int]
    bonds: dict[str, int]

    def graph(self, smiles: str) -> Graph:
        """Bonds leave atom after atom, each in RDKit's order of its bonds."""
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            raise ExportError(f"{smiles} is not a molecule to RDKit")
        molecule = Chem.AddHs(molecule)
        if molecule.GetNumBonds() == 0:
            raise ExportError(f"{smiles} has no bonds: PolyID answers with a mean over bonds")
        directed = [
            (atom.GetIdx(), bond) for atom in molecule.GetAtoms() for bond in sorted(atom.GetBonds(), key=index)
        ]
        return Graph(
            atom=np.array([self.atoms.get(atom_token(a), UNKNOWN) for a in molecule.GetAtoms()], dtype=np.int64),
            bond=np.array([self.bonds.get(bond_token(b), UNKNOWN) for _, b in directed], dtype=np.int64),
            connectivity=np.array([(u, b.GetOtherAtomIdx(u)) for u, b in directed], dtype=np.int64),
        )


def index(bond: Chem.Bond) -> int:
    return bond.GetIdx()


def atom_token(atom: Chem.Atom) -> str:
    implicit = atom.GetValence(Chem.ValenceType.IMPLICIT)
    return str((atom.GetSymbol(), atom.GetDegree(), atom.GetTotalNumHs(), implicit, atom.GetIsAromatic()))


def bond_token(bond: Chem.Bond) -> str:
    ends = sorted([bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()])
    return str((bond.GetBondType(), bond.GetIsConjugated(), bond.IsInRing(), ends))
