"""Requests without a pause between answer and next request: drives oha and reads what it has seen."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from measure.places import OHA, generator_core, on_cores


@dataclass(frozen=True)
class Load:
    """What one run of the load generator has seen. Times are of answers with status 200, in milliseconds."""

    seconds: float
    statuses: dict[str, int]
    unanswered: int
    p50: float
    p99: float

    @property
    def answered(self) -> int:
        """Good answers."""
        return self.statuses.get("200", 0)

    @property
    def refused(self) -> int:
        """Requests that the server turned away in the right words."""
        return self.statuses.get("429", 0) + self.statuses.get("503", 0)

    @property
    def failed(self) -> int:
        """Everything else."""
        return sum(self.statuses.values()) - self.answered - self.refused + self.unanswered

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.answered / self.seconds


SHARED_CONNECTIONS = 4
"""Over HTTP/2, as a gateway with a few of them would ask."""


def closed(url: str, bodies: Path, connections: int, seconds: float, http2: bool = False) -> Load:
    """So many connections, each with one request at a time: the next is sent when the last was answered. Over HTTP/2 as many
    requests at a time share a few connections."""
    # One thread on a core of its own. `-w` waits for what is under way at the end, and for
    # its seconds too: with 64 connections and short runs, dropping it would hide a large part of the work.
    command = [*on_cores([generator_core()]), str(OHA), "--no-tui", "--output-format", "json", "--stats-success-breakdown", "--worker-threads", "1"]
    command += ["-z", f"{seconds}s", "-w", "-t", "30s", "-m", "POST", "-T", "application/json", "-Z", str(bodies)]
    if http2:
        command += ["--http2", "-c", str(SHARED_CONNECTIONS), "-p", str(connections // SHARED_CONNECTIONS), url]
    else:
        command += ["-c", str(connections), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 90)
    return read(json.loads(done.stdout))


def read(report: dict) -> Load:
    """The part of oha's report that we use. What was under way at the end counts neither as answered nor as failed."""
    times = report.get("latencyPercentilesSuccessful") or {}
    return Load(
        seconds=report["summary"]["total"],
        statuses=report["statusCodeDistribution"],
        unanswered=sum(count for why, count in report["errorDistribution"].items() if "deadline" not in why),
        p50=1e3 * (times.get("p50") or 0.0),
        p99=1e3 * (times.get("p99") or 0.0),
    )
