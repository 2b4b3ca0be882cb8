"""The bundle answers what the original framework answers, for each kind of checkpoint."""

import json

import numpy as np
import onnx
import pytest
import torch
from conftest import OUTPUT
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import RobertaProcessing
from torch import nn
from transformers import RobertaForSequenceClassification, RobertaModel

from chemmodel_export import bundle, checkpoint, manifest, molecules, onnx_file, predict
from chemmodel_export.cli import main
from chemmodel_export.manifest import GOLDEN, MANIFEST, MODEL, TOKENIZER
from chemmodel_export.verify import verify

RAW = {**OUTPUT, "scale": 1.0, "center": 0.0}


class UpstreamChemBertaDnn(nn.Module):
    """ChemBERTaDNN as published: a pooler, and the mean over all positions. An oracle: no code of the tool in it."""

    def __init__(self, config, width):
        super().__init__()
        self.chemberta_model = RobertaModel(config)
        self.dnn_head = nn.Sequential(
            nn.Linear(config.hidden_size, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 1)
        )

    def forward(self, ids):
        hidden = self.chemberta_model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return self.dnn_head(hidden.mean(dim=1))


def golden(folder) -> list[dict]:
    return json.loads((folder / GOLDEN).read_text())["molecules"]


def onnx_answers(folder, molecules_) -> np.ndarray:
    return predict.by_onnx(onnx_file.session(folder / MODEL), [m["ids"] for m in molecules_])[:, 0]


def test_golden_answers_are_those_of_pytorch_one_at_a_time(tiny_bundle, network, tokenizer):
    for molecule in golden(tiny_bundle):
        ids = torch.tensor([tokenizer.encode(molecule["smiles"]).ids])
        with torch.no_grad():
            raw = network(ids, torch.ones_like(ids)).item()
        assert molecule["ids"] == ids[0].tolist()
        assert molecule["predictions"] == pytest.approx([raw * OUTPUT["scale"] + OUTPUT["center"]], rel=1e-6)


def test_own_molecules_and_a_description_can_be_given_on_the_command_line(own_checkpoint, tmp_path):
    (own_checkpoint / "training.json").unlink()
    (tmp_path / "mine.smi").write_text("CCCCCCCl 1-chlorohexane\n\nCCBr\n")
    asked = ["--name", "mine", "--output", "log_s:solubility:log10 mol/L", "--transform", "log10", "--scale", "0.5"]
    places = ["--checkpoint", str(own_checkpoint), "--out", str(tmp_path / "bundle")]
    assert main(["chemberta", *places, *asked, "--molecules", str(tmp_path / "mine.smi")]) == 0
    described = {"name": "log_s", "property": "solubility", "unit": "log10 mol/L", "transform": "log10"}
    content = json.loads((tmp_path / "bundle" / MANIFEST).read_text())
    assert content["outputs"] == [{**described, "scale": 0.5, "center": 0.0}]
    assert [m["smiles"] for m in golden(tmp_path / "bundle")][:2] == ["CCCCCCCl", "CCBr"]
    assert verify(tmp_path / "bundle").startswith("mine sha256:")


def test_golden_tells_which_outputs_the_framework_computed(tiny_bundle):
    told = json.loads((tiny_bundle / GOLDEN).read_text())["outputs"]
    assert told == [{"name": OUTPUT["name"], "unit": OUTPUT["unit"]}]


def test_golden_holds_the_wanted_molecules_and_enough_of_them(tiny_bundle):
    smiles = [m["smiles"] for m in golden(tiny_bundle)]
    assert smiles[0] == "CCBr"
    assert len(smiles) == len(set(smiles)) >= 64


def test_the_manifest_follows_the_contract_and_pins_every_file(tiny_bundle):
    content = json.loads((tiny_bundle / MANIFEST).read_text())
    manifest.check(content)
    assert content["outputs"] == [OUTPUT]
    assert content["maxLength"] == 200 - 1  # positions start one past the padding id 0
    assert (
        {p.name for p in tiny_bundle.iterdir()} == {*content["files"], MANIFEST} == {MODEL, TOKENIZER, GOLDEN, MANIFEST}
    )
    assert verify(tiny_bundle).startswith("tiny sha256:")


