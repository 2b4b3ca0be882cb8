"""`chemmodel-export`: makes a bundle from a checkpoint, and checks one."""

import argparse
import sys
from pathlib import Path

import torch

from chemmodel_export import bundle, checkpoint
from chemmodel_export.chemprop import command as chemprop
from chemmodel_export.errors import ExportError
from chemmodel_export.polyid import command as polyid
from chemmodel_export.precision import variant
from chemmodel_export.predict import INVERSE
from chemmodel_export.verify import verify


def main(arguments: list[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    try:
        print(parsed.run(parsed))
    except ExportError as error:
        print(f"chemmodel-export: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chemmodel-export", description=__doc__)
    commands = parser.add_subparsers(required=True)
    chemberta = commands.add_parser("chemberta", help="export a RoBERTa or ChemBERTa checkpoint with a regression head")
    chemberta.add_argument("--checkpoint", type=Path, required=True, metavar="DIR")
    chemberta.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; must not exist")
    chemberta.add_argument("--name", help="name of the bundle (default: what training recorded)")
    chemberta.add_argument(
        "--output",
        action="append",
        metavar="NAME[:PROPERTY[:UNIT]]",
        help="once per output of the network, in order (default: what training recorded)",
    )
    chemberta.add_argument("--transform", choices=sorted(INVERSE), help="of every --output (default: none)")
    chemberta.add_argument("--scale", type=float, help="of every --output (default: 1)")
    chemberta.add_argument("--center", type=float, help="of every --output (default: 0)")
    chemberta.add_argument("--molecules", type=Path, metavar="FILE", help="more golden molecules, one SMILES a line")
    chemberta.set_defaults(run=_export)
    polyid.add(commands)
    chemprop.add(commands)
    _add_variant(commands)
    check = commands.add_parser("verify", help="recompute digests, tensors and answers of a bundle")
    check.add_argument("bundle", type=Path)
    check.set_defaults(run=lambda parsed: verify(parsed.bundle))
    return parser


def _add_variant(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("variant", help="write a bundle anew, with its networks in another precision beside")
    command.add_argument("bundle", type=Path)
    command.add_argument("--precision", choices=sorted(variant.FRACTION), required=True)
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new bundle; must not exist")
    command.add_argument(
        "--absolute",
        type=float,
        help="how far an answer may be from its reference, in its unit (default: 0.02 standard deviations of the "
        "reference answers for int8, 0.002 for fp16)",
    )
    command.add_argument("--relative", type=float, help="and this fraction of it (default: that of golden.json)")
    command.add_argument(
        "--molecules",
        type=Path,
        metavar="FILE",
        help="SMILES, one a line, that fix the ranges of int8 beside the golden ones; best some thousand of training",
    )
    command.add_argument(
        "--reduce-range", action="store_true", help="7 bits in the weights of int8, for processors without VNNI"
    )
    command.set_defaults(run=_variant)


def _variant(parsed: argparse.Namespace) -> str:
    extra = _smiles(parsed.molecules) if parsed.molecules else []
    wanted = variant.Wanted(parsed.precision, parsed.absolute, parsed.relative, extra, parsed.reduce_range)
    verified = variant.add(parsed.bundle, wanted, parsed.out)
    return f"wrote {parsed.out}, {verified}"


def _export(parsed: argparse.Namespace) -> str:
    torch.set_num_threads(1)  # one molecule at a time is too little to share
    loaded = checkpoint.load(parsed.checkpoint)
    name, outputs = parsed.name or loaded.training.get("name"), _outputs(parsed) or loaded.training.get("outputs")
    if not name or not outputs:
        raise ExportError(f"{parsed.checkpoint} does not say what it predicts: give --name and --output")
    extra = [*(_smiles(parsed.molecules) if parsed.molecules else []), *loaded.training.get("molecules", [])]
    digest = bundle.write(loaded, name, outputs, extra, parsed.out)
    return f"wrote {parsed.out}, {digest}"


def _smiles(path: Path) -> list[str]:
    """The first word of every line, so that `.smi` files with names serve too."""
    try:
        return [words[0] for line in path.read_text("utf-8").splitlines() if (words := line.split())]
    except (OSError, ValueError) as error:
        raise ExportError(f"--molecules {path} cannot be read: {error}") from error


def _outputs(parsed: argparse.Namespace) -> list[dict]:
    given = {"transform": parsed.transform, "scale": parsed.scale, "center": parsed.center}
    given = {field: value for field, value in given.items() if value is not None}
    if given and not parsed.output:
        raise ExportError(f"--{next(iter(given))} says how an --output was scaled, but no --output is given")
    labels = {"transform": "none", "scale": 1.0, "center": 0.0, **given}
    described = [(*text.split(":", 2), "", "")[:3] for text in parsed.output or []]
    return [{"name": name, "property": about, "unit": unit, **labels} for name, about, unit in described]


if __name__ == "__main__":
    sys.exit(main())
