"""Trains one recipe and leaves a checkpoint that `chemmodel-export` reads; the held-out score is part of it."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import torch
import transformers

from chemmodel_export.checkpoint import TRAINING, save
from chemmodel_export.errors import ExportError
from chemmodel_export.files import check_free
from chemmodel_export.train import data
from chemmodel_export.train.loop import Trained, train
from chemmodel_export.train.measure import metrics
from chemmodel_export.train.recipe import RECIPES
from chemmodel_export.train.score import baselines


def main() -> int:
    try:
        return _train(_parser().parse_args())
    except ExportError as error:
        print(f"chemmodel-train-boiling-point: {error}", file=sys.stderr)
        return 1


def _train(arguments: argparse.Namespace) -> int:
    check_free(arguments.out, replace_if_holds=TRAINING)
    torch.set_num_threads(arguments.threads)
    transformers.utils.logging.disable_progress_bar()
    split = data.split(data.measured_boiling_points())
    print(f"{len(split.training)} molecules to train on, {len(split.held_out)} held out", flush=True)
    simple = baselines(split)
    print(f"baselines {simple}", flush=True)

    def keep(trained: Trained, epoch: int) -> None:
        measured = metrics(trained, split.held_out)
        print(f"held out after epoch {epoch}: {measured}", flush=True)
        described = describe(trained, split, arguments.recipe, epoch, {**measured, "baselines": simple})
        save(arguments.out, trained.network, trained.tokenizer, described)

    train(split.training, RECIPES[arguments.recipe], keep, lambda line: print(line, flush=True))
    return 0


def describe(trained: Trained, split: data.Split, recipe: str, epoch: int, measured: dict) -> dict:
    """`training.json`: what the numbers mean, which molecules to put into the bundle, and where it all comes from."""
    return {
        "name": "boiling-point",
        "outputs": [
            {
                "name": "boiling_point",
                "property": "normal boiling point",
                "unit": "K",
                "transform": "none",
                "scale": trained.scaling.scale,
                "center": trained.scaling.center,
            }
        ],
        "molecules": data.golden_molecules(split),
        "provenance": {
            "data": data.SOURCE,
            "split": data.RULE,
            "trainingMolecules": len(split.training),
            "recipe": {"name": recipe, **asdict(RECIPES[recipe])},
            "epochsTrained": epoch,
            "metrics": measured,
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chemmodel-train-boiling-point", description=__doc__)
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint, rewritten after every epoch")
    parser.add_argument("--threads", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
