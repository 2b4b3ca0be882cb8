"""What cannot be exported is refused with a sentence, and nothing is left behind."""

import json
import shutil

import pytest
import torch
from conftest import OUTPUT
from safetensors.torch import load_file, save_file

from chemmodel_export import bundle, checkpoint, graph
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_tensors(path, change):
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def without_head(folder):
    (folder / "head.safetensors").unlink()


def without_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


def without_config(folder):
    (folder / "config.json").unlink()


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def broken_tokenizer(folder):
    (folder / "tokenizer.json").write_text('{"model": "none"}')


def broken_weights(folder):
    (folder / "model.safetensors").write_bytes(b"not weights")


def broken_config(folder):
    (folder / "config.json").write_text("{")


def config_is_a_list(folder):
    (folder / "config.json").write_text("[]")


def other_family(folder):
    edit_json(folder / "config.json", model_type="bert")


def other_shape(folder):
    edit_json(folder / "config.json", intermediate_size=52)


def more_layers_than_weights(folder):
    edit_json(folder / "config.json", num_hidden_layers=3)


def fewer_layers_than_weights(folder):
    edit_json(folder / "config.json", num_hidden_layers=1)


def smaller_vocabulary(folder):
    edit_json(folder / "config.json", vocab_size=10)


def undefined_weight(folder):
    edit_tensors(folder / "head.safetensors", lambda tensors: tensors["3.bias"].fill_(float("nan")))


def odd_heads(folder):
    edit_json(folder / "config.json", num_attention_heads=5)


def no_padding_id(folder):
    edit_json(folder / "config.json", pad_token_id=None)


def output_without_unit(folder):
    edit_json(folder / "training.json", outputs=[{k: v for k, v in OUTPUT.items() if k != "unit"}])


def undefined_scale(folder):
    edit_json(folder / "training.json", outputs=[{**OUTPUT, "scale": float("nan")}])


def too_few_positions(folder):
    edit_json(folder / "config.json", max_position_embeddings=9)
    shrink = "embeddings.position_embeddings.weight"
    edit_tensors(
        folder / "model.safetensors", lambda tensors: tensors.update({shrink: tensors[shrink][:9].contiguous()})
    )


REFUSALS = [
    (without_head, "has no regression head"),
    (without_tokenizer, "tokenizer.json is missing"),
    (without_config, "config.json is missing"),
    (without_weights, "has no weights"),
    (broken_tokenizer, "is not a tokenizer"),
    (broken_weights, "cannot be read as weights"),
    (broken_config, "cannot be read as JSON"),
    (config_is_a_list, "must hold a JSON object"),
    (other_family, "model_type 'bert'"),
    (other_shape, "do not have the shapes"),
    (more_layers_than_weights, "missing chemberta_model.encoder.layer.2"),
    (fewer_layers_than_weights, "not expected chemberta_model.encoder.layer.1"),
    (smaller_vocabulary, "the tokenizer belongs to other weights"),
    (undefined_weight, "infinite or undefined values, first in dnn_head.3.bias"),
    (odd_heads, "must be a multiple of num_attention_heads 5"),
    (no_padding_id, "pad_token_id None"),
    (output_without_unit, "outputs[0] lacks ['unit']"),
    (undefined_scale, "outputs[0].scale is nan"),
    (too_few_positions, "golden molecules fit into 8 tokens"),
]


@pytest.mark.parametrize(("damage", "sentence"), REFUSALS, ids=[damage.__name__ for damage, _ in REFUSALS])
def test_a_broken_checkpoint_is_refused_and_nothing_is_written(own_checkpoint, tmp_path, capsys, damage, sentence):
    damage(own_checkpoint)
    assert main(["chemberta", "--checkpoint", str(own_checkpoint), "--out", str(tmp_path / "out" / "bundle")]) == 1
    message = capsys.readouterr().err
    assert sentence in message
    assert message.startswith("chemmodel-export: ")
    assert "Traceback" not in message
    assert list((tmp_path / "out").iterdir()) == [] if (tmp_path / "out").exists() else True


def test_a_classifier_is_not_taken_for_a_regression(tmp_path, config, tokenizer):
    from transformers import RobertaForSequenceClassification

    classifier = RobertaForSequenceClassification(type(config)(**{**config.to_dict(), "num_labels": 3}))
    classifier.save_pretrained(tmp_path / "classifier")
    tokenizer.save(str(tmp_path / "classifier" / "tokenizer.json"))
    with pytest.raises(ExportError, match="only regression heads can be exported"):
        checkpoint.load(tmp_path / "classifier")


