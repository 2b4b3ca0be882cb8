"""Reference predictions: the original framework, float32, one molecule at a time; and the same through ONNX Runtime."""

import numpy as np
import onnxruntime
import tokenizers
import torch
import transformers

from chemmodel_export import graph
from chemmodel_export.checkpoint import Checkpoint

# How a server undoes what training did to the label.
INVERSE = {"none": lambda value: value, "log1p": np.expm1, "log10": lambda value: np.power(10.0, value)}


def framework() -> str:
    versions = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"
    return f"{versions}, float32, one molecule at a time"


def tokenize(tokenizer: tokenizers.Tokenizer, smiles: str) -> list[int]:
    """Token ids, special tokens included."""
    return tokenizer.encode(smiles).ids


@torch.no_grad()
def by_torch(checkpoint: Checkpoint, ids: list[int]) -> np.ndarray:
    """Raw float32 `[outputs]` for one molecule."""
    row = torch.tensor([ids], dtype=torch.int64)
    return checkpoint.network(row, torch.ones_like(row)).float().numpy()[0]


def by_onnx(runtime: onnxruntime.InferenceSession, batch: list[list[int]], pad_id: int = 0) -> np.ndarray:
    """Raw float32 `[batch, outputs]`."""
    return graph.run(runtime, *pad(batch, pad_id))


def pad(batch: list[list[int]], pad_id: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ids and mask, int64 `[batch, length]`; shorter molecules are padded on the right."""
    ids = np.full((len(batch), max(map(len, batch))), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask


def to_units(raw: np.ndarray, outputs: list[dict]) -> list[float]:
    """What a server answers: inverse transform of `raw × scale + center`, per output."""
    with np.errstate(over="ignore"):
        return [
            float(INVERSE[output["transform"]](float(value) * output["scale"] + output["center"]))
            for value, output in zip(raw, outputs, strict=True)
        ]
