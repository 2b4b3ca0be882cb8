"""Prints the molecules of the example model's data, one SMILES a line, in an order that is always the same.

They are what `tools/` trains on: measurements that the `chemicals` package carries, so nothing is downloaded and
whoever has the repository has the same molecules, with the lengths that real molecules have.
"""

import random

from chemmodel_export.train.data import measured_boiling_points


def main() -> None:
    """Shuffled, because the data are sorted by CAS number and neighbours resemble each other."""
    molecules = [molecule.smiles for molecule in measured_boiling_points()]
    random.Random(0).shuffle(molecules)
    print("\n".join(molecules))


if __name__ == "__main__":
    main()
