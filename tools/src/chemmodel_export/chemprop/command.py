"""`chemmodel-export chemprop`."""

import argparse
from pathlib import Path

import torch

from chemmodel_export.chemprop import answers, bundle, checkpoint
from chemmodel_export.errors import ExportError
from chemmodel_export.predict import INVERSE


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("chemprop", help="export what Chemprop 2 trained")
    command.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="DIR",
        help="what `chemprop train` wrote, with the answers of tools/chemprop/answer.py",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; must not exist")
    command.add_argument("--name", help="name of the bundle (default: what training recorded)")
    command.add_argument(
        "--output",
        action="append",
        metavar="NAME[:PROPERTY[:UNIT]]",
        help="once per output of the network, in order (default: what training recorded)",
    )
    command.add_argument(
        "--transform", choices=sorted(INVERSE), default="none", help="of every --output, before it was scaled"
    )
    command.set_defaults(run=_export)


def _export(parsed: argparse.Namespace) -> str:
    torch.set_num_threads(1)  # one molecule at a time is too little to share
    trained = checkpoint.load(parsed.checkpoint)
    name, outputs = parsed.name or trained.training.get("name"), _outputs(parsed) or trained.training.get("outputs")
    if not name or not outputs:
        raise ExportError(f"{parsed.checkpoint} does not say what it predicts: give --name and --output")
    answered = answers.load(parsed.checkpoint / checkpoint.ANSWERS, trained.members)
    digest = bundle.write(trained, answered, name, outputs, parsed.out)
    return f"wrote {parsed.out}, {digest}"


def _outputs(parsed: argparse.Namespace) -> list[dict]:
    """The network undoes the scaling of its labels itself."""
    described = [(*text.split(":", 2), "", "")[:3] for text in parsed.output or []]
    return [
        {"name": name, "property": about, "unit": unit, "transform": parsed.transform, "scale": 1.0, "center": 0.0}
        for name, about, unit in described
    ]
