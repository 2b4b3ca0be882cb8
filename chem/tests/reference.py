#!/usr/bin/env python3
"""Writes what RDKit, nfp and Chemprop make of molecules, for parity.rs: reference.py FILE [SMILES]

Each line is a JSON object: a molecule of a set, with its tokens, the targets of its directed bonds (the sources ascend), the
tokens of nfp's second version folded into a number for atoms and one for bonds, its Morgan environments and, of canonical
spellings, Chemprop's features; or without all of these when RDKit refuses it. The last line is the vocabulary.

Sets: all molecules of the package `chemicals` that have a boiling or melting point; the other molecules of its tables, most
of them from PubChem; oligomers, from a CSV file with a column smiles_polymer, named by CHEMMODEL_OLIGOMERS, which is not in
this repository; and mutants of the first set. With a file SMILES, one in each line, only those of it that are in none of
these tables. Each comes in the spelling of its source and in RDKit's canonical one.
"""

import csv
import importlib.util
import json
import os
import random
import re
import sys
from enum import Enum
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
TOKEN = re.compile(r"\[[^\]]*\]|Cl|Br|%\d\d|.")
FOREIGN = (
    "C N O S P B F Cl I c n o s p b - = # / \\ 1 2 3 ( ) . [nH] [nH+] [n+] [o+] [cH-] [cH+] [c-] [se] [te] [as] [si] [pH] "
    "[H] [2H] [N+] [O-] [B-] [S+] [P+] [PH] [SH] [CH2] [CH] [C] [N] [O] [Si] [Se] [As] [Sn] [Hg] [Al] [Na+] [13C] [C@H] [C@@]"
).split()
OLIGOMERS = Path(__file__).parents[2] / "../shared/data/nrel_polyid_stereopolymers.csv"


def folder(package):
    return Path(importlib.util.find_spec(package).origin).parent


def nothing(*_, **__):
    pass


def hollow(*packages, **modules):
    """Packages whose modules can be imported without their __init__, and modules that hold these names and no more."""
    for name in packages:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(folder("rdkit").parent / name.replace(".", "/"))]
    for name, content in modules.items():
        name = name.replace("__", ".")
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(content)


def nfp_preprocessor():
    """nfp's own, without its networks: those need TensorFlow, of which the preprocessor needs but names of types. Asked for the
    first version of its features, it is asked for the second one beside, whose tokens and vocabulary are the second value."""
    tensorflow = SimpleNamespace(TensorSpec=nothing, constant=nothing, io=SimpleNamespace(FixedLenFeature=nothing))
    hollow("nfp", "nfp.preprocessing", nfp__frameworks={"tf": tensorflow})
    from nfp.preprocessing import features
    from nfp.preprocessing.mol_preprocessor import SmilesPreprocessor
    from nfp.preprocessing.tokenizer import Tokenizer

    second = {"atoms": SimpleNamespace(tokenizer=Tokenizer(), ids=[]), "bonds": SimpleNamespace(tokenizer=Tokenizer(), ids=[])}

    def beside(kind, first, other):
        def of(thing, **flags):
            second[kind].ids.append(second[kind].tokenizer(other(thing, **flags)))
            return first(thing, **flags)

        return of

    of_atom = beside("atoms", features.atom_features_v1, features.atom_features_v2)
    of_bond = beside("bonds", features.bond_features_v1, features.bond_features_v2)
    return SmilesPreprocessor(atom_features=of_atom, bond_features=of_bond), second


def folded(ids):
    """One number for a list: the file would be twice as long with a second list of tokens."""
    value = 0xCBF29CE484222325
    for id in ids:
        value = (value ^ id) * 0x100000001B3 % 2**64
    return value


