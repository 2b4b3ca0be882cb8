"""The example bundles of this repository: sound, and the second better than the first, recomputed from the bundles."""

import json

import numpy as np
import pytest
from conftest import MODELS
from tokenizers import Tokenizer

from chemmodel_export import onnx_file, predict
from chemmodel_export.files import write_json
from chemmodel_export.manifest import GOLDEN, MANIFEST, MODEL, TOKENIZER
from chemmodel_export.precision import variant
from chemmodel_export.train import data
from chemmodel_export.train.score import Score, score
from chemmodel_export.verify import verify

VERSIONS = ("v1", "v2")
INT8 = "v2-int8"
LARGEST = 17 * 1024 * 1024


@pytest.fixture(scope="module")
def held_out() -> list[data.Molecule]:
    return sorted(data.split(data.measured_boiling_points()).held_out, key=lambda m: len(m.smiles))


@pytest.fixture(scope="module")
def scores(held_out) -> dict[str, Score]:
    return {version: recomputed(MODELS / version, held_out) for version in VERSIONS}


def recomputed(folder, held_out, network=MODEL) -> Score:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    outputs = json.loads((folder / MANIFEST).read_text())["outputs"]
    runtime = onnx_file.session(folder / network)
    answers = []
    for start in range(0, len(held_out), 64):
        batch = [predict.tokenize(tokenizer, m.smiles) for m in held_out[start : start + 64]]
        answers += [predict.to_units(raw, outputs)[0] for raw in predict.by_onnx(runtime, batch)]
    return score(np.array(answers), held_out)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bundle_verifies_and_is_small_enough_for_a_repository(version):
    assert verify(MODELS / version)
    assert sum(path.stat().st_size for path in (MODELS / version).iterdir()) < LARGEST


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_molecules_hold_the_demonstration_and_none_of_training(version, held_out):
    smiles = [m["smiles"] for m in json.loads((MODELS / version / GOLDEN).read_text())["molecules"]]
    assert smiles[:10] == [smiles for _, smiles in data.DEMONSTRATION.values()]
    assert {m.smiles for m in held_out} >= set(smiles[10:60])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_answers_are_boiling_points_in_kelvin(version):
    told = json.loads((MODELS / version / GOLDEN).read_text())["outputs"]
    assert told == [{"name": "boiling_point", "unit": "K"}]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_files_are_written_as_the_exporter_writes_them(version, tmp_path):
    for name in (MANIFEST, GOLDEN):
        content = (MODELS / version / name).read_bytes()
        write_json(tmp_path / name, json.loads(content))
        assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifest_tells_the_score_that_the_bundle_has(version, scores):
    claimed = json.loads((MODELS / version / MANIFEST).read_text())["provenance"]["metrics"]
    assert scores[version].mae == pytest.approx(claimed["mae"], abs=0.02)
    assert scores[version].r2 == pytest.approx(claimed["r2"], abs=0.001)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_model_card_tells_the_score_of_the_manifest(version):
    claimed = json.loads((MODELS / version / MANIFEST).read_text())["provenance"]["metrics"]
    card = (MODELS / version / "README.md").read_text("utf-8")
    for figure in (
        claimed["mae"],
        claimed["rmse"],
        claimed["maeOtherSpelling"],
        claimed["baselines"]["ridgeMorgan"]["mae"],
    ):
        assert f"{figure:.1f} K" in card


def test_the_second_version_is_better_than_the_first(scores):
    assert scores["v2"].mae < scores["v1"].mae
    assert scores["v2"].rmse < scores["v1"].rmse


def test_the_bundle_with_int8_is_the_second_version_and_a_copy_of_its_network():
    assert verify(MODELS / INT8)
    for name in (MODEL, TOKENIZER, GOLDEN):
        assert (MODELS / INT8 / name).read_bytes() == (MODELS / "v2" / name).read_bytes()
    assert sum(path.stat().st_size for path in (MODELS / INT8).iterdir()) < LARGEST


def test_int8_costs_next_to_nothing_of_the_score_and_the_model_card_tells_it(scores, held_out):
    """Ranges come from the golden molecules alone, of which 50 are held-out ones; the other 990 never met int8."""
    rounded = recomputed(MODELS / INT8, held_out, variant_of(MODELS / INT8, "int8"))
    assert rounded.mae == pytest.approx(scores["v2"].mae, rel=0.01)
    assert rounded != scores["v2"]
    card = (MODELS / INT8 / "README.md").read_text("utf-8")
    assert f"{scores['v2'].mae:.2f}" in card


def test_fp16_costs_next_to_nothing_of_the_score(scores, held_out, tmp_path):
    variant.add(MODELS / "v2", variant.Wanted("fp16"), tmp_path / "bundle")
    rounded = recomputed(tmp_path / "bundle", held_out, variant_of(tmp_path / "bundle", "fp16"))
    assert rounded.mae == pytest.approx(scores["v2"].mae, rel=0.001)
    assert rounded != scores["v2"]


def variant_of(folder, precision) -> str:
    return json.loads((folder / MANIFEST).read_text())["variants"][precision]["members"][0]
