"""Reading the three kinds of checkpoint that can become a bundle, and writing the first of them.

own        encoder as `save_pretrained` writes it, `head.safetensors`, `tokenizer.json`, `training.json`
upstream   `config.json` and one state dict with the keys `chemberta_model.*` and `dnn_head.{0,3}.*` of ChemBERTaDNN
sequence   `RobertaForSequenceClassification` with a regression head, which reads the `<s>` token instead of a mean

Whatever the kind, the network returned computes exactly what the checkpoint computes for one molecule at a time.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import RobertaConfig, RobertaForSequenceClassification

from chemmodel_export.errors import ExportError
from chemmodel_export.files import new_folder, read_json, write_json
from chemmodel_export.network import ChemBertaDnn

CONFIG, HEAD, TOKENIZER, TRAINING = "config.json", "head.safetensors", "tokenizer.json", "training.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.pt", "best_model.pt")
NESTED = ("model_state_dict", "state_dict")  # keys under which training scripts bury the weights

# Left over from older transformers or from a pooler that ChemBERTaDNN never reads: dropping them changes no answer.
UNREAD = ("position_ids", "pooler.dense.weight", "pooler.dense.bias")


@dataclass(frozen=True)
class Checkpoint:
    network: nn.Module  # (input_ids, attention_mask) -> raw predictions [batch, outputs]
    config: RobertaConfig
    tokenizer: Tokenizer  # never pads, never cuts
    outputs: int
    training: dict  # empty unless the checkpoint is one of ours

    @property
    def max_length(self) -> int:
        """RoBERTa counts positions from one past the padding id."""
        return min(512, self.config.max_position_embeddings - self.config.pad_token_id - 1)


def save(folder: Path, network: ChemBertaDnn, tokenizer: Tokenizer, training: dict) -> None:
    with new_folder(folder, replace_if_holds=TRAINING) as scratch:
        network.chemberta_model.save_pretrained(scratch)
        save_file(network.dnn_head.state_dict(), scratch / HEAD)
        tokenizer.save(str(scratch / TOKENIZER))
        write_json(scratch / TRAINING, training)


def load(folder: Path) -> Checkpoint:
    config = _config(folder)
    tokenizer = _tokenizer(folder, config)
    weights = _weights(folder)
    if (folder / HEAD).exists():
        head = {f"dnn_head.{key}": value for key, value in _read_tensors(folder / HEAD).items()}
        weights = {f"chemberta_model.{key}": value for key, value in weights.items()} | head
    network = _sequence_network(folder, config, weights) if _is_sequence(weights) else _dnn(folder, config, weights)
    training = read_json(folder / TRAINING) if (folder / TRAINING).exists() else {}
    outputs = config.num_labels if _is_sequence(weights) else weights["dnn_head.3.weight"].shape[0]
    return Checkpoint(network.eval(), config, tokenizer, outputs, training)


def _config(folder: Path) -> RobertaConfig:
    values = read_json(folder / CONFIG)
    if values.get("model_type") != "roberta":
        raise ExportError(
            f"{folder / CONFIG} has model_type {values.get('model_type')!r}; only 'roberta' can be exported"
        )
    try:
        config = RobertaConfig(**values)
    except Exception as error:  # transformers raises several kinds for fields that do not fit
        raise ExportError(f"{folder / CONFIG} is not a RoBERTa configuration: {error}") from error
    if config.hidden_size % config.num_attention_heads or not isinstance(config.pad_token_id, int):
        raise ExportError(
            f"{folder / CONFIG} cannot be built: hidden_size {config.hidden_size} must be a multiple of "
            f"num_attention_heads {config.num_attention_heads}, and pad_token_id {config.pad_token_id} a number"
        )
    return config


def _tokenizer(folder: Path, config: RobertaConfig) -> Tokenizer:
    path = folder / TOKENIZER
    if not path.exists():
        raise ExportError(
            f"{path} is missing: the tokenizer is part of the model. "
            "Write it with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)"
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the binding raises a bare Exception
        raise ExportError(f"{path} is not a tokenizer of the Hugging Face tokenizers library: {error}") from error
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    if largest >= config.vocab_size:
        raise ExportError(
            f"{path} gives ids up to {largest}, but the network knows only {config.vocab_size} tokens; "
            "the tokenizer belongs to other weights"
        )
    # A server refuses long molecules and pads batches itself; a tokenizer that cut them would hide atoms.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _is_sequence(weights: dict[str, torch.Tensor]) -> bool:
    return any(key.startswith("classifier.") for key in weights)


def _sequence_network(folder: Path, config: RobertaConfig, weights: dict[str, torch.Tensor]) -> nn.Module:
    if config.problem_type not in (None, "regression") or (config.problem_type is None and config.num_labels != 1):
        raise ExportError(
            f"{folder / CONFIG} is a classifier (problem_type {config.problem_type!r}, {config.num_labels} labels); "
            "only regression heads can be exported: set problem_type to 'regression' if its outputs are values"
        )
    network = RobertaForSequenceClassification(config)
    _fill(network, weights, folder)
    return _Logits(network)


def _dnn(folder: Path, config: RobertaConfig, weights: dict[str, torch.Tensor]) -> nn.Module:
    first, last = weights.get("dnn_head.0.weight"), weights.get("dnn_head.3.weight")
    if first is None or last is None:
        raise ExportError(
            f"{folder} has no regression head: neither {HEAD}, nor the keys dnn_head.0 and dnn_head.3, "
            "nor classifier.*; an encoder alone predicts nothing"
        )
    network = ChemBertaDnn(config, outputs=last.shape[0], head_width=first.shape[0])
    _fill(network, weights, folder)
    return network


class _Logits(nn.Module):
    """The bare tensor of a sequence classification model."""

    def __init__(self, network: RobertaForSequenceClassification):
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.network(input_ids=input_ids, attention_mask=attention_mask).logits


def _fill(network: nn.Module, weights: dict[str, torch.Tensor], folder: Path) -> None:
    """Every parameter must be there, in its shape, and no other: a silently random layer would still answer."""
    weights = {key: value.float() for key, value in weights.items() if not key.endswith(UNREAD)}
    try:
        missing, unexpected = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ExportError(f"the weights in {folder} do not have the shapes that {CONFIG} asks for: {error}") from error
    if missing or unexpected:
        raise ExportError(
            f"the weights in {folder} do not fit {CONFIG}: missing {_few(missing)}; not expected {_few(unexpected)}"
        )
    for key, value in weights.items():
        if not torch.isfinite(value).all():
            raise ExportError(f"the weights in {folder} hold infinite or undefined values, first in {key}")


def _few(keys: list[str]) -> str:
    return ", ".join(sorted(keys)[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "") if keys else "none"


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    for name in WEIGHTS:
        if (folder / name).exists():
            return _read_tensors(folder / name)
    raise ExportError(f"{folder} has no weights: looked for {', '.join(WEIGHTS)}")


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        values = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ExportError(f"{path} cannot be read as weights: {error}") from error
    for key in NESTED:
        if isinstance(values, dict) and isinstance(values.get(key), dict):
            values = values[key]
    if not isinstance(values, dict) or not all(isinstance(v, torch.Tensor) for v in values.values()):
        raise ExportError(f"{path} is not a state dict: expected names of parameters with their tensors")
    return values
