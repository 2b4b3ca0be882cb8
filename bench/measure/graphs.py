"""A PolyID ensemble: our server, ONNX Runtime alone and PolyID itself, on one core, with the same weights, in turns."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean

from measure import ask, features, raw
from measure.features import Features
from measure.original import WAYS, Original
from measure.places import FEATURE_LISTS, GRAPH_BUNDLE, GRAPH_MOLECULES, GRAPH_REQUESTS, GRAPH_SAMPLE, one_core
from measure.server import Running
from measure.servers import ours

CONNECTIONS = (1, 8, 64)
# The machine's speed changes within a minute by as much as the server may cost, so it and ONNX Runtime alone take turns within a round.
TURNS = 4
# Of each fold's answer: relative above 1, absolute below. What the exporter asks of the bundle.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Round:
    """Molecules a second."""

    alone: float
    """ONNX Runtime without a server."""
    ours: dict[str, float]
    """By connections, one molecule a request."""
    original: dict[str, float]
    """By way, one molecule at a time."""
    features: dict[str, Features]
    """By list of molecules."""


@dataclass
class Graphs:
    """What the part has found."""

    date: str
    machine: dict[str, str]
    seconds: float
    rounds: list[Round] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """All of it, as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def read(path: Path) -> Graphs:
    """What `write` wrote."""
    found = json.loads(path.read_text())
    for one in found["rounds"]:
        one["features"] = {name: Features(**rates) for name, rates in one["features"].items()}
    found["rounds"] = [Round(**one) for one in found["rounds"]]
    return Graphs(**found)


def run(found: Graphs, rounds: int, path: Path, tell: Callable[[str], None]) -> None:
    """Right before fast: nothing is measured unless all give the same answers. Written after each round."""
    original = Original()
    try:
        running = ours(bundle=GRAPH_BUNDLE, cores=one_core()).start()
        try:
            check(running, original)
            running.process.freeze()
            for number in range(rounds):
                found.rounds.append(_round(running, original, found.seconds))
                tell(f"round {number + 1} of {rounds}: {found.rounds[-1]}")
                found.write(path)
        finally:
            running.process.stop()
    finally:
        original.stop()


def check(running: Running, original: Original) -> None:
    """Each fold's answer for the sample; raises when one is not PolyID's."""
    smiles = _sample()
    answers = [_ask(running, one)["members"] for one in smiles]
    for way in WAYS:
        for molecule, found, wanted in zip(smiles, answers, original.members(way, smiles), strict=True):
            if not agree(found, wanted):
                raise ValueError(f"our server says {found} for {molecule}, but PolyID ({way}) says {wanted}")


def agree(found: list[float], wanted: list[float]) -> bool:
    """Whether all folds say the same, as far as single precision can."""
    return all(abs(a - b) <= TOLERANCE * max(1.0, abs(b)) for a, b in zip(found, wanted, strict=True))


def _round(running: Running, original: Original, seconds: float) -> Round:
    alone, saturated = [], []
    for _ in range(TURNS):
        alone.append(raw.throughput(seconds, GRAPH_BUNDLE, GRAPH_MOLECULES, one_core()).molecules_per_second)
        saturated.append(_serve(running, CONNECTIONS[-1]))
    rates = {str(connections): _serve(running, connections) for connections in CONNECTIONS[:-1]}
    rates[str(CONNECTIONS[-1])] = fmean(saturated)
    asked = {way: original.rate(way, _sample(), 2 * seconds) for way in WAYS}
    return Round(fmean(alone), rates, asked, {name: features.run(path, seconds) for name, path in FEATURE_LISTS.items()})


def _serve(running: Running, connections: int) -> float:
    """All oligomers once, as ONNX Runtime alone has them."""
    running.begin_turn()
    try:
        return ask.each_once(running.url, GRAPH_REQUESTS, connections)
    finally:
        running.process.freeze()


def _sample() -> list[str]:
    return GRAPH_SAMPLE.read_text().split()


def _ask(running: Running, smiles: str) -> dict:
    body = json.dumps({"smiles": smiles}).encode()
    request = urllib.request.Request(running.url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
