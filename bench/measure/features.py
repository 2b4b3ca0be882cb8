"""From SMILES to features: `src/bin/featurise.rs` beside RDKit and nfp in PolyID's own environment."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from measure.graph_model import POLYID_PATH
from measure.places import GRAPH_BUNDLE, PEERS, POLYID_MODEL, TARGET, on_cores, one_core, python_of


@dataclass(frozen=True)
class Features:
    """Molecules a second of one thread. `nfp`: SMILES to PolyID's tokens; `morgan`: SMILES to the environments of the domain."""

    nfp: float
    nfp_original: float
    morgan: float
    morgan_original: float


def run(molecules: Path, seconds: float) -> Features:
    """One after the other, on the same core."""
    ours = _run([f"{TARGET}/featurise", "--bundle", str(GRAPH_BUNDLE), "--molecules", str(molecules), "--seconds", str(round(seconds) or 1)])
    script = str(PEERS / "polyid_features.py")
    theirs = _run([str(python_of("polyid")), script, str(POLYID_MODEL), str(molecules), str(seconds)])
    for name, found in ours.items():
        if found["sum"] != theirs[name]["sum"]:
            raise ValueError(f"{name} of {molecules}: we find {found['sum']} in all, but RDKit finds {theirs[name]['sum']}")
    return Features(ours["nfp"]["rate"], theirs["nfp"]["rate"], ours["morgan"]["rate"], theirs["morgan"]["rate"])


def _run(command: list[str]) -> dict[str, dict[str, float]]:
    command = [*on_cores(one_core()), *command]
    return json.loads(subprocess.run(command, env=os.environ | POLYID_PATH, stdout=subprocess.PIPE, text=True, check=True).stdout)
