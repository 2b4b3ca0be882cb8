"""Trains the example of Chemprop: normal boiling points with the package itself, as its users do.

The folder that it writes is laid out like that of `chemprop train`; `answers.json` and `training.json` are for
`chemmodel-export chemprop`. Molecules, held-out ones too, are those of `chemmodel-train-boiling-point`.
"""

import argparse
import sys
from pathlib import Path

import answer
import numpy as np
import torch
from lightning import pytorch as lightning
from sklearn.preprocessing import StandardScaler

from chemmodel_export.chemprop import checkpoint, features
from chemmodel_export.files import new_folder, write_json
from chemmodel_export.train import data as boiling_points
from chemmodel_export.train.score import baselines, score
from chemprop import data, models, nn

RECIPE = {
    "depth": 3,
    "hidden": 300,
    "ffnLayers": 2,
    "aggregation": "norm",
    "batchNorm": True,
    "dropout": 0.0,
    "epochs": 40,
    "batch": 50,
    "warmupEpochs": 2,
    "learningRate": 1e-3,
    "seed": 20261122,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="must not exist")
    target = parser.parse_args().out
    torch.set_num_threads(1)
    split = boiling_points.split(boiling_points.measured_boiling_points())
    with new_folder(target) as scratch:
        model = train(split.training, RECIPE)
        (scratch / "model_0").mkdir()
        models.save_model(scratch / "model_0" / "best.pt", model, ["boiling_point"])
        measured = score(answer.predict([model], [m.smiles for m in split.held_out])[:, 0, 0], split.held_out).rounded()
        print(f"held out: {measured}", flush=True)
        golden = boiling_points.golden_molecules(split)
        write_json(scratch / checkpoint.ANSWERS, answer.answers([model], golden))
        write_json(scratch / checkpoint.TRAINING, describe(split, measured))
    return 0


def train(molecules: list[boiling_points.Molecule], recipe: dict) -> models.MPNN:
    lightning.seed_everything(recipe["seed"])
    points = [data.MoleculeDatapoint(features.molecule(m.smiles), np.array([m.kelvin])) for m in molecules]
    dataset = data.MoleculeDataset(points)
    scaler: StandardScaler = dataset.normalize_targets()
    dataset.cache = True
    model = network(recipe, nn.UnscaleTransform.from_standard_scaler(scaler))
    trainer = lightning.Trainer(
        max_epochs=recipe["epochs"],
        accelerator="cpu",
        deterministic=True,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[_Progress()],
    )
    trainer.fit(model, data.build_dataloader(dataset, batch_size=recipe["batch"], seed=recipe["seed"]))
    return model.eval()


class _Progress(lightning.Callback):
    def on_train_epoch_end(self, trainer: lightning.Trainer, model: models.MPNN) -> None:
        loss = trainer.callback_metrics["train_loss_epoch"]
        print(f"epoch {trainer.current_epoch + 1}: {loss:.4f} squared standard deviations", flush=True)


def network(recipe: dict, unscale: nn.UnscaleTransform) -> models.MPNN:
    hidden = recipe["hidden"]
    aggregation = {"mean": nn.MeanAggregation, "sum": nn.SumAggregation, "norm": nn.NormAggregation}
    return models.MPNN(
        nn.BondMessagePassing(d_h=hidden, depth=recipe["depth"], dropout=recipe["dropout"]),
        aggregation[recipe["aggregation"]](),
        nn.RegressionFFN(
            input_dim=hidden,
            hidden_dim=hidden,
            n_layers=recipe["ffnLayers"],
            dropout=recipe["dropout"],
            output_transform=unscale,
        ),
        batch_norm=recipe["batchNorm"],
        warmup_epochs=recipe["warmupEpochs"],
        max_lr=recipe["learningRate"],
    )


def describe(split: boiling_points.Split, measured: dict) -> dict:
    """What the numbers mean and where they come from."""
    return {
        "name": "chemprop-boiling-point",
        "outputs": [
            {
                "name": "boiling_point",
                "property": "normal boiling point",
                "unit": "K",
                "transform": "none",
                "scale": 1.0,
                "center": 0.0,
            }
        ],
        "provenance": {
            "data": boiling_points.SOURCE,
            "split": boiling_points.RULE,
            "stereo": "marks were dropped before training",
            "framework": answer.framework(),
            "trainingMolecules": len(split.training),
            "recipe": RECIPE,
            "metrics": {**measured, "heldOut": len(split.held_out), "baselines": baselines(split)},
        },
    }


if __name__ == "__main__":
    sys.exit(main())
