"""A variant answers what the original framework answers, within its tolerance, in the numbers that it claims."""

import json
from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from conftest import OUTPUT
from onnx import TensorProto, numpy_helper

from chemmodel_export import onnx_file, predict
from chemmodel_export.cli import main
from chemmodel_export.manifest import GOLDEN, MANIFEST, MODEL, TOKENIZER
from chemmodel_export.precision import variant
from chemmodel_export.precision.fuse import fuse
from chemmodel_export.precision.int8 import quantise
from chemmodel_export.verify import verify

LAYERS = 2
FILES = {precision: MODEL.replace(".onnx", f".{precision}.onnx") for precision in variant.FRACTION}


@pytest.fixture(scope="module")
def variants(tiny_bundle, tmp_path_factory):
    """The tiny bundle with both, the second made from the bundle that has the first."""
    folder = tmp_path_factory.mktemp("variants")
    variant.add(tiny_bundle, variant.Wanted("int8"), folder / "int8")
    variant.add(folder / "int8", variant.Wanted("fp16"), folder / "both")
    return folder / "both"


def manifest_of(folder) -> dict:
    return json.loads((folder / MANIFEST).read_text())


def encoded(folder) -> list[list[int]]:
    return [m["ids"] for m in json.loads((folder / GOLDEN).read_text())["molecules"]]


def weights(model) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def kinds(model) -> Counter:
    return Counter(node.op_type for node in model.graph.node)


@pytest.mark.parametrize("precision", FILES)
def test_its_answers_are_those_of_pytorch_within_the_tolerance_and_yet_others(variants, network, precision):
    tolerance = manifest_of(variants)["variants"][precision]["tolerance"]
    runtime, unrounded = onnx_file.session(variants / FILES[precision]), onnx_file.session(variants / MODEL)
    changes = []
    for ids in encoded(variants):
        row = torch.tensor([ids])
        with torch.no_grad():
            expected = network(row, torch.ones_like(row)).item() * OUTPUT["scale"] + OUTPUT["center"]
        answered = predict.to_units(predict.by_onnx(runtime, [ids])[0], [OUTPUT])[0]
        assert abs(answered - expected) <= tolerance["absolute"] + tolerance["relative"] * abs(expected)
        changes.append(abs(answered - predict.to_units(predict.by_onnx(unrounded, [ids])[0], [OUTPUT])[0]))
    assert max(changes) > 1e-5, "a network that rounds nothing is no variant"


@pytest.mark.parametrize("precision", FILES)
def test_an_answer_does_not_depend_on_its_batch(variants, precision):
    """But for a last digit that rounds the other way; ranges of the batch would move it ten times as far."""
    runtime, molecules = onnx_file.session(variants / FILES[precision]), encoded(variants)
    alone = np.concatenate([predict.by_onnx(runtime, [ids]) for ids in molecules])
    np.testing.assert_allclose(predict.by_onnx(runtime, molecules, pad_id=7), alone, atol=2e-3 * alone.std())


def test_the_original_and_its_answers_stay_as_they_are(tiny_bundle, variants):
    for name in (MODEL, GOLDEN, TOKENIZER):
        assert (variants / name).read_bytes() == (tiny_bundle / name).read_bytes()
    before, after = manifest_of(tiny_bundle), manifest_of(variants)
    assert "variants" not in before, "the digest of a bundle without variants must not change"
    assert [after[field] for field in ("members", "outputs")] == [before[field] for field in ("members", "outputs")]


def test_the_manifest_pins_every_variant_and_verify_asks_each(variants):
    content = manifest_of(variants)
    assert {p.name for p in variants.iterdir()} == {*content["files"], MANIFEST}
    assert {precision: told["members"] for precision, told in content["variants"].items()} == {
        precision: [name] for precision, name in FILES.items()
    }
    assert "in fp16" in verify(variants)
    assert "in int8" in verify(variants)


def test_the_tolerance_is_a_fraction_of_how_much_the_reference_answers_differ(variants):
    golden = json.loads((variants / GOLDEN).read_text())
    spread = np.std([m["predictions"][0] for m in golden["molecules"]])
    for precision, told in manifest_of(variants)["variants"].items():
        assert told["tolerance"]["absolute"] == pytest.approx(variant.FRACTION[precision] * spread, rel=0.05)
        assert told["tolerance"]["relative"] == golden["tolerance"]["relative"]


def test_the_same_bundle_gives_the_same_variant(tiny_bundle, variants, tmp_path):
    variant.add(tiny_bundle, variant.Wanted("int8"), tmp_path / "again")
    assert (tmp_path / "again" / FILES["int8"]).read_bytes() == (variants / FILES["int8"]).read_bytes()


