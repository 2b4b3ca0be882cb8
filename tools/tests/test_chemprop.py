"""From checkpoints that Chemprop itself saved, with the answers that it gave (tests/data/chemprop/record.py)."""

import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from chemprop_loops import Loops, elu, leaky, relu, weights_of
from conftest import TOOLS

from chemmodel_export import manifest, onnx_file, packed
from chemmodel_export.chemprop import checkpoint, features
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.files import write_json
from chemmodel_export.manifest import FEATURES, GOLDEN, MANIFEST
from chemmodel_export.packed import Graph
from chemmodel_export.verify import verify

SERVED = TOOLS / "tests" / "data" / "chemprop" / "served"
KINDS = {
    "mean": (3, (relu, relu), lambda atoms: atoms.mean(axis=0)),
    "norm": (2, (leaky(0.2), leaky(0.1)), lambda atoms: atoms.sum(axis=0) / 20.0),
    "sum": (5, (np.tanh, elu(0.5)), lambda atoms: atoms.sum(axis=0)),
}
NAMES = {"mean": ["--output", "first::K", "--output", "second"], "norm": ["--output", "y"], "sum": ["--output", "y"]}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chemprop")
    for kind, outputs in NAMES.items():
        arguments = ["chemprop", "--checkpoint", str(SERVED / kind), "--name", kind, "--out", str(folder / kind)]
        assert main([*arguments, *outputs]) == 0
    return folder


def graphs(*smiles: str) -> list[Graph]:
    return [features.graph(text) for text in smiles]


def session(bundles, kind, member=0):
    return onnx_file.session(bundles / kind / f"model_{member}.onnx")


def random_graph(rng, atoms: int, bonds: int) -> Graph:
    pairs = [(v, w) for v in range(atoms) for w in range(v)]
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:bonds]]
    ends = [end for v, w in chosen for end in ((v, w), (w, v))]
    return Graph(
        rng.random((atoms, 72), dtype=np.float32),
        np.repeat(rng.random((bonds, 14), dtype=np.float32), 2, axis=0),
        np.array(ends, dtype=np.int64).reshape(-1, 2),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 0), (5, 0), (2, 1), (9, 12)], ids=str)
