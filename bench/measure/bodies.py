"""Files of requests, one body a line: a closed loop sends a random line each time, an open one the next."""

import random
from pathlib import Path

from measure.forms import FORMS, Form
from measure.places import MOLECULES, WORK


def molecules() -> list[str]:
    """All molecules of the run."""
    return MOLECULES.read_text().split()


def path(form: Form, items: int) -> Path:
    """The file of requests with so many molecules each."""
    return WORK / "requests" / f"{form.name}-{items}.txt"


def mixed_path(form: Form) -> Path:
    """The file of requests with 1 to 256 molecules each."""
    return WORK / "requests" / f"{form.name}-mixed.txt"


def write(sizes: tuple[int, ...]) -> None:
    """Writes all files. Every molecule is in every file of one size, so all have the same distribution of lengths."""
    every = molecules()
    path(FORMS[0], 1).parent.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        for items in sizes:
            groups = [every[start : start + items] for start in range(0, len(every) - items + 1, items)]
            path(form, items).write_text("".join(form.body(group) + "\n" for group in groups))
        mixed_path(form).write_text("".join(form.body(group) + "\n" for group in _mixed(every)))


def mean_mixed() -> float:
    """Molecules of a request of the mixed file, on average."""
    groups = _mixed(molecules())
    return sum(map(len, groups)) / len(groups)


def _mixed(every: list[str]) -> list[list[str]]:
    chance = random.Random(1)
    return [chance.sample(every, chance.choice((1, 1, 2, 3, 5, 8, 16, 32, 64, 128, 256))) for _ in range(500)]
