"""The cells, and the turns: a cell is measured at every server before the next cell begins, round by round.

What changes slowly (the clock of the processor, a neighbour on the machine) so meets all servers alike, and a ratio is
taken within one round. Who has no turn is frozen. What ONNX Runtime does alone is measured right before what is compared with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from measure import bodies, load, raw
from measure.ask import constant_rate
from measure.places import server_cores
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
    http2: bool = False
    """Then the requests that would each have a connection share a few; none of the peers speaks it."""

    @property
    def name(self) -> str:
        """As the page says it."""
        what = "1 molecule" if self.items == 1 else f"{self.items} molecules"
        if self.share:
            whose = "our" if self.own else "the best peer's"
            return f"{what}, {self.share:.0%} of {whose} capacity{' over HTTP/2' if self.http2 else ''}"
        if self.http2:
            return f"{what}, {self.connections} at once over HTTP/2"
        return f"{what}, {self.connections} connection{'s' if self.connections > 1 else ''}"


CONNECTIONS = {1: (1, 8, 64, 256), 32: (1, 8, 64)}
SHARES = (0.5, 0.9)
UNLOADED = Cell(1, connections=1)
SATURATED = Cell(1, connections=256)
SATURATED_HTTP2 = Cell(1, connections=256, own=True, http2=True)
HALF = Cell(1, share=0.5, own=True)
MATRIX = tuple(
    cell
    for items in SIZES
    for cell in (*(Cell(items, connections=count) for count in CONNECTIONS[items]), *(Cell(items, share=share) for share in SHARES))
)
"""What all are asked."""
OWN = (
    SATURATED_HTTP2,
    *(Cell(items, share=share, own=True) for items in SIZES for share in SHARES),
    *(Cell(1, share=share, own=True, http2=True) for share in SHARES),
)
"""What only we are asked: after the others, because an open loop needs to know the capacity."""
ALONE = "ONNX Runtime alone"
LIMITS = (UNLOADED, SATURATED, SATURATED_HTTP2, HALF)
"""Where ONNX Runtime alone has its turn right before ours."""


@dataclass(frozen=True)
class Sample:
    """One server in one cell of one round; or the limit, which answers no requests."""

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
    capacity: Capacity = {}
    samples: list[Sample] = []

    def note(name: str, cell: Cell, requests_per_second: float, seen: load.Load | raw.Raw, counts: tuple[int, int, int]) -> None:
        if not cell.share:
            place = (name, cell.items, cell.http2)
            capacity[place] = max(requests_per_second, capacity.get(place, 0.0))
        rate = requests_per_second * cell.items
        samples.append(Sample(number, name, cell.name, rate, seen.p50, seen.p99, *counts))
        tell(f"{cell.name:46} {name:20} {rate:9.0f}/s  p50 {seen.p50:8.2f} ms  p99 {seen.p99:8.2f} ms")

    for cell in (*MATRIX, *OWN):
        for running in order:
            name = running.server.name
            if name == OURS and cell in LIMITS:
                alone = _alone(cell, capacity, seconds)
                note(ALONE, cell, alone.molecules_per_second, alone, (0, 0, 0))
            if name == OURS or not cell.own:
                seen = _turn(running, cell, rate_of(cell, capacity), seconds)
                note(name, cell, seen.rate, seen, (seen.answered, seen.refused, seen.failed))
    return samples


Capacity = dict[tuple[str, int, bool], float]
"""Requests a second, by server, molecules a request, and whether over HTTP/2."""


def rate_of(cell: Cell, capacity: Capacity) -> float:
    """Requests a second of an open loop. Without peers the best of them is ourselves."""
    ours = capacity.get((OURS, cell.items, cell.http2), 0.0)
    peers = (rate for (name, items, _), rate in capacity.items() if items == cell.items and name not in (OURS, ALONE))
    return cell.share * (ours if cell.own else max(peers, default=ours))


def _alone(cell: Cell, capacity: Capacity, seconds: float) -> raw.Raw:
    if cell.share:
        # A session has its part of them.
        return raw.one_by_one(seconds, cell.share * capacity[ALONE, 1, False] / len(server_cores()))
    return raw.one_by_one(seconds) if cell == UNLOADED else raw.throughput(seconds)


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
            return constant_rate(running.url, file, rate, 2 * seconds, cell.http2)
        return load.closed(running.url, file, cell.connections, seconds, cell.http2)

    running.begin_turn()
    try:
        # The same load first: a batcher adapts to it.
        ask(2 if running.server.fresh else 0.4)
        return ask(seconds)
    finally:
        running.process.freeze()
