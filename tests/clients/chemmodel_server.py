"""The server as a process of its own, for tests that ask it from outside."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUNDLES = Path(__file__).parents[2] / "examples/models/boiling-point"
MODEL = "boiling-point"
PORTS = {"--http-address": "http", "--grpc-address": "grpc", "--ops-address": "ops"}


@dataclass
class Server:
    """Where a server is, and what it must answer."""

    http: str
    grpc: str
    golden: dict[str, float]


@contextmanager
def running(folder: Path, version: str, *flags: str | Path) -> Iterator[Server]:
    """Starts the program, waits until it says that it is ready, and stops it at the end."""
    bundle = BUNDLES / version
    arguments = [os.environ["CHEMMODEL_SERVER"], "--bundle", bundle, "--name", MODEL, "--version", version]
    arguments += [part for flag in PORTS for part in (flag, "127.0.0.1:0")]
    arguments += ["--drain-seconds", "0", "--termination-log", folder / "termination", *flags]
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
        raise AssertionError("the server has ended: " + "".join(said))
    molecules = json.loads((bundle / "golden.json").read_text())["molecules"]
    golden = {molecule["smiles"]: molecule["predictions"][0] for molecule in molecules}
    try:
        yield Server(addresses["http"], addresses["grpc"], golden)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
