"""Features of nfp, versions 1 and 2: a token for each atom and for each directed bond, hydrogens as atoms.

A token is the Python text that nfp writes, because that text is the key of the trained vocabulary. Its form tells the
version. With hydrogens as atoms an atom has no implicit ones, so some fields are always 0.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from chemmodel_export.errors import ExportError
from chemmodel_export.packed import Graph

UNKNOWN = 1  # the id of what a vocabulary does not know; 0 was padding
LARGEST_RING = 12  # from here on, sizes have one name


@dataclass(frozen=True)
class Vocabulary:
    """Token to id, from 2 on."""

    atoms: dict[str, int]
    bonds: dict[str, int]

    @property
    def scheme(self) -> str:
        """Its name in features.json."""
        of_first = (self._atom_token, self._bond_token) == (atom_token_v1, bond_token_v1)
        return "nfp-v1" if of_first else "nfp-v2"

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
        atom_token, bond_token = self._atom_token, self._bond_token
        return Graph(
            atom=np.array([self.atoms.get(atom_token(a), UNKNOWN) for a in molecule.GetAtoms()], dtype=np.int64),
            bond=np.array([self.bonds.get(bond_token(b), UNKNOWN) for _, b in directed], dtype=np.int64),
            connectivity=np.array([(u, b.GetOtherAtomIdx(u)) for u, b in directed], dtype=np.int64),
        )

    @property
    def _atom_token(self) -> Callable[[Chem.Atom], str]:
        return atom_token_v2 if _version(self.atoms, "ChiralType.") == 2 else atom_token_v1

    @property
    def _bond_token(self) -> Callable[[Chem.Bond], str]:
        return bond_token_v2 if _version(self.bonds, "BondStereo.") == 2 else bond_token_v1


def _version(tokens: Iterable[str], only_in_second: str) -> int:
    """Of the tokens of one kind."""
    second = {only_in_second in token for token in tokens}
    if len(second) > 1:
        first = next(token for token in tokens if only_in_second in token)
        raise ExportError(f"{first} is a token of nfp's second version, others are of the first; one network has one")
    return 2 if True in second else 1


def index(bond: Chem.Bond) -> int:
    return bond.GetIdx()


def atom_token_v1(atom: Chem.Atom) -> str:
    implicit = atom.GetValence(Chem.ValenceType.IMPLICIT)
    return str((atom.GetSymbol(), atom.GetDegree(), atom.GetTotalNumHs(), implicit, atom.GetIsAromatic()))


def atom_token_v2(atom: Chem.Atom) -> str:
    fields = (
        atom.GetChiralTag(),
        atom.GetDegree(),
        atom.GetValence(Chem.ValenceType.EXPLICIT),
        atom.GetFormalCharge(),
        atom.GetHybridization(),
        atom.GetValence(Chem.ValenceType.IMPLICIT),
        atom.GetIsAromatic(),
        atom.GetNoImplicit(),
        atom.GetNumExplicitHs(),
        atom.GetNumImplicitHs(),
        atom.GetNumRadicalElectrons(),
        atom.GetSymbol(),
        atom.GetTotalDegree(),
        atom.GetTotalNumHs(),
        atom.GetTotalValence(),
        _ring(atom),
    )
    return str(fields)


def bond_token_v1(bond: Chem.Bond) -> str:
    return str((bond.GetBondType(), bond.GetIsConjugated(), bond.IsInRing(), _ends(bond)))


def bond_token_v2(bond: Chem.Bond) -> str:
    return str((bond.GetBondType(), bond.GetIsConjugated(), bond.GetStereo(), _ring(bond), _ends(bond)))


def _ends(bond: Chem.Bond) -> list[str]:
    return sorted([bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()])


def _ring(part: Chem.Atom | Chem.Bond) -> int | str:
    """The size of its smallest ring."""
    if not part.IsInRing():
        return 0
    return next((size for size in range(LARGEST_RING) if part.IsInRingSize(size)), "max")
