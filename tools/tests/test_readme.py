"""The commands that the READMEs give for one's own checkpoint work as they stand."""

import re
import shlex
from pathlib import Path

import pytest
from conftest import TOOLS
from test_chemprop import SERVED as CHEMPROP

from chemmodel_export.cli import main

COMMAND = re.compile(r"chemmodel-export (chemberta --checkpoint my-model (?:\\\n|[^`\n])*)")


VARIANT = re.compile(r"chemmodel-export (variant my-bundle [^`\n]*)")
CHEMPROP_COMMAND = re.compile(r"chemmodel-export (chemprop --checkpoint my-chemprop [^`\n]*)")


def commands() -> list[str]:
    pages = [TOOLS.parent / "README.md", TOOLS / "README.md"]
    return [found.replace("\\\n", " ") for page in pages for found in COMMAND.findall(page.read_text())]


def test_both_readmes_show_how_to_export_a_checkpoint():
    assert len(commands()) == 2


@pytest.mark.parametrize("command", commands())
def test_the_command_writes_a_bundle(command, own_checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my-model").symlink_to(own_checkpoint)
    Path("mine.smi").write_text("CCO\nc1ccccc1 benzene\n")
    assert main(shlex.split(command)) == 0
    assert Path("my-bundle", "chemmodel.json").exists()
    assert main(["verify", "my-bundle"]) == 0


def test_the_command_for_another_precision_writes_a_bundle(tiny_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my-bundle").symlink_to(tiny_bundle)
    (command,) = VARIANT.findall((TOOLS / "README.md").read_text())
    assert main(shlex.split(command)) == 0
    assert ", in int8 " in capsys.readouterr().out
    assert Path("my-bundle-int8", "chemmodel.json").exists()


def test_the_command_for_chemprop_writes_a_bundle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my-chemprop").symlink_to(CHEMPROP / "norm")
    (command,) = CHEMPROP_COMMAND.findall((TOOLS / "README.md").read_text())
    assert main(shlex.split(command)) == 0
    assert main(["verify", "my-bundle"]) == 0
