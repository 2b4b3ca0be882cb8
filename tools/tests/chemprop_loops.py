"""The D-MPNN as its formulas are printed (Yang et al., J. Chem. Inf. Model. 59 (2019) 3370), bond by bond in float64.

Shares nothing with the exporter but the file that holds the weights.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0)


def leaky(slope: float) -> Callable:
    return lambda x: np.where(x > 0, x, slope * x)


def elu(alpha: float) -> Callable:
    return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


class Loops:
    def __init__(self, state: dict[str, torch.Tensor], depth: int, activations: tuple[Callable, Callable], aggregate):
        self.weights = {key: value.double().numpy() for key, value in state.items()}
        self.depth, self.aggregate = depth, aggregate
        self.activation, self.head_activation = activations

    def __call__(self, atoms: np.ndarray, bonds: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
        """`bonds` has both directions; the answer is `[outputs]`."""
        first = {(v, w): self.linear("message_passing.W_i", [*atoms[v], *bond]) for (v, w), bond in bonds.items()}
        state = {edge: self.activation(value) for edge, value in first.items()}
        for _ in range(1, self.depth):
            state = {
                (v, w): self.activation(first[v, w] + self.linear("message_passing.W_h", self.coming(state, v, but=w)))
                for v, w in bonds
            }
        hidden = [
            self.activation(self.linear("message_passing.W_o", [*atom, *self.coming(state, v)]))
            for v, atom in enumerate(atoms)
        ]
        return self.head(self.aggregate(np.array(hidden)))

    def coming(self, state: dict, v: int, but: int | None = None) -> np.ndarray:
        """The sum of the bonds u→v without the one from `but`."""
        width = len(self.weights["message_passing.W_h.weight"])
        return sum((value for (u, to), value in state.items() if to == v and u != but), np.zeros(width))

    def head(self, x: np.ndarray) -> np.ndarray:
        w = self.weights
        if "bn.weight" in w:
            x = (x - w["bn.running_mean"]) / np.sqrt(w["bn.running_var"] + 1e-5) * w["bn.weight"] + w["bn.bias"]
        x = self.linear("predictor.ffn.0.0", x)
        layer = 1
        while f"predictor.ffn.{layer}.2.weight" in w:
            x = self.linear(f"predictor.ffn.{layer}.2", self.head_activation(x))
            layer += 1
        return (x * w["predictor.output_transform.scale"] + w["predictor.output_transform.mean"])[0]

    def linear(self, name: str, x) -> np.ndarray:
        return self.weights[f"{name}.weight"] @ np.asarray(x, dtype=np.float64) + self.weights.get(f"{name}.bias", 0.0)


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """The tensors alone; nothing of the rest is imported."""
    unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    ignored = [(dict if name.endswith("AttributeDict") else type("Ignored", (_Ignored,), {}), name) for name in unknown]
    with torch.serialization.safe_globals(ignored):
        return torch.load(path, weights_only=True)["state_dict"]


class _Ignored:
    def __init__(self, *_):
        pass

    def __setstate__(self, _):
        pass
