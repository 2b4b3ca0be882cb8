import random

import pytest
from rdkit import Chem
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from chemmodel_export import molecules
from chemmodel_export.train.spelling import shuffled
from chemmodel_export.train.tokens import CLS, MAX_VOCABULARY, MIN_COUNT, SEP, UNK, build_tokenizer

PIECES = {
    "CCl": ["C", "Cl"],
    "BrCC": ["Br", "C", "C"],
    "C[C@@H](N)O": ["C", "[C@@H]", "(", "N", ")", "O"],
    "C%10CC%10": ["C", "%10", "C", "C", "%10"],
    "C%(123)C%(123)": ["C", "%(123)", "C", "%(123)"],
    "C/C=C\\C#N": ["C", "/", "C", "=", "C", "\\", "C", "#", "N"],
    "[13CH3][N+](=O)[O-]": ["[13CH3]", "[N+]", "(", "=", "O", ")", "[O-]"],
    "c1cc[nH]c1": ["c", "1", "c", "c", "[nH]", "c", "1"],
    "C[unclosed": ["C", "[", "u", "n", "c", "l", "o", "s", "e", "d"],
    "C é\n]": ["C", " ", "é", "\n", "]"],
}


def pieces(tokenizer: Tokenizer, smiles: str) -> list[str]:
    return [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(smiles)]


@pytest.mark.parametrize("smiles", PIECES)
def test_a_smiles_splits_into_atoms_bonds_branches_and_ring_closures(tokenizer, smiles):
    assert pieces(tokenizer, smiles) == PIECES[smiles]


def test_no_character_is_dropped_whatever_the_text(tokenizer):
    rng = random.Random(3)
    alphabet = "CNOclnrB[]()=#@+-%0123456789/\\.*:$~é \t\n"
    for smiles in [*molecules.default(), *("".join(rng.choices(alphabet, k=30)) for _ in range(300))]:
        assert "".join(pieces(tokenizer, smiles)) == smiles
        assert len(tokenizer.encode(smiles).ids) == len(pieces(tokenizer, smiles)) + 2


def test_what_the_vocabulary_lacks_becomes_unk_and_keeps_its_place(tokenizer):
    assert tokenizer.encode("C[Fr]O").tokens == [CLS, "C", UNK, "O", SEP]


def test_different_molecules_never_share_their_tokens(tokenizer):
    for one, other in [("CCl", "CC"), ("CBr", "CB"), ("C#N", "CN"), ("C[C@H](N)O", "C[C@@H](N)O")]:
        assert tokenizer.encode(one).ids != tokenizer.encode(other).ids


def test_every_spelling_of_a_molecule_is_the_same_molecule():
    rng = random.Random(5)
    for smiles in molecules.COMMON:
        mol = Chem.MolFromSmiles(smiles)
        assert Chem.CanonSmiles(shuffled(mol, rng)) == Chem.CanonSmiles(smiles)


def test_the_file_gives_the_same_ids_in_tokenizers_and_in_transformers(tokenizer, tmp_path):
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    framework = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    for smiles in molecules.default():
        ids = tokenizer.encode(smiles).ids
        assert again.encode(smiles).ids == ids
        assert framework(smiles)["input_ids"] == ids


def test_rare_tokens_share_unk_and_the_vocabulary_stays_small():
    spellings = ["C"] * MIN_COUNT + ["[U]"] * (MIN_COUNT - 1) + [f"[{i}C]" for i in range(700)] * MIN_COUNT
    built = build_tokenizer(spellings)
    assert built.get_vocab_size() == MAX_VOCABULARY
    assert built.token_to_id("C") is not None
    assert built.token_to_id("[U]") is None


def test_every_golden_molecule_of_the_tool_is_a_molecule():
    assert len(set(molecules.default())) >= 64
    for smiles in molecules.default():
        assert Chem.MolFromSmiles(smiles) is not None, smiles
