"""Writes what the part `graphs` trains on and asks for, into the folder that is given. Runs in PolyID's own environment,
with `tools/polyid` on the path: the oligomers are those of `tools/polyid/oligomers.py`, built by m2p.

    table.csv       to train on: the oligomers. The label is the share of oxygen: weights do not matter for speed
    golden.smi      one oligomer of each polymer: what both sides must answer alike
    oligomers.txt   to ask for: as many of each polymer, with their atoms in other orders, so that hardly two are equal
"""

import csv
import random
import sys
from pathlib import Path

from oligomers import POLYMERS, oligomers
from rdkit import Chem

ORDERS, SEED = 60, 20261123


def main() -> None:
    folder = Path(sys.argv[1])
    made = {polymer.name: oligomers(polymer) for polymer in POLYMERS}
    with (folder / "table.csv").open("w", newline="") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("smiles_polymer", "smiles_monomer", "distribution", "mechanism", "replicate_structure", "oxygen"))
        for polymer in POLYMERS:
            for number, smiles in enumerate(made[polymer.name]):
                rows.writerow((smiles, polymer.monomers, "[]", polymer.mechanism, number, oxygen(smiles)))
    (folder / "golden.smi").write_text("".join(f"{smiles[0]}\n" for smiles in made.values()))
    asked = [order for smiles in made.values() for order in other_orders(smiles)]
    random.Random(SEED).shuffle(asked)
    (folder / "oligomers.txt").write_text("".join(f"{smiles}\n" for smiles in asked))


def oxygen(smiles: str) -> float:
    """Per cent of the atoms that are no hydrogens."""
    atoms = [atom.GetSymbol() for atom in Chem.MolFromSmiles(smiles).GetAtoms()]
    return 100 * atoms.count("O") / len(atoms)


def other_orders(smiles: list[str]) -> list[str]:
    """`ORDERS` in all, of each oligomer as many."""
    each = -(-ORDERS // len(smiles))
    found = [order for one in smiles for order in Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(one), each, randomSeed=SEED)]
    return found[:ORDERS]


if __name__ == "__main__":
    main()
