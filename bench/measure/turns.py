"""A few servers under the same closed loop of single molecules, in turns."""

from measure import bodies, load
from measure.server import Server


def rates(servers: list[Server], connections: int, rounds: int, seconds: float) -> list[list[float]]:
    """Answers a second of each server, one entry a round; who has no turn is frozen."""
    found: list[list[float]] = [[] for _ in servers]
    started = []
    try:
        for server in servers:
            started.append(server.start())
            load.closed(started[-1].url, bodies.path(server.form, 1), connections, 2)
            started[-1].process.freeze()
        for _ in range(rounds):
            for running, seen in zip(started, found, strict=True):
                running.process.thaw()
                seen.append(load.closed(running.url, bodies.path(running.server.form, 1), connections, seconds).rate)
                running.process.freeze()
    finally:
        for running in started:
            running.process.stop()
    return found
