"""What PolyID itself answers, fold by fold and one molecule at a time: the reference that a bundle is checked against.

`rows` are rows of the training table. They are for the check alone; `chemmodel-export` does not publish them, since the
table may not be public. `molecules` are those of --ask, and become the golden ones. `training` lists all structures of
the table, for the domain of validity.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from genuine import MultiModel

ROWS = 300  # of a large table, evenly spread
FRAMEWORK = ("polyid", "nfp", "tensorflow", "rdkit")


def main() -> None:
    asked = parser().parse_args()
    models = load(asked.model)
    training = list(dict.fromkeys(pd.read_csv(asked.data)["smiles_polymer"]))
    rows = training[:: -(-len(training) // ROWS)]
    molecules = list(dict.fromkeys(line.split()[0] for line in asked.ask.read_text().splitlines() if line.strip()))
    answered = members(models, [*rows, *molecules]).tolist()
    content = {
        "framework": ", ".join(f"{name} {version(name)}" for name in FRAMEWORK) + ", float32, one molecule at a time",
        "columns": models.prediction_columns,
        "training": training,
        "rows": [{"smiles": s, "members": m} for s, m in zip(rows, answered[: len(rows)], strict=True)],
        "molecules": [
            {"smiles": s, "members": m, **tokens(models, s)}
            for s, m in zip(molecules, answered[len(rows) :], strict=True)
        ],
    }
    asked.out.write_text(json.dumps(content) + "\n")


def load(folder: Path) -> MultiModel:
    """In the order of the folds: PolyID's own order is that of the file system."""
    return MultiModel.load_models(folder, nmodels=len(list(folder.glob("model_*"))))


def members(models: MultiModel, smiles: list[str]) -> np.ndarray:
    """In the unit of the table, `[molecules, folds, properties]`."""
    table = pd.DataFrame({"smiles_polymer": smiles})
    columns = [f"{name}_pred" for name in models.prediction_columns]
    return np.stack([fold.predict(table)[columns].to_numpy() for fold in models.models], axis=1)


def tokens(models: MultiModel, smiles: str) -> dict:
    """The tensors that the first fold sees."""
    tensors = models.models[0].preprocessor(pd.Series({"smiles_polymer": smiles}))
    return {name: tensors[name].tolist() for name in ("atom", "bond", "connectivity")}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="what train.py wrote")
    parser.add_argument("--data", type=Path, required=True, metavar="CSV", help="the table that it was trained on")
    parser.add_argument(
        "--ask", type=Path, required=True, metavar="FILE", help="SMILES of golden molecules, one a line"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    return parser


if __name__ == "__main__":
    main()
