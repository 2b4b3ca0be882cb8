"""The network and its tokenizer, the same for all Python servers.

The environment says what a run of them may use, so that one file of a peer can be measured with several settings:
`THREADS` inside one inference, `RUNNERS` inferences at once, `MAX_BATCH` requests that the server gives together, `MAX_RUN`
molecules in one inference, `ENGINE=echo` for none at all.
"""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

THREADS = int(os.environ.get("THREADS", "1"))
RUNNERS = int(os.environ.get("RUNNERS", "1"))
MAX_BATCH = int(os.environ.get("MAX_BATCH", "64"))
MAX_RUN = int(os.environ.get("MAX_RUN", "16"))


class Network:
    """A bundle, by ONNX Runtime on the processor."""

    def __init__(self) -> None:
        bundle = Path(os.environ["BUNDLE"])
        manifest = json.loads((bundle / "chemmodel.json").read_text())
        self.output = manifest["outputs"][0]
        self.tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        model = str(bundle / manifest["members"][0])
        self.session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def predict(self, smiles: list[str]) -> list[float]:
        """Sorts by length first, as libraries for sentence encoders do: the network computes the padding too.

        ONNX Runtime and the tokenizer both let other threads work in the meantime.
        """
        order = sorted(range(len(smiles)), key=lambda index: len(smiles[index]))
        values = [0.0] * len(smiles)
        for start in range(0, len(order), MAX_RUN):
            part = order[start : start + MAX_RUN]
            for index, value in zip(part, self.predict_together([smiles[index] for index in part]), strict=True):
                values[index] = value
        return values

    def predict_together(self, smiles: list[str]) -> list[float]:
        """One run, padded to the longest."""
        encodings = self.tokenizer.encode_batch_fast(smiles)
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        raw = self.run(ids, mask)
        return (raw * self.output.get("scale", 1.0) + self.output.get("center", 0.0)).tolist()

    def run(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """From tokens to the network's first output."""
        return self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0][:, 0]


class Echo(Network):
    """Answers at once: what is left is the way of a request."""

    def run(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """One for each molecule."""
        return np.ones(len(ids), dtype=np.float32)


def load() -> Network:
    """What the environment asks for."""
    return Echo() if os.environ.get("ENGINE") == "echo" else Network()
