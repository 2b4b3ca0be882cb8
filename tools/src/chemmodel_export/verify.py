"""Checking a bundle as a server would meet it: contract, digests, token ids, and answers through ONNX Runtime."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from chemmodel_export import graph, manifest, predict
from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json
from chemmodel_export.manifest import GOLDEN, GOLDEN_SCHEMA, MANIFEST, TOKENIZER


def verify(folder: Path) -> str:
    """Raises at the first disagreement; returns a sentence with the digest and the largest difference met."""
    content = read_json(folder / MANIFEST)
    manifest.check(content)
    for name, pinned in content["files"].items():
        if not (folder / name).is_file():
            raise ExportError(f"{folder / name} is missing, but {MANIFEST} lists it")
        found = manifest.pin(folder / name)
        if found != pinned:
            raise ExportError(f"{folder / name} is not the file that {MANIFEST} pins: it pins {pinned}, found {found}")
    molecules, tolerance = _golden(folder, content)
    tokenizer = _load(folder / TOKENIZER, lambda path: Tokenizer.from_file(str(path)))
    for molecule in molecules:
        ids = predict.tokenize(tokenizer, molecule["smiles"])
        if ids != molecule["ids"]:
            raise ExportError(f"{TOKENIZER} gives {ids} for {molecule['smiles']}, {GOLDEN} has {molecule['ids']}")
    worst = _compare(folder, content, content["members"], molecules, tolerance)
    name = f"{content['name']} {manifest.digest(folder)}"
    told = f"{name}: {len(molecules)} molecules agree, largest difference {worst:.1e}"
    for precision, variant in content.get("variants", {}).items():
        try:
            worst = _compare(folder, content, variant["members"], molecules, variant["tolerance"])
        except ExportError as error:
            raise ExportError(f"in {precision}, {error}") from error
        told += f", in {precision} {worst:.1e}"
    return told


def _compare(folder: Path, content: dict, members: list[str], molecules: list[dict], tolerance: dict) -> float:
    """The largest difference met, alone and all in one padded batch."""
    runtimes = [_load(folder / member, graph.session) for member in members]
    encoded = [m["ids"] for m in molecules]
    expected = np.array([m["predictions"] for m in molecules])
    single = [_answer(runtimes, [ids], content["outputs"])[0] for ids in encoded]
    return max(
        _worst(np.array(answers), expected, tolerance, molecules)
        for answers in (single, _answer(runtimes, encoded, content["outputs"]))
    )


def _load(path: Path, reader: Callable):
    try:
        return reader(path)
    except Exception as error:  # both libraries raise their own kinds, without a common base
        raise ExportError(f"{path} cannot be loaded: {error}") from error


def _answer(runtimes: list, encoded: list[list[int]], outputs: list[dict]) -> list[list[float]]:
    """The mean over the members, each in units."""
    members = []
    for runtime in runtimes:
        raw = predict.by_onnx(runtime, encoded)
        if raw.shape != (len(encoded), len(outputs)):
            raise ExportError(f"the network answers with shape {raw.shape}, expected {(len(encoded), len(outputs))}")
        members.append([predict.to_units(row, outputs) for row in raw])
    return np.mean(members, axis=0).tolist()


def _worst(answers: np.ndarray, expected: np.ndarray, tolerance: dict, molecules: list[dict]) -> float:
    difference = np.abs(answers - expected)
    allowed = tolerance["absolute"] + tolerance["relative"] * np.abs(expected)
    wrong = np.argwhere(~(difference <= allowed))
    if len(wrong):
        row, column = wrong[0]
        raise ExportError(
            f"{len({int(r) for r, _ in wrong})} of {len(molecules)} molecules are answered differently, first "
            f"{molecules[row]['smiles']}: {answers[row, column]:.6g}, {GOLDEN} has {expected[row, column]:.6g}"
        )
    return float(difference.max())


def _golden(folder: Path, content: dict) -> tuple[list[dict], dict]:
    golden = read_json(folder / GOLDEN)
    if golden.get("schema") != GOLDEN_SCHEMA:
        raise ExportError(f"{folder / GOLDEN} has schema {golden.get('schema')!r}, expected {GOLDEN_SCHEMA!r}")
    try:
        molecules, tolerance = golden["molecules"], golden["tolerance"]
        ready = all(
            isinstance(m["smiles"], str) and m["ids"] and len(m["predictions"]) == len(content["outputs"])
            for m in molecules
        )
        _ = tolerance["absolute"], tolerance["relative"]
    except (KeyError, TypeError) as error:
        raise ExportError(f"{folder / GOLDEN} does not follow {GOLDEN_SCHEMA}: {error!r}") from error
    served = manifest.computed(content["outputs"])
    # Files from before outputs were written have none.
    if (golden.get("outputs") or served) != served:
        raise ExportError(f"{folder / GOLDEN} has the answers for {golden['outputs']}, but {MANIFEST} serves {served}")
    if not molecules or not ready:
        raise ExportError(f"{folder / GOLDEN} must have molecules with smiles, ids and one prediction per output")
    return molecules, tolerance
