"""A real server, a door before it, and the tool as people run it."""

import csv
import hashlib
from pathlib import Path

import pytest
import trustme
from chemmodel_server import running
from door import opened

from chemmodel_predict.cli import main


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server"), "v2") as server:
        yield server


@pytest.fixture
def door(server):
    with opened(server.http) as door:
        yield door


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def locked(here):
    """URL of a server that asks for a key and has a certificate; `key` and `ca.pem` are what one needs for it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path("ca.pem")
    certificate.private_key_pem.write_to_path("tls.key")
    certificate.cert_chain_pems[0].write_to_path("tls.crt")
    Path("key").write_text("secret\n")
    Path("keys").mkdir()
    Path("keys/lab").write_text("sha256:" + hashlib.sha256(b"secret").hexdigest())
    flags = ["--tls-certificate", "tls.crt", "--tls-key", "tls.key", "--api-keys", "keys"]
    with running(here, "v2", *flags) as server:
        yield f"https://{server.http}"


@pytest.fixture
def predict(server, capsys, here):
    """Runs the tool; what it says, after checking how it ended."""

    def run(source: str, out: str, *flags: str, url: str = f"http://{server.http}", status: int = 0) -> str:
        ended = main([source, "--url", url, "--out", out, *flags])
        said = capsys.readouterr()
        assert ended == status, said
        return said.err if status else said.out

    return run


def write_csv(path: str, smiles: list[str]) -> None:
    """With an identifier that is not a number."""
    rows = [f"{number:05},{molecule}\n" for number, molecule in enumerate(smiles)]
    Path(path).write_text("id,smiles\n" + "".join(rows))


def read_csv(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))
