"""The split that both versions of the example model share."""

import csv

import pytest
from conftest import MODELS
from rdkit import Chem

from chemmodel_export.train import data
from chemmodel_export.train.plausible import is_plausible

MOLECULES = MODELS.parents[1] / "molecules.csv"


@pytest.fixture(scope="module")
def split() -> data.Split:
    return data.split(data.measured_boiling_points())


def test_training_and_held_out_molecules_share_no_skeleton(split):
    assert not {m.skeleton for m in split.training} & {m.skeleton for m in split.held_out}
    assert len({m.smiles for m in split.training + split.held_out}) == len(split.training) + len(split.held_out)


def test_about_a_tenth_is_held_out(split):
    assert 0.08 < len(split.held_out) / (len(split.training) + len(split.held_out)) < 0.12


def test_the_demonstration_molecules_are_held_out_with_their_isotopologues(split):
    held_out = {m.smiles for m in split.held_out}
    assert {Chem.CanonSmiles(smiles) for _, smiles in data.DEMONSTRATION.values()} <= held_out
    assert "[2H]C(Cl)(Cl)Cl" not in {m.smiles for m in split.training}


def test_the_rule_can_be_recomputed_by_hand():
    # printf LFQSCWFLJHTTHZ | sha256sum -> first 8 hex digits modulo 10
    assert data.fold_of("LFQSCWFLJHTTHZ") == int("d024cad9", 16) % 10


def test_the_list_of_the_demonstration_says_what_was_measured(split):
    measured = {m.smiles: m.kelvin for m in split.held_out}
    rows = list(csv.DictReader(MOLECULES.read_text("utf-8").splitlines()))
    assert [(row["name"], row["smiles"]) for row in rows] == list(data.DEMONSTRATION.values())
    for row in rows:
        assert float(row["measured_kelvin"]) == pytest.approx(measured[Chem.CanonSmiles(row["smiles"])], abs=0.005)


@pytest.mark.parametrize(
    ("smiles", "kelvin", "plausible"),
    [
        ("CCO", 351.44, True),
        ("CC(C)(C)C", 282.65, True),  # as branched as an alkane gets
        ("FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F", 329.8, True),  # perfluorohexane
        ("C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O[Si](C)(C)O1", 448.0, True),  # siloxane
        ("CC(=O)OCC(C)c1ccccc1", 391.15, False),  # at reduced pressure
        ("CCN=[N+]=[N-]", 1769.15, False),  # a slip
    ],
)
def test_a_value_that_cannot_be_a_normal_boiling_point_is_left_out(smiles, kelvin, plausible):
    assert is_plausible(Chem.MolFromSmiles(smiles), kelvin) is plausible
