"""Requests at a rate that does not wait for answers: drives vegeta and reads what it has seen."""

import base64
import csv
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from measure.load import Load
from measure.places import VEGETA, generator_core, on_cores

CONNECTIONS = 256
NANOSECONDS = 1e9
# Vegeta sends up to a millisecond late, because that is how fine its timer is. What is later than this had no free connection.
LATE = 2_000_000
# Columns of vegeta's CSV.
SENT, STATUS, LATENCY, SEQUENCE = 0, 1, 2, 8


def constant_rate(url: str, bodies: Path, rate: float, seconds: float) -> Load:
    """One request every `1 / rate` seconds, on up to 256 connections."""
    attack = [*on_cores([generator_core()]), str(VEGETA), "attack", "-format", "json", "-rate", f"{_in_an_hour(rate)}/1h"]
    attack += ["-duration", f"{seconds}s", "-max-workers", str(CONNECTIONS), "-timeout", "30s", "-max-body", "0"]
    seen = subprocess.run(attack, input=_targets(url, bodies), capture_output=True, check=True, timeout=seconds + 90).stdout
    rows = subprocess.run([str(VEGETA), "encode", "-to", "csv"], input=seen, capture_output=True, check=True).stdout
    return read(csv.reader(rows.decode().splitlines()), _in_an_hour(rate) / 3600)


def read(rows: Iterable[list[str]], rate: float) -> Load:
    """A request that had to wait for a free connection counts from the moment when it was due, so that a server that stands still is not asked
    less; any other from when it was sent."""
    requests = [(int(row[SENT]), row[STATUS], int(row[LATENCY]), round(int(row[SEQUENCE]) / rate * NANOSECONDS)) for row in rows]
    # Who was least late shows when the schedule began.
    begin = min(sent - due for sent, _, _, due in requests)
    end = max(sent + latency for sent, _, latency, _ in requests)
    waits = ((status, latency, sent - begin - due) for sent, status, latency, due in requests)
    times = sorted(latency + (late if late > LATE else 0) for status, latency, late in waits if status == "200")
    statuses = Counter(status for _, status, _, _ in requests)
    unanswered = statuses.pop("0", 0)
    return Load((end - begin) / NANOSECONDS, dict(statuses), unanswered, _percentile(times, 0.5), _percentile(times, 0.99))


def _percentile(times: list[int], part: float) -> float:
    """In milliseconds; 0 without any."""
    return times[min(len(times) - 1, int(part * len(times)))] / 1e6 if times else 0.0


def _in_an_hour(rate: float) -> int:
    """Vegeta takes whole numbers."""
    return max(round(rate * 3600), 1)


def _targets(url: str, bodies: Path) -> bytes:
    """As vegeta reads them; it asks them in turn."""
    common = {"method": "POST", "url": url, "header": {"Content-Type": ["application/json"]}}
    targets = (common | {"body": base64.b64encode(line).decode()} for line in bodies.read_bytes().splitlines())
    return "".join(json.dumps(target) + "\n" for target in targets).encode()
