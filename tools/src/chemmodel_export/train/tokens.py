"""The SMILES tokenizer, in Hugging Face `tokenizers` form.

One token per atom, bracket atom, bond, branch or ring closure. What the pattern or the vocabulary does not know becomes
`[UNK]`: no character is ever dropped, so two different molecules never turn into the same tokens by losing a part.
"""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

PAD, UNK, CLS, SEP = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SPECIALS = (PAD, UNK, CLS, SEP)

# Longest match first. The last alternative makes every other character a piece of its own.
PATTERN = r"\[[^\[\]]+\]|Br|Cl|%\([0-9]+\)|%[0-9]{2}|@@|[\s\S]"

MAX_VOCABULARY = 600
MIN_COUNT = 3  # rarer tokens share [UNK], whose embedding is thereby trained


def build_tokenizer(spellings: Iterable[str], min_count: int = MIN_COUNT) -> Tokenizer:
    """A tokenizer whose vocabulary is what the spellings use, most frequent first."""
    splitter = _splitter()
    counts = Counter(piece for smiles in spellings for piece, _ in splitter.pre_tokenize_str(smiles))
    frequent = sorted((piece for piece, n in counts.items() if n >= min_count), key=lambda p: (-counts[p], p))
    vocabulary = {token: i for i, token in enumerate((*SPECIALS, *frequent[: MAX_VOCABULARY - len(SPECIALS)]))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNK))
    tokenizer.pre_tokenizer = splitter
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        special_tokens=[(CLS, vocabulary[CLS]), (SEP, vocabulary[SEP])],
    )
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def _splitter() -> Split:
    return Split(Regex(PATTERN), behavior="isolated")
