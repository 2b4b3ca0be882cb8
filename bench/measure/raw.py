"""The limit: ONNX Runtime alone, by the program `raw-loop`. Nothing that serves this network can be faster."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.places import BUNDLE, MOLECULES, ONNX_RUNTIME, TARGET, on_cores, server_cores


@dataclass(frozen=True)
class Raw:
    """What the program has seen. A molecule has a time, in milliseconds, only where it runs alone."""

    molecules_per_second: float
    p50: float
    p99: float


def throughput(seconds: float, bundle: Path = BUNDLE, molecules: Path = MOLECULES, cores: Sequence[int] = ()) -> Raw:
    """In the best batches, on the cores of the servers, a session of one thread on each: what our server does, without a server."""
    cores = cores or server_cores()
    return _run(seconds, bundle, molecules, cores, "--sessions", str(len(cores)))


def one_by_one(seconds: float, rate: float | None = None) -> Raw:
    """Each molecule alone, so many a second evenly spaced, or the next one when the last one is done."""
    return _run(seconds, BUNDLE, MOLECULES, server_cores(), "--one-by-one", *(["--rate", str(rate)] if rate else []))


def _run(seconds: float, bundle: Path, molecules: Path, cores: Sequence[int], *more: str) -> Raw:
    command = [*on_cores(cores), f"{TARGET}/raw-loop", "--bundle", str(bundle), "--molecules", str(molecules)]
    command += ["--onnxruntime", str(ONNX_RUNTIME), "--seconds", str(max(1, round(seconds))), *more]
    return Raw(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60 + 10 * seconds).stdout))
