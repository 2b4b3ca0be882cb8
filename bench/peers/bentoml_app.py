"""BentoML with its adaptive batching, which an endpoint has that takes a list."""

import os

import bentoml
from network import MAX_BATCH, load


@bentoml.service(workers=int(os.environ.get("WORKERS", "1")), logging={"access": {"enabled": False}})
class BoilingPoint:
    """The network behind BentoML's dispatcher."""

    def __init__(self) -> None:
        self.network = load()

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH)
    def predict(self, smiles: list[str]) -> list[float]:
        """One run for all requests of a batch, which BentoML joins and divides."""
        return self.network.predict(smiles)
