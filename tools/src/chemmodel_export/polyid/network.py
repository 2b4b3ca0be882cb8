"""PolyID's network `global100` in PyTorch, for packed refined graphs.

Published as Keras code in polyid and nfp (BSD-3-Clause); the formulas are those of `polyid/models/base_models.py` and
`nfp/layers`. What they say of an atom or of a bond is computed once for its class (see `refined`), and what they take
the mean of is weighed by the sizes of the classes. A dense layer over a concatenation, `Dense([b, a_source, a_target,
g])`, is computed as a sum of products, each over as few rows as it has: there are fewer atoms than bonds, fewer classes
before a message than after it, and one global state per graph. Nothing is padded, so nothing is masked. Dropout is off.

A classes of atoms, E of directed bonds, B graphs, F features of an atom and of a bond, M of a graph.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Classes(NamedTuple):
    """Those of the atoms or of the bonds of one level."""

    rows: Tensor  # float32 [classes, F]
    graph: Tensor  # int64 [classes]
    count: Tensor  # of atoms or bonds in each, int64 [classes]


class Level(NamedTuple):
    """How the classes of a level come from those of the one before, int64."""

    bond: Tensor  # class before of each class of bonds [E]
    bond_count: Tensor
    source: Tensor  # class before of its atoms
    target: Tensor
    atom: Tensor | None = None  # class before of each class of atoms [A]
    atom_count: Tensor | None = None
    sum_atom: Tensor | None = None  # of each bond that leaves an atom, the class of that atom in this level
    sum_bond: Tensor | None = None  # and its own

    @classmethod
    def of(cls, given: dict[str, Tensor], t: int) -> "Level":
        return cls(*(given.get(f"{name}_{t}") for name in cls._fields))


class GlobalUpdate(nn.Module):
    """Attention over all atoms and bonds of a graph: softmax of a query, and the mean of values that it weighs."""

    def __init__(self, features: int, units: int):
        super().__init__()
        self.query = nn.Linear(features, 1)
        self.value = nn.Linear(features, units)

    def forward(self, atoms: Classes, bonds: Classes, graphs: int) -> Tensor:
        rows, graph, count = (torch.cat(both) for both in zip(atoms, bonds, strict=True))
        query = self.query(rows)
        # Shifted by the largest of the same graph, so that the exponential is finite and other graphs do not matter.
        lowest = torch.full((graphs, 1), -torch.inf, dtype=query.dtype)
        largest = lowest.scatter_reduce(0, graph[:, None], query, "amax")
        weight = torch.exp(query - pick(largest, graph)) * column(count)
        return mean(self.value(rows), weight, graph, graphs)


class EdgeUpdate(nn.Module):
    def __init__(self, features: int, units: int):
        super().__init__()
        self.bond = nn.Linear(features, 2 * features)
        self.source = nn.Linear(features, 2 * features, bias=False)
        self.target = nn.Linear(features, 2 * features, bias=False)
        self.state = nn.Linear(units, 2 * features, bias=False)
        self.out = nn.Linear(2 * features, features)

    def forward(self, atoms: Classes, bonds: Classes, g: Tensor, level: Level) -> Tensor:
        """Before the last layer, `[E, 2F]`."""
        # The two ends of a bond share its graph, so the state can be added where there are fewer rows.
        source = self.source(atoms.rows) + pick(self.state(g), atoms.graph)
        ends = pick(source, level.source) + pick(self.target(atoms.rows), level.target)
        return torch.relu(pick(self.bond(bonds.rows), level.bond) + ends)


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

    def forward(self, atoms: Classes, bonds: Classes, g: Tensor, level: Level, leaving: Tensor) -> Tensor:
        """`bonds` are already those of this level; `leaving` is how many leave an atom, float32 `[A, 1]`."""
        target = self.target(atoms.rows) + pick(self.state(g), atoms.graph)
        hidden = torch.relu(self.bond(bonds.rows) + pick(target, level.target))
        # A sum of products is the product of the sum, which has fewer rows; the bias counts once per bond.
        summed = add_up(pick(hidden, level.sum_bond), level.sum_atom, level.atom.shape[0])
        message = nn.functional.linear(summed, self.message.weight) + leaving * self.message.bias
        return self.out(torch.relu(self.hidden(message)))


class Step(nn.Module):
    """State, then bonds, then atoms; each reads what is new already."""

    def __init__(self, features: int, units: int, last: bool):
        super().__init__()
        self.state = GlobalUpdate(features, units)
        self.bonds = EdgeUpdate(features, units)
        # Nobody reads the atoms after the last step, so Keras does not keep that layer.
        self.atoms = None if last else NodeUpdate(features, units)

    def forward(
        self, atoms: Classes, bonds: Classes, g: Tensor, level: Level, leaving: Tensor
    ) -> tuple[Classes, Classes, Tensor]:
        g = g + self.state(atoms, bonds, g.shape[0])
        b = pick(bonds.rows, level.bond) + self.bonds.out(self.bonds(atoms, bonds, g, level))
        bonds = Classes(b, bonds.graph.index_select(0, level.bond), level.bond_count)
        a = pick(atoms.rows, level.atom) + self.atoms(atoms, bonds, g, level, leaving)
        return Classes(a, atoms.graph.index_select(0, level.atom), level.atom_count), bonds, g

    def mean(self, atoms: Classes, bonds: Classes, g: Tensor, level: Level) -> Tensor:
        """Of the bonds after this step, `[B, F]`. The last layer is linear, so it may come after the mean."""
        graphs = g.shape[0]
        hidden = self.bonds(atoms, bonds, g + self.state(atoms, bonds, graphs), level)
        before = mean(bonds.rows, column(bonds.count), bonds.graph, graphs)
        change = mean(hidden, column(level.bond_count), bonds.graph.index_select(0, level.bond), graphs)
        return before + self.bonds.out(change)


class Global100(nn.Module):
    """Packed refined graphs to predictions in the unit of the labels, float32 `[B, outputs]`."""

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

    @property
    def messages(self) -> int:
        return len(self.steps)

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """`given` is what `refined` names."""
        atoms = Classes(self.atom(given["atom_0"]), given["atom_graph"], given["atom_count_0"])
        bonds = Classes(self.bond(given["bond_0"]), given["bond_graph"], given["bond_count_0"])
        g = self.start(atoms, bonds, given["size"].shape[0])
        *levels, end = (Level.of(given, t) for t in range(1, self.messages + 1))
        *steps, last = self.steps
        leaving = leaving_bonds(levels)
        for step, level, leave in zip(steps, levels, leaving, strict=True):
            atoms, bonds, g = step(atoms, bonds, g, level, leave)
        return self.values(last.mean(atoms, bonds, g, end)) * self.scale + self.center


def leaving_bonds(levels: list[Level]) -> list[Tensor]:
    """How many leave an atom of each class, float32 `[A, 1]` by level; counted at the first alone."""
    counts = []
    for level in levels:
        if counts:
            counts.append(pick(counts[-1], level.atom))
        else:
            one = torch.ones_like(level.sum_atom, dtype=torch.float32)[:, None]
            counts.append(add_up(one, level.sum_atom, level.atom.shape[0]))
    return counts


def pick(rows: Tensor, places: Tensor) -> Tensor:
    """The rows at these places: an embedding, which is one node in ONNX."""
    return nn.functional.embedding(places, rows)


def column(count: Tensor) -> Tensor:
    return count[:, None].to(torch.float32)


def mean(rows: Tensor, weight: Tensor, graph: Tensor, graphs: int) -> Tensor:
    """Of the rows of each graph, `[B, width]`."""
    return add_up(weight * rows, graph, graphs) / add_up(weight, graph, graphs)


def add_up(rows: Tensor, places: Tensor, count: int) -> Tensor:
    """The sum of the rows that share a place, `[count, width]`."""
    return torch.zeros((count, rows.shape[1]), dtype=rows.dtype).index_put((places,), rows, accumulate=True)
