"""`chemmodel-export polyid`."""

import argparse
from pathlib import Path

import torch

from chemmodel_export.polyid import answers, bundle, folder, outputs


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("polyid", help="export a PolyID ensemble")
    command.add_argument("--model", type=Path, required=True, metavar="DIR", help="what PolyID wrote")
    command.add_argument("--answers", type=Path, required=True, metavar="FILE", help="of tools/polyid/answer.py")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; must not exist")
    command.add_argument("--name", required=True, help="name of the bundle")
    command.add_argument(
        "--output",
        action="append",
        required=True,
        metavar="COLUMN:PROPERTY:UNIT",
        help="once per predicted column, in order; what a column log10_X holds is answered as X",
    )
    command.set_defaults(run=_export)


def _export(parsed: argparse.Namespace) -> str:
    torch.set_num_threads(1)  # one molecule at a time is too little to share
    ensemble = folder.load(parsed.model)
    described = outputs.described(parsed.output, ensemble.columns)
    digest = bundle.write(ensemble, answers.load(parsed.answers, ensemble), parsed.name, described, parsed.out)
    return f"wrote {parsed.out}, {digest}"
