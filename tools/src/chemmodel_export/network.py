"""ChemBERTaDNN: a RoBERTa encoder over SMILES tokens, the masked mean of its last layer, and a small dense head.

The attribute names are those of the upstream class, so state dicts are exchangeable with it. Upstream averages over
padding too, which makes an answer depend on its batch; the masked mean equals upstream for one molecule at a time.
"""

import torch
from torch import nn
from transformers import RobertaConfig, RobertaModel

HEAD_WIDTH = 32
HEAD_DROPOUT = 0.3


def chemberta_77m_config(
    vocabulary: int, pad_id: int, cls_id: int, sep_id: int, dropout: float = 0.1, attention_dropout: float = 0.1
) -> RobertaConfig:
    """The shape of ChemBERTa-77M: 3 layers of 384, 12 heads, feed-forward 464, 515 positions."""
    return RobertaConfig(
        vocab_size=vocabulary,
        hidden_size=384,
        num_hidden_layers=3,
        num_attention_heads=12,
        intermediate_size=464,
        max_position_embeddings=515,
        type_vocab_size=1,
        layer_norm_eps=1e-12,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=attention_dropout,
        pad_token_id=pad_id,
        bos_token_id=cls_id,
        eos_token_id=sep_id,
    )


def dense_head(hidden: int, outputs: int, width: int = HEAD_WIDTH) -> nn.Sequential:
    return nn.Sequential(nn.Linear(hidden, width), nn.ReLU(), nn.Dropout(HEAD_DROPOUT), nn.Linear(width, outputs))


def masked_mean(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens that the mask keeps: `[batch, length, hidden]` to `[batch, hidden]`."""
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


class ChemBertaDnn(nn.Module):
    """Raw (scaled) predictions, float32 `[batch, outputs]`."""

    def __init__(self, config: RobertaConfig, outputs: int = 1, head_width: int = HEAD_WIDTH):
        super().__init__()
        self.chemberta_model = RobertaModel(config, add_pooling_layer=False)
        self.dnn_head = dense_head(config.hidden_size, outputs, head_width)

    def embed(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.chemberta_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return masked_mean(hidden, attention_mask)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.dnn_head(self.embed(input_ids, attention_mask))
