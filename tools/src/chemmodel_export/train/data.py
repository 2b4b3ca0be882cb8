"""The measurements: Yaws' normal boiling points as shipped by the `chemicals` package, joined to SMILES by CAS number.

Kept are neutral covalent molecules with carbon and common elements, because metals, salts and mixtures are another
problem, and values that can be normal boiling points at all.
The split needs no list: a molecule is held out when a hash of its InChIKey skeleton says so, so stereoisomers and
isotopologues always fall on the same side, and every version of the model shares the same held-out molecules.
"""

import hashlib
from dataclasses import dataclass
from statistics import fmean

from chemicals import phase_change
from chemicals.identifiers import pubchem_db
from rdkit import Chem, RDLogger

from chemmodel_export.train.plausible import is_plausible

ELEMENTS = frozenset("H B C N O F Si P S Cl Ge As Se Br Sn I".split())
SOURCE = "chemicals 1.5.2 (MIT): Tb_data_Yaws, SMILES and InChIKeys from its PubChem table"
RULE = (
    "held out: the first 8 hex digits of SHA-256 of the InChIKey's first block, modulo 10, are 0; "
    "and the ten demonstration molecules with their stereoisomers and isotopologues"
)

# Molecules that the demonstration asks for; training never sees them.
DEMONSTRATION = {
    "64-17-5": ("ethanol", "CCO"),
    "71-43-2": ("benzene", "c1ccccc1"),
    "67-64-1": ("acetone", "CC(=O)C"),
    "108-88-3": ("toluene", "Cc1ccccc1"),
    "64-19-7": ("acetic acid", "CC(=O)O"),
    "110-54-3": ("n-hexane", "CCCCCC"),
    "62-53-3": ("aniline", "Nc1ccccc1"),
    "67-66-3": ("chloroform", "ClC(Cl)Cl"),
    "91-20-3": ("naphthalene", "c1ccc2ccccc2c1"),
    "111-87-5": ("1-octanol", "CCCCCCCCO"),
}

GOLDEN = 50  # held-out molecules that go into a bundle, evenly spread over the temperatures


@dataclass(frozen=True)
class Molecule:
    cas: str
    smiles: str  # canonical
    source_smiles: str  # as the data has it (Kekulé form)
    skeleton: str  # first block of the InChIKey: the connectivity
    kelvin: float


@dataclass(frozen=True)
class Split:
    training: list[Molecule]
    held_out: list[Molecule]


def fold_of(skeleton: str) -> int:
    """0 to 9, from the SHA-256 of the InChIKey's first block; fold 0 is held out."""
    return int(hashlib.sha256(skeleton.encode("ascii")).hexdigest()[:8], 16) % 10


def measured_boiling_points() -> list[Molecule]:
    """Every usable measurement, ordered by CAS number; repeated molecules carry the mean of their values."""
    RDLogger.DisableLog("rdApp.*")
    pubchem_db.autoload_main_db()
    pubchem_db.finish_loading()
    by_smiles: dict[str, list[Molecule]] = {}
    for cas, kelvin in sorted(phase_change.Tb_data_Yaws["Tb"].items()):
        found = pubchem_db.search_CAS(int(cas.replace("-", "")))
        if not found:
            continue
        mol = Chem.MolFromSmiles(found.smiles)
        if mol is None or not _is_covalent_organic(mol) or not is_plausible(mol, kelvin):
            continue
        canonical = Chem.MolToSmiles(mol)
        skeleton = found.InChI_key.split("-")[0]
        by_smiles.setdefault(canonical, []).append(Molecule(cas, canonical, found.smiles, skeleton, float(kelvin)))
    return [
        Molecule(same[0].cas, smiles, same[0].source_smiles, same[0].skeleton, fmean(m.kelvin for m in same))
        for smiles, same in by_smiles.items()
    ]


def split(molecules: list[Molecule]) -> Split:
    named = {m.skeleton for m in molecules if m.cas in DEMONSTRATION}
    if len(named) != len(DEMONSTRATION):
        raise ValueError(f"the data lacks demonstration molecules: found {len(named)} of {len(DEMONSTRATION)}")
    held_out = [m for m in molecules if m.skeleton in named or fold_of(m.skeleton) == 0]
    kept = {m.smiles for m in held_out}
    return Split(training=[m for m in molecules if m.smiles not in kept], held_out=held_out)


def golden_molecules(split: Split) -> list[str]:
    """The demonstration molecules as people write them, and held-out ones from the coldest boiling to the hottest."""
    ordered = sorted(split.held_out, key=lambda m: (m.kelvin, m.smiles))
    spread = [ordered[round(i * (len(ordered) - 1) / (GOLDEN - 1))].smiles for i in range(GOLDEN)]
    return [*(smiles for _, smiles in DEMONSTRATION.values()), *spread]


def _is_covalent_organic(mol: Chem.Mol) -> bool:
    symbols = {atom.GetSymbol() for atom in mol.GetAtoms()}
    neutral = Chem.GetFormalCharge(mol) == 0
    return neutral and "C" in symbols and symbols <= ELEMENTS and len(Chem.GetMolFrags(mol)) == 1
