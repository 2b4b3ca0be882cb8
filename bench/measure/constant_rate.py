"""Requests at a rate that does not wait for answers: runs `src/bin/constant-rate.rs` and reads what it has seen."""

import json
import subprocess
from pathlib import Path

from measure.load import Load
from measure.places import TARGET, generator_core, on_cores


def constant_rate(url: str, bodies: Path, rate: float, seconds: float, http2: bool = False) -> Load:
    """One request every `1 / rate` seconds, on up to 256 connections or on one of HTTP/2; times count from when a request was due."""
    command = [*on_cores([generator_core()]), str(TARGET / "constant-rate"), "--url", url, "--bodies", str(bodies)]
    command += ["--rate", str(rate), "--seconds", str(seconds), *(["--http2"] if http2 else [])]
    return Load(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 90).stdout))
