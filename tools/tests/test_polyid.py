"""A PolyID ensemble becomes a bundle that answers what PolyID answers."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import onnx
import polyid_folder
import pytest
import torch
from conftest import TOOLS
from polyid_folder import GOLDEN as ASKED
from polyid_folder import TABLE

from chemmodel_export import domain, manifest, onnx_file, packed
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.manifest import DOMAIN, FEATURES, GOLDEN, MANIFEST
from chemmodel_export.polyid.features import Vocabulary
from chemmodel_export.polyid.network import Classes, GlobalUpdate
from chemmodel_export.polyid.refined import refine
from chemmodel_export.precision import variant
from chemmodel_export.verify import verify

OUTPUTS = ["--output", "Tg:glass transition:degC", "--output", "log10_Permeability_CO2:permeability:Barrer"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("polyid")
    folds = polyid_folder.write(folder / "model")
    polyid_folder.write_answers(folder / "answers.json", folds)
    return folder, folds


@pytest.fixture(scope="module")
def bundle(trained):
    folder, _ = trained
    places = ["--model", str(folder / "model"), "--answers", str(folder / "answers.json")]
    assert main(["polyid", *places, "--out", str(folder / "bundle"), "--name", "tiny", *OUTPUTS]) == 0
    return folder / "bundle"


def test_the_same_ensemble_gives_the_same_digest(bundle, trained, tmp_path):
    places = ["--model", str(trained[0] / "model"), "--answers", str(trained[0] / "answers.json")]
    assert main(["polyid", *places, "--out", str(tmp_path / "again"), "--name", "tiny", *OUTPUTS]) == 0
    assert manifest.digest(tmp_path / "again") == manifest.digest(bundle)


def test_the_command_of_the_readme_writes_a_bundle(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my-polyid").symlink_to(trained[0] / "model")
    Path("answers.json").symlink_to(trained[0] / "answers.json")
    (command,) = re.findall(r"chemmodel-export (polyid --model (?:\\\n|[^`\n])*)", (TOOLS / "README.md").read_text())
    assert main(shlex.split(command.replace("\\\n", " "))) == 0
    assert verify(Path("my-bundle")).startswith("polymers sha256:")


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "bundle")


def read(folder, name) -> dict:
    return json.loads((folder / name).read_text("utf-8"))


def repin(folder, **changes):
    content = {**read(folder, MANIFEST), **changes}
    content["files"] = {name: manifest.pin(folder / name) for name in content["files"]}
    (folder / MANIFEST).write_text(json.dumps(content))


@pytest.mark.parametrize("size", [1, 2, 16, len(ASKED)])
@pytest.mark.parametrize("number", [0, 1])
def test_each_network_answers_as_the_formulas_do_in_company_of_any_size(bundle, trained, number, size):
    features = read(bundle, FEATURES)
    vocabulary = Vocabulary(features["atoms"], features["bonds"])
    graphs = [refine(vocabulary.graph(smiles), features["messages"]) for smiles in ASKED]
    runtime = onnx_file.session(bundle / f"model_{number}.onnx")
    answered = [packed.run(runtime, graphs[i : i + size]) for i in range(0, len(graphs), size)]
    expected = [trained[1][number].answer(smiles) for smiles in ASKED]
    np.testing.assert_allclose(np.concatenate(answered), expected, rtol=1e-4, atol=1e-4)


def test_a_graph_of_large_numbers_leaves_those_beside_it_alone():
    """The attention is a softmax for each graph: one for the batch would lose the small ones."""
    update = GlobalUpdate(features=1, units=1)
    with torch.no_grad():
        update.query.weight.fill_(1.0)
        small, large = torch.tensor([[0.0], [1.0]]), torch.tensor([[500.0], [501.0]])

        def state(rows: torch.Tensor, graph: list[int]) -> torch.Tensor:
            none, where = torch.zeros(0, dtype=torch.int64), torch.tensor(graph)
            atoms = Classes(rows, where, torch.ones_like(where))
            return update(atoms, Classes(torch.zeros(0, 1), none, none), max(graph) + 1)

        alone = torch.cat([state(small, [0, 0]), state(large, [0, 0])])
        torch.testing.assert_close(state(torch.cat([small, large]), [0, 0, 1, 1]), alone)


def test_the_golden_answers_are_means_of_the_folds_and_permeabilities_come_out_of_their_logarithm(bundle, trained):
    golden = read(bundle, GOLDEN)
    assert golden["outputs"] == [{"name": "Tg", "unit": "degC"}, {"name": "Permeability_CO2", "unit": "Barrer"}]
    assert [m["smiles"] for m in golden["molecules"]] == ASKED
    for molecule in golden["molecules"]:
        celsius, logarithm = np.mean([fold.answer(molecule["smiles"]) for fold in trained[1]], axis=0)
        assert molecule["predictions"] == pytest.approx([celsius, 10**logarithm])


def test_the_bundle_verifies_and_pins_every_file(bundle):
    assert verify(bundle).startswith("tiny sha256:")
    content = read(bundle, MANIFEST)
    assert (content["kind"], content["architecture"]) == ("graph", "polyid")
    assert content["members"] == ["model_0.onnx", "model_1.onnx"]
    assert {p.name for p in bundle.iterdir()} == {*content["files"], MANIFEST}
    assert [(o["transform"], o["scale"], o["center"]) for o in content["outputs"]] == [
        ("none", 1.0, 0.0),
        ("log10", 1.0, 0.0),
    ]


def test_the_folds_share_one_vocabulary_and_rows_of_the_table_are_not_published(bundle, trained):
    features, (first, second) = read(bundle, FEATURES), trained[1]
    assert (features["scheme"], features["messages"]) == ("nfp-v1", polyid_folder.STEPS)
    for name in ("atoms", "bonds"):
        tokens = {**getattr(first, name), **getattr(second, name)}
        assert len(tokens) > len(getattr(first, name)), "the folds must differ, or this test shows nothing"
        assert features[name].keys() == tokens.keys()
        assert sorted(features[name].values()) == list(range(2, len(tokens) + 2))
    published = "".join((bundle / name).read_text() for name in (MANIFEST, FEATURES, DOMAIN, GOLDEN))
    assert not any(f'"{smiles}"' in published for smiles in TABLE if smiles not in ASKED)
    assert read(bundle, MANIFEST)["provenance"]["folds"] == [{"epochs": 3}] * 2


def test_the_networks_have_the_inputs_and_the_output_of_the_contract(bundle):
    model = onnx.load(bundle / "model_0.onnx")
    shapes = {
        value.name: [d.dim_value or d.dim_param for d in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.output]
    }
    rows = {
        "atoms_0": ["atom_0", "atom_count_0", "atom_graph"],
        "bonds_0": ["bond_0", "bond_count_0", "bond_graph"],
        "bonds_1": ["bond_1", "bond_count_1", "source_1", "target_1"],
        "atoms_1": ["atom_1", "atom_count_1"],
        "sums_1": ["sum_atom_1", "sum_bond_1"],
        "bonds_2": ["bond_2", "bond_count_2", "source_2", "target_2"],
        "atoms_2": ["atom_2", "atom_count_2"],
        "sums_2": ["sum_atom_2", "sum_bond_2"],
        "bonds_3": ["bond_3", "bond_count_3", "source_3", "target_3"],
        "graphs": ["size"],
    }
    assert shapes == {"predictions": ["graphs", 2], **{name: [size] for size, names in rows.items() for name in names}}
    assert all(i.type.tensor_type.elem_type == onnx.TensorProto.INT64 for i in model.graph.input)
    assert model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert b"site-packages" not in (bundle / "model_0.onnx").read_bytes()


def test_tensors_are_those_of_nfp():
    """Ethanol as nfp 0.3.12 gives it."""
    carbon, oxygen, hydrogen = "('C', 4, 0, 0, False)", "('O', 2, 0, 0, False)", "('H', 1, 0, 0, False)"
    single = "(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['{}', '{}'])"
    pairs = (("C", "C"), ("C", "H"), ("C", "O"), ("H", "O"))
    bonds = {single.format(*pair): i for i, pair in enumerate(pairs, start=2)}
    graph = Vocabulary({carbon: 2, oxygen: 3, hydrogen: 4}, bonds).graph("CCO")
    assert graph.atom.tolist() == [2, 2, 3, 4, 4, 4, 4, 4, 4]
    assert graph.bond.tolist() == [2, 3, 3, 3, 2, 4, 3, 3, 4, 5, 3, 3, 3, 3, 3, 5]
    assert graph.connectivity.tolist()[:6] == [[0, 1], [0, 3], [0, 4], [0, 5], [1, 0], [1, 2]]
    assert graph.connectivity.tolist()[6:] == [*([1, i] for i in (6, 7)), [2, 1], [2, 8], *([i, 0] for i in (3, 4, 5)),
                                               [6, 1], [7, 1], [8, 2]]  # fmt: skip


def test_the_domain_has_the_environments_that_polyid_counts(bundle):
    """Ids of NREL's own notebook on the domain of validity."""
    told = """
    535847852 864662311 1506563592 1506997381 1542633699 1583799011 1674219510 2245273601 2245384272 2246703798
    2246728737 2246997334 2380228464 2690477299 2879529074 2928069067 3321103681 3337365384 3542456614 3696402029
    """
    assert domain.environments("C=CCC(O)CCC(O)CC") == set(map(int, told.split()))
    content = read(bundle, DOMAIN)
    assert content["environments"] == sorted(set().union(*map(domain.environments, TABLE)))


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (FEATURES, {"scheme": "nfp-v9"}, "a scheme among .*'nfp-v1'"),
        (FEATURES, {"atoms": {"('C', 4, 0, 0, False)": 0}}, "map atoms to ids from 2 on"),
        (FEATURES, {"messages": 65}, "messages from 1 to 64, found 65"),
        (FEATURES, {"messages": True}, "messages from 1 to 64, found True"),
        (FEATURES, {"messages": None}, "messages from 1 to 64, found None"),
        (FEATURES, {"messages": 2}, "other inputs than its features give: atom_2 "),
        (FEATURES, {"messages": 4}, "other inputs than its features give: atom_3 "),
        (DOMAIN, {"environments": [2, 1]}, "in ascending order"),
        (DOMAIN, {"scheme": "maccs"}, "scheme 'morgan-r2'"),
        (GOLDEN, {"molecules": [{"smiles": "CCO", "predictions": [1.0, 1.0]}]}, "answered differently, first CCO"),
        (GOLDEN, {"molecules": [{"smiles": "[Na+]", "predictions": [1.0, 1.0]}]}, "has no bonds"),
        (GOLDEN, {"molecules": [{"smiles": "C(", "predictions": [1.0, 1.0]}]}, "is not a molecule"),
    ],
)
def test_verify_finds_what_a_server_would_stumble_over(copy, name, change, sentence):
    (copy / name).write_text(json.dumps({**read(copy, name), **change}))
    repin(copy)
    with pytest.raises(ExportError, match=sentence):
        verify(copy)