def test_the_network_is_the_printed_formulas_without_bonds_too(bundles, kind, size):
    graph = random_graph(np.random.default_rng(7), *size)
    bonds = {(int(v), int(w)): bond for (v, w), bond in zip(graph.connectivity, graph.bond, strict=True)}
    expected = Loops(weights_of(SERVED / kind / "model_0" / "best.pt"), *KINDS[kind])(graph.atom, bonds)
    np.testing.assert_allclose(packed.run(session(bundles, kind), [graph])[0], expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_chemprop(bundles, kind):
    golden = json.loads((bundles / kind / GOLDEN).read_text())
    recorded = json.loads((SERVED / kind / checkpoint.ANSWERS).read_text())
    assert golden["framework"] == recorded["framework"]
    assert [m["smiles"] for m in golden["molecules"]] == [m["smiles"] for m in recorded["molecules"]]
    for member in range(len(recorded["molecules"][0]["members"])):
        answered = packed.run(session(bundles, kind, member), graphs(*(m["smiles"] for m in recorded["molecules"])))
        expected = [m["members"][member] for m in recorded["molecules"]]
        np.testing.assert_allclose(answered, expected, rtol=1e-5, atol=1e-4)
        assert np.ptp(answered, axis=0).min() > 0.1, "molecules must be told apart, or nothing was compared"


def test_golden_predictions_are_the_mean_of_the_members(bundles):
    first = json.loads((bundles / "mean" / GOLDEN).read_text())["molecules"][0]
    members = json.loads((SERVED / "mean" / checkpoint.ANSWERS).read_text())["molecules"][0]["members"]
    assert members[0] != members[1]
    assert first["predictions"] == pytest.approx(np.mean(members, axis=0).tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_the_other_molecules_of_its_batch(bundles, kind):
    molecules = graphs("C", "CCO", "c1ccccc1C(=O)O", "[Na+].[Cl-]", "C" * 120, "C")
    runtime = session(bundles, kind)
    alone = np.concatenate([packed.run(runtime, [graph]) for graph in molecules])
    np.testing.assert_allclose(packed.run(runtime, molecules), alone, rtol=1e-5)
    np.testing.assert_allclose(packed.run(runtime, molecules[::-1])[::-1], alone, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_the_order_of_the_atoms(bundles, kind):
    orders = graphs("CC(C)Cc1ccc(cc1)C(C)C(=O)O", "OC(=O)C(C)c1ccc(CC(C)C)cc1", "c1(C(C(O)=O)C)ccc(CC(C)C)cc1")
    answered = packed.run(session(bundles, kind), orders)
    np.testing.assert_allclose(answered, np.broadcast_to(answered[0], answered.shape), rtol=1e-5)
    assert not np.array_equal(orders[0].atom, orders[1].atom)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bundle_verifies_and_has_the_tensors_of_the_contract(bundles, kind):
    assert "molecules agree" in verify(bundles / kind)
    content = json.loads((bundles / kind / MANIFEST).read_text())
    assert (content["kind"], content["architecture"]) == ("graph", "chemprop")
    assert json.loads((bundles / kind / FEATURES).read_text()) == {
        "schema": "chemmodel.io/features/v1",
        "scheme": "chemprop-v2",
        "stereo": "ignored",
    }
    for member in content["members"]:
        model = onnx.load(bundles / kind / member)
        widths = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
        assert widths == {"atom": [0, 72], "bond": [0, 14], "connectivity": [0, 2], "graph": [0], "size": [0]}
        assert [o.name for o in model.graph.output] == ["predictions"]


@pytest.mark.parametrize("change", [{"stereo": "read"}, {"atoms": {}}])
def test_features_of_another_contract_are_found(bundles, tmp_path, change):
    folder = shutil.copytree(bundles / "norm", tmp_path / "bundle")
    write_json(folder / FEATURES, {**features.FILE, **change})
    content = json.loads((folder / MANIFEST).read_text())
    content["files"][FEATURES] = manifest.pin(folder / FEATURES)
    write_json(folder / MANIFEST, content)
    with pytest.raises(ExportError, match=f"{FEATURES} must be .*'stereo': 'ignored'"):
        verify(folder)


def test_labels_that_were_logarithms_are_undone_by_the_server_and_in_the_golden_answers(tmp_path):
    arguments = ["chemprop", "--checkpoint", str(SERVED / "norm"), "--name", "log", "--out", str(tmp_path / "log")]
    assert main([*arguments, "--output", "y", "--transform", "log10"]) == 0
    raw = json.loads((SERVED / "norm" / checkpoint.ANSWERS).read_text())["molecules"][0]["members"][0][0]
    golden = json.loads((tmp_path / "log" / GOLDEN).read_text())["molecules"][0]
    assert golden["predictions"] == pytest.approx([10**raw])
    assert verify(tmp_path / "log")


def test_what_training_recorded_needs_no_arguments(tmp_path):
    folder = shutil.copytree(SERVED / "norm", tmp_path / "trained")
    output = {"name": "y", "property": "something", "unit": "K", "transform": "none", "scale": 1.0, "center": 0.0}
    write_json(folder / checkpoint.TRAINING, {"name": "mine", "outputs": [output], "provenance": {"data": "here"}})
    assert main(["chemprop", "--checkpoint", str(folder), "--out", str(tmp_path / "bundle")]) == 0
    content = json.loads((tmp_path / "bundle" / MANIFEST).read_text())
    assert (content["name"], content["outputs"], content["provenance"]["data"]) == ("mine", [output], "here")


def test_export_needs_neither_chemprop_nor_lightning(tmp_path):
    """A checkpoint names their classes; a finder that refuses both shows that none is looked for."""
    arguments = ["chemprop", "--checkpoint", str(SERVED / "sum"), "--name", "x", "--output", "y"]
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("chemprop", "lightning", "torchmetrics"): raise SystemExit("imports " + name)
sys.meta_path.insert(0, Refuse())
from chemmodel_export.cli import main
sys.exit(main({[*arguments, "--out", str(tmp_path / "bundle")]!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
