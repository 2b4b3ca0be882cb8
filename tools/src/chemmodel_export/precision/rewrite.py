"""A network as a rewriting sees it: who makes a value, who reads it, and what stands in a node's place."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's own operators
MASK = "attention_mask"
T = TypeVar("T")


class OtherPattern(Exception):
    """The nodes at hand are not those that a rewriting looks for; they stay as they are."""


class Rewrite:
    """Every question is about the network as it was; `finish` builds what becomes of it."""

    def __init__(self, model: onnx.ModelProto):
        self._model = model
        self.nodes = list(model.graph.node)
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._producer = {value: node for node in self.nodes for value in node.output}
        self._readers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for value in node.input:
                self._readers[value].append(node)
        self._instead: dict[str, list[NodeProto]] = {}
        self._first: dict[str, NodeProto] = {}
        self._added: dict[str, onnx.TensorProto] = {}

    def producer(self, value: str) -> NodeProto:
        if value not in self._producer:
            raise OtherPattern(f"{value} is no node's output")
        return self._producer[value]

    def readers(self, value: str) -> list[NodeProto]:
        return self._readers[value]

    def reader(self, value: str) -> NodeProto:
        """The only one."""
        return only(self._readers[value])

    def is_output(self, value: str) -> bool:
        return any(output.name == value for output in self._model.graph.output)

    def is_weight(self, value: str) -> bool:
        return value in self._weights

    def weight(self, value: str) -> np.ndarray:
        if value not in self._weights:
            raise OtherPattern(f"{value} is no weight")
        return numpy_helper.to_array(self._weights[value])

    def weight_and_other(self, node: NodeProto) -> tuple[str, str]:
        """The two inputs of a sum or a product, of which exactly one is a weight."""
        weight = only(value for value in node.input if self.is_weight(value))
        return weight, only(value for value in node.input if not self.is_weight(value))

    def encoder(self) -> set[str]:
        """The first outputs of the nodes above the last normalisation.

        Below it are the pooling and the head: a thousandth of the work, and every rounding there is an error of the
        answer. They stay fp32.
        """
        norms = [node for node in self.nodes if node.op_type == "LayerNormalization"]
        wanted = {norms[-1].output[0]} if norms else set()
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                wanted.update(node.input)
        return {node.output[0] for node in self.nodes if node.output[0] in wanted}

    def add_weight(self, name: str, array: np.ndarray) -> str:
        self._added[name] = numpy_helper.from_array(np.asarray(array), name)
        return name

    def put_first(self, node: NodeProto) -> str:
        """Something that only inputs of the network are needed for; the same output twice is one node."""
        self._first.setdefault(node.output[0], node)
        return node.output[0]

    def replace(self, node: NodeProto, *instead: NodeProto) -> None:
        """What nobody reads afterwards vanishes, so a pattern is replaced by replacing its last node."""
        self._instead[node.output[0]] = list(instead)

    def finish(self) -> onnx.ModelProto:
        """The new network. It tells no inner shapes: those that it told belong to nodes that may be gone."""
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        graph = model.graph
        needed = {output.name for output in graph.output}
        kept = []
        for node in reversed(list(self._placed())):
            if needed.intersection(node.output):
                kept.append(node)
                needed.update(node.input)
        weights = [tensor for name, tensor in (self._weights | self._added).items() if name in needed]
        for field in (graph.node, graph.initializer, graph.value_info):
            del field[:]
        graph.node.extend(reversed(kept))
        graph.initializer.extend(weights)
        if MICROSOFT not in {opset.domain for opset in model.opset_import}:
            model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
        return model

    def _placed(self) -> Iterator[NodeProto]:
        yield from self._first.values()
        for node in self.nodes:
            yield from self._instead.get(node.output[0], [node])


def only(items: Iterable[T]) -> T:
    found = list(items)
    if len(found) != 1:
        raise OtherPattern(f"expected one, found {len(found)}")
    return found[0]


def expect(node: NodeProto, *kinds: str) -> NodeProto:
    if node.op_type not in kinds:
        raise OtherPattern(f"expected {kinds}, found {node.op_type}")
    return node
