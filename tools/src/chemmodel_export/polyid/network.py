"""PolyID's network `global100` in PyTorch, for packed graphs.

Published as Keras code in polyid and nfp (BSD-3-Clause); the formulas are those of `polyid/models/base_models.py` and
`nfp/layers`. A dense layer over a concatenation, `Dense([b, a_source, a_target, g])`, is computed as a sum of products,
each over as few rows as it has: there are fewer atoms than bonds, and one global state per graph. Nothing is padded, so
nothing is masked. Dropout is off.

A atoms, E directed bonds, B graphs, F features of an atom and of a bond, M of a graph.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Places(NamedTuple):
    """Which row belongs to which."""

    source: Tensor  # atom of each bond, int64 [E]
    target: Tensor
    atom_graph: Tensor  # graph of each atom, int64 [A]
    bond_graph: Tensor  # graph of each bond, int64 [E]
    bonds: Tensor  # number of bonds that leave each atom, float32 [A, 1]
    graphs: int


class GlobalUpdate(nn.Module):
    """Attention over all atoms and bonds of a graph: softmax of a query, and the mean of values that it weighs."""

    def __init__(self, features: int, units: int):
        super().__init__()
        self.query = nn.Linear(features, 1)
        self.value = nn.Linear(features, units)

    def forward(self, a: Tensor, b: Tensor, at: Places) -> Tensor:
        rows = torch.cat([a, b])
        graph = torch.cat([at.atom_graph, at.bond_graph])
        query = self.query(rows)[:, 0]
        # Shifted by the largest of the same graph, so that the exponential is finite and other graphs do not matter.
        lowest = torch.full((at.graphs,), -torch.inf, dtype=query.dtype)
        largest = lowest.scatter_reduce(0, graph, query, "amax")
        weight = torch.exp(query - largest.index_select(0, graph))[:, None]
        total = add_up(weight, graph, at.graphs)
        return add_up(weight * self.value(rows), graph, at.graphs) / total


class EdgeUpdate(nn.Module):
    def __init__(self, features: int, units: int):
        super().__init__()
        self.bond = nn.Linear(features, 2 * features)
        self.source = nn.Linear(features, 2 * features, bias=False)
        self.target = nn.Linear(features, 2 * features, bias=False)
        self.state = nn.Linear(units, 2 * features, bias=False)
        self.out = nn.Linear(2 * features, features)

    def forward(self, a: Tensor, b: Tensor, g: Tensor, at: Places) -> Tensor:
        # The two ends of a bond share its graph, so the state can be added where there are fewer rows.
        source = self.source(a) + self.state(g).index_select(0, at.atom_graph)
        ends = source.index_select(0, at.source) + self.target(a).index_select(0, at.target)
        return self.out(torch.relu(self.bond(b) + ends))


class NodeUpdate(nn.Module):
    """The message of a bond comes from its target, and is summed at its source."""

    def __init__(self, features: int, units: int):
        super().__init__()
        self.target = nn.Linear(features, 2 * features, bias=False)
        self.bond = nn.Linear(features, 2 * features)
        self.state = nn.Linear(units, 2 * features, bias=False)
        self.message = nn.Linear(2 * features, features)
        self.hidden = nn.Linear(features, 2 * features)
        self.out = nn.Linear(2 * features, features)

    def forward(self, a: Tensor, b: Tensor, g: Tensor, at: Places) -> Tensor:
        target = self.target(a) + self.state(g).index_select(0, at.atom_graph)
        hidden = torch.relu(self.bond(b) + target.index_select(0, at.target))
        # A sum of products is the product of the sum, which has fewer rows; the bias counts once per bond.
        summed = nn.functional.linear(add_up(hidden, at.source, a.shape[0]), self.message.weight)
        return self.out(torch.relu(self.hidden(summed + at.bonds * self.message.bias)))


class Step(nn.Module):
    """State, then bonds, then atoms; each reads what is new already."""

    def __init__(self, features: int, units: int, last: bool):
        super().__init__()
        self.state = GlobalUpdate(features, units)
        self.bonds = EdgeUpdate(features, units)
        # Nobody reads the atoms after the last step, so Keras does not keep that layer.
        self.atoms = None if last else NodeUpdate(features, units)

    def forward(self, a: Tensor, b: Tensor, g: Tensor, at: Places) -> tuple[Tensor, Tensor, Tensor]:
        g = g + self.state(a, b, at)
        b = b + self.bonds(a, b, g, at)
        if self.atoms is not None:
            a = a + self.atoms(a, b, g, at)
        return a, b, g


class Global100(nn.Module):
    """Token ids of packed graphs to predictions in the unit of the labels, float32 `[B, outputs]`."""

    def __init__(self, atoms: int, bonds: int, features: int, units: int, steps: int, outputs: int):
        super().__init__()
        self.atom = nn.Embedding(atoms, features)
        self.bond = nn.Embedding(bonds, features)
        self.start = GlobalUpdate(features, units)
        self.steps = nn.ModuleList(Step(features, units, last=i == steps - 1) for i in range(steps))
        self.values = nn.Linear(features, outputs)
        # What undoes the scaling of the labels; each fold has its own.
        self.register_buffer("scale", torch.ones(outputs))
        self.register_buffer("center", torch.zeros(outputs))

    def forward(self, atom: Tensor, bond: Tensor, connectivity: Tensor, graph: Tensor, size: Tensor) -> Tensor:
        source, target = connectivity[:, 0], connectivity[:, 1]
        a, b = self.atom(atom), self.bond(bond)
        one = torch.ones_like(b[:, :1])
        bonds = add_up(one, source, a.shape[0])
        at = Places(source, target, graph, graph.index_select(0, source), bonds, size.shape[0])
        g = self.start(a, b, at)
        for step in self.steps:
            a, b, g = step(a, b, g, at)
        mean = add_up(self.values(b), at.bond_graph, at.graphs) / add_up(one, at.bond_graph, at.graphs)
        return mean * self.scale + self.center


def add_up(rows: Tensor, places: Tensor, count: int) -> Tensor:
    """The sum of the rows that share a place, `[count, width]`."""
    return torch.zeros((count, rows.shape[1]), dtype=rows.dtype).index_put((places,), rows, accumulate=True)
