"""A tiny ChemBERTaDNN, trained for seconds on the count of carbon atoms, and the bundle made from it."""

from pathlib import Path

import pytest
import torch
from transformers import RobertaConfig

from chemmodel_export import bundle, checkpoint, molecules
from chemmodel_export.network import ChemBertaDnn
from chemmodel_export.train.loop import encode
from chemmodel_export.train.tokens import CLS, PAD, SEP, build_tokenizer

TOOLS = Path(__file__).parents[1]
MODELS = TOOLS.parent / "examples" / "models" / "boiling-point"
OUTPUT = {"name": "carbons", "property": "carbon atoms", "unit": "1", "transform": "none", "scale": 10.0, "center": 5.0}


@pytest.fixture(scope="session")
def tokenizer():
    return build_tokenizer(molecules.default(), min_count=1)


@pytest.fixture(scope="session")
def config(tokenizer) -> RobertaConfig:
    return RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=200,
        type_vocab_size=1,
        pad_token_id=tokenizer.token_to_id(PAD),
        bos_token_id=tokenizer.token_to_id(CLS),
        eos_token_id=tokenizer.token_to_id(SEP),
    )


@pytest.fixture(scope="session")
def network(config, tokenizer) -> ChemBertaDnn:
    torch.set_num_threads(1)  # far faster than sharing matrices this small
    torch.manual_seed(1)
    network = ChemBertaDnn(config, head_width=16)
    network.chemberta_model.set_attn_implementation("eager")  # the fused kernel is slow on short sequences
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    short = [smiles for smiles in molecules.COMMON if len(smiles) < 12]
    ids, mask = encode(tokenizer, short)
    carbons = torch.tensor([float(smiles.replace("Cl", "").upper().count("C")) for smiles in short])
    for _ in range(150):
        raw = network(ids, mask).squeeze(-1)
        loss = ((raw - (carbons - OUTPUT["center"]) / OUTPUT["scale"]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01, "the tiny network did not learn (a constant answer would reach 0.04)"
    return network.eval()


@pytest.fixture
def own_checkpoint(tmp_path, network, tokenizer) -> Path:
    folder = tmp_path / "checkpoint"
    checkpoint.save(folder, network, tokenizer, {"name": "tiny", "outputs": [OUTPUT], "molecules": ["CCBr"]})
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory, network, tokenizer) -> Path:
    """Exported once; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("tiny")
    checkpoint.save(folder / "checkpoint", network, tokenizer, {"name": "tiny", "outputs": [OUTPUT]})
    bundle.write(checkpoint.load(folder / "checkpoint"), "tiny", [OUTPUT], ["CCBr"], folder / "bundle")
    return folder / "bundle"
