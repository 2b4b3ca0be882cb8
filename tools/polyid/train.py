"""Trains a PolyID ensemble with PolyID's own code, and leaves the folder that PolyID itself loads.

    model/parameters.pk
    model/model_0/model_0.h5  model_0_data.pk     one per fold; the weights with the lowest validation loss

The table has the columns that PolyID asks for (`smiles_polymer`, `smiles_monomer`, `distribution`, `mechanism`,
`replicate_structure`) and one per property. `training.json` beside the folds says how they were trained.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
from genuine import MultiModel, PolymerPreprocessor, atom_features_v1, bond_features_v1, global100, tf


class Deadline(tf.keras.callbacks.Callback):
    """Ends a fold after an epoch when its time is over."""

    def __init__(self, minutes: float):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        self.over = time.monotonic() + 60 * self.minutes

    def on_epoch_end(self, epoch, logs=None):
        told = ", ".join(f"{name} {value:.4f}" for name, value in sorted(logs.items()))
        print(f"epoch {epoch + 1}: {told}", flush=True)
        self.model.stop_training = time.monotonic() > self.over


def main() -> None:
    asked = parser().parse_args()
    random.seed(asked.seed)
    np.random.seed(asked.seed)  # the folds are drawn from it
    tf.keras.utils.set_random_seed(asked.seed)
    models = MultiModel()
    models.load_dataset(str(asked.data), asked.property)
    models.split_data(kfolds=asked.folds)
    models.generate_data_scaler()
    models.generate_preprocessors(
        preprocessor=PolymerPreprocessor,
        atom_features=atom_features_v1,
        bond_features=bond_features_v1,
        batch_size=asked.batch,
    )
    shape = {
        "atom_features": asked.width,
        "bond_features": asked.width,
        "mol_features": 8,
        "num_messages": asked.messages,
        "dropout": 0.05,
        "learning_rate": asked.learning_rate,
        "decay": 1e-5,
        "batch_size": asked.batch,
        "epochs": asked.epochs,
    }
    # As PolyID's own `train_models` does, which forgets to hand the callbacks on.
    models._save_model_state(asked.out, shape, save_training=False)
    for fold in range(asked.folds):
        models.train_model(
            fold,
            modelbuilder=global100,
            model_params=shape,
            save_folder=asked.out,
            callbacks=[Deadline(asked.minutes / asked.folds)],
            verbose=0,
        )
    record = {"seed": asked.seed, "parameters": shape, "folds": [told(fold) for fold in models.models]}
    (asked.out / "training.json").write_text(json.dumps(record, indent=2) + "\n")


def told(fold) -> dict:
    """Which rows a fold was not trained on, and which epoch was kept."""
    losses = fold.df_loss_log["val_loss"].astype(float)
    return {
        "validation": sorted(map(int, fold.df_validate.index)),
        "epochs": len(losses),
        "bestEpoch": int(losses.idxmin()) + 1,
    }


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="CSV")
    parser.add_argument("--property", action="append", required=True, metavar="COLUMN", help="once per property")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=100, help="at most; the best one is kept")
    parser.add_argument("--minutes", type=float, default=600, help="at most, all folds together")
    parser.add_argument("--width", type=int, default=128, help="features of an atom and of a bond")
    parser.add_argument("--messages", type=int, default=12)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    return parser


if __name__ == "__main__":
    main()
