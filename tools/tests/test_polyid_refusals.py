"""What PolyID's folder or its answers lack is refused with a sentence, and nothing is left behind."""

import json
import pickle
import shutil

import h5py
import polyid_folder
import pytest
from polyid_folder import Fold

from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.polyid import pickled

OUTPUTS = ["--output", "Tg:glass transition:degC", "--output", "log10_Permeability_CO2:permeability:Barrer"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("polyid")
    folds = polyid_folder.write(folder / "model")
    polyid_folder.write_answers(folder / "answers.json", folds)
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "polyid")


def export(folder, outputs=OUTPUTS) -> int:
    places = ["--model", str(folder / "model"), "--answers", str(folder / "answers.json")]
    return main(["polyid", *places, "--out", str(folder / "out" / "bundle"), "--name", "tiny", *outputs])


def weights(folder):
    return folder / "model" / "model_0" / "model_0.h5"


def rewrite_data(folder, **changes):
    path = folder / "model" / "model_0" / "model_0_data.pk"
    polyid_folder.write_data(path, {**Fold(0).data(), **changes})


def rewrite_layers(folder, change):
    layers = Fold(0).layers
    change(layers)
    polyid_folder.write_weights(weights(folder), layers)


def edit_answers(folder, change):
    answers = json.loads((folder / "answers.json").read_text())
    change(answers)
    (folder / "answers.json").write_text(json.dumps(answers))


def no_fold(folder):
    for number in (0, 1):
        shutil.rmtree(folder / "model" / f"model_{number}")


def a_fold_is_missing(folder):
    shutil.rmtree(folder / "model" / "model_0")


def weights_are_missing(folder):
    weights(folder).unlink()


def weights_are_cut_off(folder):
    weights(folder).write_bytes(weights(folder).read_bytes()[:512])


def data_is_cut_off(folder):
    path = folder / "model" / "model_0" / "model_0_data.pk"
    path.write_bytes(path.read_bytes()[:200])


def data_is_something_else(folder):
    (folder / "model" / "model_0" / "model_0_data.pk").write_bytes(pickle.dumps({"model": 1}))


def a_weight_is_not_a_number(folder):
    with h5py.File(weights(folder), "r+") as file:
        file["model_weights/edge_update/edge_update/array_0:0"][0, 0] = float("nan")


def a_layer_of_another_model(folder):
    rewrite_layers(folder, lambda layers: layers.update(global_features_state=layers["global_update"]))


def a_layer_is_missing(folder):
    rewrite_layers(folder, lambda layers: layers.pop("edge_update_1"))


def a_fold_of_fewer_messages(folder):
    step = ("global_update_3", "edge_update_2", "node_update_1")
    rewrite_layers(folder, lambda layers: [layers.pop(name) for name in step])


def another_width(folder):
    rewrite_layers(folder, lambda layers: layers.update(edge_update=layers["node_update"][:4]))


def a_token_without_a_row(folder):
    atoms = {**Fold(0).atoms, "('Xe', 0, 0, 0, False)": 99}
    rewrite_data(folder, atom_tokenizer={"_data": {"unk": 1, **atoms}})


def other_features(folder):
    rewrite_data(folder, features=("atom_features_v1", "bond_features_v3"))


def hydrogens_are_not_atoms(folder):
    rewrite_data(folder, explicit_hs=False)


def a_scale_of_nothing(folder):
    rewrite_data(folder, data_scaler={"scale_": [0.0, 1.0], "center_": [1.0, 1.0]})


def other_columns(folder):
    rewrite_data(folder, prediction_columns=["Tm", "log10_Permeability_CO2"])


def answers_for_other_columns(folder):
    edit_answers(folder, lambda answers: answers.update(columns=["Tg", "Tm"]))


def answers_of_one_fold(folder):
    edit_answers(folder, lambda answers: answers["rows"][0]["members"].pop())


def an_answer_is_not_a_number(folder):
    edit_answers(folder, lambda answers: answers["rows"][1]["members"][0].__setitem__(0, float("nan")))


def another_answer_for_a_row_of_the_table(folder):
    edit_answers(folder, lambda answers: answers["rows"][2]["members"][1].__setitem__(0, 99.0))


