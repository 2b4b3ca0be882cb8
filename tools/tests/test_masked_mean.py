import numpy as np
import pytest
import torch

from chemmodel_export import graph, onnx_file
from chemmodel_export.manifest import MODEL
from chemmodel_export.network import masked_mean


def test_the_mean_is_taken_over_the_tokens_that_the_mask_keeps():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert masked_mean(hidden, torch.tensor([[1, 1, 0]])).item() == 2.0


def test_a_row_without_any_token_is_zero_and_not_undefined():
    assert masked_mean(torch.ones(1, 3, 2), torch.zeros(1, 3, dtype=torch.int64)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("left", [0, 7])
@pytest.mark.parametrize("right", [0, 1, 30])
@pytest.mark.parametrize("pad_id", [0, 1, 5])
def test_an_answer_does_not_depend_on_padding_its_side_or_its_id(tiny_bundle, network, tokenizer, left, right, pad_id):
    ids = tokenizer.encode("CC(=O)Oc1ccccc1C(=O)O").ids
    with torch.no_grad():
        expected = network(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.int64)).numpy()
    padded = np.array([[pad_id] * left + ids + [pad_id] * right], dtype=np.int64)
    mask = np.array([[0] * left + [1] * len(ids) + [0] * right], dtype=np.int64)
    answered = graph.run(onnx_file.session(tiny_bundle / MODEL), padded, mask)
    np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_the_test_molecules_do_get_different_answers(tiny_bundle, tokenizer):
    runtime = onnx_file.session(tiny_bundle / MODEL)
    answers = {
        float(graph.run(runtime, np.array([ids]), np.ones((1, len(ids)), dtype=np.int64))[0, 0])
        for ids in (tokenizer.encode(smiles).ids for smiles in ("C", "CCCCCC", "CCCCCCCCCCCC"))
    }
    assert len(answers) == 3
