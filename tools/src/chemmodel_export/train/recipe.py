"""The numbers that tell one version of the example model from the next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    warmup: float  # share of all steps
    dropout: float
    attention_dropout: float
    spellings: bool  # draw another spelling of each molecule every epoch
    descriptor_weight: float  # weight of the helper task, RDKit descriptors; 0 is without
    ema: float  # decay of the weight average that is kept; 0 keeps the last weights
    seed: int


RECIPES = {
    "v1": Recipe(
        epochs=6,
        batch=64,
        learning_rate=4e-4,
        weight_decay=0.01,
        warmup=0.1,
        dropout=0.1,
        attention_dropout=0.1,
        spellings=False,
        descriptor_weight=0.0,
        ema=0.0,
        seed=20261122,
    ),
    "v2": Recipe(
        epochs=20,
        batch=64,
        learning_rate=6e-4,
        weight_decay=0.05,
        warmup=0.05,
        dropout=0.05,
        attention_dropout=0.0,
        spellings=True,
        descriptor_weight=0.3,
        ema=0.998,
        seed=20261122,
    ),
}
