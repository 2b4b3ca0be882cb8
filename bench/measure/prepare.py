"""Makes what a run needs, each thing once: programs, a load generator, virtual environments, molecules, requests."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from measure import bodies
from measure.cells import SIZES
from measure.places import BENCH, CACHE, MOLECULES, OHA, ONNX_RUNTIME, REPOSITORY, WORK, python_of

OHA_VERSION = "1.16.0"
PEERS = ("fastapi", "mlserver", "bentoml", "litserve", "ray")


def prepare() -> None:
    """What every part needs; says what it makes, because the first time takes minutes."""
    _programs()
    _load_generator()
    environment("molecules", _requirements("molecules"))
    if not MOLECULES.exists():
        _molecules()
    bodies.write(SIZES)


def prepare_peers() -> None:
    """The other servers."""
    for name in PEERS:
        environment(name, _requirements(name))


def _programs() -> None:
    print("programs: cargo build --release", flush=True)
    packages = ("--package", "chemmodel-inference", "--package", "chemmodel-bench")
    _do(["cargo", "build", "--release", "--locked", "--quiet", *packages])
    if not ONNX_RUNTIME.exists():
        _do(["make", "--silent", "onnxruntime"], CHEMMODEL_CACHE=str(CACHE))


def _load_generator() -> None:
    if not OHA.exists():
        print(f"load generator: cargo install oha {OHA_VERSION}", flush=True)
        _do(["cargo", "install", "--locked", "--quiet", "--root", str(CACHE), "--version", OHA_VERSION, "oha"])


def environment(name: str, wanted: Path, *packages: str) -> None:
    """A virtual environment with packages; without any, with those that a list wants. The lists are complete, so nothing is
    looked for beside them (`--no-deps`). Made again when the file of what is wanted has changed."""
    stamp = WORK / "venvs" / name / "installed"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"virtual environment: {name}", flush=True)
    python = python_of(name)
    _do([sys.executable, "-m", "venv", "--clear", str(python.parent.parent)])
    _do([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *(packages or ("--no-deps", "-r", str(wanted)))])
    stamp.write_text(digest)


def _requirements(name: str) -> Path:
    return BENCH / "requirements" / f"{name}.txt"


def _molecules() -> None:
    print("molecules", flush=True)
    tools = {"PYTHONPATH": str(REPOSITORY / "tools" / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python_of("molecules")), str(BENCH / "measure" / "molecules.py")]
    text = subprocess.run(command, env={**os.environ, **tools}, capture_output=True, text=True, check=True).stdout
    MOLECULES.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(MOLECULES, text)


def _write_whole(path: Path, text: str) -> None:
    """A run that is interrupted leaves no half file behind that the next would take for the whole."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def _do(command: list[str], **environment: str) -> None:
    subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **environment}, check=True)
