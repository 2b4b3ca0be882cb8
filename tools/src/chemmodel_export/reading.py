"""How the golden molecules of a bundle become tensors, as the files of the bundle say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

from chemmodel_export import packed, predict
from chemmodel_export.chemprop import features as chemprop
from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json
from chemmodel_export.manifest import FEATURES, FEATURES_SCHEMA, GOLDEN, TOKENIZER
from chemmodel_export.packed import Graph, Packable
from chemmodel_export.polyid.features import UNKNOWN, Vocabulary
from chemmodel_export.polyid.refined import MESSAGES, Refined, refine


class Sequences:
    """Token ids, checked against those of golden.json."""

    def __init__(self, folder: Path):
        path = folder / TOKENIZER
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ExportError(f"{path} cannot be loaded: {error}") from error

    def encode(self, molecule: dict) -> list[int]:
        ids = predict.tokenize(self.tokenizer, molecule["smiles"])
        if ids != molecule.get("ids"):
            raise ExportError(f"{TOKENIZER} gives {ids} for {molecule['smiles']}, {GOLDEN} has {molecule.get('ids')}")
        return ids

    def run(self, runtime: InferenceSession, batch: list[list[int]]) -> np.ndarray:
        return predict.by_onnx(runtime, batch)


class Graphs:
    """Atoms and directed bonds. There are no ids to check: graphs of one molecule differ by the order of its atoms."""

    def __init__(self, folder: Path):
        path = folder / FEATURES
        content = read_json(path)
        if content.get("schema") != FEATURES_SCHEMA or content.get("scheme") not in SCHEMES:
            raise ExportError(f"{path} must have schema {FEATURES_SCHEMA!r} and a scheme among {tuple(SCHEMES)}")
        self.graph = SCHEMES[content["scheme"]](path, content)

    def encode(self, molecule: dict) -> Packable:
        return self.graph(molecule["smiles"])

    def run(self, runtime: InferenceSession, batch: list[Packable]) -> np.ndarray:
        return packed.run(runtime, batch)


def _nfp(path: Path, content: dict) -> Callable[[str], Refined]:
    for name in ("atoms", "bonds"):
        ids = content.get(name)
        if not isinstance(ids, dict) or not all(type(i) is int and i > UNKNOWN for i in ids.values()):
            raise ExportError(f"{path} must map {name} to ids from {UNKNOWN + 1} on")
    messages = content.get("messages")
    if type(messages) is not int or messages not in MESSAGES:
        raise ExportError(f"{path} must have messages from {MESSAGES[0]} to {MESSAGES[-1]}, found {messages!r}")
    vocabulary = Vocabulary(content["atoms"], content["bonds"])
    if vocabulary.scheme != content["scheme"]:
        raise ExportError(f"{path} has the tokens of {vocabulary.scheme}, but the scheme {content['scheme']}")
    return lambda smiles: refine(vocabulary.graph(smiles), messages)


def _chemprop(path: Path, content: dict) -> Callable[[str], Graph]:
    if content != chemprop.FILE:
        raise ExportError(f"{path} must be {chemprop.FILE}, found {content}")
    return chemprop.graph


SCHEMES = {"nfp-v1": _nfp, "nfp-v2": _nfp, chemprop.SCHEME: _chemprop}
READERS = {"sequence": Sequences, "graph": Graphs}
