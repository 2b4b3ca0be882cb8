"""The scheme chemprop-v2 against what Chemprop's featurizer gave (tests/data/chemprop/record_features.py)."""

import json

import numpy as np
import pytest
from conftest import TOOLS

from chemmodel_export.chemprop import features
from chemmodel_export.errors import ExportError

LINES = (TOOLS / "tests" / "data" / "chemprop" / "features.jsonl").read_text("utf-8").splitlines()
RECORDED = [json.loads(line) for line in LINES]


def ones(row: np.ndarray) -> list[int]:
    return np.flatnonzero(row).tolist()


@pytest.mark.parametrize("expected", [e for e in RECORDED if "*" not in e["smiles"]], ids=lambda e: e["smiles"])
def test_atoms_and_bonds_are_those_of_chemprop(expected):
    graph = features.graph(expected["smiles"])
    assert [ones(row[:-1]) for row in graph.atom] == expected["atoms"]
    np.testing.assert_allclose(graph.atom[:, -1], expected["masses"], rtol=1e-4)
    assert np.isin(graph.atom[:, :-1], (0, 1)).all()
    there, back = graph.connectivity[::2], graph.connectivity[1::2]
    assert there.tolist() == expected["ends"]
    assert (back == there[:, ::-1]).all()
    assert [ones(row) for row in graph.bond[::2]] == expected["bonds"]
    assert (graph.bond[1::2] == graph.bond[::2]).all()
    assert (graph.atom.dtype, graph.bond.dtype, graph.connectivity.dtype) == (np.float32, np.float32, np.int64)


def test_the_recorded_molecules_meet_every_position_that_a_molecule_without_stereo_can():
    never = {52, 53, 54, 55, 65}  # chiral tags; RDKit gives no atom the hybrid SP2D
    met = {i for e in RECORDED for row in e["atoms"] for i in row}
    assert set(range(36, features.ATOM_WIDTH - 1)) - met == never
    assert {1, 2, 3, 4, 5, 6, 7} == {i for e in RECORDED for row in e["bonds"] for i in row}


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("C[C@@H](N)C(=O)O", "CC(N)C(=O)O"),
        ("F/C(Cl)=C(Br)/I", "FC(Cl)=C(Br)I"),
        ("[H]/N=C(/C)O", "N=C(C)O"),
        ("C[S@](=O)CC", "CS(=O)CC"),
    ],
)
def test_stereo_marks_are_as_if_they_had_not_been_written(marked, plain):
    with_marks, without = (features.graph(smiles) for smiles in (marked, plain))
    for one, other in zip(with_marks, without, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("smiles", ["C1CC", "*CC*", "c1cnc2ncnc2n1"])
def test_what_is_no_whole_molecule_is_refused(smiles):
    with pytest.raises(ExportError, match="is not a whole molecule"):
        features.molecule(smiles)
