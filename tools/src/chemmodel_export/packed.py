"""Graphs as networks of kind `graph` read them: those of a batch one after another, without padding."""

from typing import NamedTuple

import numpy as np
import onnxruntime

INPUTS, OUTPUT = ("atom", "bond", "connectivity", "graph", "size"), "predictions"
BATCHES = (1, 2, 16)


class Graph(NamedTuple):
    """One molecule, `atoms` and directed `bonds` first dimensions."""

    atom: np.ndarray  # token ids int64 [atoms], or features float32 [atoms, width]
    bond: np.ndarray  # the same of each directed bond
    connectivity: np.ndarray  # source and target, int64 [bonds, 2]

    @property
    def length(self) -> int:
        """What `maxLength` limits."""
        return len(self.atom) + len(self.bond)


def pack(graphs: list[Graph]) -> dict[str, np.ndarray]:
    """The tensors of one batch; each graph's atoms are numbered on from those before."""
    sizes = np.array([len(g.atom) for g in graphs], dtype=np.int64)
    first = np.cumsum(sizes) - sizes
    values = (
        np.concatenate([g.atom for g in graphs]),
        np.concatenate([g.bond for g in graphs]),
        np.concatenate([g.connectivity + shift for g, shift in zip(graphs, first, strict=True)]),
        np.repeat(np.arange(len(graphs), dtype=np.int64), sizes),
        sizes,
    )
    return dict(zip(INPUTS, values, strict=True))


def run(runtime: onnxruntime.InferenceSession, graphs: list[Graph]) -> np.ndarray:
    """Raw float32 `[graphs, outputs]`."""
    return runtime.run([OUTPUT], pack(graphs))[0]


class Difference(NamedTuple):
    """Where a network answers other than its framework."""

    batch: int  # graphs in a batch
    error: float  # relative above 1, absolute below; NaN where an answer is not a number
    graph: int


def first_difference(
    runtime: onnxruntime.InferenceSession, graphs: list[Graph], expected: np.ndarray, tolerance: float
) -> Difference | None:
    """Compares alone and in company: the worst graph of the first size of batch that is off by more than allowed."""
    for size in BATCHES:
        answered = np.concatenate([run(runtime, graphs[i : i + size]) for i in range(0, len(graphs), size)])
        error = (np.abs(answered - expected) / np.maximum(1.0, np.abs(expected))).max(axis=1)
        if not error.max() <= tolerance:
            return Difference(size, float(error.max()), int(np.nan_to_num(error, nan=np.inf).argmax()))
    return None
