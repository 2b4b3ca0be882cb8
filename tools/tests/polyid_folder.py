"""Writes a folder as PolyID does, with random weights, and the answers that `tools/polyid/answer.py` would have got.

The pickles name classes of polyid, nfp and scikit-learn, none of which is installed where the exporter is.
"""

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

import h5py
import numpy as np
import polyid_oracle as oracle
from rdkit import Chem

FEATURES, UNITS, STEPS, COLUMNS = 6, 3, 3, ["Tg", "log10_Permeability_CO2"]
FIRST = ("atom_features_v1", "bond_features_v1")
# What the table of the training had: each fold sees another part, so their vocabularies differ.
TABLE = ["CCO", "CC(=O)OC", "c1ccccc1C", "CCSC"]
SEEN = [TABLE[:3], TABLE[1:]]
ROWS = TABLE
GOLDEN = [
    *("C" * n for n in range(2, 30)),
    *("C" * n + "O" for n in range(1, 25)),
    *("CC(=O)O" + "C" * n for n in range(1, 10)),
    *("CCOC(=O)c1ccccc1", "c1(C(=O)OCC)ccccc1", "O=C(c1ccccc1)OCC"),  # one molecule, its atoms in other orders
    *("CCN", "C=C", "CSC", "OCCO"),  # nitrogen is unknown to both folds, sulfur to one
]


class Fold:
    def __init__(self, number: int, features: tuple = FIRST):
        self.number, self.features = number, features
        self.texts = tuple(oracle.TEXTS[name] for name in features)
        self.rng = np.random.default_rng(number)
        molecules = [Chem.AddHs(Chem.MolFromSmiles(s)) for s in SEEN[number]]
        self.atoms = ids(self.texts[0](a) for m in molecules for a in m.GetAtoms())
        self.bonds = ids(self.texts[1](b) for m in molecules for b in m.GetBonds())
        self.scale, self.center = np.array([30.0, 0.5]) + number, np.array([40.0, 0.5]) - number
        self.layers = {"atom_embedding": [self.draw(len(self.atoms) + 2, FEATURES)]}
        self.layers["bond_embedding"] = [self.draw(len(self.bonds) + 2, FEATURES)]
        # One process trains fold after fold, and Keras keeps counting its layers.
        for kind, count, shape in (
            ("global_update", STEPS + 1, ((FEATURES, 1), (FEATURES, UNITS))),
            ("edge_update", STEPS, ((3 * FEATURES + UNITS, 2 * FEATURES), (2 * FEATURES, FEATURES))),
            ("node_update", STEPS - 1, self.node_shapes()),
        ):
            for i in range(number * count, number * count + count):
                self.layers[f"{kind}_{i}" if i else kind] = self.dense(shape)
        for i in range(len(COLUMNS)):
            self.layers[f"bondwise_values_{i}"] = self.dense(((FEATURES, 1),))

    def node_shapes(self) -> tuple:
        wide = 2 * FEATURES
        return ((2 * FEATURES + UNITS, wide), (wide, FEATURES), (FEATURES, wide), (wide, FEATURES))

    def draw(self, *shape: int) -> np.ndarray:
        return self.rng.normal(scale=0.25, size=shape).astype(np.float32)

    def dense(self, shapes: tuple) -> list[np.ndarray]:
        return [array for shape in shapes for array in (self.draw(*shape), self.draw(shape[1]))]

    def tensors(self, smiles: str) -> tuple:
        return oracle.tensors(smiles, self.atoms, self.bonds, self.texts)

    def answer(self, smiles: str) -> list[float]:
        return oracle.predict(self.layers, self.tensors(smiles), self.scale, self.center).tolist()

    def write(self, folder: Path) -> None:
        folder = folder / f"model_{self.number}"
        folder.mkdir(parents=True)
        write_weights(folder / f"{folder.name}.h5", self.layers)
        write_data(folder / f"{folder.name}_data.pk", self.data())

    def data(self) -> dict:
        return {
            "prediction_columns": COLUMNS,
            "data_scaler": {"scale_": self.scale, "center_": self.center},
            "atom_tokenizer": {"_data": {"unk": 1, **self.atoms}, "num_classes": len(self.atoms) + 1},
            "bond_tokenizer": {"_data": {"unk": 1, **self.bonds}, "num_classes": len(self.bonds) + 1},
            "features": self.features,
        }


def ids(tokens) -> dict[str, int]:
    return {token: i for i, token in enumerate(dict.fromkeys(tokens), start=2)}


def write(folder: Path, features: tuple = FIRST) -> list[Fold]:
    folds = [Fold(number, features) for number in range(len(SEEN))]
    for fold in folds:
        fold.write(folder)
    (folder / "training.json").write_text(json.dumps({"seed": 1, "folds": [{"validation": [7], "epochs": 3}] * 2}))
    return folds


def write_answers(path: Path, folds: list[Fold]) -> None:
    def row(smiles: str) -> dict:
        return {"smiles": smiles, "members": [fold.answer(smiles) for fold in folds]}

    def seen(smiles: str) -> dict:
        return dict(zip(("atom", "bond", "connectivity"), folds[0].tensors(smiles), strict=True))

    molecules = [{**row(smiles), **seen(smiles)} for smiles in GOLDEN]
    told = {"framework": "an oracle", "columns": COLUMNS, "training": TABLE, "rows": [row(s) for s in ROWS]}
    path.write_text(json.dumps({**told, "molecules": molecules}))


def write_weights(path: Path, layers: dict[str, list[np.ndarray]]) -> None:
    with h5py.File(path, "w") as file:
        for name, arrays in layers.items():
            group = file.create_group(f"model_weights/{name}")
            names = [f"{name}/array_{i}:0" for i in range(len(arrays))]
            group.attrs["weight_names"] = [n.encode() for n in names]
            for n, array in zip(names, arrays, strict=True):
                group[n] = array
        file.create_group("model_weights/dropout").attrs["weight_names"] = []


def write_data(path: Path, data: dict) -> None:
    """As PolyID pickles: objects by their class, functions by their name. The modules exist for this moment alone."""
    where = {
        "RobustScaler": "sklearn.preprocessing._data",
        "Tokenizer": "nfp.preprocessing.tokenizer",
        "PolymerPreprocessor": "polyid.preprocessors.preprocessors",
        **dict.fromkeys(data["features"], "polyid.preprocessors.features"),
    }
    made = {name: type(name, (), {"__module__": module}) for name, module in where.items()}
    modules = {module: ModuleType(module) for module in where.values()}
    for name, module in where.items():
        setattr(modules[module], name, made[name])

    def thing(name: str, state: dict) -> object:
        value = made[name]()
        value.__dict__.update(state)
        return value

    atom_features, bond_features = (made[name] for name in data["features"])
    preprocessor = {
        "atom_tokenizer": thing("Tokenizer", data["atom_tokenizer"]),
        "bond_tokenizer": thing("Tokenizer", data["bond_tokenizer"]),
        "atom_features": atom_features,
        "bond_features": bond_features,
        "explicit_hs": data.get("explicit_hs", True),
    }
    content = {
        "prediction_columns": data["prediction_columns"],
        "data_scaler": thing("RobustScaler", data["data_scaler"]),
        "preprocessor": thing("PolymerPreprocessor", preprocessor),
    }
    parents = {parent: ModuleType(parent) for module in modules for parent in package_names(module)}
    with mock.patch.dict(sys.modules, parents | modules):
        path.write_bytes(pickle.dumps(content))


def package_names(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]