def test_a_graph_bundle_needs_its_features(copy):
    files = read(copy, MANIFEST)["files"]
    repin(copy, files={name: pinned for name, pinned in files.items() if name != FEATURES})
    with pytest.raises(ExportError, match=f"files does not list '{FEATURES}'"):
        verify(copy)


def test_graphs_are_not_offered_in_other_precisions(copy, tmp_path):
    with pytest.raises(ExportError, match="only sequence networks"):
        variant.add(copy, variant.Wanted("int8"), tmp_path / "variant")


@pytest.mark.parametrize(
    "features",
    [
        ("atom_features_v1", "bond_features_v2"),  # PolyID's own default
        ("atom_features_v2", "bond_features_v1"),
        ("atom_features_v2", "bond_features_v2"),
    ],
)
def test_features_of_the_second_version_are_exported_and_answer_as_the_formulas_do(features, tmp_path):
    folds = polyid_folder.write(tmp_path / "model", features)
    polyid_folder.write_answers(tmp_path / "answers.json", folds)
    places = ["--model", str(tmp_path / "model"), "--answers", str(tmp_path / "answers.json")]
    assert main(["polyid", *places, "--out", str(tmp_path / "bundle"), "--name", "tiny", *OUTPUTS]) == 0
    assert read(tmp_path / "bundle", FEATURES)["scheme"] == "nfp-v2"
    assert verify(tmp_path / "bundle").startswith("tiny sha256:")


