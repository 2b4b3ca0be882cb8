"""Atoms that a network cannot tell apart are computed once, and answers stay what they were."""

import numpy as np
import pytest
import torch
from polyid_folder import GOLDEN
from rdkit import Chem

from chemmodel_export import onnx_file, packed
from chemmodel_export.packed import Graph
from chemmodel_export.polyid import graph
from chemmodel_export.polyid.features import Vocabulary
from chemmodel_export.polyid.network import Global100
from chemmodel_export.polyid.refined import Refined, inputs, refine

ATOMS = ["('C', 4, 0, 0, False)", "('H', 1, 0, 0, False)", "('C', 3, 0, 0, True)", "('O', 2, 0, 0, False)"]
POLYESTER = "O" + "CCOC(=O)c1ccc(cc1)C(=O)O" * 9 + "C"
SMALL = ["[H][H]", "Cl", "[Na+].CO"]
MOLECULES = [*SMALL, "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "C1CC2CCC1C2", POLYESTER]


def molecule(smiles: str) -> Graph:
    return Vocabulary({token: id for id, token in enumerate(ATOMS, start=2)}, {}).graph(smiles)


def unrefined(plain: Graph, messages: int) -> Refined:
    """Each atom and each bond a class of its own, on all levels."""
    atoms, bonds, (source, target) = np.arange(len(plain.atom)), np.arange(len(plain.bond)), plain.connectivity.T
    values = {"atom": atoms, "bond": bonds, "source": source, "target": target, "sum_atom": source, "sum_bond": bonds}
    values |= {"atom_count": np.ones_like(atoms), "bond_count": np.ones_like(bonds)}
    level_0 = {"atom_0": plain.atom, "bond_0": plain.bond, "size": np.array([len(atoms)])}
    level_0 |= {"atom_graph": np.zeros_like(atoms), "bond_graph": np.zeros_like(bonds)}
    named = inputs(messages)
    return Refined(named, {n: level_0[n] if n in level_0 else values[n.rpartition("_")[0]] for n in named})


@pytest.fixture(scope="module", params=[1, 2, 12], ids="messages {}".format)
def exported(request, tmp_path_factory):
    torch.manual_seed(request.param)
    network = Global100(atoms=6, bonds=2, features=16, units=5, steps=request.param, outputs=2).eval()
    path = tmp_path_factory.mktemp("refined") / "model.onnx"
    graph.export(network, path)
    return network.messages, onnx_file.session(path)


@pytest.mark.parametrize("size", [1, 2, 16])
def test_answers_are_those_of_the_same_network_with_each_atom_for_itself(exported, size):
    messages, runtime = exported
    graphs = [molecule(smiles) for smiles in [*MOLECULES, *GOLDEN[::4]]]

    def answers(form) -> np.ndarray:
        batches = [graphs[i : i + size] for i in range(0, len(graphs), size)]
        return np.concatenate([packed.run(runtime, [form(one, messages) for one in batch]) for batch in batches])

    expected = answers(unrefined)
    np.testing.assert_allclose(answers(refine), expected, rtol=1e-5, atol=1e-5)
    assert len(np.unique(expected.round(4), axis=0)) > len(graphs) / 2, "molecules must be told apart"


@pytest.mark.parametrize("smiles", MOLECULES)
def test_classes_do_not_depend_on_the_order_of_the_atoms(smiles):
    first, rng = refine(molecule(smiles), 5), np.random.default_rng(3)
    parsed = Chem.MolFromSmiles(smiles)
    for _ in range(5):
        order = rng.permutation(parsed.GetNumAtoms()).tolist()
        other = Chem.MolToSmiles(Chem.RenumberAtoms(parsed, order), canonical=False)
        again = refine(molecule(other), 5)
        assert first.tensors.keys() == again.tensors.keys()
        for name, values in first.tensors.items():
            np.testing.assert_array_equal(again.tensors[name], values, err_msg=f"{name} of {other}")


def test_propane_has_the_classes_of_the_contract():
    """By hand, with carbon 2 and hydrogen 3: two kinds of carbon, then of the hydrogens at them."""
    told = {
        "atom_0": [2, 3], "atom_count_0": [3, 8], "bond_0": [1], "bond_count_0": [20],
        "atom_graph": [0, 0], "bond_graph": [0], "size": [11],
        # C to C, C to H, H to C
        "bond_1": [0, 0, 0], "bond_count_1": [4, 8, 8], "source_1": [0, 0, 1], "target_1": [0, 1, 0],
        # CH2, CH3, H
        "atom_1": [0, 0, 1], "atom_count_1": [1, 2, 8],
        "sum_atom_1": [0, 0, 0, 0, 1, 1, 1, 1, 2], "sum_bond_1": [0, 0, 1, 1, 0, 1, 1, 1, 2],
        # CH2 to CH3, CH3 to CH2, CH2 to H, CH3 to H, H to CH2, H to CH3
        "bond_2": [0, 0, 1, 1, 2, 2], "bond_count_2": [2, 2, 2, 6, 2, 6],
        "source_2": [0, 1, 0, 1, 2, 2], "target_2": [1, 0, 2, 2, 0, 1],
    }  # fmt: skip
    found = refine(molecule("CCC"), 2)
    assert {name: values.tolist() for name, values in found.tensors.items()} == told
    assert list(found.inputs) == list(found.tensors)
    assert all(values.dtype == np.int64 for values in found.tensors.values())


def test_the_units_of_an_oligomer_are_one():
    """With 4 messages only what is near an end differs: more units in the middle are more of the same."""
    ten, twenty = (refine(molecule("C" + "CC(C)" * units + "C"), 4).tensors for units in (10, 20))
    assert len(ten["bond_4"]) == len(twenty["bond_4"]) < len(molecule("C" + "CC(C)" * 10 + "C").bond) / 2
    for name in ("atom_3", "bond_4", "source_4", "sum_bond_3"):
        np.testing.assert_array_equal(ten[name], twenty[name])
    assert twenty["bond_count_4"].sum() - ten["bond_count_4"].sum() == 10 * 2 * 9


def test_every_class_stands_for_as_many_as_there_are():
    plain = molecule(POLYESTER)
    tensors = refine(plain, 12).tensors
    for t in range(13):
        assert tensors[f"bond_count_{t}"].sum() == len(plain.bond)
        assert t == 12 or tensors[f"atom_count_{t}"].sum() == len(plain.atom)


def test_the_rows_of_a_batch_are_numbered_on_from_those_before():
    one, two = (refine(molecule(smiles), 2) for smiles in ("CCC", "CO"))
    together = packed.pack([one, two])
    for name, (_, numbers) in one.inputs.items():
        rows = {"atoms_0": 2, "bonds_0": 1, "atoms_1": 3, "bonds_1": 3, "graphs": 1, None: 0}
        np.testing.assert_array_equal(together[name], [*one.tensors[name], *(two.tensors[name] + rows[numbers])])
