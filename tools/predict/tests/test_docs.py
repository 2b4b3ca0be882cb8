"""The commands of docs/batch-prediction.md work as they stand, one after the other."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import read_csv, write_csv

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT.parents[1] / "docs/batch-prediction.md").read_text()
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)


def test_every_command_does_what_the_page_says(here, server, locked):
    shutil.copytree(PROJECT, "tools/predict", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    smiles = [*server.golden, "C C"]
    write_csv("molecules.csv", smiles)
    pq.write_table(pa.table({"SMILES": smiles}), "measured.parquet")
    Path("library.smi.gz").write_bytes(gzip.compress(b"CCO ethanol\n"))
    script = "\n".join(COMMAND.findall(PAGE))
    for name, url in {
        "https://boiling-point.chem.svc": locked,
        "http://boiling-point.chem": f"http://{server.http}",
    }.items():
        assert name in script
        script = script.replace(name, url)
    *good, failing = script.splitlines()
    assert len(good) == 6
    script = "\n".join(["set -e", *good, f"! {failing}"])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert f"\npredictions.csv: {len(smiles)} molecules, 1 with an error, " in done.stdout
    assert done.stderr.splitlines()[-1] in PAGE
    predictions = [float(row["prediction"]) for row in read_csv("predictions.csv")[:-1]]
    assert predictions == pytest.approx(list(server.golden.values()), rel=1e-4)
    assert pq.read_table("library.parquet")["name"].to_pylist() == ["ethanol"]
    assert Path("predicted.csv.gz").exists() and Path("locked.csv").exists() and not Path("other.csv").exists()
