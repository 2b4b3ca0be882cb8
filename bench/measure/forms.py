"""How each server wants to be asked. The molecules are the same; only the wrapping is the server's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """Body of a request for some molecules, and the numbers of its answer."""

    name: str
    ask: Callable[[list[str]], dict]
    read: Callable[[dict | list], list[float]]

    def body(self, smiles: list[str]) -> str:
        """One line of JSON without needless spaces."""
        return json.dumps(self.ask(smiles), separators=(",", ":"))


def _read_plain(answer: dict) -> list[float]:
    if "prediction" in answer:
        return [answer["prediction"]]
    return [row["prediction"] if isinstance(row, dict) else row for row in answer["predictions"]]


PLAIN = Form("plain", lambda smiles: {"smiles": smiles[0] if len(smiles) == 1 else smiles}, _read_plain)

# BentoML batches only what comes as a list, and answers with the bare list.
LIST = Form("list", lambda smiles: {"smiles": smiles}, lambda answer: answer)

# The Open Inference Protocol, which is MLServer's way.
OPEN_INFERENCE = Form(
    "open-inference",
    lambda smiles: {"inputs": [{"name": "smiles", "shape": [len(smiles)], "datatype": "BYTES", "data": smiles}]},
    lambda answer: answer["outputs"][0]["data"],
)

FORMS = (PLAIN, LIST, OPEN_INFERENCE)
