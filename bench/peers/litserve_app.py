"""LitServe with its batching, and with its faster queue."""

import os

import litserve
from network import MAX_BATCH, RUNNERS, load


class Api(litserve.LitAPI):
    """The network behind LitServe's queue."""

    def setup(self, device: str) -> None:
        """Loads the network in the worker."""
        self.network = load()

    def decode_request(self, request: dict) -> str | list[str]:
        """The molecules of a request."""
        return request["smiles"]

    def predict(self, batch: list) -> list:
        """One run for all requests of a batch."""
        flat = [smiles for item in batch for smiles in ([item] if isinstance(item, str) else item)]
        values = iter(self.network.predict(flat))
        return [next(values) if isinstance(item, str) else [next(values) for _ in item] for item in batch]

    def encode_response(self, output: float | list[float]) -> dict:
        """As our server writes it."""
        return {"prediction": output} if isinstance(output, float) else {"predictions": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(max_batch_size=MAX_BATCH, batch_timeout=float(os.environ.get("BATCH_WAIT", "0.001")), api_path="/predict"),
        accelerator="cpu",
        workers_per_device=RUNNERS,
        fast_queue=os.environ.get("FAST_QUEUE", "1") == "1",
    )
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, access_log=False)
