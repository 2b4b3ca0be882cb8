"""int8 beside fp32: two servers of the same bundle, in turns."""

from dataclasses import dataclass

from measure import bodies, load
from measure.servers import ours

CONNECTIONS = 256


@dataclass(frozen=True)
class Precision:
    """Molecules a second, one a request."""

    fp32: list[float]
    int8: list[float]


def run(rounds: int, seconds: float) -> Precision:
    """Both in each round, the other one frozen."""
    found: dict[str, list[float]] = {"fp32": [], "int8": []}
    started = {}
    try:
        for precision in found:
            running = started[precision] = ours("--precision", precision).start()
            load.closed(running.url, bodies.path(running.server.form, 1), CONNECTIONS, 2)
            running.process.freeze()
        for _ in range(rounds):
            for precision, running in started.items():
                running.process.thaw()
                seen = load.closed(running.url, bodies.path(running.server.form, 1), CONNECTIONS, seconds)
                running.process.freeze()
                found[precision].append(seen.rate)
    finally:
        for running in started.values():
            running.process.stop()
    return Precision(**found)
