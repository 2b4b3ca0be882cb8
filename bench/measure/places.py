"""Where things are. What can be made again lies in the cache, never in the repository."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BENCH = REPOSITORY / "bench"
PEERS = BENCH / "peers"
BUNDLE = REPOSITORY / "examples" / "models" / "boiling-point" / "v2-int8"
PAGE = REPOSITORY / "docs" / "benchmarks.md"
PLOT = REPOSITORY / "docs" / "benchmarks.svg"

CACHE = Path(os.environ.get("CHEMMODEL_CACHE", Path.home() / ".cache" / "chemmodel"))
OHA = CACHE / "bin" / "oha"
# `make onnxruntime` puts it there.
ORT_VERSION = re.findall(r"^ORT_VERSION = (\S+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)[0]
ONNX_RUNTIME = CACHE / "onnxruntime" / ORT_VERSION / "libonnxruntime.so"
WORK = CACHE / "bench"
MOLECULES = WORK / "molecules.txt"
LOGS = WORK / "logs"
RESULTS = WORK / "results.json"

GRAPH_PAGE = REPOSITORY / "docs" / "benchmarks-graphs.md"
GRAPH_RESULTS = WORK / "results-graphs.json"
POLYID = WORK / "polyid"
POLYID_MODEL = POLYID / "model"
POLYID_TOOLS = REPOSITORY / "tools" / "polyid"
GRAPH_BUNDLE = POLYID / "bundle" / "v1"
GRAPH_REQUESTS = POLYID / "requests.txt"
GRAPH_MOLECULES = POLYID / "oligomers.txt"
GRAPH_SAMPLE = POLYID / "sample.txt"
FEATURE_LISTS = {"oligomers": GRAPH_SAMPLE, "small molecules": POLYID / "small-molecules.txt"}

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release"


def python_of(environment: str) -> Path:
    """The interpreter of one of the virtual environments: the peers' pins do not go together."""
    return WORK / "venvs" / environment / "bin" / "python"


def cores() -> list[int]:
    """The cores that this run may use."""
    return sorted(os.sched_getaffinity(0))


def server_cores() -> list[int]:
    """All but the last: what the load generator takes would otherwise be counted as the server's slowness."""
    return cores()[:-1] or cores()


def one_core() -> tuple[int, ...]:
    """The first of the server's: where a thing is compared that has but one thread."""
    return tuple(server_cores()[:1])


def generator_core() -> int:
    """The last."""
    return cores()[-1]


def on_cores(numbers: Sequence[int]) -> list[str]:
    """Before a command, it keeps the command and all that it starts on these cores."""
    return ["taskset", "--cpu-list", ",".join(map(str, numbers))]
