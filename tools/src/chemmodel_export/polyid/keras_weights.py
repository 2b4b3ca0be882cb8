"""Reads the weights of `global100` out of Keras' `.h5`, by the names that the PyTorch network gives them."""

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from chemmodel_export.errors import ExportError

STATE, BONDS, ATOMS, VALUES = "global_update", "edge_update", "node_update", "bondwise_values"
EMBEDDINGS = ("atom_embedding", "bond_embedding")


@dataclass(frozen=True)
class Weights:
    atom_embedding: np.ndarray  # [atom classes, features]
    bond_embedding: np.ndarray
    units: int  # width of the state of a graph
    steps: int
    layers: dict[str, np.ndarray]  # every parameter of the PyTorch network but the embeddings


def read(path: Path, outputs: int) -> Weights:
    layers = _layers(path)
    stray = [name for name in layers if _kind(name) not in (STATE, BONDS, ATOMS, VALUES, *EMBEDDINGS)]
    if stray:
        raise ExportError(f"{path} is not global100: it has the layers {stray[:4]}")
    of = {
        kind: [layers[name] for name in sorted(layers, key=_number) if _kind(name) == kind]
        for kind in (STATE, BONDS, ATOMS, VALUES)
    }
    steps = len(of[BONDS])
    counts = {kind: len(found) for kind, found in of.items()}
    if counts != {STATE: steps + 1, BONDS: steps, ATOMS: steps - 1, VALUES: outputs} or not set(EMBEDDINGS) <= set(
        layers
    ):
        raise ExportError(f"{path} is not global100 with {outputs} outputs: it has {counts} and {sorted(layers)[:2]}")
    (atom,), (bond,) = (layers[name] for name in EMBEDDINGS)
    try:
        named = _global("start", of[STATE][0])
        for step in range(steps):
            named |= _global(f"steps.{step}.state", of[STATE][step + 1])
            named |= _edge(f"steps.{step}.bonds", of[BONDS][step], atom.shape[1])
        for step in range(steps - 1):  # the last one's atoms are read by nobody, and Keras did not keep them
            named |= _node(f"steps.{step}.atoms", of[ATOMS][step], atom.shape[1])
        kernels, biases = zip(*of[VALUES], strict=True)
        named |= {"values.weight": np.concatenate(kernels, axis=1).T, "values.bias": np.concatenate(biases)}
    except ValueError as error:
        raise ExportError(f"{path} is not global100: {error}") from error
    return Weights(atom, bond, len(named["start.value.bias"]), steps, named)


def _global(name: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    query, query_bias, value, value_bias = arrays
    return _dense(f"{name}.query", query, query_bias) | _dense(f"{name}.value", value, value_bias)


def _edge(name: str, arrays: list[np.ndarray], width: int) -> dict[str, np.ndarray]:
    """The first kernel's rows are those of bond, source, target and state, in this order."""
    hidden, bias, out, out_bias = arrays
    bond, source, target, state = np.split(hidden, [width, 2 * width, 3 * width])
    return {
        **_dense(f"{name}.bond", bond, bias),
        f"{name}.source.weight": source.T,
        f"{name}.target.weight": target.T,
        f"{name}.state.weight": state.T,
        **_dense(f"{name}.out", out, out_bias),
    }


def _node(name: str, arrays: list[np.ndarray], width: int) -> dict[str, np.ndarray]:
    """The first kernel's rows are those of target, bond and state, in this order."""
    hidden, bias, message, message_bias, second, second_bias, out, out_bias = arrays
    target, bond, state = np.split(hidden, [width, 2 * width])
    return {
        f"{name}.target.weight": target.T,
        **_dense(f"{name}.bond", bond, bias),
        f"{name}.state.weight": state.T,
        **_dense(f"{name}.message", message, message_bias),
        **_dense(f"{name}.hidden", second, second_bias),
        **_dense(f"{name}.out", out, out_bias),
    }


def _dense(name: str, kernel: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}.weight": kernel.T, f"{name}.bias": bias}


def _layers(path: Path) -> dict[str, list[np.ndarray]]:
    """Arrays of each layer that has any, in the order in which Keras made them."""
    try:
        with h5py.File(path) as file:
            groups = file["model_weights"]
            layers = {
                name: [np.array(groups[name][weight]) for weight in groups[name].attrs["weight_names"]]
                for name in groups
                if len(groups[name].attrs.get("weight_names", ()))
            }
    except FileNotFoundError as error:
        raise ExportError(f"{path} is missing; a `.keras` file must be saved anew as `.h5`") from error
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{path} cannot be read as Keras weights: {error}") from error
    for name, arrays in layers.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise ExportError(f"{path} holds infinite or undefined weights, first in {name}")
    return layers


def _kind(layer: str) -> str:
    return re.sub(r"_\d+$", "", layer)


def _number(layer: str) -> int:
    """Keras numbers layers of a kind in the order in which they were made; the first has no number."""
    found = re.search(r"_(\d+)$", layer)
    return int(found[1]) if found else -1