def test_a_pickle_that_holds_more_than_tensors_is_not_executed(own_checkpoint):
    class Boom:
        def __reduce__(self):
            return (pytest.fail, ("the checkpoint ran code",))

    (own_checkpoint / "model.safetensors").unlink()
    torch.save({"weights": Boom()}, own_checkpoint / "pytorch_model.bin")
    with pytest.raises(ExportError, match="cannot be read as weights"):
        checkpoint.load(own_checkpoint)


def test_a_graph_that_answers_differently_from_pytorch_is_not_published(own_checkpoint, tmp_path, monkeypatch):
    honest = graph.export

    def with_another_bias(network, pad_id, path):
        with torch.no_grad():
            network.dnn_head[3].bias.add_(1e-3)
            honest(network, pad_id, path)
            network.dnn_head[3].bias.sub_(1e-3)

    monkeypatch.setattr(graph, "export", with_another_bias)
    with pytest.raises(ExportError, match="ONNX Runtime one at a time differs from PyTorch"):
        bundle.write(checkpoint.load(own_checkpoint), "tiny", [OUTPUT], [], tmp_path / "out" / "bundle")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_graph_whose_answers_depend_on_padding_is_not_published(own_checkpoint, tmp_path, monkeypatch):
    class Unmasked(torch.nn.Module):
        """What upstream does: the mean over padding too."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, input_ids, attention_mask):
            hidden = self.network.chemberta_model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return self.network.dnn_head(hidden.mean(dim=1))

    honest = graph.export
    monkeypatch.setattr(graph, "export", lambda network, pad_id, path: honest(Unmasked(network), pad_id, path))
    with pytest.raises(ExportError, match="in padded batches differs from PyTorch"):
        bundle.write(checkpoint.load(own_checkpoint), "tiny", [OUTPUT], [], tmp_path / "out" / "bundle")


def test_a_folder_that_exists_is_never_overwritten(own_checkpoint, tmp_path, capsys):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "notes.txt").write_text("keep me")
    assert main(["chemberta", "--checkpoint", str(own_checkpoint), "--out", str(precious)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert [p.name for p in precious.iterdir()] == ["notes.txt"]


def test_a_checkpoint_without_a_description_asks_for_one(own_checkpoint, tmp_path, capsys):
    (own_checkpoint / "training.json").unlink()
    assert main(["chemberta", "--checkpoint", str(own_checkpoint), "--out", str(tmp_path / "bundle")]) == 1
    assert "give --name and --output" in capsys.readouterr().err


def test_the_number_of_described_outputs_must_be_that_of_the_network(own_checkpoint, tmp_path):
    with pytest.raises(ExportError, match="has 1 outputs, but 2 are described"):
        bundle.write(checkpoint.load(own_checkpoint), "tiny", [OUTPUT, OUTPUT], [], tmp_path / "bundle")


def test_a_scaling_that_nothing_would_read_is_refused(own_checkpoint, tmp_path, capsys):
    asked = ["--checkpoint", str(own_checkpoint), "--out", str(tmp_path / "bundle"), "--scale", "2"]
    assert main(["chemberta", *asked]) == 1
    assert "--scale says how an --output was scaled" in capsys.readouterr().err


def test_missing_molecules_are_named(own_checkpoint, tmp_path, capsys):
    asked = ["--checkpoint", str(own_checkpoint), "--out", str(tmp_path / "bundle"), "--molecules", "/nowhere.smi"]
    assert main(["chemberta", *asked]) == 1
    assert "--molecules /nowhere.smi cannot be read" in capsys.readouterr().err


def test_saving_a_checkpoint_replaces_only_an_earlier_checkpoint(own_checkpoint, network, tokenizer, tmp_path):
    checkpoint.save(own_checkpoint, network, tokenizer, {"name": "second"})
    assert checkpoint.load(own_checkpoint).training == {"name": "second"}
    shutil.rmtree(own_checkpoint)
    own_checkpoint.mkdir()
    with pytest.raises(ExportError, match="exists already"):
        checkpoint.save(own_checkpoint, network, tokenizer, {})
