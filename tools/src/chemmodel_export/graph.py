"""A sequence network as it is served: its inputs, its output, its ONNX file."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from chemmodel_export import onnx_file

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "predictions"


class Deployed(nn.Module):
    """The network as it is served: what stands under the mask cannot reach an answer, whichever id a server pads with.

    RoBERTa derives positions from the ids, so a padding id other than its own would shift them.
    """

    def __init__(self, network: nn.Module, pad_id: int):
        super().__init__()
        self.network = network
        self.pad_id = pad_id

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        kept = torch.where(attention_mask > 0, input_ids, torch.full_like(input_ids, self.pad_id))
        return self.network(kept, attention_mask).float()


def export(network: nn.Module, pad_id: int, path: Path) -> None:
    """Writes `path`: fp32, dynamic batch and length, weights inside."""
    ids = torch.tensor([[5, 5, 5, 5, 5], [5, 5, 5, pad_id, pad_id]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    inputs = dict(zip(INPUTS, (ids, mask), strict=True))
    onnx_file.write(path, Deployed(network, pad_id), inputs, INPUTS, OUTPUT, dict.fromkeys(INPUTS, shape))


def feed(ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(INPUTS, (ids, mask), strict=True))


def run(runtime: onnxruntime.InferenceSession, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return runtime.run([OUTPUT], feed(ids, mask))[0]