def test_tensors_of_the_second_version_are_those_of_nfp():
    """trans-2-Butene and one hand of a halomethane as nfp 0.3.12 gives them."""
    key = "(rdkit.Chem.rdchem.BondType.DOUBLE, False, rdkit.Chem.rdchem.BondStereo.STEREO{}, 0, ['C', 'C'])"
    bonds = {key.format("E"): 2, key.format("Z"): 3, key.format("NONE"): 4}
    for smiles, expected in (("C/C=C/C", 2), ("C/C=C\\C", 3), ("CC=CC", 4)):
        assert Vocabulary({}, bonds).graph(smiles).bond.max() == expected
    own = "4, 4, 0, rdkit.Chem.rdchem.HybridizationType.SP3, 0, False, True, 0, 0, 0, 'C', 4, 0, 4, 0"
    atoms = {f"(rdkit.Chem.rdchem.ChiralType.CHI_TETRAHEDRAL_{tag}, {own})": i for i, tag in ((2, "CCW"), (3, "CW"))}
    assert Vocabulary(atoms, {}).graph("F[C@H](Cl)Br").atom.tolist()[1] == 2
    assert Vocabulary(atoms, {}).graph("F[C@@H](Cl)Br").atom.tolist()[1] == 3


def test_one_network_has_tokens_of_one_version():
    single = "(rdkit.Chem.rdchem.BondType.SINGLE, False, {}, ['C', 'C'])"
    both = {single.format("False"): 2, single.format("rdkit.Chem.rdchem.BondStereo.STEREONONE, 0"): 3}
    with pytest.raises(ExportError, match=r"STEREONONE.* is a token of nfp's second version, others are of the first"):
        Vocabulary({}, both).graph("CC")


def test_the_scheme_tells_the_version_of_the_tokens(copy):
    (copy / FEATURES).write_text(json.dumps({**read(copy, FEATURES), "scheme": "nfp-v2"}))
    repin(copy)
    with pytest.raises(ExportError, match="has the tokens of nfp-v1, but the scheme nfp-v2"):
        verify(copy)
