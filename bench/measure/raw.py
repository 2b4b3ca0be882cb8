"""The limit: ONNX Runtime alone, by the program `raw-loop`. Nothing that serves this network can be faster."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.places import BUNDLE, MOLECULES, ONNX_RUNTIME, TARGET, on_cores, server_cores


@dataclass(frozen=True)
class Raw:
    """What the loop has seen in one round."""

    molecules_per_second: float
    single_p50: float
    """Milliseconds of one molecule, the next one when it is done."""
    half_p50: float
    """The same when they come evenly, half as many a second as above, and wait for each other."""
    half_p99: float


def run(seconds: float, bundle: Path = BUNDLE, molecules: Path = MOLECULES, cores: Sequence[int] = ()) -> Raw:
    """On the cores of the servers, a session of one thread on each: what our server does, without a server."""
    cores = cores or server_cores()
    command = f"{TARGET}/raw-loop --bundle {bundle} --molecules {molecules} --onnxruntime {ONNX_RUNTIME}"
    command += f" --sessions {len(cores)} --threads 1 --seconds {max(1, round(seconds))}"
    done = subprocess.run([*on_cores(cores), *command.split()], capture_output=True, text=True, check=True, timeout=60 + 10 * seconds)
    return Raw(**json.loads(done.stdout))
