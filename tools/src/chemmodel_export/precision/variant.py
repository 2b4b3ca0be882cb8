"""Writing a bundle anew with a variant of its networks. Accepted by the golden molecules, or not written at all."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
import onnxruntime
from tokenizers import Tokenizer

from chemmodel_export import __version__, manifest, onnx_file, predict
from chemmodel_export.bundle import BATCH
from chemmodel_export.bundle import TOLERANCE as SAME
from chemmodel_export.errors import ExportError
from chemmodel_export.files import check_free, new_folder, read_json, write_json
from chemmodel_export.manifest import GOLDEN, MANIFEST, TOKENIZER
from chemmodel_export.precision.fp16 import halve
from chemmodel_export.precision.fuse import fuse
from chemmodel_export.precision.int8 import quantise
from chemmodel_export.verify import verify

# How far off a variant may be unless told: a fraction of the standard deviation of the reference answers.
FRACTION = {"int8": 0.02, "fp16": 0.002}


@dataclass(frozen=True)
class Wanted:
    precision: str
    absolute: float | None = None  # tolerance, in the output's unit
    relative: float | None = None
    molecules: list[str] = field(default_factory=list)  # SMILES, beside the golden ones, that fix the ranges of int8
    reduce_range: bool = False


def add(source: Path, wanted: Wanted, target: Path) -> str:
    """Publishes at `target` the bundle of `source` with one variant more; returns what `verify` says about it."""
    check_free(target)
    verify(source)
    content, golden = read_json(source / MANIFEST), read_json(source / GOLDEN)
    if content["kind"] != "sequence":
        raise ExportError(f"{source} is of kind {content['kind']}: only sequence networks are made in other precisions")
    if wanted.precision in content.get("variants", {}):
        raise ExportError(f"{source} has {wanted.precision} already; make it from the bundle without")
    tolerance = _tolerance(wanted, content["outputs"], golden)
    encoded = [m["ids"] for m in golden["molecules"]]
    extra = _encode(source / TOKENIZER, wanted.molecules, content["maxLength"])
    with new_folder(target) as scratch:
        for name in content["files"]:
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, scratch / name)
        made = []
        for member in content["members"]:
            model = _convert(source / member, encoded, [*encoded, *extra], wanted)
            made.append(str(PurePosixPath(member).with_suffix(f".{wanted.precision}.onnx")))
            if (scratch / made[-1]).exists():
                raise ExportError(f"{source / made[-1]} exists already, but is no member of {wanted.precision}")
            (scratch / made[-1]).write_bytes(model.SerializeToString(deterministic=True))
        variants = {**content.get("variants", {}), wanted.precision: {"members": made, "tolerance": tolerance}}
        files = {**content["files"], **{name: manifest.pin(scratch / name) for name in made}}
        how = _provenance(wanted, len(encoded) + len(extra))
        provenance = content["provenance"]
        told = {**provenance, "variants": {**provenance.get("variants", {}), wanted.precision: how}}
        written = {**content, "files": files, "variants": variants, "provenance": told}
        write_json(scratch / MANIFEST, written)
        try:
            verified = verify(scratch)
        except ExportError as error:
            allowed = f"absolute {tolerance['absolute']:g} and relative {tolerance['relative']:g}"
            raise ExportError(
                f"{wanted.precision} is not accepted within {allowed}, nothing was written: {error}. "
                "Give a wider tolerance knowingly, with --absolute or --relative"
                + (", or molecules of training with --molecules" if wanted.precision == "int8" else "")
            ) from error
    return verified


def _convert(path: Path, golden: list[list[int]], known: list[list[int]], wanted: Wanted) -> onnx.ModelProto:
    model = onnx.load(path)
    if wanted.precision == "fp16":
        return halve(model)
    fused = fuse(model)
    _require_same(path, model, fused, golden)
    return quantise(fused, known, wanted.reduce_range)


def _require_same(path: Path, plain: onnx.ModelProto, fused: onnx.ModelProto, encoded: list[list[int]]) -> None:
    """Fusing rounds, it does not approximate: what a wide tolerance of int8 would hide is found here."""
    answers = []
    for model in (plain, fused):
        runtime = onnx_file.session(model.SerializeToString())
        batches = [encoded[i : i + BATCH] for i in range(0, len(encoded), BATCH)]
        answers.append(np.concatenate([predict.by_onnx(runtime, batch) for batch in batches]))
    worst = float((np.abs(answers[1] - answers[0]) / np.maximum(1.0, np.abs(answers[0]))).max())
    if not worst <= SAME:
        raise ExportError(f"{path} cannot be fused: it would answer differently by {worst:.1e}, more than {SAME:.0e}")


def _encode(tokenizer: Path, smiles: list[str], max_length: int) -> list[list[int]]:
    """What a server would refuse for its length says nothing about ranges."""
    reader = Tokenizer.from_file(str(tokenizer))
    return [ids for text in smiles if len(ids := predict.tokenize(reader, text)) <= max_length]


def _tolerance(wanted: Wanted, outputs: list[dict], golden: dict) -> dict[str, float]:
    """As asked, or a fraction of how much the reference answers differ, by the output in which they differ least."""
    relative = golden["tolerance"]["relative"] if wanted.relative is None else wanted.relative
    if wanted.absolute is not None:
        return {"absolute": wanted.absolute, "relative": relative}
    if any(output["transform"] != "none" for output in outputs):
        raise ExportError("answers that are transformed span decades: say with --absolute how far one may be off")
    spread = np.array([m["predictions"] for m in golden["molecules"]]).std(axis=0).min()
    return {"absolute": float(f"{FRACTION[wanted.precision] * spread:.2g}"), "relative": relative}


def _provenance(wanted: Wanted, known: int) -> dict:
    told = {"exporter": f"chemmodel-export {__version__}", "onnxruntime": onnxruntime.__version__}
    if wanted.precision == "int8":
        told |= {"calibrationMolecules": known, "reduceRange": wanted.reduce_range}
    return told
