"""The matrix, and the turns: a cell is measured at every server before the next cell begins, round by round.

What changes slowly (the clock of the processor, a neighbour on the machine) so meets all servers alike, and a ratio is
taken within one round. Who has no turn is frozen.
"""

from collections.abc import Callable
from dataclasses import dataclass

from measure import bodies, load
from measure.constant_rate import constant_rate
from measure.server import Running
from measure.servers import OURS

SIZES = (1, 32)


@dataclass(frozen=True)
class Cell:
    """One way of asking. A closed loop has connections. An open loop has a rate: a share of a capacity, which is the best of
    the closed loops in the same round. It is that of the best peer, and all are asked at this one rate; or it is ours
    (`own`), and only we are asked."""

    items: int
    connections: int = 0
    share: float = 0.0
    own: bool = False

    @property
    def name(self) -> str:
        """As the page says it."""
        what = "1 molecule" if self.items == 1 else f"{self.items} molecules"
        if self.share:
            whose = "our" if self.own else "the best peer's"
            return f"{what}, {self.share:.0%} of {whose} capacity"
        return f"{what}, {self.connections} connection{'s' if self.connections > 1 else ''}"


CONNECTIONS = {1: (1, 8, 64, 256), 32: (1, 8, 64)}
SHARES = (0.5, 0.9)
MATRIX = tuple(
    cell
    for items in SIZES
    for cell in (*(Cell(items, connections=count) for count in CONNECTIONS[items]), *(Cell(items, share=share) for share in SHARES))
)
"""What all are asked."""
OWN = tuple(Cell(items, share=share, own=True) for items in SIZES for share in SHARES)
"""What only we are asked."""


@dataclass(frozen=True)
class Sample:
    """One server in one cell of one round."""

    round: int
    server: str
    cell: str
    molecules_per_second: float
    p50: float
    p99: float
    answered: int
    refused: int
    failed: int


def run(servers: list[Running], number: int, seconds: float, tell: Callable[[str], None]) -> list[Sample]:
    """One round. The order changes from round to round, so that nobody is always the one after the heaviest."""
    shift = number % len(servers)
    order = servers[shift:] + servers[:shift]
    capacity: dict[tuple[str, int], float] = {}
    samples = []
    for cell in (*MATRIX, *OWN):
        for running in order:
            name = running.server.name
            if cell.own and name != OURS:
                continue
            seen = _turn(running, cell, rate_of(cell, capacity), seconds)
            if not cell.share:
                capacity[name, cell.items] = max(seen.rate, capacity.get((name, cell.items), 0.0))
            rate = seen.rate * cell.items
            samples.append(Sample(number, name, cell.name, rate, seen.p50, seen.p99, seen.answered, seen.refused, seen.failed))
            tell(f"{cell.name:35} {name:20} {rate:9.0f}/s  p50 {seen.p50:8.2f} ms  p99 {seen.p99:8.2f} ms")
    return samples


def rate_of(cell: Cell, capacity: dict[tuple[str, int], float]) -> float:
    """Requests a second of an open loop, from the capacity by server and size. Without peers the best of them is ourselves."""
    ours = capacity.get((OURS, cell.items), 0.0)
    peers = (rate for (name, items), rate in capacity.items() if items == cell.items and name != OURS)
    return cell.share * (ours if cell.own else max(peers, default=ours))


def warm_up(running: Running) -> None:
    """Enough requests of both sizes that nothing is done for the first time when it counts: ONNX Runtime reserves its
    memory, Python specialises its code."""
    for items in SIZES:
        for connections in CONNECTIONS[items]:
            load.closed(running.url, bodies.path(running.server.form, items), connections, 1)


def _turn(running: Running, cell: Cell, rate: float, seconds: float) -> load.Load:
    def ask(seconds: float) -> load.Load:
        file = bodies.path(running.server.form, cell.items)
        if cell.share:
            # Longer, because it asks less: a tail needs requests.
            return constant_rate(running.url, file, rate, 2 * seconds)
        return load.closed(running.url, file, cell.connections, seconds)

    running.begin_turn()
    try:
        # The same load first: a batcher adapts to it.
        ask(2 if running.server.fresh else 0.4)
        return ask(seconds)
    finally:
        running.process.freeze()
