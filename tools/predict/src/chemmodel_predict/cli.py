"""`chemmodel-predict`: asks a ChemModel for every molecule of a file."""

import argparse
import sys
from pathlib import Path

from chemmodel_predict.client import Server, credentials, trust
from chemmodel_predict.errors import PredictError
from chemmodel_predict.run import Job, run


def main(arguments: list[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    try:
        print(run(_job(parsed)))
    except PredictError as error:
        print(f"chemmodel-predict: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("chemmodel-predict: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chemmodel-predict", description=__doc__)
    parser.add_argument("input", type=Path, help="molecules: .csv or .smi, also in .gz, or .parquet")
    parser.add_argument("--url", type=_url, required=True, help="of the model's Service, http://boiling-point.chem")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv, .csv.gz or .parquet")
    parser.add_argument("--column", default="smiles", help="that has the SMILES (default: smiles)")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="a key, or a token of the cluster")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="authority of the server's certificate, in PEM")
    parser.add_argument("--batch", type=_positive, default=64, metavar="N", help="molecules of a list (default: 64)")
    parser.add_argument("--parallel", type=_positive, default=4, metavar="N", help="lists asked at once (default: 4)")
    parser.add_argument(
        "--patience",
        type=_positive,
        default=300,
        metavar="SECONDS",
        help="without any answer, before it is given up (default: 300)",
    )
    return parser


def _job(parsed: argparse.Namespace) -> Job:
    headers, tls = credentials(parsed.api_key_file), trust(parsed.ca_file)
    server = Server(parsed.url, headers, tls, parsed.parallel, parsed.patience)
    return Job(parsed.input, parsed.column, parsed.out, parsed.batch, server)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text} must begin with http:// or https://")
    return text.rstrip("/")


if __name__ == "__main__":
    sys.exit(main())
