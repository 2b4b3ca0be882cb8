"""Which listed values can be normal boiling points at all.

About a tenth of the source's entries cannot: they are melting points, boiling points at a few millibar, or slips. The
rule looks at the value and the formula only, never at a prediction, and is applied before the molecules are split.

A molecule with polar groups, rings or heavy halogens boils above the n-alkane with as many heavy atoms; branching
lowers it by a tenth. Fluorine adds hardly anything and is not counted; siloxanes boil far lower, so silicon is exempt
from the lower bound. Nothing organic reaches 1000 K whole.
"""

import math

from rdkit import Chem

LOWEST_SHARE = 0.85
HIGHEST_KELVIN = 1000.0


def n_alkane_kelvin(carbons: int) -> float:
    """Egloff, Sherman and Dull, J. Phys. Chem. 44 (1940) 730: t/°C = 745.42 log10(n + 4.4) - 689.4."""
    return 745.42 * math.log10(carbons + 4.4) - 689.4 + 273.15


def is_plausible(mol: Chem.Mol, kelvin: float) -> bool:
    symbols = [atom.GetSymbol() for atom in mol.GetAtoms()]
    if kelvin > HIGHEST_KELVIN:
        return False
    if "Si" in symbols:
        return True
    counted = sum(symbol not in ("F", "H") for symbol in symbols)
    return kelvin >= LOWEST_SHARE * n_alkane_kelvin(counted)
