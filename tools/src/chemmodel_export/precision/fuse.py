"""Fewer and larger operators for a processor: what ONNX Runtime would have to find, and does not, is written down.

The exporter of PyTorch spells out attention as some thirty nodes that no fusion of ONNX Runtime knows. Each function
here starts at one node of a pattern, and changes nothing when the nodes around it are others. Whether the fused network
is the same is not believed but measured, by `variant`.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper

from chemmodel_export.precision.rewrite import MASK, MICROSOFT, OtherPattern, Rewrite, expect, only


def fuse(model: onnx.ModelProto) -> onnx.ModelProto:
    rewrite = Rewrite(model)
    patterns = {"Softmax": _attention, "Erf": _gelu, "LayerNormalization": _residual}
    for node in rewrite.nodes:
        if node.op_type in patterns:
            with suppress(OtherPattern):
                patterns[node.op_type](rewrite, node)
    return rewrite.finish()


@dataclass(frozen=True)
class _Projection:
    """x · weights + bias, of which one third of an attention is made."""

    x: str
    weights: np.ndarray  # [hidden, hidden]
    bias: np.ndarray
    head_width: int | None  # into which widths it is then cut, where the graph says so


def _attention(rewrite: Rewrite, softmax: NodeProto) -> None:
    """All from the three projections to the joined heads becomes one `Attention`."""
    masked = expect(rewrite.producer(softmax.input[0]), "Add")
    scores = only(node for node in map(rewrite.producer, masked.input) if node.op_type == "MatMul")
    probabilities = softmax.output[0]
    # Molecules without any token would get NaN; the exporter guards against them, and a server never asks for one.
    guards = [node for node in rewrite.readers(probabilities) if node.op_type == "Where"]
    if guards:
        probabilities = only(guards).output[0]
    weighted = expect(rewrite.reader(probabilities), "MatMul")
    query, key = (_projection(rewrite, value) for value in scores.input)
    value = _projection(rewrite, weighted.input[1])
    hidden = query.weights.shape[1]
    if query.x != key.x or query.x != value.x or not query.head_width or hidden % query.head_width:
        raise OtherPattern("no self-attention with equal heads")
    turned = expect(rewrite.reader(weighted.output[0]), "Transpose")
    joined = expect(rewrite.reader(turned.output[0]), "Reshape")
    name = joined.output[0]
    parts = (query, key, value)
    inputs = [
        query.x,
        rewrite.add_weight(f"{name}_qkv", np.concatenate([part.weights for part in parts], axis=1)),
        rewrite.add_weight(f"{name}_qkv_bias", np.concatenate([part.bias for part in parts])),
        rewrite.put_first(helper.make_node("Cast", [MASK], [f"{MASK}_int32"], to=TensorProto.INT32)),
    ]
    heads = hidden // query.head_width
    rewrite.replace(joined, helper.make_node("Attention", inputs, [name], domain=MICROSOFT, num_heads=heads))


def _projection(rewrite: Rewrite, value: str) -> _Projection:
    """Upwards through cutting into heads, turning and scaling."""
    node, head_width = rewrite.producer(value), None
    while node.op_type != "Add":
        if expect(node, "Reshape", "Transpose", "Mul").op_type == "Reshape":
            head_width = _last_dimension(rewrite, node.input[1]) or head_width
        before = rewrite.weight_and_other(node)[1] if node.op_type == "Mul" else node.input[0]
        node = rewrite.producer(before)
    bias, product = rewrite.weight_and_other(node)
    weights, x = rewrite.weight_and_other(expect(rewrite.producer(product), "MatMul"))
    found = _Projection(x, rewrite.weight(weights), rewrite.weight(bias), head_width)
    if found.weights.ndim != 2 or found.bias.shape != found.weights.shape[1:]:
        raise OtherPattern("no dense layer")
    return found


def _last_dimension(rewrite: Rewrite, shape: str) -> int | None:
    """Of a shape that is a weight, or put together from pieces of which the last is one."""
    with suppress(OtherPattern):
        if not rewrite.is_weight(shape):
            shape = expect(rewrite.producer(shape), "Concat").input[-1]
        width = int(rewrite.weight(shape)[-1])
        return width if width > 0 else None
    return None


def _gelu(rewrite: Rewrite, erf: NodeProto) -> None:
    """x · ½ · (1 + erf(x / √2))"""
    root, x = rewrite.weight_and_other(expect(rewrite.producer(erf.input[0]), "Div"))
    shifted = expect(rewrite.reader(erf.output[0]), "Add")
    halved = expect(rewrite.reader(shifted.output[0]), "Mul")
    whole = expect(rewrite.reader(halved.output[0]), "Mul")
    one, half = (rewrite.weight(rewrite.weight_and_other(node)[0]) for node in (shifted, halved))
    if x not in whole.input or not np.allclose([rewrite.weight(root), one, half], [np.sqrt(2.0), 1.0, 0.5]):
        raise OtherPattern("no Gelu")
    rewrite.replace(whole, helper.make_node("Gelu", [x], list(whole.output), domain=MICROSOFT))


def _residual(rewrite: Rewrite, norm: NodeProto) -> None:
    """`Sum` where there was `Add`, with the same result.

    ONNX Runtime joins `Add` and `LayerNormalization` to `SkipLayerNormalization`, whose kernel for processors takes
    several times as long as the two (1.31: 29 % of the time of an int8 network, against 9 %).
    """
    add = expect(rewrite.producer(norm.input[0]), "Add")
    if any(rewrite.is_weight(value) for value in add.input) or rewrite.readers(add.output[0]) != [norm]:
        raise OtherPattern("no residual connection")
    rewrite.replace(add, helper.make_node("Sum", list(add.input), list(add.output)))
