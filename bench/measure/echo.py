"""The way of a request alone: the network is replaced by one that answers at once, ours and FastAPI's in turns."""

from dataclasses import dataclass

from measure import turns
from measure.servers import echo_fastapi, echo_ours

CONNECTIONS = 64


@dataclass(frozen=True)
class Echo:
    """Predictions a second, one a request, over connections that are kept."""

    ours: list[float]
    fastapi: list[float]


def run(rounds: int, seconds: float) -> Echo:
    """Both in each round, the other one frozen."""
    return Echo(*turns.rates([echo_ours(), echo_fastapi()], CONNECTIONS, rounds, seconds))
