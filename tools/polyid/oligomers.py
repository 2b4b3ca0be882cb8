"""Oligomers of well-known polymers, built by m2p, the structure maker that PolyID was trained with.

m2p draws at random which way round a unit is added, so an oligomer is one of many; the seed is fixed here, and there
are several of each. Writes `polymers.csv`, one oligomer of each polymer with its measured glass transition, and
`golden.smi` for `answer.py --ask`: all oligomers, the first of each with its atoms in other orders, small molecules.
"""

import argparse
import csv
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
from m2p import PolyMaker
from rdkit import Chem


class Polymer(NamedTuple):
    name: str
    monomers: str
    mechanism: str
    celsius: float  # glass transition as measured
    source: str


TEXTBOOK = "W. D. Callister, Fundamentals of Materials Science and Engineering, 3rd edition, appendix E"
MATMAKE = "matmake.com, glass transition temperature of polymers and plastics"
ACRYLATES = "doi:10.3389/fchem.2014.00010, table 2"
POLYMERS = (
    Polymer("polyethylene", "C=C", "vinyl", -90, f"{TEXTBOOK} (high density)"),
    Polymer("polypropylene", "CC=C", "vinyl", -18, f"{TEXTBOOK} (atactic)"),
    Polymer("polyisobutylene", "C=C(C)C", "vinyl", -70, TEXTBOOK),
    Polymer("polystyrene", "C=Cc1ccccc1", "vinyl", 100, TEXTBOOK),
    Polymer("poly(methyl methacrylate)", "C=C(C)C(=O)OC", "acrylate", 105, ACRYLATES),
    Polymer("poly(butyl methacrylate)", "C=C(C)C(=O)OCCCC", "acrylate", 20, ACRYLATES),
    Polymer("poly(ethyl acrylate)", "C=CC(=O)OCC", "acrylate", -24, ACRYLATES),
    Polymer("poly(ethylene terephthalate)", "OCCO.OC(=O)c1ccc(cc1)C(=O)O", "ester", 69, TEXTBOOK),
    Polymer("polycaprolactone", "OCCCCCC(=O)O", "ester", -60, "Macromolecules 2006, 39, 2804"),
    Polymer(
        "polycarbonate of bisphenol A",
        "CC(C)(c1ccc(O)cc1)c1ccc(O)cc1.O=C(Oc1ccccc1)Oc1ccccc1",
        "carbonate",
        150,
        TEXTBOOK,
    ),
    # Polymers that the example ensembles know, though not these oligomers.
    Polymer("poly(3-hydroxybutyrate)", "CC(O)CC(=O)O", "ester", 15, MATMAKE),
    Polymer("poly(lactic acid)", "CC(O)C(=O)O", "ester", 60, f"{MATMAKE} (60 to 65)"),
)
UNITS, REPLICATES, ORDERS, SEED = 18, 3, 3, 20261123

SMALL = """
CC(=O)OC CC(=O)OCC CCOC(=O)C CCCC(=O)OCC COC(=O)CCC(=O)OC CC(=O)OCCOC(C)=O CC(=O)OC(C)C CC(=O)OCc1ccccc1 COC(=O)c1ccccc1
COC(=O)c1ccc(C(=O)OC)cc1 CC(O)CC(=O)OC CC(O)C(=O)OC OCC(=O)O OCCO OCCCCO OC(=O)CCCCC(=O)O OC(=O)c1ccc(C(=O)O)cc1
C=CC(=O)OC C=C(C)C(=O)OC C=Cc1ccccc1 CCCCCCCC CC(C)CC(C)C CCc1ccccc1 CCOCC COc1ccccc1 CSc1ccccc1 CCSCC
COC(=O)C1CCCCC1 C1CCCCC1 O=C(OCc1ccccc1)C(O)c1ccccc1
""".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    made = {polymer: oligomers(polymer) for polymer in POLYMERS}
    with (folder / "polymers.csv").open("w", newline="") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("polymer", "smiles", "tg_celsius", "source"))
        rows.writerows((p.name, smiles[0], p.celsius, p.source) for p, smiles in made.items())
    lines = [f"{s} {polymer.name}" for polymer, smiles in made.items() for s in (*smiles, *other_orders(smiles[0]))]
    (folder / "golden.smi").write_text("\n".join([*lines, *SMALL]) + "\n")


def oligomers(polymer: Polymer, units: int = UNITS, replicates: int = REPLICATES) -> list[str]:
    """Those that differ; a chain without sides has but one."""
    random.seed(SEED)
    np.random.seed(SEED)
    maker = PolyMaker()
    table = maker.thermoplastic(
        maker.get_monomers(polymer.monomers),
        DP=units,
        mechanism=polymer.mechanism,
        replicate_structures=replicates,
        verbose=False,
    )
    smiles = list(dict.fromkeys(table["smiles_polymer"]))
    failed = [s for s in smiles if s.startswith("ERROR")]
    if failed:
        raise SystemExit(f"m2p cannot build {polymer.name}: {failed[0]}")
    return smiles


def other_orders(smiles: str) -> list[str]:
    """The same molecule, its atoms in other orders: a graph network must not notice."""
    return list(Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), ORDERS, randomSeed=SEED))


if __name__ == "__main__":
    main()
