"""PyTorch module to one self-contained ONNX file, and ONNX Runtime to run it."""

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path

import onnx
import onnxruntime
import torch
from torch import nn

OPSET = 18


def write(path: Path, module: nn.Module, arguments: dict, inputs: Iterable[str], output: str, shapes: dict) -> None:
    """Writes `path`: dynamic where `shapes` says so, weights inside.

    An argument of the module is a tensor or a dictionary of them, and so is its shape; `inputs` names the tensors.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            kwargs=arguments,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=shapes,
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
