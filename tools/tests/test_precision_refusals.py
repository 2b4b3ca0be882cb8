"""A variant that the golden molecules do not accept is not written, and neither is one that nobody could trust."""

import json
import shutil

import numpy as np
import onnx
import pytest

from chemmodel_export import manifest
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.manifest import MANIFEST, MODEL
from chemmodel_export.precision import int8, variant
from chemmodel_export.verify import verify

INT8 = MODEL.replace(".onnx", ".int8.onnx")


@pytest.fixture(scope="module")
def quantised(tiny_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantised") / "bundle"
    variant.add(tiny_bundle, variant.Wanted("int8"), folder)
    return folder


@pytest.fixture
def copy(quantised, tmp_path):
    return shutil.copytree(quantised, tmp_path / "bundle")


def edit(folder, change):
    """Changes the manifest, and makes the digests right again."""
    content = json.loads((folder / MANIFEST).read_text())
    content["files"] = {name: manifest.pin(folder / name) for name in content["files"]}
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def refused(tmp_path, bundle, *asked, capsys) -> str:
    """What the command says; afterwards nothing of the new bundle is there, whole or half."""
    place = tmp_path / "place"
    assert main(["variant", str(bundle), "--out", str(place / "new"), *asked]) == 1
    assert not place.exists() or list(place.iterdir()) == []
    return capsys.readouterr().err


def test_a_variant_outside_of_its_tolerance_is_not_written(tiny_bundle, tmp_path, capsys):
    said = refused(tmp_path, tiny_bundle, "--precision", "int8", "--absolute", "0.0001", capsys=capsys)
    assert "int8 is not accepted within absolute 0.0001 and relative 0.0001, nothing was written" in said
    assert "molecules are answered differently" in said
    assert "--absolute or --relative" in said


@pytest.mark.parametrize("damage", ["weights", "activations"])
def test_a_quantisation_that_goes_wrong_is_found_by_the_golden_molecules(tiny_bundle, tmp_path, monkeypatch, damage):
    rounded = int8._weights
    if damage == "weights":
        monkeypatch.setattr(int8, "_weights", lambda rewrite, name, largest: rounded(rewrite, name, 1))
    else:
        monkeypatch.setattr(int8, "HEADROOM", 0.5)
    with pytest.raises(ExportError, match="int8 is not accepted"):
        variant.add(tiny_bundle, variant.Wanted("int8"), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_fused_network_that_answers_differently_is_found_however_wide_the_tolerance(
    tiny_bundle, tmp_path, monkeypatch
):
    def wrong(model):
        fused = fuse(model)
        next(node for node in fused.graph.node if node.op_type == "Attention").attribute[0].i = 2  # of 4 heads
        return fused

    fuse = variant.fuse
    monkeypatch.setattr(variant, "fuse", wrong)
    with pytest.raises(ExportError, match="cannot be fused: it would answer differently by"):
        variant.add(tiny_bundle, variant.Wanted("int8", absolute=1e6), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_fp16_cannot_hold_are_named(tiny_bundle):
    model = onnx.load(tiny_bundle / MODEL)
    for tensor in model.graph.initializer:
        if tensor.name.endswith("intermediate.dense.bias"):
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(tensor.dims, 7e4, np.float32), tensor.name))
    with pytest.raises(ExportError, match=r"intermediate.dense.bias holds 7e\+04, more than fp16 can hold"):
        variant.halve(model)


def test_a_bundle_is_never_changed(tiny_bundle, quantised, tmp_path, capsys):
    assert "has int8 already" in refused(tmp_path, quantised, "--precision", "int8", capsys=capsys)
    assert main(["variant", str(tiny_bundle), "--precision", "int8", "--out", str(quantised)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_a_bundle_that_does_not_verify_gets_no_variant(copy, tmp_path, capsys):
    (copy / MODEL).write_bytes(b"not a network")
    assert "is not the file that" in refused(tmp_path, copy, "--precision", "fp16", capsys=capsys)


def test_transformed_answers_need_a_tolerance_of_their_own(tiny_bundle, tmp_path):
    copy = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    golden = json.loads((copy / "golden.json").read_text())
    output = json.loads((copy / MANIFEST).read_text())["outputs"][0]
    for molecule in golden["molecules"]:
        molecule["predictions"] = [10.0 ** molecule["predictions"][0]]
    golden["tolerance"]["relative"] = 0.01
    (copy / "golden.json").write_text(json.dumps(golden))
    edit(copy, lambda content: content.update(outputs=[{**output, "transform": "log10"}]))
    with pytest.raises(ExportError, match="say with --absolute"):
        variant.add(copy, variant.Wanted("int8"), tmp_path / "new")


def test_a_variant_that_was_damaged_later_is_found(copy):
    edit(copy, lambda content: content["variants"]["int8"]["tolerance"].update(absolute=1e-6))
    with pytest.raises(ExportError, match=r"in int8, .* molecules are answered differently"):
        verify(copy)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.update(int4=v["int8"]), "variants.int4 is not known"),
        (lambda v: v.update(fp32=v["int8"]), "variants.fp32 is not known"),
        (lambda v: v["int8"].update(members=[]), "must be one for each member"),
        (lambda v: v["int8"].update(members=[INT8, INT8]), "must be one for each member"),
        (lambda v: v["int8"].update(members=["other.onnx"]), "files does not list 'other.onnx' of variants.int8"),
        (lambda v: v["int8"].update(members=[MODEL]), "which is taken already"),
        (lambda v: v.update(fp16=v["int8"]), "which is taken already"),
        (lambda v: v["int8"].pop("tolerance"), r"variants.int8 lacks \['tolerance'\]"),
        (lambda v: v["int8"].update(speed=2), r"unknown fields \['speed'\]"),
        (lambda v: v["int8"]["tolerance"].update(absolute=-1), "tolerance.absolute is -1"),
        (lambda v: v["int8"]["tolerance"].update(relative=float("nan")), "tolerance.relative is nan"),
    ],
)
def test_a_manifest_whose_variants_break_the_contract_is_refused(copy, change, sentence):
    edit(copy, lambda content: change(content["variants"]))
    with pytest.raises(ExportError, match=sentence):
        verify(copy)
