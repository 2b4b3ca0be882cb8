"""int8 beside fp32: two servers of the same bundle, in turns."""

from dataclasses import dataclass

from measure import turns
from measure.servers import ours

CONNECTIONS = 256


@dataclass(frozen=True)
class Precision:
    """Molecules a second, one a request."""

    fp32: list[float]
    int8: list[float]


def run(rounds: int, seconds: float) -> Precision:
    """Both in each round, the other one frozen."""
    servers = [ours("--precision", precision) for precision in ("fp32", "int8")]
    return Precision(*turns.rates(servers, CONNECTIONS, rounds, seconds))
