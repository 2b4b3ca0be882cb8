"""Before anything is measured: every server gives the answers that the bundle came with."""

import json
import urllib.request

from measure.places import BUNDLE
from measure.server import Running

# Kelvin. The answers are numbers near 400 in single precision, and batches of other lengths round otherwise.
TOLERANCE = 0.01


def check(running: Running) -> None:
    """Asks for the golden molecules one by one and together; raises when an answer is wrong."""
    golden = json.loads((BUNDLE / "golden.json").read_text())["molecules"][:32]
    smiles = [molecule["smiles"] for molecule in golden]
    wanted = [molecule["predictions"][0] for molecule in golden]
    alone = [value for molecule in smiles for value in ask(running, [molecule])]
    for found in (alone, ask(running, smiles)):
        for molecule, right, value in zip(smiles, wanted, found, strict=True):
            if abs(right - value) > TOLERANCE:
                raise ValueError(f"{running.server.name} says {value} for {molecule}, but {right} is right")


def ask(running: Running, smiles: list[str]) -> list[float]:
    """The predictions for some molecules."""
    body = running.server.form.body(smiles).encode()
    request = urllib.request.Request(running.url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return running.server.form.read(json.load(answer))