def test_the_network_is_one_file_with_the_inputs_and_output_of_the_contract(tiny_bundle):
    model = onnx.load(tiny_bundle / MODEL, load_external_data=False)
    assert [i.name for i in model.graph.input] == ["input_ids", "attention_mask"]
    assert [o.name for o in model.graph.output] == ["predictions"]
    assert model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert all(i.type.tensor_type.elem_type == onnx.TensorProto.INT64 for i in model.graph.input)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", onnx_file.OPSET)]
    assert not any(i.data_location == onnx.TensorProto.EXTERNAL for i in model.graph.initializer)


def test_no_path_of_the_exporting_machine_is_in_the_network(tiny_bundle):
    content = (tiny_bundle / MODEL).read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_the_same_checkpoint_gives_the_same_digest(own_checkpoint, tmp_path):
    digests = {
        bundle.write(checkpoint.load(own_checkpoint), "tiny", [OUTPUT], [], tmp_path / name) for name in ("a", "b")
    }
    assert len(digests) == 1


def test_an_upstream_state_dict_is_exported_with_its_own_answers(tmp_path, config, tokenizer):
    torch.manual_seed(2)
    upstream = UpstreamChemBertaDnn(config, width=16).eval()
    folder = tmp_path / "upstream"
    folder.mkdir()
    config.save_pretrained(folder)
    tokenizer.save(str(folder / TOKENIZER))
    torch.save({"model_state_dict": upstream.state_dict()}, folder / "best_model.pt")

    bundle.write(checkpoint.load(folder), "upstream", [RAW], [], tmp_path / "bundle")

    answered = onnx_answers(tmp_path / "bundle", golden(tmp_path / "bundle"))
    with torch.no_grad():
        expected = [upstream(torch.tensor([m["ids"]])).item() for m in golden(tmp_path / "bundle")]
    np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_a_sequence_classification_head_keeps_reading_the_first_token(tmp_path, config, tokenizer):
    torch.manual_seed(3)
    folder = tmp_path / "sequence"
    settings = type(config)(**{**config.to_dict(), "num_labels": 1, "problem_type": "regression"})
    published = RobertaForSequenceClassification(settings).eval()
    published.save_pretrained(folder)
    tokenizer.save(str(folder / TOKENIZER))

    bundle.write(checkpoint.load(folder), "sequence", [RAW], [], tmp_path / "bundle")

    again = RobertaForSequenceClassification.from_pretrained(folder).eval()
    answered = onnx_answers(tmp_path / "bundle", golden(tmp_path / "bundle"))
    with torch.no_grad():
        expected = [again(input_ids=torch.tensor([m["ids"]])).logits.item() for m in golden(tmp_path / "bundle")]
    np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_a_tokenizer_that_drops_characters_is_exported_as_it_is_because_the_weights_saw_it(tmp_path, network, config):
    """The published 77M tokenizer has no merges: `l` and `r` are not in its vocabulary, so chlorine reads as carbon."""
    characters = list("()=1CNOcno#")
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *characters])}
    published = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    published.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    published.post_processor = RobertaProcessing(("[SEP]", 3), ("[CLS]", 2), add_prefix_space=False)
    published.enable_truncation(max_length=16)
    published.enable_padding(length=16)
    checkpoint.save(tmp_path / "checkpoint", network, published, {})

    bundle.write(checkpoint.load(tmp_path / "checkpoint"), "published", [OUTPUT], [], tmp_path / "bundle")

    ids = {m["smiles"]: m["ids"] for m in golden(tmp_path / "bundle")}
    assert ids["CCl"] == ids["CC"] == [2, vocabulary["C"], vocabulary["C"], 3]
    assert max(map(len, ids.values())) > 16, "truncation must be off: a long molecule is refused by the server, not cut"
    assert min(map(len, ids.values())) < 16, "padding must be off: batches are padded by the server"


def test_the_deepest_positions_are_reachable(tiny_bundle, network):
    longest = [4] * json.loads((tiny_bundle / MANIFEST).read_text())["maxLength"]
    answered = predict.by_onnx(onnx_file.session(tiny_bundle / MODEL), [longest])
    with torch.no_grad():
        expected = network(torch.tensor([longest]), torch.ones(1, len(longest), dtype=torch.int64)).numpy()
    np.testing.assert_allclose(answered, expected, atol=1e-5)
    assert "C" * 120 in molecules.LONG