def another_answer_for_a_golden_molecule(folder):
    edit_answers(folder, lambda answers: answers["molecules"][2]["members"][0].__setitem__(1, 99.0))


def other_tensors(folder):
    edit_answers(folder, lambda answers: answers["molecules"][5]["bond"].reverse())


def too_few_golden_molecules(folder):
    edit_answers(folder, lambda answers: answers.update(molecules=answers["molecules"][:63]))


def answers_lack_the_table(folder):
    edit_answers(folder, lambda answers: answers.pop("training"))


REFUSALS = [
    (no_fold, "has no folds"),
    (a_fold_is_missing, "lacks model_0"),
    (weights_are_missing, "model_0.h5 is missing"),
    (weights_are_cut_off, "model_0.h5 cannot be read as Keras weights"),
    (data_is_cut_off, "model_0_data.pk cannot be read as a pickle"),
    (data_is_something_else, "model_0_data.pk is not what PolyID writes: KeyError('preprocessor')"),
    (a_weight_is_not_a_number, "infinite or undefined weights, first in edge_update"),
    (a_layer_of_another_model, "is not global100: it has the layers ['global_features_state']"),
    (a_layer_is_missing, "is not global100 with 2 outputs"),
    (a_fold_of_fewer_messages, "model_1 passes 3 messages, the first fold 2"),
    (another_width, "does not have the shapes of global100: size mismatch for steps.0.bonds"),
    (a_token_without_a_row, "tokens of atoms, but the network's embedding has"),
    (other_features, "'bond_features': 'bond_features_v3'"),
    (hydrogens_are_not_atoms, "explicit_hs False"),
    (a_scale_of_nothing, "scales labels by [0. 1.]"),
    (other_columns, "predicts ['Tg', 'log10_Permeability_CO2'], "),
    (answers_for_other_columns, "has answers for ['Tg', 'Tm']"),
    (answers_of_one_fold, "has (1, 2) answers for CCO, expected (2, 2)"),
    (an_answer_is_not_a_number, "for CC(=O)OC: not a number"),
    (another_answer_for_a_row_of_the_table, "fold 1 by ONNX Runtime, 1 at a time, differs from PolyID"),
    (another_answer_for_a_golden_molecule, "fold 0 by ONNX Runtime, 1 at a time, differs from PolyID"),
    (other_tensors, "bond of CCCCCCC is not what PolyID made of it"),
    (too_few_golden_molecules, "63 golden molecules are too few"),
    (answers_lack_the_table, "must have the fields"),
]


@pytest.mark.parametrize(("damage", "sentence"), REFUSALS, ids=[damage.__name__ for damage, _ in REFUSALS])
def test_what_does_not_belong_together_is_refused_and_nothing_is_written(folder, capsys, damage, sentence):
    damage(folder)
    assert export(folder) == 1
    message = capsys.readouterr().err
    assert message.startswith("chemmodel-export: ")
    assert sentence in message
    assert not (folder / "out").exists() or list((folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        (OUTPUTS[:2], "must name the predicted columns in their order"),
        ([*OUTPUTS[2:], *OUTPUTS[:2]], "must name the predicted columns in their order"),
        (["--output", "Tg:glass transition"], "must be COLUMN:PROPERTY:UNIT"),
    ],
)
def test_outputs_that_are_not_those_of_the_ensemble_are_refused(folder, capsys, outputs, sentence):
    assert export(folder, outputs) == 1
    assert sentence in capsys.readouterr().err


def test_a_pickle_runs_nothing(tmp_path):
    class Boom:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    (tmp_path / "data.pk").write_bytes(pickle.dumps({"boom": Boom()}))
    assert type(pickled.read(tmp_path / "data.pk")["boom"]).__name__ == "open"
    assert not (tmp_path / "written").exists()


def test_a_pickle_of_anything_but_a_dictionary_is_refused(tmp_path):
    (tmp_path / "data.pk").write_bytes(pickle.dumps([1]))
    with pytest.raises(ExportError, match="must hold a dictionary, found list"):
        pickled.read(tmp_path / "data.pk")
