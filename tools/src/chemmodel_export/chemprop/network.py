"""The directed message passing network (D-MPNN) of Chemprop 2 over packed graphs; answers in the unit of the labels.

Yang et al., J. Chem. Inf. Model. 59 (2019) 3370. Each directed bond has a state. It hears the bonds that come into its
source, except its own reverse.

A atoms, E directed bonds, B graphs.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

MEAN, SUM, NORM = "mean", "sum", "norm"


class Shape(NamedTuple):
    """What the tensors of a checkpoint do not tell."""

    depth: int  # of the states of a bond: one from its features, the others from messages
    activation: nn.Module
    head_activation: nn.Module
    aggregation: str  # over the atoms of a graph
    norm: float | None  # what NORM divides the sum by


class Unscale(nn.Module):
    """`y × scale + mean`, each float32 `[1, outputs]`."""

    def __init__(self, scale: Tensor, mean: Tensor):
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("mean", mean)

    def forward(self, scaled: Tensor) -> Tensor:
        return scaled * self.scale + self.mean


class Dmpnn(nn.Module):
    """`W_i`, `W_h` and `W_o` are Chemprop's names for what makes the first state, the next ones, and that of atoms."""

    def __init__(
        self, shape: Shape, W_i: nn.Linear, W_h: nn.Linear, W_o: nn.Linear, dense: list[nn.Linear], unscale: Unscale
    ):
        super().__init__()
        self.shape = shape
        self.W_i, self.W_h, self.W_o = W_i, W_h, W_o
        self.activation = shape.activation
        between = [part for layer in dense for part in (shape.head_activation, layer)]
        self.head = nn.Sequential(*between[1:], unscale)

    @property
    def outputs(self) -> int:
        return self.head[-2].out_features

    def forward(self, atom: Tensor, bond: Tensor, connectivity: Tensor, graph: Tensor, size: Tensor) -> Tensor:
        """float32 `[B, outputs]`."""
        source, target = connectivity[:, 0], connectivity[:, 1]
        first = self.W_i(torch.cat([atom.index_select(0, source), bond], dim=1))
        state = self.activation(first)
        for _ in range(1, self.shape.depth):
            heard = _sum(state, target, atom.shape[0]).index_select(0, source) - _reverse(state)
            state = self.activation(first + self.W_h(heard))
        atoms = self.activation(self.W_o(torch.cat([atom, _sum(state, target, atom.shape[0])], dim=1)))
        return self.head(self._aggregate(_sum(atoms, graph, size.shape[0]), size))

    def _aggregate(self, total: Tensor, size: Tensor) -> Tensor:
        if self.shape.aggregation == MEAN:
            return total / size.unsqueeze(1).to(total.dtype)
        return total / self.shape.norm if self.shape.aggregation == NORM else total


def _sum(rows: Tensor, place: Tensor, places: int) -> Tensor:
    """The sum of the rows that share a place, `[places, width]`."""
    return rows.new_zeros(places, rows.shape[1]).index_add(0, place, rows)


def _reverse(state: Tensor) -> Tensor:
    """Of each directed bond, the state of its reverse, which stands beside it."""
    return state.reshape(-1, 2, state.shape[1]).flip(1).reshape(state.shape)
