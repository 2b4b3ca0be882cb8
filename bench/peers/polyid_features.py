"""RDKit and nfp on the molecules of a file: what `src/bin/featurise.rs` does, in PolyID's own environment and with the
preprocessor of its first fold. Prints molecules a second, and the sum of what was found in one pass.

The table's rows are made before: PolyID makes a pandas row of each molecule, which is no work of RDKit or nfp.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from answer import load
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator


def main() -> None:
    model, molecules, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    rows = [pd.Series({"smiles_polymer": smiles}) for smiles in molecules.read_text().split()]
    answers, sys.stdout = sys.stdout, sys.stderr
    preprocessor = load(model).models[0].preprocessor
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2)

    def nfp(row: pd.Series) -> int:
        tensors = preprocessor(row)
        return len(tensors["atom"]) + len(tensors["bond"])

    def morgan(row: pd.Series) -> int:
        found = generator.GetSparseCountFingerprint(Chem.MolFromSmiles(row.smiles_polymer))
        return sum(found.GetNonzeroElements())

    print(json.dumps({"nfp": timed(rows, seconds, nfp), "morgan": timed(rows, seconds, morgan)}), file=answers)


def timed(rows: list[pd.Series], seconds: float, features: Callable[[pd.Series], int]) -> dict[str, float]:
    """The first pass is for warming up."""
    found = sum(map(features, rows))
    began, count = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        for row in rows:
            features(row)
        count += len(rows)
    return {"rate": count / (time.perf_counter() - began), "sum": found}


if __name__ == "__main__":
    main()
