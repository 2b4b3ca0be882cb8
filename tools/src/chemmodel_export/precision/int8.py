"""Products of 8-bit whole numbers for processors with VNNI or AMX.

Weights are int8 with one scale per column. Activations are uint8 with one range per tensor that is fixed here, on known
molecules: ranges taken from each batch (`DynamicQuantizeLinear`) would make a molecule's answer depend on the others
in its batch. Everything between the products stays fp32: attention, Gelu, normalisation, pooling, head.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, helper

from chemmodel_export import graph, onnx_file, predict
from chemmodel_export.errors import ExportError
from chemmodel_export.precision.rewrite import MICROSOFT, OtherPattern, Rewrite

HEADROOM = 1.1  # how far beyond what the known molecules reach an activation is still told apart
LEVELS = 255


@dataclass(frozen=True)
class _Quantised:
    """Names of a tensor's whole numbers, their scale and their zero."""

    values: str
    scale: str
    zero: str


def quantise(model: onnx.ModelProto, encoded: list[list[int]], reduce_range: bool = False) -> onnx.ModelProto:
    """`encoded` are the molecules whose activations fix the ranges.

    `reduce_range` keeps weights within 7 bits: without VNNI, products of two pairs of 8 bits overflow.
    """
    rewrite = Rewrite(model)
    encoder = rewrite.encoder()
    products = [node for node in rewrite.nodes if node.output[0] in encoder and _has_weights(rewrite, node)]
    if not products:
        raise ExportError("the network has no product with a matrix of weights, so there is nothing to quantise")
    ranges = _ranges(model, [node.input[0] for node in products], encoded)
    quantised: dict[str, _Quantised] = {}
    for node in products:
        before = []
        if node.input[0] not in quantised:
            quantised[node.input[0]], to_whole = _activations(rewrite, node.input[0], *ranges[node.input[0]])
            before = [to_whole]
        weights = _weights(rewrite, node.input[1], 63 if reduce_range else 127)
        build = _attention if node.op_type == "Attention" else _product
        build(rewrite, node, before, quantised[node.input[0]], weights)
    return rewrite.finish()


def _has_weights(rewrite: Rewrite, node: NodeProto) -> bool:
    of_matrix = node.op_type in ("MatMul", "Attention") and rewrite.is_weight(node.input[1])
    return of_matrix and rewrite.weight(node.input[1]).ndim == 2


def _attention(rewrite: Rewrite, node: NodeProto, before: list, x: _Quantised, w: _Quantised) -> None:
    bias, mask = node.input[2:4]
    inputs = [x.values, w.values, bias, x.scale, w.scale, mask, x.zero, w.zero]
    heads = next(attribute.i for attribute in node.attribute if attribute.name == "num_heads")
    quantised = helper.make_node("QAttention", inputs, list(node.output), domain=MICROSOFT, num_heads=heads)
    rewrite.replace(node, *before, quantised)


def _product(rewrite: Rewrite, node: NodeProto, before: list, x: _Quantised, w: _Quantised) -> None:
    """The bias goes into the product, where one follows."""
    inputs, last = [x.values, w.values, x.scale, w.scale, x.zero, w.zero], node
    try:
        add = rewrite.reader(node.output[0])
        bias, _ = rewrite.weight_and_other(add)
        if add.op_type == "Add" and rewrite.weight(bias).ndim == 1:
            inputs, last = [*inputs, bias], add
    except OtherPattern:
        pass
    product = helper.make_node("MatMulIntegerToFloat", inputs, list(last.output), domain=MICROSOFT)
    if last is node:
        rewrite.replace(node, *before, product)
    else:
        rewrite.replace(node, *before)
        rewrite.replace(last, product)


def _activations(rewrite: Rewrite, value: str, low: float, high: float) -> tuple[_Quantised, NodeProto]:
    scale = np.float32((high - low) * HEADROOM / LEVELS) or np.float32(1.0)
    names = _Quantised(f"{value}_uint8", f"{value}_scale", f"{value}_zero")
    rewrite.add_weight(names.scale, scale)
    rewrite.add_weight(names.zero, np.uint8(np.clip(np.rint(-low * HEADROOM / scale), 0, LEVELS)))
    return names, helper.make_node("QuantizeLinear", [value, names.scale, names.zero], [names.values])


def _weights(rewrite: Rewrite, name: str, largest: int) -> _Quantised:
    weights = rewrite.weight(name)
    scale = (np.abs(weights).max(axis=0) / largest).astype(np.float32)
    scale[scale == 0] = 1.0
    return _Quantised(
        rewrite.add_weight(f"{name}_int8", np.rint(weights / scale).astype(np.int8)),
        rewrite.add_weight(f"{name}_scale", scale),
        rewrite.add_weight(f"{name}_zero", np.zeros(scale.shape, np.int8)),
    )


def _ranges(model: onnx.ModelProto, values: list[str], encoded: list[list[int]]) -> dict[str, tuple[float, float]]:
    """Least and largest of each value over all molecules; 0 is always within, because padding and ReLU give it."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    names = list(dict.fromkeys(values))
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    runtime = onnx_file.session(watched.SerializeToString())
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for ids in encoded:
        met = runtime.run(names, graph.feed(*predict.pad([ids])))
        low = np.minimum(low, [float(value.min()) for value in met])
        high = np.maximum(high, [float(value.max()) for value in met])
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}
