"""What a run has found, as a file: written after every round, so that an interrupted run is not lost, and read again to
write the page anew."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measure.cells import Sample
from measure.echo import Echo
from measure.memory import Memory
from measure.overload import Overload
from measure.precision import Precision
from measure.slow_loris import SlowLoris


@dataclass
class Results:
    """A part that was left out is None or empty, and the page says so."""

    date: str
    machine: dict[str, str]
    seconds: float
    commands: dict[str, str] = field(default_factory=dict)
    to_ready: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    echo: Echo | None = None
    overload: Overload | None = None
    slow_loris: SlowLoris | None = None
    starts: list[float] = field(default_factory=list)
    memory: Memory | None = None
    precision: Precision | None = None

    def write(self, path: Path) -> None:
        """All of it, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def begin(path: Path, date: str, machine: dict[str, str], seconds: float) -> Results:
    """New ones, with the other parts of the last ones if those are of the same commit on the same machine: parts may be measured one
    after the other."""
    last = read(path) if path.exists() else None
    return last if last and (last.date, last.machine, last.seconds) == (date, machine, seconds) else Results(date, machine, seconds)


def read(path: Path) -> Results:
    """What `write` wrote."""
    found = json.loads(path.read_text())
    found["samples"] = [Sample(**sample) for sample in found["samples"]]
    for name, kind in (("echo", Echo), ("slow_loris", SlowLoris), ("overload", Overload), ("memory", Memory), ("precision", Precision)):
        if found.get(name) is not None:
            found[name] = kind(**found[name])
    return Results(**found)