def chemprop_features():
    """Chemprop's own, without its networks, which need PyTorch."""
    types = {"chemprop__data__molgraph": {"MolGraph": None}, "chemprop__utils__utils": {"EnumMapping": Enum}}
    hollow("chemprop", "chemprop.featurizers", "chemprop.data", "chemprop.utils", **types)
    from chemprop.featurizers.atom import MultiHotAtomFeaturizer
    from chemprop.featurizers.bond import MultiHotBondFeaturizer

    of_atom, of_bond = MultiHotAtomFeaturizer.v2(), MultiHotBondFeaturizer()

    def features(molecule):
        """Places of the features that are 1, and for atoms the mass; the ends of each bond."""
        atoms = [of_atom(atom) for atom in molecule.GetAtoms()]
        return {
            "atoms": [[*atom[:-1].nonzero()[0].tolist(), atom[-1]] for atom in atoms],
            "bonds": [of_bond(bond).nonzero()[0].tolist() for bond in molecule.GetBonds()],
            "ends": [sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in molecule.GetBonds()],
        }

    return features


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


def further(path):
    """What a file has beyond the tables, by canonical spelling."""
    spellings = Path(path).read_text().split()
    known = {canonical(smiles) for table in chemicals() for smiles in table} - {None}
    return [smiles for smiles in dict.fromkeys(spellings) if canonical(smiles) not in known]


def canonical(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(molecule) if molecule is not None else None


def mutants(spellings, count):
    """Texts near to those of molecules, most of them no molecules; always the same ones."""
    chance = random.Random(0)
    texts = {}
    while len(texts) < count:
        tokens = TOKEN.findall(chance.choice(spellings))
        for _ in range(chance.choice((1, 1, 2, 3))):
            place = chance.randrange(len(tokens))
            match chance.choice(("replace", "insert", "delete", "swap")):
                case "replace":
                    tokens[place] = chance.choice(FOREIGN)
                case "insert":
                    tokens.insert(place, chance.choice(FOREIGN))
                case "delete" if len(tokens) > 1:
                    del tokens[place]
                case "swap":
                    other = chance.randrange(len(tokens))
                    tokens[place], tokens[other] = tokens[other], tokens[place]
        texts["".join(tokens)] = None
    return list(texts)


def sets(path_of_further=None):
    if path_of_further:
        return {"further": further(path_of_further)}
    measured, others = chemicals()
    changed = mutants([smiles for smiles in measured if len(smiles) < 80], 20_000)
    return {"measured": measured, "others": others, "oligomers": oligomers(), "mutants": changed}


def main(path, *path_of_further):
    RDLogger.DisableLog("rdApp.*")
    preprocessor, second = nfp_preprocessor()
    chemprop = chemprop_features()
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2)

    def describe(smiles, molecule, with_chemprop=False):
        if molecule is None:
            return {}
        for version in second.values():
            version.ids.clear()
        graph = preprocessor(smiles, train=True)
        sources, targets = graph["connectivity"].T.tolist() if len(graph["bond"]) else ([], [])
        assert sources == sorted(sources)
        environments = morgan.GetSparseCountFingerprint(molecule).GetNonzeroElements()
        return {
            "atoms": graph["atom"].tolist(),
            "bonds": graph["bond"].tolist(),
            "targets": targets,
            "v2": [folded(second["atoms"].ids), folded(second["bonds"].ids)],
            "morgan": sorted(environments.items()),
            "chemprop": chemprop(molecule) if with_chemprop else None,
        }

    with open(path, "w") as file:
        for name, spellings in sets(*path_of_further).items():
            in_rdkits_spelling = {}
            for smiles in spellings:
                molecule = Chem.MolFromSmiles(smiles)
                print(json.dumps({"set": name, "smiles": smiles, **describe(smiles, molecule)}), file=file)
                if molecule is not None:
                    in_rdkits_spelling[Chem.MolToSmiles(molecule)] = None
            for smiles in in_rdkits_spelling:
                molecule = Chem.MolFromSmiles(smiles)
                entry = {"set": f"{name}, canonical", "smiles": smiles, **describe(smiles, molecule, with_chemprop=True)}
                print(json.dumps(entry), file=file)
        tokenizers = {
            "atoms": preprocessor.atom_tokenizer,
            "bonds": preprocessor.bond_tokenizer,
            **{f"{kind}_v2": version.tokenizer for kind, version in second.items()},
        }
        vocabulary = {
            key: {text: id for text, id in tokenizer._data.items() if text != "unk"} for key, tokenizer in tokenizers.items()
        }
        print(json.dumps({"vocabulary": vocabulary}), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
