"""Writing a bundle of scheme chemprop-v2: only what answers as Chemprop itself does is published."""

from pathlib import Path

import numpy as np
import torch

from chemmodel_export import __version__, manifest, onnx_file, packed, predict
from chemmodel_export.chemprop import features
from chemmodel_export.chemprop.answers import Answer, Answers
from chemmodel_export.chemprop.checkpoint import Trained
from chemmodel_export.chemprop.network import Dmpnn
from chemmodel_export.errors import ExportError
from chemmodel_export.files import new_folder, write_json
from chemmodel_export.manifest import FEATURES, GOLDEN, MANIFEST

TOLERANCE = 1e-4  # of one member's answer in its unit, relative above 1 and absolute below
MINIMUM_GOLDEN = 64
MAX_LENGTH = 1024  # atoms and directed bonds of one molecule: some 300 heavy atoms
SERVED_TOLERANCE = {"absolute": 0.01, "relative": 1e-4}
EXAMPLE = ["CCO", "Cc1ccccc1"]


def write(trained: Trained, answers: Answers, name: str, outputs: list[dict], target: Path) -> str:
    """Publishes the bundle at `target` and returns its digest; on any disagreement nothing is written."""
    if len(outputs) != trained.outputs:
        raise ExportError(f"the network has {trained.outputs} outputs, but {len(outputs)} are described")
    manifest.check_outputs(outputs)
    molecules = _golden(answers.molecules)
    files = [f"model_{number}.onnx" for number in range(len(trained.members))]
    with new_folder(target) as scratch:
        for number, file in enumerate(files):
            export(trained.members[number], scratch / file)
            _check_answers(scratch / file, number, molecules)
        write_json(scratch / FEATURES, features.FILE)
        write_json(
            scratch / GOLDEN,
            {
                "schema": manifest.GOLDEN_SCHEMA,
                "framework": answers.framework,
                "tolerance": SERVED_TOLERANCE,
                "outputs": manifest.computed(outputs),
                "molecules": [
                    {"smiles": answer.smiles, "predictions": predict.to_units(answer.members.mean(axis=0), outputs)}
                    for answer in molecules
                ],
            },
        )
        content = {
            "schema": manifest.SCHEMA,
            "name": name,
            "architecture": "chemprop",
            "kind": "graph",
            "members": files,
            "files": {file: manifest.pin(scratch / file) for file in (*files, FEATURES, GOLDEN)},
            "maxLength": MAX_LENGTH,
            "outputs": outputs,
            "aggregate": "mean",
            "provenance": {**trained.training.get("provenance", {}), "exporter": f"chemmodel-export {__version__}"},
        }
        manifest.check(content)
        write_json(scratch / MANIFEST, content)
    return manifest.digest(target)


def export(network: Dmpnn, path: Path) -> None:
    """Writes `path`: fp32, dynamic in atoms, bonds and graphs; directed bonds come in pairs."""
    example = packed.pack([features.graph(smiles) for smiles in EXAMPLE])
    inputs = {name: torch.from_numpy(values) for name, values in example.items()}
    atoms, pairs, graphs = (torch.export.Dim(name) for name in ("atoms", "pairs", "graphs"))
    sizes = {"atom": atoms, "bond": 2 * pairs, "connectivity": 2 * pairs, "graph": atoms, "size": graphs}
    shapes = {name: {0: size} for name, size in sizes.items()}
    onnx_file.write(path, network, inputs, inputs, packed.OUTPUT, shapes)


def _golden(answers: list[Answer]) -> list[Answer]:
    """Without those that are too large to be served."""
    golden = [answer for answer in answers if features.graph(answer.smiles).length <= MAX_LENGTH]
    if len(golden) < MINIMUM_GOLDEN:
        raise ExportError(
            f"only {len(golden)} of {len(answers)} answered molecules have at most {MAX_LENGTH} atoms and directed "
            f"bonds; {MINIMUM_GOLDEN} are needed: ask Chemprop about more with tools/chemprop/answer.py --molecules"
        )
    return golden


def _check_answers(path: Path, number: int, answers: list[Answer]) -> None:
    """ONNX Runtime against Chemprop, alone and in company."""
    runtime = onnx_file.session(path)
    graphs = [features.graph(answer.smiles) for answer in answers]
    expected = np.stack([answer.members[number] for answer in answers])
    if off := packed.first_difference(runtime, graphs, expected, TOLERANCE):
        raise ExportError(
            f"member {number} by ONNX Runtime, {off.batch} at a time, differs from Chemprop by {off.error:.1e}, more "
            f"than {TOLERANCE:.0e}, at {answers[off.graph].smiles}: was Chemprop asked with other features than those "
            "of its default featurizer without stereo? nothing was exported"
        )
