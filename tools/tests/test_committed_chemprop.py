"""The example bundle of Chemprop in this repository: sound, and as good as its model card says."""

import json

import numpy as np
import pytest
from conftest import MODELS

from chemmodel_export import onnx_file, packed
from chemmodel_export.chemprop import features
from chemmodel_export.manifest import GOLDEN, MANIFEST
from chemmodel_export.train import data
from chemmodel_export.train.score import other_spelling, score
from chemmodel_export.verify import verify

BUNDLE = MODELS.parent / "chemprop-boiling-point" / "v1"


@pytest.fixture(scope="module")
def held_out() -> list[data.Molecule]:
    return data.split(data.measured_boiling_points()).held_out


@pytest.fixture(scope="module")
def claimed() -> dict:
    return json.loads((BUNDLE / MANIFEST).read_text())["provenance"]["metrics"]


def answers(smiles: list[str]) -> np.ndarray:
    runtime = onnx_file.session(BUNDLE / "model_0.onnx")
    graphs = [features.graph(text) for text in smiles]
    return np.concatenate([packed.run(runtime, graphs[i : i + 64])[:, 0] for i in range(0, len(graphs), 64)])


def test_the_bundle_verifies_and_is_small_enough_for_a_repository():
    assert verify(BUNDLE)
    assert sum(path.stat().st_size for path in BUNDLE.iterdir()) < 3 * 1024 * 1024


def test_the_golden_molecules_hold_the_demonstration_other_orders_and_none_of_training(held_out):
    smiles = [m["smiles"] for m in json.loads((BUNDLE / GOLDEN).read_text())["molecules"]]
    assert smiles[:10] == [smiles for _, smiles in data.DEMONSTRATION.values()]
    assert {m.smiles for m in held_out} >= set(smiles[10:60])
    plain = [features.Chem.MolToSmiles(features.molecule(text)) for text in smiles]
    assert len(set(plain)) < len(plain) - 40


def test_the_manifest_tells_the_score_that_the_bundle_has(held_out, claimed):
    measured = score(answers([m.smiles for m in held_out]), held_out).rounded()
    assert measured == pytest.approx({name: claimed[name] for name in measured}, abs=0.02)
    assert claimed["heldOut"] == len(held_out)


def test_the_spelling_of_a_molecule_does_not_matter(held_out):
    spelled = answers(other_spelling(held_out))
    np.testing.assert_allclose(spelled, answers([m.smiles for m in held_out]), rtol=1e-4)


def test_the_model_card_tells_the_score_of_the_manifest(claimed):
    card = (BUNDLE / "README.md").read_text("utf-8")
    for figure in (claimed["mae"], claimed["rmse"], claimed["baselines"]["ridgeMorgan"]["mae"]):
        assert f"{figure:.1f} K" in card
    assert f"{claimed['r2']:.3f}" in card
