"""How good an ensemble is where it was not trained, beside baselines without a network; adds it to `training.json`.

Each fold is asked for its own validation rows. A fold keeps the epoch that does best on them, so these figures are a
little kind. A table of held-out molecules (--held-out), of which training never knew, is asked of the whole ensemble.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from answer import load, members
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from sklearn.linear_model import Ridge

RIDGE = 30.0  # weight of the penalty, that of the boiling-point models


def main() -> None:
    asked = parser().parse_args()
    record_file = asked.model / "training.json"
    record, models, table = json.loads(record_file.read_text()), load(asked.model), pd.read_csv(asked.data)
    table = table.dropna(subset=models.prediction_columns, how="all").reset_index(drop=True)
    if asked.held_out:
        held_out = pd.read_csv(asked.held_out)
        predicted = members(models, list(held_out["smiles_polymer"])).mean(axis=1)
        asked_rows = [(table, held_out, predicted)]
    else:
        asked_rows = []
        for fold, told in zip(models.models, record["folds"], strict=True):
            kept = table.loc[told["validation"]]
            columns = [f"{name}_pred" for name in models.prediction_columns]
            asked_rows.append((table.drop(kept.index), kept, fold.predict(kept)[columns].to_numpy()))
    record["data"] = asked.source
    record["metrics"] = {
        "on": "heldOut" if asked.held_out else "validation",
        **{name: scores(name, column, asked_rows) for column, name in enumerate(models.prediction_columns)},
    }
    record_file.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record["metrics"], indent=2))


def scores(name: str, column: int, asked_rows: list) -> dict:
    """Of one property: the rows of all folds together."""
    found = {"ensemble": [], "mean": [], "monomerMean": [], "ridgeMorgan": []}
    truth = []
    for training, kept, predicted in asked_rows:
        known, measured = training.dropna(subset=[name]), kept[name].notna().to_numpy()
        kept = kept[measured]
        truth.append(kept[name].to_numpy())
        mean = known[name].mean()
        found["ensemble"].append(predicted[measured, column])
        found["mean"].append(np.full(len(kept), mean))
        same = known.groupby("smiles_monomer")[name].mean()
        found["monomerMean"].append(kept["smiles_monomer"].map(same).fillna(mean).to_numpy())
        ridge = Ridge(alpha=RIDGE).fit(fragments(known), known[name])
        found["ridgeMorgan"].append(ridge.predict(fragments(kept)))
    truth = np.concatenate(truth)
    told = {how: score(np.concatenate(parts), truth) for how, parts in found.items()}
    return {**told.pop("ensemble"), "rows": len(truth), "baselines": told}


def score(predicted: np.ndarray, truth: np.ndarray) -> dict:
    error = predicted - truth
    r2 = 1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()
    return {
        "mae": round(float(np.abs(error).mean()), 2),
        "rmse": round(float(np.sqrt((error**2).mean())), 2),
        "r2": round(float(r2), 4),
    }


def fragments(table: pd.DataFrame) -> np.ndarray:
    """Counts of hashed circular fragments, and of heavy atoms, float64 `[rows, 2049]`."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    molecules = [Chem.MolFromSmiles(smiles) for smiles in table["smiles_polymer"]]
    counts = np.array([generator.GetCountFingerprintAsNumPy(m) for m in molecules], dtype=np.float64)
    return np.hstack([counts, [[m.GetNumHeavyAtoms()] for m in molecules]])


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="what train.py wrote")
    parser.add_argument("--data", type=Path, required=True, metavar="CSV", help="the table that it was trained on")
    parser.add_argument("--held-out", type=Path, metavar="CSV", help="a table that it was not trained on")
    parser.add_argument("--source", required=True, metavar="TEXT", help="where the tables come from, for the manifest")
    return parser


if __name__ == "__main__":
    main()
