"""Checking a bundle as a server would meet it: contract, digests, tensors, and answers through ONNX Runtime."""

from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

from chemmodel_export import domain, manifest, onnx_file, predict
from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json
from chemmodel_export.manifest import DOMAIN, GOLDEN, GOLDEN_SCHEMA, MANIFEST
from chemmodel_export.reading import READERS, Graphs, Sequences


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
    if DOMAIN in content["files"]:
        domain.load(folder / DOMAIN)
    molecules, tolerance = _golden(folder, content)
    reader = READERS[content["kind"]](folder)
    encoded = [reader.encode(molecule) for molecule in molecules]

    def worst(members: list[str], tolerance: dict) -> float:
        """The largest difference met, alone and all in one batch."""
        runtimes = [_session(folder / member) for member in members]
        single = [_answer(reader, runtimes, [one], content["outputs"])[0] for one in encoded]
        together = _answer(reader, runtimes, encoded, content["outputs"])
        return max(_worst(np.array(answers), tolerance, molecules) for answers in (single, together))

    name = f"{content['name']} {manifest.digest(folder)}"
    difference = worst(content["members"], tolerance)
    told = f"{name}: {len(molecules)} molecules agree, largest difference {difference:.1e}"
    for precision, variant in content.get("variants", {}).items():
        try:
            difference = worst(variant["members"], variant["tolerance"])
        except ExportError as error:
            raise ExportError(f"in {precision}, {error}") from error
        told += f", in {precision} {difference:.1e}"
    return told


def _session(path: Path) -> InferenceSession:
    try:
        return onnx_file.session(path)
    except Exception as error:  # the library has no common base for its errors
        raise ExportError(f"{path} cannot be loaded: {error}") from error


def _answer(reader: Sequences | Graphs, runtimes: list, batch: list, outputs: list[dict]) -> list[list[float]]:
    """The mean over the members, in units."""
    members = [reader.run(runtime, batch) for runtime in runtimes]
    for raw in members:
        if raw.shape != (len(batch), len(outputs)):
            raise ExportError(f"the network answers with shape {raw.shape}, expected {(len(batch), len(outputs))}")
    return [predict.to_units(row, outputs) for row in np.mean(members, axis=0, dtype=np.float64)]


def _worst(answers: np.ndarray, tolerance: dict, molecules: list[dict]) -> float:
    expected = np.array([m["predictions"] for m in molecules])
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
            isinstance(m["smiles"], str) and len(m["predictions"]) == len(content["outputs"]) for m in molecules
        )
        _ = tolerance["absolute"], tolerance["relative"]
    except (KeyError, TypeError) as error:
        raise ExportError(f"{folder / GOLDEN} does not follow {GOLDEN_SCHEMA}: {error!r}") from error
    served = manifest.computed(content["outputs"])
    # Files from before outputs were written have none.
    if (golden.get("outputs") or served) != served:
        raise ExportError(f"{folder / GOLDEN} has the answers for {golden['outputs']}, but {MANIFEST} serves {served}")
    if not molecules or not ready:
        raise ExportError(f"{folder / GOLDEN} must have molecules with smiles and one prediction per output")
    return molecules, tolerance