def test_int8_multiplies_whole_numbers_in_the_whole_encoder_and_nowhere_else(variants):
    model = onnx.load(variants / FILES["int8"])
    found = kinds(model)
    assert (found["QAttention"], found["MatMulIntegerToFloat"]) == (LAYERS, 3 * LAYERS)
    assert found["MatMul"] == found["Attention"] == found["Erf"] == found["Softmax"] == 0
    assert found["Gemm"] == 2, "the head stays fp32"
    matrices = {name: array for name, array in weights(model).items() if array.ndim == 2}
    floats = {name for name, array in matrices.items() if array.dtype == np.float32}
    assert all("embeddings" in name or "head" in name for name in floats)
    assert sum(array.dtype == np.int8 for array in matrices.values()) == 4 * LAYERS


@pytest.mark.parametrize(("reduce_range", "largest"), [(False, 127), (True, 63)])
def test_a_processor_without_vnni_gets_weights_that_cannot_overflow(tiny_bundle, reduce_range, largest):
    fused = fuse(onnx.load(tiny_bundle / MODEL))
    whole = [
        array
        for array in weights(quantise(fused, encoded(tiny_bundle), reduce_range)).values()
        if array.dtype == np.int8 and array.ndim == 2
    ]
    assert {int(np.abs(array.astype(int)).max()) for array in whole} == {largest}


def test_fp16_keeps_normalisation_softmax_pooling_and_head_in_fp32(variants):
    model = onnx.shape_inference.infer_shapes(onnx.load(variants / FILES["fp16"]), strict_mode=True)
    values = [*model.graph.input, *model.graph.value_info, *model.graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    types |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    computed = {kind: {types[n.input[0]] for n in model.graph.node if n.op_type == kind} for kind in kinds(model)}
    for kind in ("LayerNormalization", "Softmax", "ReduceSum", "Gemm"):
        assert computed[kind] == {TensorProto.FLOAT}, kind
    for kind in ("MatMul", "Erf"):
        assert computed[kind] == {TensorProto.FLOAT16}, kind
    assert all(node.domain == "" for node in model.graph.node), "a GPU has every standard operator"


def test_the_fused_network_is_the_same_network(tiny_bundle):
    plain = onnx.load(tiny_bundle / MODEL)
    fused, molecules = fuse(plain), encoded(tiny_bundle)
    found = kinds(fused)
    assert (found["Attention"], found["Gelu"], found["Sum"]) == (LAYERS, LAYERS, 2 * LAYERS + 1)
    assert len(fused.graph.node) < len(plain.graph.node) / 2
    answers = [predict.by_onnx(onnx_file.session(m.SerializeToString()), molecules, pad_id=7) for m in (plain, fused)]
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)


def test_attention_of_another_form_is_left_alone_and_its_products_are_quantised(tiny_bundle):
    """As if an exporter had put a step between scores and softmax: still served in int8, only less of it."""
    plain = onnx.load(tiny_bundle / MODEL)
    nodes = []
    for node in plain.graph.node:
        if node.op_type == "Softmax":
            nodes.append(onnx.helper.make_node("Identity", [node.input[0]], [f"{node.input[0]}_copy"]))
            node.input[0] += "_copy"
        nodes.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del plain.graph.node[:]
    plain.graph.node.extend(nodes)
    fused, molecules = fuse(plain), encoded(tiny_bundle)
    assert kinds(fused)["Attention"] == 0
    quantised = quantise(fused, molecules)
    assert kinds(quantised)["MatMulIntegerToFloat"] == 6 * LAYERS
    answers = [predict.by_onnx(onnx_file.session(m.SerializeToString()), molecules) for m in (plain, quantised)]
    assert 1e-5 < np.abs(answers[0] - answers[1]).max() < 0.1 * answers[0].std()


def test_molecules_of_ones_own_widen_the_ranges_and_those_too_long_are_left_out(tiny_bundle, tmp_path):
    longest = manifest_of(tiny_bundle)["maxLength"]
    (tmp_path / "mine.smi").write_text(f"{'N' * 150} amines\n{'C' * (longest + 1)}\n")
    asked = ["--precision", "int8", "--molecules", str(tmp_path / "mine.smi"), "--out", str(tmp_path / "new")]
    assert main(["variant", str(tiny_bundle), *asked]) == 0
    told = manifest_of(tmp_path / "new")["provenance"]["variants"]["int8"]
    assert told["calibrationMolecules"] == len(encoded(tiny_bundle)) + 1
