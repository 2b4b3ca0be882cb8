"""Training: batches of similar length, cosine schedule with warm-up, average of the weights, a checkpoint per epoch."""

import copy
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import RobertaConfig

from chemmodel_export.network import ChemBertaDnn, chemberta_77m_config
from chemmodel_export.train import descriptors
from chemmodel_export.train.data import Molecule
from chemmodel_export.train.recipe import Recipe
from chemmodel_export.train.spelling import Speller
from chemmodel_export.train.tokens import CLS, PAD, SEP, build_tokenizer

VOCABULARY_DRAWS = 4  # spellings per molecule from which the vocabulary is made
WINDOW = 40  # batches that are sorted by length together


@dataclass(frozen=True)
class Scaling:
    center: float
    scale: float


@dataclass(frozen=True)
class Trained:
    network: ChemBertaDnn
    tokenizer: Tokenizer
    scaling: Scaling


def train(
    molecules: list[Molecule], recipe: Recipe, keep: Callable[[Trained, int], None], log: Callable[[str], None]
) -> Trained:
    """Trains from random weights; `keep` is called with what an export would contain after every epoch."""
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    kelvin = np.array([m.kelvin for m in molecules])
    scaling = Scaling(center=round(float(kelvin.mean()), 4), scale=round(float(kelvin.std()), 4))
    spellers = [Speller(m.smiles, m.source_smiles) for m in molecules]
    tokenizer = _tokenizer(spellers, recipe, rng)
    network = ChemBertaDnn(_config(tokenizer, recipe))
    # The fused kernel of the processor is three times slower on sequences this short.
    network.chemberta_model.set_attn_implementation("eager")
    helper = nn.Linear(network.chemberta_model.config.hidden_size, len(descriptors.NAMES))
    targets = torch.tensor((kelvin - scaling.center) / scaling.scale, dtype=torch.float32)
    helper_targets = _helper_targets(molecules, recipe)

    parameters = [*network.parameters(), *helper.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    steps = recipe.epochs * math.ceil(len(molecules) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warmup))
    average = copy.deepcopy(network) if recipe.ema else network
    step, started = 0, time.monotonic()
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        total = 0.0
        for rows, ids, mask in _batches(spellers, tokenizer, recipe, rng):
            with torch.autocast("cpu", torch.bfloat16):
                pooled = network.embed(ids, mask)
                prediction = network.dnn_head(pooled).squeeze(-1)
                guess = helper(pooled)
            loss = nn.functional.smooth_l1_loss(prediction.float(), targets[rows], beta=0.25)
            total += loss.item() * len(rows)
            if helper_targets is not None:
                loss = loss + recipe.descriptor_weight * nn.functional.mse_loss(guess.float(), helper_targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            if recipe.ema:
                _blend(average, network, min(recipe.ema, step / (step + 10)))
        trained = Trained(average.eval(), tokenizer, scaling)
        keep(trained, epoch)
        log(f"epoch {epoch}/{recipe.epochs} loss {total / len(molecules):.4f} {time.monotonic() - started:.0f} s")
    return trained


def encode(tokenizer: Tokenizer, smiles: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded `input_ids` and `attention_mask`, int64 `[batch, length]`."""
    encoded = [e.ids for e in tokenizer.encode_batch(smiles)]
    ids = torch.full((len(encoded), max(map(len, encoded))), tokenizer.token_to_id(PAD), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate(encoded):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask


def _tokenizer(spellers: list[Speller], recipe: Recipe, rng: random.Random) -> Tokenizer:
    spellings = [s.canonical for s in spellers]
    if recipe.spellings:
        spellings += [s.draw(rng) for s in spellers for _ in range(VOCABULARY_DRAWS)]
    return build_tokenizer(spellings)


def _config(tokenizer: Tokenizer, recipe: Recipe) -> RobertaConfig:
    return chemberta_77m_config(
        tokenizer.get_vocab_size(),
        *(tokenizer.token_to_id(token) for token in (PAD, CLS, SEP)),
        dropout=recipe.dropout,
        attention_dropout=recipe.attention_dropout,
    )


def _helper_targets(molecules: list[Molecule], recipe: Recipe) -> torch.Tensor | None:
    if not recipe.descriptor_weight:
        return None
    return torch.from_numpy(descriptors.standardised([m.smiles for m in molecules]))


def _rate(step: int, steps: int, warmup: float) -> float:
    rising = max(1, int(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising))))


def _batches(
    spellers: list[Speller], tokenizer: Tokenizer, recipe: Recipe, rng: random.Random
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Every molecule once, in random order but for sorting by length inside a window: little padding, still mixed."""
    spelled = [s.draw(rng) if recipe.spellings else s.canonical for s in spellers]
    order = list(range(len(spelled)))
    rng.shuffle(order)
    span = recipe.batch * WINDOW
    batches = []
    for start in range(0, len(order), span):
        window = sorted(order[start : start + span], key=lambda row: len(spelled[row]))
        batches += [window[i : i + recipe.batch] for i in range(0, len(window), recipe.batch)]
    rng.shuffle(batches)
    for rows in batches:
        yield rows, *encode(tokenizer, [spelled[row] for row in rows])


@torch.no_grad()
def _blend(average: nn.Module, network: nn.Module, decay: float) -> None:
    kept, new = list(average.parameters()), list(network.parameters())
    torch._foreach_lerp_(kept, new, 1 - decay)
