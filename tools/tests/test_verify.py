"""`verify` sees every way in which a bundle can disagree with itself."""

import json
import shutil

import pytest

from chemmodel_export import manifest
from chemmodel_export.cli import main
from chemmodel_export.errors import ExportError
from chemmodel_export.manifest import GOLDEN, MANIFEST, MODEL, TOKENIZER
from chemmodel_export.verify import verify


@pytest.fixture
def copy(tiny_bundle, tmp_path):
    return shutil.copytree(tiny_bundle, tmp_path / "bundle")


def repin(folder, **changes):
    """Makes the digests right again, so that only the meant damage is left."""
    content = json.loads((folder / MANIFEST).read_text())
    content["files"] = {name: manifest.pin(folder / name) for name in content["files"]}
    (folder / MANIFEST).write_text(json.dumps({**content, **changes}))


def edit_golden(folder, change):
    golden = json.loads((folder / GOLDEN).read_text())
    change(golden)
    (folder / GOLDEN).write_text(json.dumps(golden))
    repin(folder)


def test_a_bundle_is_named_by_the_digest_of_its_manifest(copy, capsys):
    assert main(["verify", str(copy)]) == 0
    assert manifest.digest(copy) in capsys.readouterr().out


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, GOLDEN])
def test_a_flipped_byte_is_found(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ExportError, match=f"{name} is not the file that {MANIFEST} pins"):
        verify(copy)


def test_a_missing_file_is_named(copy):
    (copy / TOKENIZER).unlink()
    with pytest.raises(ExportError, match=f"{TOKENIZER} is missing"):
        verify(copy)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ExportError, match=f"{MANIFEST} is missing"):
        verify(tmp_path)


def test_another_answer_is_found_with_its_molecule(copy):
    edit_golden(copy, lambda golden: golden["molecules"][3]["predictions"].__setitem__(0, 99.0))
    with pytest.raises(ExportError, match=r"1 of \d+ molecules are answered differently, first CCO: .*99"):
        verify(copy)


def test_an_answer_that_is_no_number_never_agrees(copy):
    edit_golden(copy, lambda golden: golden["molecules"][0]["predictions"].__setitem__(0, float("nan")))
    with pytest.raises(ExportError, match="answered differently"):
        verify(copy)


def test_other_token_ids_are_found(copy):
    edit_golden(copy, lambda golden: golden["molecules"][0]["ids"].append(3))
    with pytest.raises(ExportError, match=f"{TOKENIZER} gives"):
        verify(copy)


def test_a_network_that_cannot_be_loaded_is_named(copy):
    (copy / MODEL).write_bytes(b"not a network")
    repin(copy)
    with pytest.raises(ExportError, match=f"{MODEL} cannot be loaded"):
        verify(copy)


def test_outputs_that_the_network_does_not_have_are_found(copy):
    outputs = json.loads((copy / MANIFEST).read_text())["outputs"]
    edit_golden(copy, lambda golden: [m["predictions"].append(1.0) for m in golden["molecules"]])
    edit_golden(copy, lambda golden: golden.update(outputs=manifest.computed(outputs * 2)))
    repin(copy, outputs=outputs * 2)
    with pytest.raises(ExportError, match=r"answers with shape \(1, 1\), expected \(1, 2\)"):
        verify(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda outputs: outputs[0].update(unit="degC"),
        lambda outputs: outputs[0].update(name="hydrogens"),
        lambda outputs: outputs[0].pop("unit"),
        lambda outputs: outputs.append({"name": "hydrogens", "unit": "1"}),
    ],
)
def test_answers_for_other_outputs_than_the_manifest_serves_are_found(copy, change):
    edit_golden(copy, lambda golden: change(golden["outputs"]))
    with pytest.raises(ExportError, match=f"{GOLDEN} has the answers for .*but {MANIFEST} serves .*carbons"):
        verify(copy)


def test_a_golden_file_from_before_outputs_were_written_is_accepted(copy):
    edit_golden(copy, lambda golden: golden.pop("outputs"))
    assert verify(copy)


def test_an_empty_golden_file_is_no_evidence(copy):
    edit_golden(copy, lambda golden: golden["molecules"].clear())
    with pytest.raises(ExportError, match="must have molecules"):
        verify(copy)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": "chemmodel.io/bundle/v2"}, "schema is"),
        ({"kind": "image"}, "kind is"),
        ({"aggregate": "median"}, "aggregate is"),
        ({"maxLength": 0}, "maxLength is 0"),
        ({"maxLength": True}, "maxLength is True"),
        ({"members": []}, "members must list"),
        ({"members": ["other.onnx"]}, "files does not list 'other.onnx'"),
        ({"outputs": []}, "outputs must list"),
        ({"surprise": 1}, r"unknown fields \['surprise'\]"),
        ({"provenance": "me"}, "provenance must be an object"),
        ({"files": {"../model.onnx": {}}}, "is not one inside the bundle"),
        ({"files": {"a//b": {}}}, "is not one inside the bundle"),
        ({"files": {MODEL: {"sha256": "00", "bytes": 1}}}, "must be 64 hex digits"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_refused(copy, changes, sentence):
    repin(copy, **changes)
    with pytest.raises(ExportError, match=sentence):
        verify(copy)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("transform", "sqrt", "transform is 'sqrt'"),
        ("scale", 0, "scale is 0"),
        ("scale", float("nan"), "expected a finite number"),
        ("center", "5", "expected a finite number"),
        ("name", "", "name must not be empty"),
        ("colour", "red", r"unknown fields \['colour'\]"),
    ],
)
def test_an_output_that_breaks_the_contract_is_refused(copy, field, value, sentence):
    output = json.loads((copy / MANIFEST).read_text())["outputs"][0]
    repin(copy, outputs=[{**output, field: value}])
    with pytest.raises(ExportError, match=sentence):
        verify(copy)
