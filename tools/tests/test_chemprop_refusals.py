"""Checkpoints that Chemprop itself saved and that cannot be served are refused, with the reason."""

import json
import shutil

import pytest
import torch
from conftest import TOOLS

from chemmodel_export.chemprop import checkpoint
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.files import write_json

DATA = TOOLS / "tests" / "data" / "chemprop"
REFUSED = {
    "v1-featurizer": "reads 133 numbers of an atom and 14 of a bond, as Chemprop's featurizer v1 makes",
    "rigr-featurizer": "reads 52 numbers of an atom and 2 of a bond, as Chemprop's featurizer RIGR makes",
    "extra-bond-features": "reads 72 numbers of an atom and 17 of a bond; only the 72 and 14",
    "multicomponent": "reads several molecules at once",
    "no-scaler": "has no predictor.output_transform, so its answers are scaled labels",
    "descriptors": "reads 2 descriptors",
    "scaled-descriptors": r"has X_d_transform\.\w+: it reads numbers beside the molecule",
    "atom-descriptors": r"has message_passing\.W_d\.weight: it reads numbers beside the molecule",
    "atom-messages": "has AtomMessagePassing for its message passing; only BondMessagePassing",
    "undirected": "undirected bonds",
    "attention": "has AttentiveAggregation for its aggregation; only MeanAggregation, NormAggregation, SumAggregation",
    "variance": "has MveFFN for its predictor; only RegressionFFN",
    "classifier": "has BinaryClassificationFFN for its predictor; only RegressionFFN",
    "prelu": "has the activation prelu; only ReLU, LeakyReLU",
    "module-activation": "has the activation PReLU; only ReLU, LeakyReLU",
    "undefined-weights": r"holds infinite or undefined values in message_passing\.W_h\.weight",
}


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(DATA / "served" / "norm", tmp_path / "trained")


def export(folder, tmp_path, capsys) -> str:
    """What the command says when it refuses."""
    arguments = [
        "chemprop",
        "--checkpoint",
        str(folder),
        "--name",
        "x",
        "--output",
        "y",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(arguments) == 1
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


def test_every_recorded_checkpoint_is_tested():
    assert sorted(REFUSED) == sorted(path.name for path in (DATA / "refused").iterdir())


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_server_cannot_compute_is_refused(name):
    with pytest.raises(ExportError, match=REFUSED[name]) as refusal:
        checkpoint.load(DATA / "refused" / name)
    assert "best.pt" in str(refusal.value)


def settings(*lines: str) -> str:
    """As `chemprop train` writes them: no TOML, whatever the name of the file says, because texts have no quotes."""
    return "\n".join([*lines, "data-path = [mine.csv]", "output-dir = my-model", "activation = RELU", ""])


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["add-h = true", "ignore-stereo = true"], "with --add-h, which the server would not match: train without it"),
        (["keep-h = true", "ignore-stereo = true"], "with --keep-h"),
        ([], "without --ignore-stereo, which the server would not match: train with it"),
    ],
)
def test_a_training_on_other_graphs_is_refused(copy, lines, sentence):
    (copy / checkpoint.CONFIG).write_text(settings(*lines))
    with pytest.raises(ExportError, match=sentence):
        checkpoint.load(copy)


def test_a_training_on_the_same_graphs_is_accepted(copy):
    (copy / checkpoint.CONFIG).write_text(settings("ignore-stereo = true"))
    assert checkpoint.load(copy)


def test_a_folder_without_members_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"has no model_\*/best.pt"):
        checkpoint.load(tmp_path)


def test_members_with_different_outputs_are_no_ensemble(copy):
    shutil.copytree(DATA / "served" / "mean" / "model_0", copy / "model_1")
    with pytest.raises(ExportError, match=r"have \[1, 2\] outputs"):
        checkpoint.load(copy)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a checkpoint", "cannot be read as a checkpoint"),
        ([1, 2], "is not a checkpoint: expected a dictionary"),
        ({"model": {}}, "lacks state_dict or hyper_parameters"),
        (
            {"state_dict": {}, "hyper_parameters": {}},
            "is not a checkpoint of Chemprop 2.1 or newer: it lacks 'message_pass",
        ),
    ],
    ids=["bytes", "list", "other", "empty"],
)
def test_another_file_is_no_checkpoint(copy, content, sentence):
    path = copy / "model_0" / "best.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ExportError, match=sentence):
        checkpoint.load(copy)


def test_code_in_a_checkpoint_does_not_run(copy, tmp_path):
    torch.save({"state_dict": {}, "hyper_parameters": _Touch(str(tmp_path / "touched"))}, copy / "model_0" / "best.pt")
    with pytest.raises(ExportError):
        checkpoint.load(copy)
    assert not (tmp_path / "touched").exists()


class _Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        from pathlib import Path

        return Path.touch, (Path(self.path),)


def edited(copy, change):
    answers = json.loads((copy / checkpoint.ANSWERS).read_text())
    change(answers)
    write_json(copy / checkpoint.ANSWERS, answers)


def test_answers_that_the_network_does_not_give_are_found(copy, tmp_path, capsys):
    edited(copy, lambda answers: answers["molecules"][2]["members"][0].__setitem__(0, 123.0))
    told = export(copy, tmp_path, capsys)
    assert "member 0 by ONNX Runtime, 1 at a time, differs from Chemprop by" in told
    assert "at CCO" in told


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda answers: answers.pop("framework"), "must have the fields ['framework', 'molecules']"),
        (lambda answers: answers["molecules"].append({"smiles": "CC"}), "has a molecule that cannot be read"),
        (lambda answers: answers["molecules"][0]["members"].append([1.0]), "has (2, 1) answers for C, expected (1, 1)"),
        (lambda answers: answers["molecules"].__delitem__(slice(63, None)), "only 63 of 63 answered molecules"),
        (lambda answers: answers["molecules"][5].update(smiles="*CC*"), "*CC* is not a whole molecule"),
    ],
)
def test_answers_that_are_no_evidence_are_refused(copy, tmp_path, capsys, change, sentence):
    edited(copy, change)
    assert sentence in export(copy, tmp_path, capsys)


def test_missing_answers_are_named(copy, tmp_path, capsys):
    (copy / checkpoint.ANSWERS).unlink()
    assert "answers.json is missing" in export(copy, tmp_path, capsys)


def test_a_checkpoint_that_does_not_say_what_it_predicts_needs_arguments(copy, tmp_path, capsys):
    assert main(["chemprop", "--checkpoint", str(copy), "--out", str(tmp_path / "out")]) == 1
    assert "does not say what it predicts: give --name and --output" in capsys.readouterr().err


def test_outputs_that_the_network_does_not_have_are_refused(copy, tmp_path, capsys):
    arguments = ["chemprop", "--checkpoint", str(copy), "--name", "x", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--output", "y", "--output", "z"]) == 1
    assert "the network has 1 outputs, but 2 are described" in capsys.readouterr().err
