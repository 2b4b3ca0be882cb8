"""The domain of validity: which surroundings of an atom the training data have. Another one is new to the model.

A surrounding is an id of a Morgan fingerprint of radius 2: unfolded, without features and chirality, hydrogens not as
atoms. PolyID counts those of a molecule that training has not (`fps_notin_train`); 0 is inside.
"""

from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from chemmodel_export.errors import ExportError
from chemmodel_export.files import read_json

SCHEMA, SCHEME = "chemmodel.io/domain/v1", "morgan-r2"


def of(smiles: list[str]) -> dict:
    """`domain.json`: the union over the molecules."""
    return {"schema": SCHEMA, "scheme": SCHEME, "environments": sorted(set().union(*map(environments, smiles)))}


def load(path: Path) -> list[int]:
    content = read_json(path)
    ids = content.get("environments")
    if (content.get("schema"), content.get("scheme")) != (SCHEMA, SCHEME):
        raise ExportError(f"{path} must have schema {SCHEMA!r} and scheme {SCHEME!r}")
    if not isinstance(ids, list) or not all(type(i) is int and 0 <= i < 2**32 for i in ids) or ids != sorted(set(ids)):
        raise ExportError(f"{path} must list distinct whole numbers of 32 bits in ascending order")
    return ids


def environments(smiles: str) -> set[int]:
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise ExportError(f"{smiles} is not a molecule to RDKit")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    return set(generator.GetSparseCountFingerprint(molecule).GetNonzeroElements())
