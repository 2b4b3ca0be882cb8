"""The way of a request alone: the network is replaced by one that answers at once, ours and FastAPI's in turns."""

from dataclasses import dataclass

from measure import bodies, load
from measure.servers import echo_fastapi, echo_ours

CONNECTIONS = 64


@dataclass(frozen=True)
class Echo:
    """Predictions a second, one a request, over connections that are kept."""

    ours: list[float]
    fastapi: list[float]


def run(rounds: int, seconds: float) -> Echo:
    """Both in each round, the other one frozen."""
    rates: dict[str, list[float]] = {}
    started = []
    try:
        for server in (echo_ours(), echo_fastapi()):
            started.append(server.start())
            load.closed(started[-1].url, bodies.path(server.form, 1), CONNECTIONS, 2)
            started[-1].process.freeze()
        for _ in range(rounds):
            for running in started:
                running.process.thaw()
                seen = load.closed(running.url, bodies.path(running.server.form, 1), CONNECTIONS, seconds)
                running.process.freeze()
                rates.setdefault(running.server.name, []).append(seen.rate)
    finally:
        for running in started:
            running.process.stop()
    ours, fastapi = rates.values()
    return Echo(ours, fastapi)
