"""Graphs as networks of kind `graph` read them: those of a batch one after another, without padding."""

from typing import NamedTuple, Protocol

import numpy as np
import onnxruntime

from chemmodel_export.errors import ExportError

OUTPUT = "predictions"
BATCHES = (1, 2, 16)


class Input(NamedTuple):
    """One tensor of a network."""

    rows: str  # what its rows are
    numbers: str | None = None  # the rows that its values count; None if they are no numbers of rows


class Packable(Protocol):
    """One molecule for a network."""

    @property
    def inputs(self) -> dict[str, Input]:
        """In the order of the network's arguments; the same for all graphs of a batch."""

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """Of a batch that is this molecule alone."""


class Graph(NamedTuple):
    """One molecule as it is, `atoms` and directed `bonds` first dimensions."""

    atom: np.ndarray  # token ids int64 [atoms], or features float32 [atoms, width]
    bond: np.ndarray  # the same of each directed bond
    connectivity: np.ndarray  # source and target, int64 [bonds, 2]

    @property
    def length(self) -> int:
        """What `maxLength` limits."""
        return len(self.atom) + len(self.bond)

    @property
    def inputs(self) -> dict[str, Input]:
        return {
            "atom": Input("atoms"),
            "bond": Input("bonds"),
            "connectivity": Input("bonds", numbers="atoms"),
            "graph": Input("atoms", numbers="graphs"),
            "size": Input("graphs"),
        }

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        atoms = len(self.atom)
        return {**self._asdict(), "graph": np.zeros(atoms, dtype=np.int64), "size": np.array([atoms], dtype=np.int64)}


def pack(graphs: list[Packable]) -> dict[str, np.ndarray]:
    """The tensors of one batch; each graph's rows are numbered on from those before."""
    inputs, alone = graphs[0].inputs, [graph.tensors for graph in graphs]
    sizes = {rows: [len(tensors[name]) for tensors in alone] for name, (rows, _) in inputs.items()}
    before = {None: [0] * len(graphs)} | {rows: np.cumsum(counts) - counts for rows, counts in sizes.items()}
    return {
        name: np.concatenate([t[name] + shift for t, shift in zip(alone, before[numbers], strict=True)])
        for name, (_, numbers) in inputs.items()
    }


def run(runtime: onnxruntime.InferenceSession, graphs: list[Packable]) -> np.ndarray:
    """Raw float32 `[graphs, outputs]`."""
    tensors, wanted = pack(graphs), {tensor.name for tensor in runtime.get_inputs()}
    if other := sorted(wanted ^ tensors.keys()):
        raise ExportError(f"the network has other inputs than its features give: {other[0]} is in one of both alone")
    return runtime.run([OUTPUT], tensors)[0]


class Difference(NamedTuple):
    """Where a network answers other than its framework."""

    batch: int  # graphs in a batch
    error: float  # relative above 1, absolute below; NaN where an answer is not a number
    graph: int


def first_difference(
    runtime: onnxruntime.InferenceSession, graphs: list[Packable], expected: np.ndarray, tolerance: float
) -> Difference | None:
    """Compares alone and in company: the worst graph of the first size of batch that is off by more than allowed."""
    for size in BATCHES:
        answered = np.concatenate([run(runtime, graphs[i : i + size]) for i in range(0, len(graphs), size)])
        error = (np.abs(answered - expected) / np.maximum(1.0, np.abs(expected))).max(axis=1)
        if not error.max() <= tolerance:
            return Difference(size, float(error.max()), int(np.nan_to_num(error, nan=np.inf).argmax()))
    return None
