"""Writing a bundle: export, compare with the original framework, and only then publish the folder in one rename."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from chemmodel_export import __version__, graph, manifest, molecules, onnx_file, predict
from chemmodel_export.checkpoint import Checkpoint
from chemmodel_export.errors import ExportError
from chemmodel_export.files import new_folder, write_json
from chemmodel_export.manifest import GOLDEN, MANIFEST, MODEL, TOKENIZER

TOLERANCE = 1e-5  # of the raw prediction, relative above 1 and absolute below
MINIMUM_GOLDEN = 64
BATCH = 16
SERVED_TOLERANCE = {"absolute": 0.01, "relative": 1e-4}


def write(checkpoint: Checkpoint, name: str, outputs: list[dict], extra: list[str], target: Path) -> str:
    """Publishes the bundle at `target` and returns its digest; on any disagreement nothing is written."""
    if len(outputs) != checkpoint.outputs:
        raise ExportError(f"the network has {checkpoint.outputs} outputs, but {len(outputs)} are described")
    manifest.check_outputs(outputs)
    with new_folder(target) as scratch:
        golden = _golden(checkpoint, [*extra, *molecules.default()], outputs)
        checkpoint.tokenizer.save(str(scratch / TOKENIZER))
        _check_tokens(scratch / TOKENIZER, golden)
        graph.export(checkpoint.network, checkpoint.config.pad_token_id, scratch / MODEL)
        _check_answers(checkpoint, scratch / MODEL, [m["ids"] for m in golden])
        write_json(
            scratch / GOLDEN,
            {
                "schema": manifest.GOLDEN_SCHEMA,
                "framework": predict.framework(),
                "tolerance": SERVED_TOLERANCE,
                "outputs": manifest.computed(outputs),
                "molecules": golden,
            },
        )
        content = _manifest(checkpoint, name, outputs, scratch)
        manifest.check(content)
        write_json(scratch / MANIFEST, content)
    return manifest.digest(target)


def _golden(checkpoint: Checkpoint, smiles: list[str], outputs: list[dict]) -> list[dict]:
    """Each molecule once, in order, as the original framework answers it; those that are too long are left out."""
    encoded = {s: predict.tokenize(checkpoint.tokenizer, s) for s in dict.fromkeys(smiles)}
    golden = [
        {"smiles": s, "ids": ids, "predictions": predict.to_units(predict.by_torch(checkpoint, ids), outputs)}
        for s, ids in encoded.items()
        if len(ids) <= checkpoint.max_length
    ]
    if len(golden) < MINIMUM_GOLDEN:
        raise ExportError(
            f"only {len(golden)} of {len(encoded)} golden molecules fit into {checkpoint.max_length} tokens; "
            f"{MINIMUM_GOLDEN} are needed: give shorter ones with --molecules"
        )
    for molecule in golden:
        if not np.isfinite(molecule["predictions"]).all():
            raise ExportError(
                f"the checkpoint answers {molecule['predictions']} for {molecule['smiles']}: not a number"
            )
    return golden


def _check_tokens(path: Path, golden: list[dict]) -> None:
    written, framework = Tokenizer.from_file(str(path)), PreTrainedTokenizerFast(tokenizer_file=str(path))
    for molecule in golden:
        smiles, ids = molecule["smiles"], molecule["ids"]
        if predict.tokenize(written, smiles) != ids or framework(smiles)["input_ids"] != ids:
            raise ExportError(f"{TOKENIZER} gives other ids for {smiles} after it was written; nothing was exported")


def _check_answers(checkpoint: Checkpoint, path: Path, encoded: list[list[int]]) -> None:
    """ONNX Runtime against PyTorch: one at a time, up to the longest allowed, and padded, also with an odd id."""
    runtime = onnx_file.session(path)
    expected = np.stack([predict.by_torch(checkpoint, ids) for ids in encoded])
    _compare("one at a time", np.concatenate([predict.by_onnx(runtime, [ids]) for ids in encoded]), expected)
    for how, pad_id in (("in padded batches", 0), ("padded with another id", encoded[0][0])):
        batches = [encoded[i : i + BATCH] for i in range(0, len(encoded), BATCH)]
        _compare(how, np.concatenate([predict.by_onnx(runtime, batch, pad_id) for batch in batches]), expected)
    cycled = [token for ids in encoded for token in ids]
    longest = (cycled * (checkpoint.max_length // len(cycled) + 1))[: checkpoint.max_length]
    pair = [min(encoded, key=len), longest]
    expected = np.stack([predict.by_torch(checkpoint, ids) for ids in pair])
    _compare("for the longest molecule allowed", predict.by_onnx(runtime, pair), expected)


def _compare(how: str, answered: np.ndarray, expected: np.ndarray) -> None:
    if answered.shape != expected.shape:
        raise ExportError(f"ONNX Runtime {how} answers with shape {answered.shape}, expected {expected.shape}")
    worst = float((np.abs(answered - expected) / np.maximum(1.0, np.abs(expected))).max())
    if not worst <= TOLERANCE:
        raise ExportError(
            f"ONNX Runtime {how} differs from PyTorch by {worst:.1e}, more than {TOLERANCE:.0e}; nothing was exported"
        )


def _manifest(checkpoint: Checkpoint, name: str, outputs: list[dict], folder: Path) -> dict:
    return {
        "schema": manifest.SCHEMA,
        "name": name,
        "architecture": "chemberta",
        "kind": "sequence",
        "members": [MODEL],
        "files": {file: manifest.pin(folder / file) for file in (GOLDEN, MODEL, TOKENIZER)},
        "maxLength": checkpoint.max_length,
        "outputs": outputs,
        "aggregate": "mean",
        "provenance": {**checkpoint.training.get("provenance", {}), "exporter": f"chemmodel-export {__version__}"},
    }
