#!/usr/bin/env python3
"""Writes what Chemprop's own featurizer makes of molecules: record_features.py SMILES_FILE OUT

SMILES_FILE has one SMILES a line, as its first word. Each line of OUT is a JSON object:

smiles      as given; stereo marks were left out before the featurizer saw the molecule
atoms       of each atom the positions that are 1 among the first 71
masses      of each atom the last of its 72 numbers, a float32
bonds       of each bond the positions that are 1 among its 14 numbers
ends        of each bond the atoms where it begins and ends

The featurizer's rows 2i and 2i + 1 are bond i from its first atom to its second, and back; this script checks that. A
molecule that RDKit refuses has `smiles` alone. Needs tools/chemprop/requirements.txt.
`features.jsonl` was made so.
"""

import json
import sys
from pathlib import Path

import numpy as np
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from rdkit import Chem, RDLogger

ATOM, BOND = 72, 14


def main(smiles_file: str, out: str) -> None:
    RDLogger.DisableLog("rdApp.*")
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    lines = Path(smiles_file).read_text("utf-8").splitlines()
    with Path(out).open("w", encoding="utf-8") as file:
        for smiles in (words[0] for line in lines if (words := line.split())):
            print(json.dumps({"smiles": smiles, **describe(featurizer, smiles)}, separators=(",", ":")), file=file)


def describe(featurizer: SimpleMoleculeMolGraphFeaturizer, smiles: str) -> dict:
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return {}
    Chem.RemoveStereochemistry(molecule)
    graph = featurizer(Chem.RemoveHs(molecule))  # hydrogens that were kept for E and Z alone are merged now
    atoms, bonds, ends = graph.V, graph.E, graph.edge_index.T
    assert atoms.shape[1] == ATOM and bonds.shape[1] == BOND
    assert (bonds[::2] == bonds[1::2]).all() and (ends[::2] == ends[1::2, ::-1]).all()
    assert np.isin(atoms[:, :-1], (0, 1)).all() and np.isin(bonds, (0, 1)).all()
    return {
        "atoms": [np.flatnonzero(row[:-1]).tolist() for row in atoms],
        "masses": [float(str(row[-1])) for row in atoms],
        "bonds": [np.flatnonzero(row).tolist() for row in bonds[::2]],
        "ends": ends[::2].tolist(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
