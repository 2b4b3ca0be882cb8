"""Writes the boiling points of the example models as tables for `train.py`, and golden molecules for `answer.py`.

The rows held out are those that the ChemBERTa examples hold out, so that the scores compare. The golden molecules are
theirs too, the first ten with their atoms in other orders besides. Run it where `chemmodel-export` is installed.
"""

import argparse
import csv
from pathlib import Path

from rdkit import Chem

from chemmodel_export.train import data

COLUMNS = ("smiles_polymer", "smiles_monomer", "distribution", "mechanism", "replicate_structure", "Tb", "Tb_units")
ORDERS, SEED = 3, 20261123


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    split = data.split(data.measured_boiling_points())
    for name, molecules in (("training", split.training), ("held-out", split.held_out)):
        with (folder / f"{name}.csv").open("w", newline="") as table:
            rows = csv.writer(table, lineterminator="\n")
            rows.writerow(COLUMNS)
            # A molecule is its own monomer: PolyID keeps the structures of one monomer in one fold.
            rows.writerows((m.smiles, m.smiles, "[]", "none", 0, m.kelvin, "K") for m in molecules)
    golden = data.golden_molecules(split)
    shuffled = [order for smiles in golden[: len(data.DEMONSTRATION)] for order in other_orders(smiles)]
    (folder / "golden.smi").write_text("\n".join(dict.fromkeys([*golden, *shuffled])) + "\n")


def other_orders(smiles: str) -> list[str]:
    return list(Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), ORDERS, randomSeed=SEED))


if __name__ == "__main__":
    main()
