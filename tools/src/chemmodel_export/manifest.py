"""`chemmodel.json`: what it must hold, as docs/bundle.md says. Unknown fields are refused."""

import hashlib
import math
import re
from pathlib import Path

from chemmodel_export.errors import ExportError

SCHEMA, GOLDEN_SCHEMA = "chemmodel.io/bundle/v1", "chemmodel.io/golden/v1"
FEATURES_SCHEMA = "chemmodel.io/features/v1"
MANIFEST, MODEL, TOKENIZER, GOLDEN = "chemmodel.json", "model.onnx", "tokenizer.json", "golden.json"
FEATURES, DOMAIN = "features.json", "domain.json"
READS = {"sequence": TOKENIZER, "graph": FEATURES}  # the file that says how molecules of a kind become tensors

_FIELDS = {
    "schema",
    "name",
    "architecture",
    "kind",
    "members",
    "files",
    "maxLength",
    "outputs",
    "aggregate",
    "provenance",
}
_OPTIONAL = {"variants"}
_PRECISIONS = ("int8", "fp16")
_OUTPUT_FIELDS = {"name", "property", "unit", "transform", "scale", "center"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


def pin(path: Path) -> dict:
    """Digest and size of one file, as the manifest lists them."""
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def digest(folder: Path) -> str:
    """The name of the bundle: SHA-256 of the manifest's bytes."""
    return "sha256:" + hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def check(manifest: dict) -> None:
    """Raises with the field that breaks the contract."""
    _require(isinstance(manifest, dict), "the manifest must be an object")
    _same_fields("the manifest", {field: manifest[field] for field in manifest.keys() - _OPTIONAL}, _FIELDS)
    _require(manifest["schema"] == SCHEMA, f"schema is {manifest['schema']!r}, expected {SCHEMA!r}")
    _require(manifest["kind"] in tuple(READS), f"kind is {manifest['kind']!r}, expected one of {tuple(READS)}")
    _require(manifest["aggregate"] == "mean", f"aggregate is {manifest['aggregate']!r}, expected 'mean'")
    for field in ("name", "architecture"):
        _require(isinstance(manifest[field], str) and manifest[field] != "", f"{field} must be text")
    length = manifest["maxLength"]
    _require(type(length) is int and length >= 3, f"maxLength is {length!r}, expected a whole number of at least 3")
    _check_files(manifest["files"], [*_members(manifest["members"]), READS[manifest["kind"]], GOLDEN])
    _check_variants(manifest.get("variants", {}), manifest["files"], manifest["members"])
    check_outputs(manifest["outputs"])
    _require(isinstance(manifest["provenance"], dict), "provenance must be an object")


def check_outputs(outputs: object) -> None:
    _require(isinstance(outputs, list) and outputs != [], "outputs must list at least one")
    for position, output in enumerate(outputs):
        _check_output(f"outputs[{position}]", output)


def computed(outputs: list[dict]) -> list[dict]:
    """The outputs as golden.json tells them: what the original framework computed, name and unit."""
    return [{"name": output["name"], "unit": output["unit"]} for output in outputs]


def _members(members: object) -> list[str]:
    _require(isinstance(members, list) and members != [], "members must list at least one ONNX file")
    return members


def _check_files(files: object, listed: list[str]) -> None:
    _require(isinstance(files, dict) and files != {}, "files must map each file to its digest")
    for path, pinned in files.items():
        parts = path.split("/")
        safe = path and not {"", ".", ".."} & set(parts) and "\\" not in path and "\0" not in path
        _require(bool(safe) and path != MANIFEST, f"files holds the path {path!r}, which is not one inside the bundle")
        _same_fields(f"files[{path!r}]", pinned, {"sha256", "bytes"})
        _require(bool(_DIGEST.fullmatch(str(pinned["sha256"]))), f"files[{path!r}].sha256 must be 64 hex digits")
        _require(type(pinned["bytes"]) is int and pinned["bytes"] >= 0, f"files[{path!r}].bytes must be a size")
    for needed in listed:
        _require(needed in files, f"files does not list {needed!r}")


def _check_variants(variants: object, files: dict, members: list) -> None:
    _require(isinstance(variants, dict), "variants must map each precision to its members")
    taken = list(members)
    for precision, variant in variants.items():
        where = f"variants.{precision}"
        _require(precision in _PRECISIONS, f"{where} is not known, expected one of {_PRECISIONS}")
        _same_fields(where, variant, {"members", "tolerance"})
        made = variant["members"]
        _require(isinstance(made, list) and len(made) == len(members), f"{where}.members must be one for each member")
        for path in made:
            _require(path in files, f"files does not list {path!r} of {where}")
            _require(path not in taken, f"{where}.members has {path!r}, which is taken already")
            taken.append(path)
        _same_fields(f"{where}.tolerance", variant["tolerance"], {"absolute", "relative"})
        for field, number in variant["tolerance"].items():
            _require(_is_finite(number) and number >= 0, f"{where}.tolerance.{field} is {number!r}, expected 0 or more")


def _check_output(where: str, output: object) -> None:
    _same_fields(where, output, _OUTPUT_FIELDS)
    for field in ("name", "property", "unit"):
        _require(isinstance(output[field], str), f"{where}.{field} must be text")
    _require(output["name"] != "", f"{where}.name must not be empty")
    known = ("none", "log1p", "log10")
    _require(output["transform"] in known, f"{where}.transform is {output['transform']!r}, expected one of {known}")
    for field in ("scale", "center"):
        number = output[field]
        _require(_is_finite(number), f"{where}.{field} is {number!r}, expected a finite number")
    _require(output["scale"] != 0, f"{where}.scale is 0: every molecule would get one answer")


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def _same_fields(where: str, value: object, expected: set[str]) -> None:
    _require(isinstance(value, dict), f"{where} must be an object")
    missing, unknown = sorted(expected - value.keys()), sorted(value.keys() - expected)
    _require(not missing, f"{where} lacks {missing}")
    _require(not unknown, f"{where} holds unknown fields {unknown}")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ExportError(f"{MANIFEST}: {otherwise}")
