"""Writing the bundle of a PolyID ensemble: only what answers as PolyID itself does is published."""

from pathlib import Path

import numpy as np

from chemmodel_export import __version__, domain, manifest, onnx_file, packed, predict
from chemmodel_export.errors import ExportError
from chemmodel_export.files import new_folder, write_json
from chemmodel_export.manifest import DOMAIN, FEATURES, GOLDEN, MANIFEST
from chemmodel_export.packed import Graph
from chemmodel_export.polyid import graph
from chemmodel_export.polyid.answers import Answer, Answers
from chemmodel_export.polyid.folder import Ensemble
from chemmodel_export.polyid.refined import refine
from chemmodel_export.verify import verify

TOLERANCE = 1e-4  # of one member's answer in its unit, relative above 1 and absolute below
MINIMUM_GOLDEN = 64
MAX_LENGTH = 4096  # atoms and directed bonds of one molecule: four times the largest oligomers that PolyID is used for
SERVED_TOLERANCE = {"absolute": 0.01, "relative": 1e-4}


def write(ensemble: Ensemble, answers: Answers, name: str, outputs: list[dict], target: Path) -> str:
    """Publishes the bundle at `target` and returns its digest; on any disagreement nothing is written."""
    if len(outputs) != len(ensemble.columns):
        raise ExportError(f"the networks predict {ensemble.columns}, but {len(outputs)} outputs are described")
    manifest.check_outputs(outputs)
    golden = _golden(ensemble, answers.molecules, outputs)
    members = [f"model_{number}.onnx" for number in range(len(ensemble.members))]
    with new_folder(target) as scratch:
        for number, file in enumerate(members):
            graph.export(ensemble.members[number], scratch / file)
            _check_answers(scratch / file, ensemble, number, [*answers.rows, *answers.molecules])
        write_json(scratch / FEATURES, features(ensemble))
        write_json(scratch / DOMAIN, domain.of(answers.training))
        write_json(
            scratch / GOLDEN,
            {
                "schema": manifest.GOLDEN_SCHEMA,
                "framework": answers.framework,
                "tolerance": SERVED_TOLERANCE,
                "outputs": manifest.computed(outputs),
                "molecules": golden,
            },
        )
        content = {
            "schema": manifest.SCHEMA,
            "name": name,
            "architecture": "polyid",
            "kind": "graph",
            "members": members,
            "files": {file: manifest.pin(scratch / file) for file in (*members, FEATURES, DOMAIN, GOLDEN)},
            "maxLength": MAX_LENGTH,
            "outputs": outputs,
            "aggregate": "mean",
            "provenance": {**_provenance(ensemble.training), "exporter": f"chemmodel-export {__version__}"},
        }
        write_json(scratch / MANIFEST, content)
        verify(scratch)
    return manifest.digest(target)


def features(ensemble: Ensemble) -> dict:
    vocabulary = ensemble.vocabulary
    return {
        "schema": manifest.FEATURES_SCHEMA,
        "scheme": vocabulary.scheme,
        "atoms": vocabulary.atoms,
        "bonds": vocabulary.bonds,
        "messages": ensemble.messages,
    }


def _golden(ensemble: Ensemble, molecules: list[Answer], outputs: list[dict]) -> list[dict]:
    """As PolyID answers: the mean over the folds, then the transform undone."""
    if len(molecules) < MINIMUM_GOLDEN:
        raise ExportError(f"{len(molecules)} golden molecules are too few, {MINIMUM_GOLDEN} are needed: ask for more")
    for answer in molecules:
        _check_tensors(ensemble, answer)
    return [
        {"smiles": answer.smiles, "predictions": predict.to_units(answer.members.mean(axis=0), outputs)}
        for answer in molecules
    ]


def _check_tensors(ensemble: Ensemble, answer: Answer) -> None:
    """RDKit here against nfp there, by the first fold's own ids."""
    own = ensemble.first_tokens.graph(answer.smiles)
    for name, values in zip(Graph._fields, own, strict=True):
        if values.tolist() != answer.tensors.get(name):
            raise ExportError(f"{name} of {answer.smiles} is not what PolyID made of it: is another RDKit at work?")
    if ensemble.vocabulary.graph(answer.smiles).length > MAX_LENGTH:
        raise ExportError(f"{answer.smiles} has more than {MAX_LENGTH} atoms and directed bonds")


def _check_answers(path: Path, ensemble: Ensemble, number: int, answers: list[Answer]) -> None:
    """ONNX Runtime against Keras, alone and in company."""
    runtime = onnx_file.session(path)
    graphs = [refine(ensemble.vocabulary.graph(answer.smiles), ensemble.messages) for answer in answers]
    expected = np.stack([answer.members[number] for answer in answers])
    if off := packed.first_difference(runtime, graphs, expected, TOLERANCE):
        raise ExportError(
            f"fold {number} by ONNX Runtime, {off.batch} at a time, differs from PolyID by {off.error:.1e}, more than "
            f"{TOLERANCE:.0e}, at {answers[off.graph].smiles}; nothing was exported"
        )


def _provenance(training: dict) -> dict:
    """Without the rows that each fold was validated on: they are of use beside the table alone."""
    folds = [{k: v for k, v in fold.items() if k != "validation"} for fold in training.get("folds", [])]
    return {**training, "folds": folds} if training else {}
