"""Half precision for the encoder's products and what lies between them.

Normalisation, softmax, pooling and head stay fp32, and so do the sums that carry a molecule from layer to layer. Only
standard operators are used: a GPU has kernels for all of them in fp16. ONNX Runtime's CPU provider has few and computes
the others in fp32; so what is checked without a GPU is the file and the rounding of its weights. The rest is for the
verification on the pods.
"""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper

from chemmodel_export.errors import ExportError
from chemmodel_export.precision.rewrite import Rewrite

_FOLLOW = {"Add", "Mul", "Div", "Erf", "Transpose", "Reshape"}  # fp16 when all that they are given is


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    rewrite = Rewrite(model)
    inside = _inside(rewrite)
    if not inside:
        raise ExportError("the network has no product in its encoder, so there is nothing to compute in fp16")
    casts: set[str] = set()
    for node in rewrite.nodes:
        if node.output[0] in inside:
            rewrite.replace(node, *_halved(rewrite, node, inside, casts))
        elif node.op_type == "Shape" and node.input[0] in inside:  # any numbers have the same shape
            same = _copy(node)
            same.input[0] = _half(node.input[0])
            rewrite.replace(node, same)
    return rewrite.finish()


def _inside(rewrite: Rewrite) -> set[str]:
    """First outputs of the nodes that compute in fp16."""
    encoder = rewrite.encoder()
    inside: set[str] = set()
    for node in rewrite.nodes:
        given = [value for value in _numbers(node) if not rewrite.is_weight(value)]
        follows = node.op_type in _FOLLOW and given and inside.issuperset(given)
        if node.output[0] in encoder and (node.op_type == "MatMul" or follows):
            inside.add(node.output[0])
    return inside


def _numbers(node: NodeProto) -> list[str]:
    """The inputs that are rounded; a shape is not."""
    return list(node.input)[: 1 if node.op_type == "Reshape" else None]


def _halved(rewrite: Rewrite, node: NodeProto, inside: set[str], casts: set[str]) -> list[NodeProto]:
    """The node between the casts that it needs; `casts` are the values that have been cast down already."""
    nodes, halved = [], _copy(node)
    for position, value in enumerate(_numbers(node)):
        halved.input[position] = _half(value)
        if rewrite.is_weight(value):
            rewrite.add_weight(_half(value), _rounded(value, rewrite.weight(value)))
        elif value not in inside and value not in casts:
            casts.add(value)
            nodes.append(helper.make_node("Cast", [value], [_half(value)], to=TensorProto.FLOAT16))
    value = node.output[0]
    halved.output[0] = _half(value)
    nodes.append(halved)
    outside = [reader for reader in rewrite.readers(value) if reader.output[0] not in inside]
    if rewrite.is_output(value) or any(reader.op_type != "Shape" for reader in outside):
        nodes.append(helper.make_node("Cast", [_half(value)], [value], to=TensorProto.FLOAT))
    return nodes


def _rounded(name: str, weights: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        rounded = weights.astype(np.float16)
    if not np.isfinite(rounded).all():
        raise ExportError(f"{name} holds {np.abs(weights).max():.3g}, more than fp16 can hold (65504)")
    return rounded


def _half(value: str) -> str:
    return f"{value}_fp16"


def _copy(node: NodeProto) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy
