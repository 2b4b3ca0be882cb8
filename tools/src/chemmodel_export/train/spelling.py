"""Other spellings of the same molecule, so that the network learns the molecule and not its spelling."""

import random

from rdkit import Chem

CANONICAL, SHUFFLED, KEKULE, SOURCE = "canonical", "shuffled", "kekule", "source"
WEIGHTS = {CANONICAL: 0.40, SHUFFLED: 0.35, KEKULE: 0.15, SOURCE: 0.10}


def shuffled(mol: Chem.Mol, rng: random.Random, kekule: bool = False) -> str:
    """SMILES with a random first atom and random branch order."""
    seed = rng.randrange(1, 2**31 - 1)
    return Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed, kekuleSmiles=kekule)[0]


def kekulised(mol: Chem.Mol) -> Chem.Mol:
    """A copy with alternating bonds in place of aromatic ones."""
    copy = Chem.Mol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=True)
    return copy


class Speller:
    """Draws a spelling of one molecule; keeps what is slow to make."""

    def __init__(self, smiles: str, source_smiles: str):
        self.canonical = smiles
        self.source = source_smiles
        self._mol = Chem.MolFromSmiles(smiles)
        self._kekule = kekulised(self._mol)

    def draw(self, rng: random.Random) -> str:
        kind = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        if kind == CANONICAL:
            return self.canonical
        if kind == SOURCE:
            return self.source
        return shuffled(self._kekule if kind == KEKULE else self._mol, rng)
