"""Atoms and directed bonds that a message passing network cannot tell apart, computed once.

After `t` messages a network knows of an atom what lies within `t` bonds of it and, by the state of the graph, what it
knows of all the others: two atoms that look alike so far have the same features. Colour refinement (Weisfeiler and
Leman, 1968) tells beforehand which these are. An oligomer repeats its unit, and the hydrogens of a carbon are alike, so
a few classes stand for many atoms; what is averaged over a molecule is weighed by how many.

Level 0 has a class for each token. A class of a later level lies within one of the level before:

    bond of level t    its class, that of its source and that of its target, all of level t - 1
    atom of level t    its class of level t - 1, and the classes of level t of the bonds that leave it

Classes are numbered by these keys in ascending order, so the order of the atoms does not matter.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chemmodel_export.packed import Graph, Input

MESSAGES = range(1, 65)  # of a network that can be served


class Refined(NamedTuple):
    """One molecule by classes."""

    inputs: dict[str, Input]
    tensors: dict[str, np.ndarray]  # int64, one dimension


def inputs(messages: int) -> dict[str, Input]:
    """Of a network that passes so many messages. Nobody reads the atoms after the last one."""
    named = {
        "atom_0": Input("atoms_0"),
        "atom_count_0": Input("atoms_0"),
        "bond_0": Input("bonds_0"),
        "bond_count_0": Input("bonds_0"),
        "atom_graph": Input("atoms_0", numbers="graphs"),
        "bond_graph": Input("bonds_0", numbers="graphs"),
        "size": Input("graphs"),
    }
    for t in range(1, messages + 1):
        named |= {
            f"bond_{t}": Input(f"bonds_{t}", numbers=f"bonds_{t - 1}"),
            f"bond_count_{t}": Input(f"bonds_{t}"),
            f"source_{t}": Input(f"bonds_{t}", numbers=f"atoms_{t - 1}"),
            f"target_{t}": Input(f"bonds_{t}", numbers=f"atoms_{t - 1}"),
        }
        if t < messages:
            named |= {
                f"atom_{t}": Input(f"atoms_{t}", numbers=f"atoms_{t - 1}"),
                f"atom_count_{t}": Input(f"atoms_{t}"),
                f"sum_atom_{t}": Input(f"sums_{t}", numbers=f"atoms_{t}"),
                f"sum_bond_{t}": Input(f"sums_{t}", numbers=f"bonds_{t}"),
            }
    return named


def refine(graph: Graph, messages: int) -> Refined:
    """The classes of a molecule that has bonds."""
    sources, targets = graph.connectivity.T.tolist()
    atom, atom_keys = _classes(graph.atom.tolist())
    bond, bond_keys = _classes(graph.bond.tolist())
    found = {
        "atom_0": atom_keys,
        "atom_count_0": np.bincount(atom),
        "bond_0": bond_keys,
        "bond_count_0": np.bincount(bond),
        "atom_graph": [0] * len(atom_keys),
        "bond_graph": [0] * len(bond_keys),
        "size": [len(atom)],
    }
    for t in range(1, messages + 1):
        ends = zip(bond, sources, targets, strict=True)
        bond, keys = _classes([(own, atom[source], atom[target]) for own, source, target in ends])
        found[f"bond_{t}"], found[f"source_{t}"], found[f"target_{t}"] = zip(*keys, strict=True)
        found[f"bond_count_{t}"] = np.bincount(bond)
        if t < messages:
            leaving = [[] for _ in atom]
            for source, own in zip(sources, bond, strict=True):
                leaving[source].append(own)
            atom, keys = _classes([(own, tuple(sorted(bonds))) for own, bonds in zip(atom, leaving, strict=True)])
            found[f"atom_{t}"] = [before for before, _ in keys]
            found[f"atom_count_{t}"] = np.bincount(atom)
            found[f"sum_atom_{t}"] = [number for number, (_, bonds) in enumerate(keys) for _ in bonds]
            found[f"sum_bond_{t}"] = [own for _, bonds in keys for own in bonds]
    named = inputs(messages)
    return Refined(named, {name: np.array(found[name], dtype=np.int64) for name in named})


def _classes(keys: Sequence) -> tuple[list[int], list]:
    """Number of each key among the distinct ones, and these in ascending order."""
    distinct = sorted(set(keys))
    number = {key: i for i, key in enumerate(distinct)}
    return [number[key] for key in keys], distinct
