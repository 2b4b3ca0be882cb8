"""The PolyID ensembles of this repository: sound, small, and as good as their cards say."""

import csv
import json

import numpy as np
import pytest
from conftest import MODELS

from chemmodel_export import onnx_file, packed
from chemmodel_export.files import write_json
from chemmodel_export.manifest import DOMAIN, FEATURES, GOLDEN, MANIFEST
from chemmodel_export.polyid.features import Vocabulary
from chemmodel_export.polyid.refined import refine
from chemmodel_export.train import data
from chemmodel_export.train.score import score
from chemmodel_export.verify import verify

EXAMPLES = MODELS.parents[1]
POLYMERS = [EXAMPLES / "models" / "polyid-tg-tm" / version for version in ("v1", "v2")]
BOILING = EXAMPLES / "models" / "polyid-boiling-point" / "v1"
ALL = [*POLYMERS, BOILING]
NAMES = ["polymers v1", "polymers v2", "boiling points"]
LARGEST = 50 * 1024 * 1024


def read(folder, name) -> dict:
    return json.loads((folder / name).read_text("utf-8"))


@pytest.mark.parametrize("folder", ALL, ids=NAMES)
def test_the_bundle_verifies_and_is_written_as_the_exporter_writes_it(folder, tmp_path):
    assert verify(folder)
    for name in (MANIFEST, GOLDEN, FEATURES, DOMAIN):
        write_json(tmp_path / name, read(folder, name))
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_bundles_are_small_enough_for_a_repository():
    assert sum(path.stat().st_size for folder in ALL for path in folder.iterdir()) < LARGEST


@pytest.mark.parametrize("folder", ALL, ids=NAMES)
def test_the_model_card_tells_the_scores_of_the_manifest(folder):
    content, card = read(folder, MANIFEST), (folder / "README.md").read_text("utf-8")
    for output in content["outputs"]:
        told = content["provenance"]["metrics"][output["name"]]
        for figures in (told, *told["baselines"].values()):
            assert f"{figures['mae']:.1f} | {figures['rmse']:.1f} | {figures['r2']:.3f}" in card


def test_the_second_version_for_polymers_is_the_better_one():
    first, second = (read(folder, MANIFEST)["provenance"]["metrics"] for folder in POLYMERS)
    assert second["Tg"]["mae"] < first["Tg"]["mae"]
    assert second["Tm"]["mae"] < first["Tm"]["mae"]


@pytest.mark.parametrize("folder", POLYMERS, ids=NAMES[:2])
def test_the_model_card_tells_what_the_well_known_polymers_get(folder):
    golden = {m["smiles"]: m["predictions"] for m in read(folder, GOLDEN)["molecules"]}
    card = (folder / "README.md").read_text("utf-8")
    with (EXAMPLES / "polymers.csv").open(newline="") as table:
        polymers = list(csv.DictReader(table))
    assert len(polymers) == 12
    for polymer in polymers:
        predicted = golden[polymer["smiles"]][0]
        assert f"| {polymer['polymer']} | {polymer['tg_celsius']} | {predicted:.0f} |" in card


def test_the_boiling_points_are_scored_on_the_molecules_that_the_other_examples_hold_out():
    features = read(BOILING, FEATURES)
    vocabulary = Vocabulary(features["atoms"], features["bonds"])
    held_out = sorted(data.split(data.measured_boiling_points()).held_out, key=lambda m: len(m.smiles))
    graphs = [refine(vocabulary.graph(m.smiles), features["messages"]) for m in held_out]
    answers = []
    for member in read(BOILING, MANIFEST)["members"]:
        runtime = onnx_file.session(BOILING / member)
        answers.append(np.concatenate([packed.run(runtime, graphs[i : i + 32]) for i in range(0, len(graphs), 32)]))
    found = score(np.mean(answers, axis=0)[:, 0], held_out)
    told = read(BOILING, MANIFEST)["provenance"]["metrics"]["Tb"]
    assert found.mae == pytest.approx(told["mae"], abs=0.02)
    assert found.r2 == pytest.approx(told["r2"], abs=0.001)
    assert found.mae < told["baselines"]["ridgeMorgan"]["mae"]
