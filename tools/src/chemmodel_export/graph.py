"""PyTorch network to one self-contained ONNX file, and ONNX Runtime to run it."""

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

OPSET = 18
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
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Deployed(network, pad_id).eval(),
            (ids, mask),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=(shape, shape),
            external_data=False,
            verbose=False,
        )
    model = program.model_proto
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _strip(model: onnx.ModelProto) -> None:
    """Removes what names the exporting machine (stack traces, source paths): the bytes depend on the weights alone."""
    model.graph.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    del model.graph.metadata_props[:]


def session(network: Path | bytes) -> onnxruntime.InferenceSession:
    """Of a file or of its content."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    source = network if isinstance(network, bytes) else str(network)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def feed(ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(INPUTS, (ids, mask), strict=True))


def run(runtime: onnxruntime.InferenceSession, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return runtime.run([OUTPUT], feed(ids, mask))[0]
