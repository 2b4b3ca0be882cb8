"""Requests at a rate that does not wait for answers, or each body once: runs `src/bin/ask.rs` and reads what it has seen."""

import json
import subprocess
from pathlib import Path

from measure.load import Load
from measure.places import TARGET, generator_core, on_cores


def constant_rate(url: str, bodies: Path, rate: float, seconds: float, http2: bool = False) -> Load:
    """One request every `1 / rate` seconds, on up to 256 connections or on one of HTTP/2; times count from when a request was due."""
    return _ask(url, bodies, seconds, "--rate", str(rate), "--seconds", str(seconds), *(["--http2"] if http2 else []))


def each_once(url: str, bodies: Path, connections: int) -> float:
    """Answers a second of a closed loop in which every body is asked once. Raises when one is not answered with 200."""
    seen = _ask(url, bodies, 120, "--connections", str(connections))
    if seen.refused or seen.failed:
        raise RuntimeError(f"{seen.refused + seen.failed} of the requests to {url} were not answered: {seen}")
    return seen.rate


def _ask(url: str, bodies: Path, seconds: float, *more: str) -> Load:
    command = [*on_cores([generator_core()]), str(TARGET / "ask"), "--url", url, "--bodies", str(bodies), *more]
    return Load(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 90).stdout))
