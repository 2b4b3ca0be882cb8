"""A server of the committed bundle, for all tests."""

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "examples/models/boiling-point/v2"
MODEL = "boiling-point"
PORTS = {"--http-address": "http", "--grpc-address": "grpc", "--ops-address": "ops"}


@dataclass
class Server:
    """Where a server is, and what it must answer."""

    http: str
    grpc: str
    golden: dict[str, float]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    """Starts the program, waits until it says that it is ready, and stops it at the end."""
    arguments = [os.environ["CHEMMODEL_SERVER"], "--bundle", BUNDLE, "--name", MODEL, "--version", "v2"]
    arguments += [part for flag in PORTS for part in (flag, "127.0.0.1:0")]
    arguments += ["--drain-seconds", "0", "--termination-log", tmp_path_factory.mktemp("server") / "termination"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    addresses, said = {}, []
    for line in process.stdout:
        said.append(line)
        message = json.loads(line)
        if found := re.fullmatch(r"listening for (--\S+)", message["message"]):
            addresses[PORTS[found[1]]] = message["address"]
        if message["message"] == "ready":
            break
    else:
        pytest.fail("the server has ended: " + "".join(said))
    molecules = json.loads((BUNDLE / "golden.json").read_text())["molecules"]
    golden = {molecule["smiles"]: molecule["predictions"][0] for molecule in molecules}
    yield Server(addresses["http"], addresses["grpc"], golden)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
