"""What the numbers were measured on and with: a ratio may travel, a number does not without this."""

import json
import os
import platform
import re
import subprocess
from pathlib import Path

from measure.places import BENCH, BUNDLE, FEATURE_LISTS, GRAPH_BUNDLE, GRAPH_MOLECULES, MOLECULES, POLYID, REPOSITORY, cores, server_cores
from measure.prepare import OHA_VERSION

NAMED = ("fastapi", "uvicorn", "mlserver", "bentoml", "litserve", "ray", "onnxruntime", "tokenizers")


def describe() -> dict[str, str]:
    """Words for the page."""
    lengths = sorted(len(smiles) for smiles in MOLECULES.read_text().split())
    return {
        **_common(f"{len(server_cores())} for the server"),
        "load generators": f"oha {OHA_VERSION} (closed loops), bench/src/bin/ask.rs (open loops)",
        "peers": ", ".join(f"{name} {version}" for name, version in _pins().items()),
        "model": f"{BUNDLE.relative_to(REPOSITORY)}, {(BUNDLE / 'model.onnx').stat().st_size / 1e6:.1f} MB",
        "molecules": (
            f"{len(lengths)} real ones, characters: median {lengths[len(lengths) // 2]}, "
            f"95 % up to {lengths[len(lengths) * 95 // 100]}, longest {lengths[-1]}"
        ),
    }


def describe_graphs() -> dict[str, str]:
    """The same for the page about graphs."""
    manifest = json.loads((GRAPH_BUNDLE / "chemmodel.json").read_text())
    networks = [(GRAPH_BUNDLE / name).stat().st_size / 1e6 for name in manifest["members"]]
    lists = ", ".join(f"{len(path.read_text().split())} {name}" for name, path in FEATURE_LISTS.items())
    return {
        **_common("one for whoever has its turn"),
        "load generator": "bench/src/bin/ask.rs",
        "original": json.loads((POLYID / "answers.json").read_text())["framework"],
        "model": f"{len(networks)} folds of {networks[0]:.1f} MB each",
        "molecules": f"{len(GRAPH_MOLECULES.read_text().split())} oligomers to predict; to featurise {lists}",
    }


def _common(of_the_server: str) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": f"{_processor()}, {len(cores())} cores ({of_the_server}, one for the load generator), {memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rust": _first_line("rustc", "--version"),
        "commit": _first_line("git", "describe", "--always", "--dirty"),
    }


def _pins() -> dict[str, str]:
    """The versions of the requirement files: what is installed is exactly that."""
    pins: dict[str, str] = {}
    for file in sorted((BENCH / "requirements").glob("*.txt")):
        for name, version in re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", file.read_text(), re.MULTILINE):
            if name.lower() in NAMED:
                pins.setdefault(name.lower(), version)
    return {name: pins[name] for name in NAMED if name in pins}


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _first_line(*command: str) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["unknown"])[0]
