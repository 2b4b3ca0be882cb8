"""From samples to ratios and verdicts. A ratio is taken within a round and its median over the rounds; above 1 we are better."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from measure.cells import ALONE, HALF, MATRIX, OWN, SATURATED, SATURATED_HTTP2, UNLOADED, Cell, Sample
from measure.results import Results
from measure.servers import OURS

MEGABYTE = 1e6


@dataclass(frozen=True)
class Verdict:
    """One promise, what was measured, and whether it is kept. None: not measured in this run."""

    promise: str
    found: str
    kept: bool | None


class Comparison:
    """The samples by server, cell and round."""

    def __init__(self, samples: list[Sample]) -> None:
        self.by_place = {(sample.server, sample.cell, sample.round): sample for sample in samples}
        self.servers = list(dict.fromkeys(sample.server for sample in samples if sample.server != ALONE))
        self.servers.sort(key=lambda name: name != OURS)
        self.rounds = sorted({sample.round for sample in samples})

    @property
    def peers(self) -> list[str]:
        """All servers but us."""
        return [name for name in self.servers if name != OURS]

    def each(self, server: str, cell: Cell, value: Callable[[Sample], float]) -> list[float]:
        """One value a round."""
        return [value(self.by_place[server, cell.name, number]) for number in self.rounds]

    def rate(self, server: str, cell: Cell) -> float:
        """Molecules a second."""
        return median(self.each(server, cell, lambda sample: sample.molecules_per_second))

    def p50(self, server: str, cell: Cell) -> float:
        """Milliseconds."""
        return median(self.each(server, cell, lambda sample: sample.p50))

    def p99(self, server: str, cell: Cell) -> float:
        """Milliseconds."""
        return median(self.each(server, cell, lambda sample: sample.p99))

    def ratio(self, peer: str, cell: Cell) -> float:
        """How much better we are: molecules a second in a closed loop, p99 in an open one, where the rate is given."""
        return median(self.ratios(peer, cell))

    def ratios(self, peer: str, cell: Cell) -> list[float]:
        """The same, round by round."""
        if cell.share:
            ours, theirs = (self.each(name, cell, lambda sample: sample.p99) for name in (OURS, peer))
            return [b / a if a else 0.0 for a, b in zip(ours, theirs, strict=True)]
        ours, theirs = (self.each(name, cell, lambda sample: sample.molecules_per_second) for name in (OURS, peer))
        return [a / b if b else float("inf") for a, b in zip(ours, theirs, strict=True)]


def verdicts(results: Results) -> list[Verdict]:
    """Every promise, also the ones that are not kept."""
    comparison = Comparison(results.samples)
    return [*_against_others(comparison), _echo(results), _precision(results), *_overload(results), _memory(results), *_rest(results)]


def _against_others(comparison: Comparison) -> list[Verdict]:
    if OURS not in comparison.servers:
        return []
    limits = [_share(comparison), _unloaded(comparison), _tail(comparison)]
    if not comparison.peers:
        return limits
    best = max(comparison.peers, key=lambda peer: comparison.rate(peer, SATURATED))
    lead = comparison.ratios(best, SATURATED)
    worst, where = min((comparison.ratio(peer, cell), f"{peer}, {cell.name}") for peer in comparison.peers for cell in MATRIX)
    return [
        *limits,
        _verdict(
            "saturated, one molecule a request: at least 1.5 × the best of the others",
            f"{spread(lead, ' ×')} ({best})",
            median(lead) >= 1.5,
        ),
        _verdict("in no cell behind any of the others", f"smallest ratio {worst:.2f} ({where})", worst >= 1),
    ]


def _share(comparison: Comparison) -> Verdict:
    shares = {way: comparison.ratios(ALONE, cell) for way, cell in (("HTTP/2", SATURATED_HTTP2), ("HTTP/1.1", SATURATED))}
    found = "; ".join(f"over {way}: {spread(values, '')}" for way, values in shares.items())
    return _verdict("saturated, one molecule a request: at least 0.95 of ONNX Runtime alone", found, median(shares["HTTP/2"]) >= 0.95)


def _unloaded(comparison: Comparison) -> Verdict:
    p50s = {name: comparison.each(name, UNLOADED, lambda sample: sample.p50) for name in (OURS, ALONE)}
    over = [ours - (1.10 * alone + 0.3) for ours, alone in zip(p50s[OURS], p50s[ALONE], strict=True)]
    found = f"{spread(p50s[OURS], ' ms')}; alone {spread(p50s[ALONE], ' ms')}; {spread(over, ' ms', '+')} beside what is allowed"
    return _verdict("unloaded p50: at most 1.10 × ONNX Runtime alone + 0.3 ms", found, median(over) <= 0)


def _tail(comparison: Comparison) -> Verdict:
    def tails(server: str, cell: Cell) -> list[float]:
        return comparison.each(server, cell, lambda sample: sample.p99 / sample.p50)

    ours = {cell: tails(OURS, cell) for cell in OWN if cell.share == 0.5}
    found = "; ".join(f"{cell.name}: {spread(values, ' ×')}" for cell, values in ours.items())
    found += f"; {ALONE}, one by one at half of its rate: {spread(tails(ALONE, HALF), ' ×')}"
    return _verdict("p99 at half of our capacity: at most 3 × p50", found, max(map(median, ours.values())) <= 3)


def _echo(results: Results) -> Verdict:
    promise = "request path alone: at least 25,000 predictions a second, and 10 × FastAPI"
    if results.echo is None:
        return Verdict(promise, "not measured", None)
    ours = median(results.echo.ours)
    ratio = median(a / b for a, b in zip(results.echo.ours, results.echo.fastapi, strict=True))
    return _verdict(promise, f"{ours:,.0f} a second, {ratio:.1f} ×", ours >= 25_000 and ratio >= 10)


def _precision(results: Results) -> Verdict:
    promise = "int8: at least 1.8 × the throughput of fp32"
    if results.precision is None:
        return Verdict(promise, "not measured", None)
    ratios = [a / b for a, b in zip(results.precision.int8, results.precision.fp32, strict=True)]
    return _verdict(promise, f"{spread(ratios, ' ×')}; {median(results.precision.int8):,.0f} molecules a second", median(ratios) >= 1.8)


def _overload(results: Results) -> list[Verdict]:
    promises = (
        "3 × overload: at least 0.9 of the peak is still answered",
        "3 × overload: the rest gets 429 or 503 with Retry-After, and the liveness probe never fails",
        "3 × overload: memory stays bounded (at most 64 MB more)",
    )
    seen = results.overload
    if seen is None:
        return [Verdict(promise, "not measured", None) for promise in promises]
    shares = [good / peak for good, peak in zip(seen.goodput, seen.peak, strict=True)]
    right = {status for status, count in seen.statuses.items() if count} <= {"200", "429", "503"} and not seen.refusals_without_retry_after
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(seen.statuses.items()) if count)
    words = (
        f"{statuses}; {seen.refusals_without_retry_after} of {seen.refusals_seen} refusals without Retry-After; "
        f"liveness failed {seen.liveness_failed} of {seen.liveness_asked} times"
    )
    growth = (seen.resident_most - seen.resident_before) / MEGABYTE
    memory = f"{growth:+.0f} MB at most, {(seen.resident_after - seen.resident_before) / MEGABYTE:+.0f} MB afterwards"
    return [
        _verdict(promises[0], spread(shares, ""), median(shares) >= 0.9),
        _verdict(promises[1], words, right and seen.refusals_seen > 0 and not seen.liveness_failed),
        _verdict(promises[2], memory, growth <= 64),
    ]


def _memory(results: Results) -> Verdict:
    promise = "memory after a million predictions in mixed shapes: the model + 120 MB at most"
    seen = results.memory
    if seen is None:
        return Verdict(promise, "not measured", None)
    found = (
        f"{seen.predictions:,} predictions: model of {seen.model / MEGABYTE:.0f} MB in {seen.sessions} sessions "
        f"+ {seen.over_the_model / MEGABYTE:.0f} MB; {seen.at_ready / MEGABYTE:.0f} MB in all when it became ready"
    )
    return _verdict(promise, found, seen.over_the_model <= 120 * MEGABYTE)


def _rest(results: Results) -> list[Verdict]:
    start = Verdict("start to ready: at most 1.5 s", "not measured", None)
    if results.starts:
        start = _verdict(start.promise, spread(results.starts, " s"), median(results.starts) <= 1.5)
    slow = Verdict("1,000 connections that never finish a request: p99 of 8 good clients at most 10 % worse", "not measured", None)
    if results.slow_loris is not None:
        seen = results.slow_loris
        ratios = [beside / without for beside, without in zip(seen.beside, seen.without, strict=True)]
        slow = _verdict(slow.promise, f"{spread(ratios, ' ×')}, {min(seen.connected)} connected", median(ratios) <= 1.10)
    return [start, slow]


def _verdict(promise: str, found: str, kept: bool) -> Verdict:
    return Verdict(promise, found, kept)


def spread(values: list[float], unit: str, sign: str = "") -> str:
    """Median, and the smallest and the largest round; with the sign `+` also where it is positive."""
    return f"{median(values):{sign}.2f}{unit} ({min(values):{sign}.2f} to {max(values):{sign}.2f})"
