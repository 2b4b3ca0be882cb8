"""PolyID's network again, one atom and one bond at a time in NumPy, straight from the published formulas.

An oracle: it shares no code with the exporter, and reads the arrays as Keras names and shapes them.
"""

import numpy as np
from rdkit import Chem


def tensors(smiles: str, atoms: dict[str, int], bonds: dict[str, int], texts: tuple) -> tuple[list, list, list]:
    """Atom ids, bond ids and connectivity of nfp, by its graph: neighbours in the order in which bonds are listed."""
    atom_text, bond_text = texts
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    neighbours = {atom.GetIdx(): {} for atom in molecule.GetAtoms()}
    for bond in molecule.GetBonds():
        u, v = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        neighbours[u][v] = neighbours[v][u] = bond
    atom_ids = [atoms.get(atom_text(atom), 1) for atom in molecule.GetAtoms()]
    pairs = [[u, v] for u in neighbours for v in neighbours[u]]
    return atom_ids, [bonds.get(bond_text(neighbours[u][v]), 1) for u, v in pairs], pairs


def atom_text(atom) -> str:
    return f"('{atom.GetSymbol()}', {atom.GetDegree()}, 0, 0, {atom.GetIsAromatic()})"


def bond_text(bond) -> str:
    first, second = sorted([bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()])
    kind = f"rdkit.Chem.rdchem.BondType.{bond.GetBondType()}"
    return f"({kind}, {bond.GetIsConjugated()}, {bond.IsInRing()}, ['{first}', '{second}'])"


def atom_text_v2(atom) -> str:
    """Hydrogens are atoms, so the counts of those that are none are 0."""
    tag, hybrid = (
        f"rdkit.Chem.rdchem.{v}"
        for v in (f"ChiralType.{atom.GetChiralTag()}", f"HybridizationType.{atom.GetHybridization()}")
    )
    degree, valence = atom.GetDegree(), round(sum(bond.GetValenceContrib(atom) for bond in atom.GetBonds()) + 0.1)
    flags = f"{atom.GetIsAromatic()}, {atom.GetNoImplicit()}"
    own = f"{tag}, {degree}, {valence}, {atom.GetFormalCharge()}, {hybrid}, 0, {flags}"
    return f"({own}, 0, 0, {atom.GetNumRadicalElectrons()}, '{atom.GetSymbol()}', {degree}, 0, {valence}, {ring(atom)})"


def bond_text_v2(bond) -> str:
    first, second = sorted([bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()])
    kind, stereo = (
        f"rdkit.Chem.rdchem.BondType.{bond.GetBondType()}",
        f"rdkit.Chem.rdchem.BondStereo.{bond.GetStereo()}",
    )
    return f"({kind}, {bond.GetIsConjugated()}, {stereo}, {ring(bond)}, ['{first}', '{second}'])"


def ring(part) -> str:
    sizes = [size for size in range(3, 12) if part.IsInRingSize(size)]
    return str(min(sizes)) if sizes else "'max'" if part.IsInRing() else "0"


TEXTS = {
    "atom_features_v1": atom_text,
    "atom_features_v2": atom_text_v2,
    "bond_features_v1": bond_text,
    "bond_features_v2": bond_text_v2,
}


def predict(layers: dict[str, list[np.ndarray]], ids: tuple, scale: np.ndarray, center: np.ndarray) -> np.ndarray:
    """`layers` are in the order in which Keras made them; float64 `[outputs]` in the unit of the labels."""
    atom_ids, bond_ids, pairs = ids
    a = [layers["atom_embedding"][0][i].astype(float) for i in atom_ids]
    b = [layers["bond_embedding"][0][i].astype(float) for i in bond_ids]

    def of(kind: str) -> list[list[np.ndarray]]:
        return [arrays for name, arrays in layers.items() if name.startswith(kind)]

    states, edges, nodes = of("global_update"), of("edge_update"), of("node_update")
    g = attention(states[0], a, b)
    for step, edge in enumerate(edges):
        g = g + attention(states[step + 1], a, b)
        b = [row + two(edge, [row, a[u], a[v], g]) for row, (u, v) in zip(b, pairs, strict=True)]
        if step == len(nodes):
            break
        first, second = nodes[step][:4], nodes[step][4:]
        sums = [np.zeros_like(a[0]) for _ in a]
        for row, (u, v) in zip(b, pairs, strict=True):
            sums[u] = sums[u] + two(first, [a[v], row, g])
        a = [row + two(second, [sums[u]]) for u, row in enumerate(a)]
    raw = [np.mean([row @ kernel + bias for row in b]) for kernel, bias in of("bondwise_values")]
    return np.array(raw) * scale + center


def attention(arrays: list[np.ndarray], a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    query, query_bias, value, value_bias = arrays
    weights = [np.exp((row @ query + query_bias)[0]) for row in [*a, *b]]
    values = [row @ value + value_bias for row in [*a, *b]]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def two(arrays: list[np.ndarray], parts: list[np.ndarray]) -> np.ndarray:
    hidden, bias, out, out_bias = arrays
    return np.maximum(np.concatenate(parts) @ hidden + bias, 0) @ out + out_bias
