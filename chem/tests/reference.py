#!/usr/bin/env python3
"""Writes what RDKit and nfp make of molecules, for parity.rs: reference.py FILE

Each line is a JSON object: a molecule of a set, with its tokens, the targets of its directed bonds (the sources ascend)
and its Morgan environments, or without them when RDKit refuses it. The last line is the vocabulary.

Sets: all molecules of the package `chemicals` that have a boiling or melting point, the other molecules of its tables (most
are of PubChem), and oligomers: a CSV file with a column smiles_polymer, named by CHEMMODEL_OLIGOMERS; it is not in this
repository.
Each set comes in the spelling of its source and in RDKit's canonical one.
"""

import csv
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from rdkit import Chem, RDLogger
from rdkit.Chem import rdFingerprintGenerator

TABLES = (
    "chemical identifiers pubchem small",
    "chemical identifiers pubchem large",
    "chemical identifiers example user db",
    "Inorganic db",
    "Cation db",
    "Anion db",
)
OLIGOMERS = Path(__file__).parents[2] / "../shared/data/nrel_polyid_stereopolymers.csv"


def folder(package):
    return Path(importlib.util.find_spec(package).origin).parent


def nfp_preprocessor():
    """nfp's own, imported without its networks: those need TensorFlow, of which the preprocessor needs but names of types."""
    for name in ("nfp", "nfp.preprocessing"):
        package = ModuleType(name)
        package.__path__ = [str(folder("rdkit").parent / name.replace(".", "/"))]
        sys.modules[name] = package
    frameworks = ModuleType("nfp.frameworks")
    nothing = lambda *_, **__: None  # noqa: E731
    frameworks.tf = SimpleNamespace(TensorSpec=nothing, constant=nothing, io=SimpleNamespace(FixedLenFeature=nothing))
    sys.modules["nfp.frameworks"] = frameworks
    from nfp.preprocessing.mol_preprocessor import SmilesPreprocessor

    return SmilesPreprocessor()


def chemicals():
    """The set with a boiling or melting point, and the rest."""
    data = folder("chemicals")
    measured = set()
    for table in ("Yaws Boiling Points.tsv", "OpenNotebook Melting Points.tsv"):
        with open(data / "Phase Change" / table) as file:
            measured |= {row["CAS"] for row in csv.DictReader(file, delimiter="\t")}
    sets = {"measured": {}, "others": {}}
    for table in TABLES:
        with open(data / "Identifiers" / f"{table}.tsv") as file:
            for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                sets["measured" if row[1] in measured else "others"][row[4]] = None
    others = [smiles for smiles in sets["others"] if smiles and smiles not in sets["measured"]]
    return [smiles for smiles in sets["measured"] if smiles], others


def oligomers():
    path = Path(os.environ.get("CHEMMODEL_OLIGOMERS", OLIGOMERS))
    if not path.exists():
        print(f"reference.py: no oligomers, because there is no {path}", file=sys.stderr)
        return []
    with open(path) as file:
        return [row["smiles_polymer"] for row in csv.DictReader(file)]


def main(path):
    RDLogger.DisableLog("rdApp.*")
    preprocessor = nfp_preprocessor()
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2)

    def describe(smiles, molecule):
        if molecule is None:
            return {}
        graph = preprocessor(smiles, train=True)
        sources, targets = graph["connectivity"].T.tolist() if len(graph["bond"]) else ([], [])
        assert sources == sorted(sources)
        environments = morgan.GetSparseCountFingerprint(molecule).GetNonzeroElements()
        return {
            "atoms": graph["atom"].tolist(),
            "bonds": graph["bond"].tolist(),
            "targets": targets,
            "morgan": sorted(environments.items()),
        }

    measured, others = chemicals()
    with open(path, "w") as file:
        for name, spellings in (("measured", measured), ("others", others), ("oligomers", oligomers())):
            canonical = {}
            for smiles in spellings:
                molecule = Chem.MolFromSmiles(smiles)
                print(json.dumps({"set": name, "smiles": smiles, **describe(smiles, molecule)}), file=file)
                if molecule is not None:
                    canonical[Chem.MolToSmiles(molecule)] = None
            for smiles in canonical:
                molecule = Chem.MolFromSmiles(smiles)
                entry = {"set": f"{name}, canonical", "smiles": smiles, **describe(smiles, molecule)}
                print(json.dumps(entry), file=file)
        vocabulary = {
            key: {text: id for text, id in tokenizer._data.items() if text != "unk"}
            for key, tokenizer in (("atoms", preprocessor.atom_tokenizer), ("bonds", preprocessor.bond_tokenizer))
        }
        print(json.dumps({"vocabulary": vocabulary}), file=file)


if __name__ == "__main__":
    main(sys.argv[1])
