"""Memory after a million predictions, in requests of 1 to 256 molecules: allocators that keep what every new shape once
needed would grow all the way."""

import re
import urllib.request
from dataclasses import dataclass

from measure import bodies, load
from measure.places import BUNDLE, cores
from measure.servers import ours

CONNECTIONS = 8
SESSIONS = 2
PART_SECONDS = 20.0


@dataclass(frozen=True)
class Memory:
    """Bytes that are resident."""

    model: int
    sessions: int
    at_ready: int
    course: list[tuple[int, int]]
    """Predictions so far, and bytes then."""

    @property
    def predictions(self) -> int:
        """At the end."""
        return self.course[-1][0]

    @property
    def over_the_model(self) -> int:
        """The most that was seen, less the file of the network, counted once."""
        return max(resident for _, resident in self.course) - self.model


def run(predictions: int) -> Memory:
    """A fresh server, asked until it has given so many predictions; it counts them itself. On all cores: nothing is timed."""
    running = ours("--sessions", str(SESSIONS), cores=cores()).start()
    try:
        at_ready = running.process.resident()
        course = [(0, at_ready)]
        while course[-1][0] < predictions:
            seen = load.closed(running.url, bodies.mixed_path(running.server.form), CONNECTIONS, PART_SECONDS)
            if not seen.answered:
                raise RuntimeError(f"nothing was answered in {PART_SECONDS:.0f} s; see {running.process.log}")
            course.append((_counted(running.live.replace("/livez", "/metrics")), running.process.resident()))
    finally:
        running.process.stop()
    return Memory((BUNDLE / "model.onnx").stat().st_size, SESSIONS, at_ready, course)


def _counted(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    counts = re.findall(r'^\w*molecules_total\{[^}]*outcome="ok"[^}]*\} (\S+)$', text, re.MULTILINE)
    return sum(int(float(count)) for count in counts)
