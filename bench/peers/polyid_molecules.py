"""Writes what the part `graphs` trains on and asks for, into the folder that is given. Runs in PolyID's own environment,
with `tools/polyid` on the path: its `oligomers.py` has m2p build them.

    table.csv       to train on: well-known polymers. The label is the share of oxygen: weights do not matter for speed
    oligomers.txt   to ask for: others, all different, in random order
    sample.txt      the first of them: what both sides must answer alike, and what PolyID, which is slow, is asked for
    golden.smi      the first of them, as many as a bundle must have
"""

import csv
import random
import sys
from pathlib import Path

from oligomers import POLYMERS, Polymer, oligomers
from rdkit import Chem

SAMPLE, GOLDEN, SEED = 24, 64, 20261123
LENGTHS = range(16, 21)


def asked_for() -> list[str]:
    """As many of chains with a side that m2p turns at random as of chains of one kind of link, as users screen them."""
    chains = ["C" * length for length in range(1, 6)]
    vinyl = [("C=CC(=O)O", "acrylate"), ("C=C(C)C(=O)O", "acrylate"), ("C=C", "vinyl")]
    turned = [(start + chain, mechanism) for start, mechanism in vinyl for chain in chains]
    acids = [f"OC(=O){chain}C(=O)O" for chain in chains] + ["OC(=O)c1ccc(cc1)C(=O)O"]
    esters = [(f"O{alcohol}O.{acid}", "ester") for alcohol in chains[1:] for acid in acids]
    esters += [(f"O{chain}C(=O)O", "ester") for chain in chains]
    made = [smiles for monomers, mechanism in turned for smiles in oligomers(_polymer(monomers, mechanism), replicates=10)]
    return made + [s for monomers, mechanism in esters for units in LENGTHS for s in oligomers(_polymer(monomers, mechanism), units)]


def _polymer(monomers: str, mechanism: str) -> Polymer:
    return Polymer(monomers, monomers, mechanism, 0.0, "")


def main() -> None:
    folder = Path(sys.argv[1])
    with (folder / "table.csv").open("w", newline="") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("smiles_polymer", "smiles_monomer", "distribution", "mechanism", "replicate_structure", "oxygen"))
        for polymer in POLYMERS:
            for number, smiles in enumerate(oligomers(polymer)):
                rows.writerow((smiles, polymer.monomers, "[]", polymer.mechanism, number, oxygen(smiles)))
    asked = list(dict.fromkeys(asked_for()))
    random.Random(SEED).shuffle(asked)
    for name, count in (("oligomers.txt", len(asked)), ("sample.txt", SAMPLE), ("golden.smi", GOLDEN)):
        (folder / name).write_text("".join(f"{smiles}\n" for smiles in asked[:count]))


def oxygen(smiles: str) -> float:
    """Of the atoms that are no hydrogens, 0 to 1."""
    atoms = [atom.GetSymbol() for atom in Chem.MolFromSmiles(smiles).GetAtoms()]
    return atoms.count("O") / len(atoms)


if __name__ == "__main__":
    main()
